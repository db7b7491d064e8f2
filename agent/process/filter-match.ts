import type { AnyValue } from '../otlp/view/any-value.ts';
import { anyValueAsString } from '../otlp/view/as-string.ts';
import type { AttributesView } from '../otlp/view/attributes.ts';
import type { LogView } from '../otlp/view/log.ts';
import type { MetricView } from '../otlp/view/metric.ts';
import type { ResourceView, ScopeView } from '../otlp/view/request.ts';
import type { SpanView } from '../otlp/view/span.ts';
import { equalValues } from '../ottl/compare.ts';
import type { AttributeMatch, Match, TextSet } from './filter-match-config.ts';
import { scalarText } from './match/match.ts';

/** Whether something is what an include or exclude section describes: all of what the section says has to be so. */

export function matchesSpan(match: Match, span: SpanView, scope: ScopeView, resource: ResourceView): boolean {
  if (match.services !== undefined && !hasText(match.services, serviceName(resource))) return false;
  if (match.names !== undefined && !hasText(match.names, span.name)) return false;
  if (match.kinds !== undefined && !hasText(match.kinds, KINDS[span.kind] ?? '')) return false;
  if (!match.scopes.every((each) => scopeIs(each, scope))) return false;
  return hasAll(match.resource, resource.attributes) && hasAll(match.attributes, span.attributes);
}

export function matchesLog(match: Match, log: LogView, resource: ResourceView): boolean {
  if (match.bodies !== undefined && !hasText(match.bodies, anyValueAsString(log.body))) return false;
  if (match.severityTexts !== undefined && !hasText(match.severityTexts, log.severityText)) return false;
  if (match.severity !== undefined && !isSevere(log.severityNumber, match.severity)) return false;
  return hasAll(match.resource, resource.attributes) && hasAll(match.attributes, log.attributes);
}

/** Only the name: its resource is looked at by itself. */
export function matchesMetric(match: Match, metric: MetricView): boolean {
  return match.names === undefined || hasText(match.names, metric.name);
}

export function hasAll(matches: readonly AttributeMatch[], attributes: AttributesView): boolean {
  return matches.every(({ key, value }) => attributes.has(key) && (value === undefined || matchesValue(value, attributes.get(key))));
}

/** What an attribute has to be, against what it is. */
export function matchesValue(wanted: NonNullable<AttributeMatch['value']>, found: AnyValue): boolean {
  if ('equals' in wanted) return equalValues(wanted.equals, found);
  const text = scalarText(found);
  return text !== undefined && hasText(wanted.text, text);
}

export function scopeIs({ name, version }: Match['scopes'][number], scope: ScopeView): boolean {
  return hasText(name, scope.name) && (version === undefined || hasText(version, scope.version));
}

/** By number; others have none. */
export const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((kind) => `SPAN_KIND_${kind}`);

export function serviceName({ attributes }: ResourceView): string {
  return attributes.has('service.name') ? anyValueAsString(attributes.get('service.name')) : '<nil-service-name>';
}

export function isSevere(severity: number, { min, matchUndefined }: { readonly min: number; readonly matchUndefined: boolean }): boolean {
  if (severity === 0) return matchUndefined;
  return severity >= min;
}

export function hasText(set: TextSet, text: string): boolean {
  return 'strict' in set ? set.strict.includes(text) : set.regexp.some((each) => each.test(text));
}

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
  if (match.services !== undefined && !has(match.services, serviceName(resource))) return false;
  if (match.names !== undefined && !has(match.names, span.name)) return false;
  if (match.kinds !== undefined && !has(match.kinds, KINDS[span.kind] ?? '')) return false;
  for (const { name, version } of match.scopes) {
    if (!has(name, scope.name)) return false;
    if (version !== undefined && !has(version, scope.version)) return false;
  }
  return hasAll(match.resource, resource.attributes) && hasAll(match.attributes, span.attributes);
}

export function matchesLog(match: Match, log: LogView, resource: ResourceView): boolean {
  if (match.bodies !== undefined && !has(match.bodies, anyValueAsString(log.body))) return false;
  if (match.severityTexts !== undefined && !has(match.severityTexts, log.severityText)) return false;
  if (match.severity !== undefined && !isSevere(log.severityNumber, match.severity)) return false;
  return hasAll(match.resource, resource.attributes) && hasAll(match.attributes, log.attributes);
}

/** Only the name: its resource is looked at by itself. */
export function matchesMetric(match: Match, metric: MetricView): boolean {
  return match.names === undefined || has(match.names, metric.name);
}

export function hasAll(matches: readonly AttributeMatch[], attributes: AttributesView): boolean {
  return matches.every(({ key, value }) => {
    if (!attributes.has(key)) return false;
    if (value === undefined) return true;
    const found = attributes.get(key);
    if ('equals' in value) return equalValues(value.equals, found);
    const text = scalarText(found);
    return text !== undefined && has(value.text, text);
  });
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((kind) => `SPAN_KIND_${kind}`);

function serviceName({ attributes }: ResourceView): string {
  return attributes.has('service.name') ? anyValueAsString(attributes.get('service.name')) : '<nil-service-name>';
}

function isSevere(severity: number, { min, matchUndefined }: { readonly min: number; readonly matchUndefined: boolean }): boolean {
  if (severity === 0) return matchUndefined;
  return severity >= min;
}

function has(set: TextSet, text: string): boolean {
  return 'strict' in set ? set.strict.includes(text) : set.regexp.some((each) => each.test(text));
}

import { formatGoFloat } from '../../config/go-format.ts';
import type { GoRegExp } from '../../config/go-regexp.ts';
import type { SelectableItem } from '../../otlp/splice.ts';
import type { AnyValue } from '../../otlp/view/any-value.ts';
import { anyValueAsString } from '../../otlp/view/as-string.ts';
import type { AttributesView } from '../../otlp/view/attributes.ts';
import { LogView } from '../../otlp/view/log.ts';
import { SpanView } from '../../otlp/view/span.ts';

/** Texts that are equal to one of these, or that one of the patterns matches anywhere. */
export type TextSet = { readonly texts: ReadonlySet<string> } | { readonly patterns: readonly GoRegExp[] };

export interface AttributeRule {
  readonly key: string;
  /** Any value where both are absent. */
  readonly value?: AnyValue;
  /** For texts, booleans and numbers; others never match. */
  readonly pattern?: GoRegExp;
}

export interface LibraryRule {
  readonly name: TextSet;
  /** Any version where it is absent. */
  readonly version?: TextSet;
}

/** `include` or `exclude`: all of what is there has to match. */
export interface MatchRules {
  readonly services?: TextSet;
  readonly spanNames?: TextSet;
  readonly spanKinds?: TextSet;
  readonly logBodies?: TextSet;
  readonly logSeverityTexts?: TextSet;
  readonly logSeverityNumber?: { readonly min: number; readonly matchUndefined: boolean };
  readonly metricNames?: TextSet;
  readonly attributes: readonly AttributeRule[];
  readonly resources: readonly AttributeRule[];
  readonly libraries: readonly LibraryRule[];
}

export interface MatchSettings {
  readonly include?: MatchRules;
  readonly exclude?: MatchRules;
}

/** Whether a span, metric or log record is to be processed (the opposite of NewSkipExpr upstream); undefined where all are. */
export function selectorOf({ include, exclude }: MatchSettings): ((item: SelectableItem) => boolean) | undefined {
  if (include === undefined && exclude === undefined) return undefined;
  return (item) => (include === undefined || matches(include, item)) && !(exclude !== undefined && matches(exclude, item));
}

function matches(rules: MatchRules, item: SelectableItem): boolean {
  if (item instanceof SpanView) return matchesSpan(rules, item);
  if (item instanceof LogView) return matchesLog(rules, item);
  // Upstream reads nothing but the names of metrics.
  return rules.metricNames === undefined || has(rules.metricNames, item.name);
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((kind) => `SPAN_KIND_${kind}`);

function matchesSpan(rules: MatchRules, span: SpanView): boolean {
  const { resource } = span.scope;
  if (rules.services !== undefined) {
    const service = resource.attributes.has('service.name')
      ? anyValueAsString(resource.attributes.get('service.name'))
      : '<nil-service-name>';
    if (!has(rules.services, service)) return false;
  }
  if (rules.spanNames !== undefined && !has(rules.spanNames, span.name)) return false;
  if (rules.spanKinds !== undefined && !has(rules.spanKinds, KINDS[span.kind] ?? '')) return false;
  return matchesCommon(rules, span);
}

function matchesLog(rules: MatchRules, log: LogView): boolean {
  if (rules.logBodies !== undefined && !has(rules.logBodies, anyValueAsString(log.body))) return false;
  if (rules.logSeverityTexts !== undefined && !has(rules.logSeverityTexts, log.severityText)) return false;
  if (rules.logSeverityNumber !== undefined) {
    const { min, matchUndefined } = rules.logSeverityNumber;
    if (log.severityNumber === 0 ? !matchUndefined : log.severityNumber < min) return false;
  }
  return matchesCommon(rules, log);
}

function matchesCommon(rules: MatchRules, item: SpanView | LogView): boolean {
  const { scope } = item;
  for (const { name, version } of rules.libraries)
    if (!has(name, scope.name) || (version !== undefined && !has(version, scope.version))) return false;
  return matchesAttributes(rules.resources, scope.resource.attributes) && matchesAttributes(rules.attributes, item.attributes);
}

function matchesAttributes(rules: readonly AttributeRule[], attributes: AttributesView): boolean {
  return rules.every(({ key, value, pattern }) => {
    if (!attributes.has(key)) return false;
    if (pattern !== undefined) {
      const text = scalarText(attributes.get(key));
      return text !== undefined && pattern.test(text);
    }
    return value === undefined || sameValue(value, attributes.get(key));
  });
}

function has(set: TextSet, text: string): boolean {
  return 'texts' in set ? set.texts.has(text) : set.patterns.some((pattern) => pattern.test(text));
}

/** Scalars as text, doubles as FormatFloat 'f' writes them; lists, maps and bytes have none and match no regular expression. */
export function scalarText(value: AnyValue): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return formatGoFloat(value);
    default:
      return undefined;
  }
}

/** Equal in kind and value; maps have no order. */
export function sameValue(a: AnyValue, b: AnyValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Map || b instanceof Map) {
    if (!(a instanceof Map && b instanceof Map) || a.size !== b.size) return false;
    for (const [key, value] of a as ReadonlyMap<string, AnyValue>)
      if (!b.has(key) || !sameValue(value, b.get(key) as AnyValue)) return false;
    return true;
  }
  const left = a as readonly AnyValue[];
  const right = b as readonly AnyValue[];
  return left.length === right.length && left.every((value, i) => sameValue(value, right[i]));
}

import type { AnyValue } from '../otlp/view/any-value.ts';
import { anyValueAsString } from '../otlp/view/as-string.ts';
import type { RedactionRules } from './redaction-rules.ts';
import type { Findings } from './redaction-summary.ts';

/** processLogBody upstream: the body as it is to be, the very one where nothing in it changes. */
export function redactedBody(body: AnyValue, rules: RedactionRules, found: Findings): AnyValue {
  if (body instanceof Map) return redactedMap('', body as ReadonlyMap<string, AnyValue>, rules, found);
  if (Array.isArray(body)) return redactedList('', body as readonly AnyValue[], rules, found);
  const text = anyValueAsString(body);
  // Upstream counts an allowed body that is no map and no list nowhere.
  if (rules.allows(text)) return body;
  const masked = rules.maskValues(text);
  if (masked === text) return body;
  found.masked.push('body');
  return masked;
}

/** The same map where nothing in it changes. */
function redactedMap(
  path: string,
  map: ReadonlyMap<string, AnyValue>,
  rules: RedactionRules,
  found: Findings,
): ReadonlyMap<string, AnyValue> {
  const result = new Map<string, AnyValue>();
  const removed: string[] = [];
  let changed = false;
  for (const [key, value] of map) {
    const place = path + key;
    switch (rules.verdict(key)) {
      case 'ignored':
        found.ignored.push(place);
        result.set(key, value);
        break;
      case 'removed':
        removed.push(place);
        changed = true;
        break;
      case 'masked':
        found.masked.push(place);
        result.set(key, rules.maskAll(typeof value === 'string' ? value : ''));
        changed = true;
        break;
      case 'looked at': {
        const inner = redactedValue(place, value, rules, found);
        changed ||= inner !== value;
        result.set(key, inner);
      }
    }
  }
  // Behind what lies deeper, as upstream removes them when the map is through.
  found.redacted.push(...removed);
  return changed ? result : map;
}

function redactedList(path: string, list: readonly AnyValue[], rules: RedactionRules, found: Findings): readonly AnyValue[] {
  const result = list.map((each, i) => redactedValue(`${path}[${i}]`, each, rules, found));
  return result.some((each, i) => each !== list[i]) ? result : list;
}

function redactedValue(place: string, value: AnyValue, rules: RedactionRules, found: Findings): AnyValue {
  if (value instanceof Map) return redactedMap(`${place}.`, value as ReadonlyMap<string, AnyValue>, rules, found);
  if (Array.isArray(value)) return redactedList(`${place}.`, value as readonly AnyValue[], rules, found);
  const text = anyValueAsString(value);
  if (rules.allows(text)) {
    found.allowed.push(place);
    return value;
  }
  const masked = rules.maskValues(text);
  if (masked === text) return value;
  found.masked.push(place);
  return masked;
}

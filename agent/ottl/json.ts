import type { AnyValue } from '../otlp/view/any-value.ts';
import { wrongType } from './errors.ts';
import { compareText, Duration, frozen, GoSlice, Identifier, isMap, Parts, Time, type Value } from './values.ts';

/**
 * JSON of any value, as String() and Concat() show it: keys in order, bytes in base64. NaN and the infinities have none. As goccy/go-json
 * writes it, which converters use upstream: exponents of two digits, `<`, `>` and `&` escaped, no short names for backspace and form feed.
 * What pdata itself shows (body.string, stringify_all) is otlp/view/as-string.ts, and differs in those.
 */
export function toJson(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return 'null';
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return numberText(value);
    case 'string':
      return escaped(value);
    default:
      // No bytes are a nil slice.
      if (value instanceof Uint8Array) return value.length === 0 ? 'null' : `"${Buffer.from(value).toString('base64')}"`;
      if (isMap(value)) {
        const entries = [...frozen(value)].sort(([a], [b]) => compareText(a, b));
        return `{${entries.map(([key, each]) => `${escaped(key)}:${toJson(each)}`).join(',')}}`;
      }
      if (value instanceof GoSlice) return `[${value.items.map((each) => toJson(each)).join(',')}]`;
      if (value instanceof Time) return `"${rfc3339(value)}"`;
      if (value instanceof Duration) return String(value.ns);
      if (value instanceof Identifier) return `[${[...value.bytes].join(',')}]`;
      // pdata types have no fields that JSON would see.
      if (value instanceof Parts) return '{}';
      return `[${(value as readonly AnyValue[]).map((each) => toJson(each)).join(',')}]`;
  }
}

/** Shortest text that reads back as the same number; where it has an exponent is the same in Go and JavaScript, by design of encoding/json. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw wrongType('NaN and infinite numbers have no JSON');
  return Object.is(value, -0) ? '-0' : String(value).replace(/e([+-])(\d)$/u, 'e$10$2');
}

/** What JSON.stringify leaves or shortens and Go does not. */
function escaped(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(/[<>&\u2028\u2029]|\\[bf]/gu, (found) => {
    const code = found === '\\b' ? 8 : found === '\\f' ? 12 : found.charCodeAt(0);
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** time.Time.MarshalJSON: RFC 3339 with as many digits of a second as needed. */
function rfc3339({ ns }: Time): string {
  const seconds = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
  const rest = ns - seconds * 1_000_000_000n;
  const text = new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/u, '');
  const digits = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/u, '')}`;
  return `${text}${digits}Z`;
}

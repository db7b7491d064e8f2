import type { AnyValue } from '../otlp/view/any-value.ts';
import { Failure, wrongType } from './errors.ts';
import { compareText, Duration, frozen, GoSlice, Identifier, isMap, Parts, Time, type Value } from './values.ts';

/** Two encoders write JSON in the Collector, and they differ in small things. */
interface Style {
  readonly number: (value: number) => string;
  readonly text: (value: string) => string;
}

/** goccy/go-json, which converters use: exponents of two digits, `<`, `>` and `&` escaped, no short names for backspace and form feed. */
const GO_JSON: Style = {
  number: (value) => shortest(value).replace(/e([+-])(\d)$/u, 'e$10$2'),
  text: (value) => escaped(value, /[<>&\u2028\u2029]|\\[bf]/gu),
};

/** encoding/json without its escapes for HTML, which pdata uses for AsString(). */
const ENCODING_JSON: Style = { number: shortest, text: (value) => escaped(value, /[\u2028\u2029]/gu) };

/** JSON of any value, as String() and Concat() show it: keys in order, bytes in base64. NaN and the infinities have none. */
export function toJson(value: Value, style: Style = GO_JSON): string {
  switch (typeof value) {
    case 'undefined':
      return 'null';
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return style.number(value);
    case 'string':
      return style.text(value);
    default:
      // No bytes are a nil slice.
      if (value instanceof Uint8Array) return value.length === 0 ? 'null' : `"${Buffer.from(value).toString('base64')}"`;
      if (isMap(value)) {
        const entries = [...frozen(value)].sort(([a], [b]) => compareText(a, b));
        return `{${entries.map(([key, each]) => `${style.text(key)}:${toJson(each, style)}`).join(',')}}`;
      }
      if (value instanceof GoSlice) return `[${value.items.map((each) => toJson(each, style)).join(',')}]`;
      if (value instanceof Time) return `"${rfc3339(value)}"`;
      if (value instanceof Duration) return String(value.ns);
      if (value instanceof Identifier) return `[${[...value.bytes].join(',')}]`;
      // pdata types have no fields that JSON would see.
      if (value instanceof Parts) return '{}';
      return `[${(value as readonly AnyValue[]).map((each) => toJson(each, style)).join(',')}]`;
  }
}

/** Shortest text that reads back as the same number; where it has an exponent is the same in Go and JavaScript, by design of encoding/json. */
function shortest(value: number): string {
  if (!Number.isFinite(value)) throw wrongType('NaN and infinite numbers have no JSON');
  return Object.is(value, -0) ? '-0' : String(value);
}

/** What JSON.stringify leaves or shortens and Go does not. */
function escaped(text: string, more: RegExp): string {
  return JSON.stringify(text.toWellFormed()).replace(more, (found) => {
    const code = found === '\\b' ? 8 : found === '\\f' ? 12 : found.charCodeAt(0);
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Value.AsString() of pdata: what body.string, stringify_all and ToKeyValueString show. */
export function asString(value: AnyValue): string {
  switch (typeof value) {
    case 'undefined':
      return '';
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      if (Number.isFinite(value)) return shortest(value);
      return `json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`;
    default:
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
      try {
        return toJson(value, ENCODING_JSON);
      } catch (error) {
        // json.Marshal failed, and its error is not looked at.
        if (error instanceof Failure) return '';
        throw error;
      }
  }
}

/** time.Time.MarshalJSON: RFC 3339 with as many digits of a second as needed. */
function rfc3339({ ns }: Time): string {
  const seconds = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
  const rest = ns - seconds * 1_000_000_000n;
  const text = new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/u, '');
  const digits = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/u, '')}`;
  return `${text}${digits}Z`;
}

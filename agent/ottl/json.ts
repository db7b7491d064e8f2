import type { AnyValue } from '../otlp/view/any-value.ts';
import { Failure, wrongType } from './errors.ts';
import { compareText, Duration, frozen, GoSlice, Identifier, isMap, Parts, Time, type Value } from './values.ts';

/**
 * JSON as Go writes it (encoding/json, goccy/go-json): keys in order, bytes in base64, `<`, `>` and `&` escaped. NaN and the infinities
 * have no JSON: the marshal of a number fails.
 */
export function toJson(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return 'null';
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return jsonNumber(value);
    case 'string':
      return jsonText(value);
    default:
      if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
      if (isMap(value)) {
        const entries = [...frozen(value)].sort(([a], [b]) => compareText(a, b));
        return `{${entries.map(([key, each]) => `${jsonText(key)}:${toJson(each)}`).join(',')}}`;
      }
      if (value instanceof GoSlice) return `[${value.items.map(toJson).join(',')}]`;
      if (value instanceof Time) return `"${rfc3339(value)}"`;
      if (value instanceof Duration) return String(value.ns);
      if (value instanceof Identifier) return `[${[...value.bytes].join(',')}]`;
      // pdata types have no fields that JSON would see.
      if (value instanceof Parts) return '{}';
      return `[${(value as readonly AnyValue[]).map(toJson).join(',')}]`;
  }
}

/** Shortest text that reads back as the same number; its exponents are those of JavaScript, by design of encoding/json. */
function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) throw wrongType('NaN and infinite numbers have no JSON');
  return Object.is(value, -0) ? '-0' : String(value);
}

/** What encoding/json escapes and JSON.stringify does not. */
const HTML = /[<>&\u2028\u2029]/gu;

function jsonText(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(HTML, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
      if (Number.isFinite(value)) return jsonNumber(value);
      return `json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`;
    default:
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
      try {
        return toJson(value);
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

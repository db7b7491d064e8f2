import type { AnyValue } from './any-value.ts';

/**
 * Value.AsString() of pdata 1.61: texts as they are, numbers as ES6 writes them, bytes in base64, lists and maps as JSON with sorted keys
 * and without the escapes for HTML. NaN and infinities inside of a list or map have no JSON: all of it is the empty text then.
 */
export function anyValueAsString(value: AnyValue): string {
  switch (typeof value) {
    case 'undefined':
      return '';
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    default:
      return value instanceof Uint8Array ? base64(value) : (json(value) ?? '');
  }
}

/** undefined where Go's encoder fails. */
function json(value: AnyValue): string | undefined {
  switch (typeof value) {
    case 'undefined':
      return 'null';
    case 'string':
      return jsonText(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? anyValueAsString(value) : undefined;
    default:
      if (value instanceof Uint8Array) return value.length === 0 ? 'null' : `"${base64(value)}"`;
      return value instanceof Map ? jsonMap(value as ReadonlyMap<string, AnyValue>) : jsonList(value as readonly AnyValue[]);
  }
}

function jsonList(list: readonly AnyValue[]): string | undefined {
  const parts = list.map(json);
  return parts.includes(undefined) ? undefined : `[${parts.join(',')}]`;
}

function jsonMap(map: ReadonlyMap<string, AnyValue>): string | undefined {
  const parts: string[] = [];
  for (const [key, value] of [...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const text = json(value);
    if (text === undefined) return undefined;
    parts.push(`${jsonText(key)}:${text}`);
  }
  return `{${parts.join(',')}}`;
}

/** Go also escapes the two line separators of Unicode. */
function jsonText(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

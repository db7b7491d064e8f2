import type { Signal } from '../../../agent/config/settings.ts';
import { type Message, REQUEST_TYPES } from '../../agent/kit/otlp.ts';
import { plainly } from '../../agent/process/odd-encoding.ts';

/**
 * A request as a value that can be compared: two requests that mean the same are equal. Proto3 zero values and empty messages are as good as
 * absent, attributes have no order; everything else does. Attributes of the same key keep their order among themselves.
 */
export function canonical(signal: Signal, bytes: Uint8Array): Message {
  const type = REQUEST_TYPES[signal];
  const message = type.toObject(type.decode(plainly(type, bytes, true)), { longs: String, bytes: String, enums: Number }) as Message;
  if (signal === 'profiles') resolve(message);
  return (normalize(message, '') ?? {}) as Message;
}

/** Profiles may name texts of attributes by their place in the dictionary, and the Collector does so with all of them: they become texts here. */
function resolve(message: Message): void {
  const dictionary = message.dictionary as { stringTable?: string[] } | undefined;
  const strings = dictionary?.stringTable ?? [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const fields = value as Message;
    if (typeof fields.keyStrindex === 'number') {
      fields.key = strings[fields.keyStrindex];
      delete fields.keyStrindex;
    }
    if (typeof fields.stringValueStrindex === 'number') {
      fields.stringValue = strings[fields.stringValueStrindex];
      delete fields.stringValueStrindex;
    }
    Object.values(fields).forEach(visit);
  };
  visit(message);
  // Other messages name them, too, but nothing here changes those.
  if (dictionary !== undefined) delete dictionary.stringTable;
}

/** Fields whose members are KeyValues, in any order. */
const ATTRIBUTES = new Set(['attributes', 'filteredAttributes', 'metadata']);

/** Messages of a oneof: that they are there says something even when they are empty. */
const PRESENT = new Set(['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary', 'arrayValue', 'kvlistValue', 'value']);

/** Scalars of a oneof and optional ones: zero is not absent. */
const EXPLICIT = new Set(['stringValue', 'boolValue', 'intValue', 'doubleValue', 'bytesValue', 'asDouble', 'asInt', 'min', 'max']);

function normalize(value: unknown, field: string): unknown {
  if (Array.isArray(value)) {
    const list = value.map((each) => normalize(each, 'value') ?? {});
    if (list.length === 0) return undefined;
    return ATTRIBUTES.has(field) || field === 'kvlist' ? sortByKey(list as Message[]) : list;
  }
  if (typeof value === 'number') return number(value, field);
  if (typeof value === 'string') return EXPLICIT.has(field) || (value !== '' && value !== '0') ? value : undefined;
  if (typeof value === 'boolean') return EXPLICIT.has(field) || value ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const result: Message = {};
  for (const [key, inner] of Object.entries(value)) {
    // Histogram.sum is a number and optional, Metric.sum a message.
    const explicit = key === 'sum' && typeof inner === 'number' ? 'min' : key === 'values' && field === 'kvlistValue' ? 'kvlist' : key;
    const normal = normalize(inner, explicit);
    if (normal !== undefined) result[key] = normal;
  }
  return Object.keys(result).length > 0 || PRESENT.has(field) ? result : undefined;
}

/** JSON cannot say NaN, infinities and negative zero. */
function number(value: number, field: string): unknown {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value !== 0 || EXPLICIT.has(field) ? value : undefined;
  return Object.is(value, -0) ? '-0' : String(value);
}

function sortByKey(list: Message[]): Message[] {
  return list
    .map((each) => (each.value === undefined ? { ...each, value: {} } : each))
    .sort((a, b) => compare(String(a.key ?? ''), String(b.key ?? '')));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

import { type AnyValue, MAX_VALUE_DEPTH } from '../../otlp/view/any-value.ts';
import { anyValueAsString } from '../../otlp/view/as-string.ts';
import { compare } from '../compare.ts';
import { fromRaw, wantList } from '../convert.ts';
import { Failure } from '../errors.ts';
import { anything, list, listOf, literalBool, literalString, map, optional, string } from '../kinds.ts';
import { compareText, entriesOf, GoSlice, isList, isMap, typeName, type Value } from '../values.ts';
import { define, type FunctionDefinition } from './define.ts';
import { keyValues } from './key-values.ts';
import { byteLength } from './text.ts';

/** Converters of pkg/ottl/ottlfuncs that are about maps and lists. */
export const COLLECTION_CONVERTERS: readonly FunctionDefinition[] = [
  define(
    'ParseJSON',
    { target: string },
    ({ target }) =>
      (item) =>
        parseJson(target.get(item)),
  ),
  define(
    'ParseKeyValue',
    { target: string, delimiter: optional(literalString), pair_delimiter: optional(literalString) },
    ({ target, delimiter = '=', pair_delimiter = ' ' }) => {
      if (delimiter === '' || pair_delimiter === '') throw new Failure('a delimiter is empty');
      if (delimiter === pair_delimiter) throw new Failure('both delimiters are the same');
      return (item) => keyValues(target.get(item), delimiter, pair_delimiter);
    },
  ),
  define(
    'Keys',
    { target: map },
    ({ target }) =>
      (item) =>
        [...entriesOf(target.get(item))].map(([key]) => key),
  ),
  define(
    'Values',
    { target: map },
    ({ target }) =>
      (item) =>
        [...entriesOf(target.get(item))].map(([, value]) => value),
  ),
  define('ContainsValue', { target: list, item: anything }, ({ target, item: wanted }) => (item) => {
    const values = target.get(item);
    const value = wanted.get(item);
    return values.some((each) => compare(each, value, '=='));
  }),
  define('Index', { target: anything, value: anything }, ({ target, value }) => (item) => {
    const found = target.get(item);
    const wanted = value.get(item);
    if (typeof found !== 'string') return BigInt(wantList(found).findIndex((each) => compare(each, wanted, '==')));
    if (typeof wanted !== 'string') throw new Failure(`a text has no ${typeName(wanted)} in it`);
    const index = found.indexOf(wanted);
    return index < 0 ? -1n : BigInt(byteLength(found.slice(0, index)));
  }),
  define('Sort', { target: anything, order: optional(literalString) }, ({ target, order }) => {
    if (order !== undefined && order !== 'asc' && order !== 'desc') throw new Failure(`the order is "asc" or "desc", not "${order}"`);
    const sign = order === 'desc' ? -1 : 1;
    return (item) => sorted(target.get(item), sign);
  }),
  define(
    'SliceToMap',
    { target: list, key_path: optional(listOf(literalString)), value_path: optional(listOf(literalString)) },
    ({ target, key_path, value_path }) =>
      (item) => {
        const result = new Map<string, AnyValue>();
        target.get(item).forEach((each, i) => {
          if ((key_path ?? value_path) !== undefined && !isMap(each)) throw new Failure(`element ${i} is a ${typeName(each)}, not a map`);
          const key = key_path === undefined ? String(i) : valueAt(each, key_path);
          if (typeof key !== 'string') throw new Failure(`the key of element ${i} is a ${typeName(key)}, not a text`);
          result.set(key, value_path === undefined ? each : valueAt(each, value_path));
        });
        return result;
      },
  ),
  define(
    'ToKeyValueString',
    { target: map, delimiter: optional(literalString), pair_delimiter: optional(literalString), sort_output: optional(literalBool) },
    (args) => {
      const delimiter = args.delimiter ?? '=';
      const between = args.pair_delimiter ?? ' ';
      if (delimiter === '' || between === '') throw new Failure('a delimiter is empty');
      if (delimiter === between) throw new Failure('both delimiters are the same');
      const quoted = (text: string): string => {
        const escaped = text.replaceAll('"', '\\"');
        return escaped.includes(between) || escaped.includes(delimiter) ? `"${escaped}"` : escaped;
      };
      return (item) => {
        const entries = [...entriesOf(args.target.get(item))];
        if (args.sort_output === true) entries.sort(([a], [b]) => compareText(a, b));
        return entries.map(([key, value]) => quoted(key) + delimiter + quoted(anyValueAsString(value))).join(between);
      };
    },
  ),
];

/** json.Unmarshal into a map or list: every number is a double. */
function parseJson(text: string): Value {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Failure('this is no JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) throw new Failure('this JSON is neither an object nor an array');
  return fromJson(parsed, 1);
}

function fromJson(value: unknown, depth: number): AnyValue {
  if (depth > MAX_VALUE_DEPTH / 2) throw new Failure(`this JSON is nested more than ${MAX_VALUE_DEPTH / 2} deep`);
  if (value === null) return undefined;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Failure('a number in this JSON does not fit a double');
    return value;
  }
  // Half a surrogate pair is no character; Go reads it as U+FFFD.
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object') return value as boolean;
  if (Array.isArray(value)) return value.map((each) => fromJson(each, depth + 1));
  return new Map(Object.entries(value).map(([key, each]) => [key.toWellFormed(), fromJson(each, depth + 1)] as const));
}

function valueAt(value: AnyValue, path: readonly string[]): AnyValue {
  if (path.length === 0) throw new Failure('a path is empty');
  let current = value;
  for (const name of path) {
    if (!isMap(current) || !current.has(name)) throw new Failure(`an element has no ${path.join('.')}`);
    current = current.get(name);
  }
  return current;
}

/** Sort: numbers by value; texts, booleans and nil as texts; a list with anything else in it stays as it is. */
function sorted(value: Value, sign: number): Value {
  if (value instanceof GoSlice && value.of !== 'any' && value.of !== 'uint64') {
    return new GoSlice(
      value.of,
      [...value.items].sort((a, b) => sign * order(a as AnyValue, b as AnyValue)),
    );
  }
  if (!isList(value) && !(value instanceof GoSlice && value.of === 'any')) throw new Failure(`a ${typeName(value)} cannot be sorted`);
  const values = isList(value) ? value : value.items.map(fromRaw);
  if (values.length === 0 || values.some((each) => typeof each === 'object')) return values;
  const isNumbers = values.every((each) => typeof each === 'bigint' || typeof each === 'number');
  const by = isNumbers ? order : (a: AnyValue, b: AnyValue) => compareText(anyValueAsString(a), anyValueAsString(b));
  return new GoSlice(
    'any',
    [...values].sort((a, b) => sign * by(a, b)),
  );
}

function order(a: AnyValue, b: AnyValue): number {
  if (compare(a, b, '<')) return -1;
  return compare(a, b, '>') ? 1 : 0;
}

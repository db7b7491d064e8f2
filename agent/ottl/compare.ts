import type { AnyValue } from '../otlp/view/any-value.ts';
import type { ComparisonOperator } from './ast.ts';
import { compareText, Duration, frozen, GoSlice, Identifier, isList, isMap, type MapValue, Parts, Time, type Value } from './values.ts';

/**
 * The rules of pkg/ottl/compare.go: integers and doubles compare as numbers; values of different kinds are never equal and never less or
 * greater; nil equals nil only; maps and lists only know == and !=.
 */
export function compare(a: Value, b: Value, operator: ComparisonOperator): boolean {
  if (isNil(a) || isNil(b)) {
    const both = isNil(a) && isNil(b);
    return operator === '!=' ? !both : both && operator !== '<' && operator !== '>';
  }
  const order = orderOf(a, b);
  if (order !== undefined) return judge(order, operator);
  if (operator === '==') return equal(a, b);
  return operator === '!=' && !equal(a, b);
}

/** No bytes are a nil slice in Go, and that is nil, too. */
function isNil(value: Value): boolean {
  return value === undefined || (value instanceof Uint8Array && value.length === 0);
}

/** Negative, 0, positive, or NaN where nothing but != holds; undefined for kinds without an order. */
function orderOf(a: Value, b: Value): number | undefined {
  switch (typeof a) {
    case 'bigint':
      if (typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0;
      return typeof b === 'number' ? numbers(Number(a), b) : Number.NaN;
    case 'number':
      if (typeof b === 'bigint') return numbers(a, Number(b));
      return typeof b === 'number' ? numbers(a, b) : Number.NaN;
    case 'string':
      return typeof b === 'string' ? compareText(a, b) : Number.NaN;
    case 'boolean':
      return typeof b === 'boolean' ? Number(a) - Number(b) : Number.NaN;
    default:
      if (a instanceof Uint8Array) return b instanceof Uint8Array ? Buffer.compare(a, b) : Number.NaN;
      if (a instanceof Time) return b instanceof Time ? Number(a.ns - b.ns) : Number.NaN;
      if (a instanceof Duration) return b instanceof Duration ? Number(a.ns - b.ns) : Number.NaN;
      return undefined;
  }
}

function numbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN;
}

function judge(order: number, operator: ComparisonOperator): boolean {
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function equal(a: Value, b: Value): boolean {
  if (isMap(a)) return isMap(b) && equalMaps(a, b);
  if (a instanceof Identifier) return b instanceof Identifier && a.kind === b.kind && Buffer.compare(a.bytes, b.bytes) === 0;
  if (a instanceof Parts) return b instanceof Parts && a.owner === b.owner && a.type === b.type;
  if (isList(a)) {
    if (isList(b)) return equalLists(a, b);
    return b instanceof GoSlice && b.of === 'any' && sameRaw(b.items, a);
  }
  if (!(a instanceof GoSlice)) return false;
  // reflect.DeepEqual of []any with what a pcommon.Slice holds; slices of other types equal nothing.
  if (a.of !== 'any') return false;
  if (isList(b)) return sameRaw(a.items, b);
  return b instanceof GoSlice && b.of === 'any' && sameRaw(a.items, b.items);
}

function sameRaw(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((each, i) => sameValue(each, b[i]));
}

function sameValue(a: Value, b: Value): boolean {
  if (a instanceof GoSlice || b instanceof GoSlice) return equal(a, b) || equal(b, a);
  return equalValues(a as AnyValue, b as AnyValue);
}

function equalMaps(a: MapValue, b: MapValue): boolean {
  const [left, right] = [frozen(a), frozen(b)];
  if (left.size !== right.size) return false;
  for (const [key, value] of left) if (!right.has(key) || !equalValues(value, right.get(key))) return false;
  return true;
}

function equalLists(a: readonly AnyValue[], b: readonly AnyValue[]): boolean {
  return a.length === b.length && a.every((each, i) => equalValues(each, b[i]));
}

/** Value.Equal of pdata: of one kind and the same. */
export function equalValues(a: AnyValue, b: AnyValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (isMap(a)) return isMap(b) && equalMaps(a, b);
  return isList(a) && isList(b) && equalLists(a, b);
}

import type { AnyValue } from '../otlp/view/any-value.ts';
import { Failure, wrongType } from './errors.ts';
import { toJson } from './json.ts';
import { GoSlice, isList, isMap, type MapValue, truncated, typeName, type Value } from './values.ts';

/**
 * The getters of pkg/ottl/expression.go. Those named after a type want it and fail otherwise; the `Like` ones convert where that is
 * possible, and nil stays nil.
 */
export function wantString(value: Value): string {
  if (typeof value === 'string') return value;
  throw wrongType(`expected string but got ${typeName(value)}`);
}

export function wantInt(value: Value): bigint {
  if (typeof value === 'bigint') return value;
  throw wrongType(`expected int64 but got ${typeName(value)}`);
}

export function wantDouble(value: Value): number {
  if (typeof value === 'number') return value;
  throw wrongType(`expected float64 but got ${typeName(value)}`);
}

export function wantBool(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongType(`expected bool but got ${typeName(value)}`);
}

export function wantMap(value: Value): MapValue {
  if (isMap(value)) return value;
  throw wrongType(`expected a map but got ${typeName(value)}`);
}

/** A pcommon.Slice; slices of Go become one, where their elements can be in one. */
export function wantList(value: Value): readonly AnyValue[] {
  if (isList(value)) return value;
  if (value instanceof GoSlice) return value.items.map(fromRaw);
  throw wrongType(`expected a list but got ${typeName(value)}`);
}

/** Value.FromRaw of pdata: pcommon types and slices other than []any are none that it knows. */
export function fromRaw(value: Value): AnyValue {
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (value instanceof GoSlice && value.of === 'any') return value.items.map(fromRaw);
  throw new Failure(`a ${typeName(value)} cannot be an element of this list or map`);
}

export function stringLike(value: Value): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return toJson(value);
}

export function doubleLike(value: Value): number | undefined {
  switch (typeof value) {
    case 'undefined':
    case 'number':
      return value;
    case 'bigint':
      return Number(value);
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return parseDouble(value);
    default:
      throw wrongType(`a ${typeName(value)} cannot be a double`);
  }
}

/** A text that is no integer is nil, not a failure. */
export function intLike(value: Value): bigint | undefined {
  switch (typeof value) {
    case 'undefined':
    case 'bigint':
      return value;
    case 'number':
      return truncated(value);
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return parseInt64(value, 10);
    default:
      throw wrongType(`a ${typeName(value)} cannot be an integer`);
  }
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

export function boolLike(value: Value): boolean | undefined {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return value;
    case 'bigint':
      return value !== 0n;
    case 'number':
      return value !== 0;
    case 'string':
      if (TRUE.has(value)) return true;
      if (FALSE.has(value)) return false;
      throw new Failure(`${JSON.stringify(value)} is no boolean`);
    default:
      throw wrongType(`a ${typeName(value)} cannot be a boolean`);
  }
}

export function bytesLike(value: Value): Uint8Array | undefined {
  switch (typeof value) {
    case 'undefined':
      return undefined;
    case 'string':
      return Buffer.from(value);
    case 'boolean':
      return Uint8Array.of(value ? 1 : 0);
    case 'bigint':
    case 'number': {
      const bytes = Buffer.alloc(8);
      if (typeof value === 'bigint') bytes.writeBigInt64BE(value);
      else bytes.writeDoubleBE(value);
      return bytes;
    }
    default:
      if (value instanceof Uint8Array) return value;
      throw wrongType(`a ${typeName(value)} has no bytes`);
  }
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/u;
const SPECIAL = /^([+-]?)(?:(inf|infinity)|(nan))$/iu;

/** strconv.ParseFloat; hexadecimal floats, which nobody sends, fail. */
function parseDouble(text: string): number {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
  }
  const special = SPECIAL.exec(text);
  if (special?.[2] !== undefined) return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (special !== null && special[1] === '') return Number.NaN;
  throw new Failure(`${JSON.stringify(text)} is no double`);
}

/** strconv.ParseInt with a base from 2 to 36; undefined where the text is no such integer of 64 bits. */
export function parseInt64(text: string, base: number): bigint | undefined {
  const negative = text.startsWith('-');
  const digits = negative || text.startsWith('+') ? text.slice(1) : text;
  if (!/^[0-9a-zA-Z]{1,70}$/u.test(digits)) return undefined;
  let value = 0n;
  for (const char of digits.toLowerCase()) {
    const digit = '0123456789abcdefghijklmnopqrstuvwxyz'.indexOf(char);
    if (digit < 0 || digit >= base) return undefined;
    value = value * BigInt(base) + BigInt(digit);
  }
  if (negative) value = -value;
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

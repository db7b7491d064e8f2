import type { AnyValue } from '../otlp/view/any-value.ts';
import { AttributesView } from '../otlp/view/attributes.ts';

/**
 * What an expression can be at run time. AnyValue (see otlp/view) has what attributes can hold; the others exist only inside of
 * statements. nil is undefined, integers are bigint and doubles number, so that 1 and 1.0 stay two things.
 */
export type Value = AnyValue | AttributesView | GoSlice | Time | Duration | Identifier | Parts;

/** A map: the attributes of something, alive, or a map inside of a value, which is never changed in place. */
export type MapValue = ReadonlyMap<string, AnyValue> | AttributesView;

/**
 * A list that is no pcommon.Slice in the Collector but a slice of Go: what a literal list ('any'), Split ('string') or bucket_counts
 * ('uint64') give. Some functions tell them apart, and so the type is kept.
 */
export class GoSlice {
  readonly of: 'any' | 'string' | 'int64' | 'uint64' | 'float64';
  readonly items: readonly Value[];
  constructor(of: GoSlice['of'], items: readonly Value[]) {
    this.of = of;
    this.items = items;
  }
}

/** time.Time: nanoseconds since 1970; `local` where Go would show it in the zone of the process. */
export class Time {
  readonly ns: bigint;
  readonly local: boolean;
  constructor(ns: bigint, local = false) {
    this.ns = ns;
    this.local = local;
  }
}

/** time.Duration: nanoseconds, 64 bits. */
export class Duration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** A trace id (16 bytes) or span id (8 bytes). */
export class Identifier {
  readonly kind: 'TraceID' | 'SpanID';
  readonly bytes: Uint8Array;
  constructor(kind: 'TraceID' | 'SpanID', bytes: Uint8Array) {
    this.kind = kind;
    this.bytes = bytes;
  }

  /** From a field of a message: absent is all zeros. */
  static of(kind: 'TraceID' | 'SpanID', bytes: Uint8Array): Identifier {
    const length = kind === 'TraceID' ? 16 : 8;
    if (bytes.length === length) return new Identifier(kind, bytes);
    const padded = new Uint8Array(length);
    padded.set(bytes.subarray(0, length));
    return new Identifier(kind, padded);
  }

  get hex(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString('hex');
  }
}

/** Events, links, data points, a status and the like: they can be counted and compared with nil, nothing else. */
export class Parts {
  readonly type: string;
  /** undefined where it cannot be counted (a status, buckets). */
  readonly length: number | undefined;
  /** What it belongs to; two of them are equal where they belong to the same. */
  readonly owner: object;
  constructor(type: string, length: number | undefined, owner: object) {
    this.type = type;
    this.length = length;
    this.owner = owner;
  }
}

/** Name of the type in Go, for messages. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return 'nil';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int64';
    case 'number':
      return 'float64';
    default:
      if (value instanceof Uint8Array) return '[]byte';
      if (isMap(value)) return 'map';
      if (value instanceof GoSlice || isList(value)) return 'list';
      if (value instanceof Time) return 'time';
      if (value instanceof Duration) return 'duration';
      return value instanceof Identifier ? value.kind : value.type;
  }
}

/** A pcommon.Slice: a list that stands in an attribute or a body. */
export function isList(value: Value): value is readonly AnyValue[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is MapValue {
  return value instanceof Map || value instanceof AttributesView;
}

/** Entries in their order; of a key that is there twice both. */
export function entriesOf(map: MapValue): Iterable<readonly [string, AnyValue]> {
  return map.entries();
}

/** A map as a value that can be kept: the attributes of something are copied, as they may change. */
export function frozen(map: MapValue): ReadonlyMap<string, AnyValue> {
  return map instanceof AttributesView ? map.toMap() : map;
}

/** Values of 64 bits wrap around as in Go. */
export function int64(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

/** int64(f) of Go on amd64: cut towards zero; what does not fit is the smallest integer. */
export function truncated(value: number): bigint {
  if (!(Math.abs(value) < 2 ** 63)) return -(2n ** 63n);
  return BigInt(Math.trunc(value));
}

/** bytes.Compare and the order of strings in Go: by UTF-8 bytes, which is by code points and not by the units of UTF-16. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    // A surrogate belongs to a code point above all units that are none.
    const [isLeft, isRight] = [left >= 0xd800 && left <= 0xdfff, right >= 0xd800 && right <= 0xdfff];
    if (isLeft !== isRight) return isLeft ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

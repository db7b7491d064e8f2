import { type AnyValue, decodeAnyValue, readKeyValue, valueAt } from '../otlp/view/any-value.ts';
import { asBuffer } from '../otlp/view/attributes.ts';
import { position, readLength, readTag, skipField, WIRE_LEN } from '../otlp/wire.ts';
import { ATTRIBUTES_OF, fieldOf, numberOf } from './attributes.ts';
import { ITEM, POINT, RESOURCE, SCOPE } from './levels.ts';
import type { Keyer, Route } from './split-by-key.ts';
import { xxhash64 } from './xxhash64.ts';

/*
 * The identities of internal/exp/metrics/identity in the Collector: attributes in any order give 16 bytes (two XXH64), which go with the
 * names of what they belong to into one FNV-1a of 64 bits, printed in hexadecimal.
 */

const KEY = 0xf4;
const EMPTY = 0xf5;
const BYTES = 0xf6;
const TEXT = 0xf7;
const TRUE = 0xf8;
const FALSE = 0xf9;
const INT = 0xfa;
const DOUBLE = 0xfb;
const MAP = 0xfc;
const MAP_END = 0xfd;
const LIST = 0xfe;
const LIST_END = 0xff;
const SECOND_HALF = 0xf3;
const NO_ATTRIBUTES = Buffer.alloc(16);

type Pair = readonly [key: Buffer, value: AnyValue];

/** pdatautil.MapHash of the attributes in `field` of the message at [from, end). */
export function attributesHash(buf: Uint8Array, from: number, end: number, field: number): Buffer {
  const pairs = pairsOf(asBuffer(buf), from, end, field);
  if (pairs.length === 0) return NO_ATTRIBUTES;
  const bytes: Buffer[] = [];
  writePairs(pairs, bytes);
  const first = Buffer.concat(bytes);
  const hash = Buffer.alloc(16);
  hash.writeBigUInt64LE(xxhash64(first), 0);
  hash.writeBigUInt64LE(xxhash64(Buffer.concat([first, Buffer.of(SECOND_HALF)])), 8);
  return hash;
}

function pairsOf(buf: Buffer, from: number, end: number, field: number): Pair[] {
  const pairs: Pair[] = [];
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const body = position();
    if (tag >>> 3 !== field || (tag & 7) !== WIRE_LEN) {
      pos = skipField(buf, tag, body, end);
      continue;
    }
    const stop = readLength(buf, body, end);
    const range = readKeyValue(buf, position(), stop);
    const { source, from: at, end: to } = valueAt(buf, range);
    pairs.push([range.keyFrom < 0 ? NOTHING : buf.subarray(range.keyFrom, range.keyEnd), decodeAnyValue(source, at, to)]);
    pos = stop;
  }
  return pairs;
}

const NOTHING = Buffer.alloc(0);

function writePairs(pairs: readonly Pair[], out: Buffer[]): void {
  // The sort is stable, and of a key that is there twice the first value counts, both times.
  const sorted = pairs.toSorted(([a], [b]) => Buffer.compare(a, b));
  let last: Pair | undefined;
  for (const pair of sorted) {
    if (last === undefined || !last[0].equals(pair[0])) last = pair;
    out.push(Buffer.of(KEY), pair[0]);
    writeValue(last[1], out);
  }
}

function writeValue(value: AnyValue, out: Buffer[]): void {
  switch (typeof value) {
    case 'undefined':
      out.push(Buffer.of(EMPTY));
      return;
    case 'string':
      out.push(Buffer.of(TEXT), Buffer.from(value));
      return;
    case 'boolean':
      out.push(Buffer.of(value ? TRUE : FALSE));
      return;
    case 'bigint': {
      const bytes = Buffer.alloc(9, INT);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, value), 1);
      out.push(bytes);
      return;
    }
    case 'number': {
      const bytes = Buffer.alloc(9, DOUBLE);
      bytes.writeDoubleLE(value, 1);
      out.push(bytes);
      return;
    }
    default:
      if (value instanceof Uint8Array) out.push(Buffer.of(BYTES), asBuffer(value));
      else if (value instanceof Map) {
        out.push(Buffer.of(MAP));
        writePairs(
          [...(value as ReadonlyMap<string, AnyValue>)].map(([key, one]) => [Buffer.from(key), one]),
          out,
        );
        out.push(Buffer.of(MAP_END));
      } else {
        out.push(Buffer.of(LIST));
        for (const one of value as readonly AnyValue[]) writeValue(one, out);
        out.push(Buffer.of(LIST_END));
      }
  }
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const MASK = 0xffff_ffff_ffff_ffffn;

function fnv1a(...parts: readonly Uint8Array[]): bigint {
  let hash = FNV_OFFSET;
  for (const part of parts) for (const byte of part) hash = ((hash ^ BigInt(byte)) * FNV_PRIME) & MASK;
  return hash;
}

/** `resource/<hash>`: all resources with the same attributes together. */
export class ResourceIdKeyer implements Keyer {
  targetOf(level: number, _field: number, buf: Uint8Array, from: number, end: number, route: Route): number {
    if (level !== RESOURCE) return -1;
    const key = Buffer.from(`resource/${fnv1a(resourceHash(buf, from, end)).toString(16)}`);
    return route(key, 0, key.length);
  }
}

function resourceHash(buf: Uint8Array, from: number, end: number): Buffer {
  const resource = fieldOf(buf, from, end, 1);
  return resource === undefined ? NO_ATTRIBUTES : attributesHash(buf, resource.from, resource.end, ATTRIBUTES_OF.resource);
}

/** Metric data: field of the oneof -> the number that pdata gives the type. */
const METRIC_TYPES: Readonly<Record<number, number>> = { 5: 1, 7: 2, 9: 3, 10: 4, 11: 5 };

/** `stream/<hash>`: resource, scope, metric and attributes of one data point. */
export class StreamIdKeyer implements Keyer {
  #resource: Uint8Array = NO_ATTRIBUTES;
  #scope: readonly Uint8Array[] = [];
  #metric: readonly Uint8Array[] = [];
  #data: readonly Uint8Array[] = [];
  #attributesField = 7;

  targetOf(level: number, field: number, buf: Uint8Array, from: number, end: number, route: Route): number {
    switch (level) {
      case RESOURCE:
        this.#resource = resourceHash(buf, from, end);
        return -1;
      case SCOPE: {
        const scope = fieldOf(buf, from, end, 1) ?? { from: 0, end: 0 };
        const attributes = attributesHash(buf, scope.from, scope.end, ATTRIBUTES_OF.scope);
        this.#scope = [bytesOf(buf, scope.from, scope.end, 1), bytesOf(buf, scope.from, scope.end, 2), attributes];
        return -1;
      }
      case ITEM:
        this.#metric = [bytesOf(buf, from, end, 1), bytesOf(buf, from, end, 3)];
        return -1;
      case POINT: {
        const attributes = attributesHash(buf, from, end, this.#attributesField);
        const hash = fnv1a(this.#resource, ...this.#scope, ...this.#metric, ...this.#data, attributes);
        const key = Buffer.from(`stream/${hash.toString(16)}`);
        return route(key, 0, key.length);
      }
      default:
        this.#attributesField = ATTRIBUTES_OF.point[field] as number;
        this.#data = [dataOf(field, buf, from, end)];
        return -1;
    }
  }
}

function bytesOf(buf: Uint8Array, from: number, end: number, field: number): Uint8Array {
  const found = fieldOf(buf, from, end, field);
  return found === undefined ? NOTHING : buf.subarray(found.from, found.end);
}

/** Type, monotonic, temporality; histograms count as monotonic, gauges and summaries have neither. */
function dataOf(field: number, buf: Uint8Array, from: number, end: number): Uint8Array {
  const type = METRIC_TYPES[field] as number;
  if (field === 7) return Uint8Array.of(type, numberOf(buf, from, end, 3) === 0 ? 0 : 1, numberOf(buf, from, end, 2));
  if (field === 9 || field === 10) return Uint8Array.of(type, 1, numberOf(buf, from, end, 2));
  return Uint8Array.of(type, 0, 0);
}

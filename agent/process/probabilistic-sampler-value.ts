import { decodeAnyValue } from '../otlp/view/any-value.ts';
import { anyValueAsString } from '../otlp/view/as-string.ts';
import { asBuffer } from '../otlp/view/attributes.ts';
import { position, readLength, readTag, readVarint, skipField, WIRE_FIXED64, WIRE_LEN, WIRE_VARINT } from '../otlp/wire.ts';

/** AnyValue: 1 string | 2 bool | 3 int | 4 double | 5 array | 6 kvlist | 7 bytes; the last one written wins, as in any oneof. */
export interface RawValue {
  readonly kind: 'empty' | 'string' | 'bool' | 'int' | 'double' | 'array' | 'kvlist' | 'bytes';
  readonly buf: Uint8Array;
  /** Where its content lies in `buf`: text, bytes, a varint, eight bytes; of lists and maps the whole AnyValue. */
  readonly from: number;
  readonly end: number;
}

const KINDS: readonly (readonly [RawValue['kind'], number] | undefined)[] = [
  undefined,
  ['string', WIRE_LEN],
  ['bool', WIRE_VARINT],
  ['int', WIRE_VARINT],
  ['double', WIRE_FIXED64],
  ['array', WIRE_LEN],
  ['kvlist', WIRE_LEN],
  ['bytes', WIRE_LEN],
];

const EMPTY: RawValue = { kind: 'empty', buf: new Uint8Array(0), from: 0, end: 0 };

/** The value of the KeyValue at [from, end) if its key is this one (UTF-8), else undefined. A key without a value is `empty`. */
export function valueOfKey(buf: Uint8Array, from: number, end: number, key: Uint8Array): RawValue | undefined {
  let pos = from;
  let matches = false;
  let valueFrom = -1;
  let valueEnd = -1;
  let pieces: Uint8Array | undefined;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const valueAt = position();
    if (tag === KEY_TAG || tag === VALUE_TAG) {
      pos = readLength(buf, valueAt, end);
      if (tag === KEY_TAG) matches = pos - position() === key.length && equalAt(buf, position(), key);
      else {
        const at = position();
        // Twice: one message in pieces, by protobuf's rules.
        if (valueFrom >= 0) pieces = Buffer.concat([pieces ?? buf.subarray(valueFrom, valueEnd), buf.subarray(at, pos)]);
        valueFrom = at;
        valueEnd = pos;
      }
    } else {
      pos = skipField(buf, tag, valueAt, end);
    }
  }
  if (!matches) return undefined;
  if (pieces !== undefined) return readValue(pieces, 0, pieces.length);
  return valueFrom < 0 ? EMPTY : readValue(buf, valueFrom, valueEnd);
}

const KEY_TAG = (1 << 3) | WIRE_LEN;
const VALUE_TAG = (2 << 3) | WIRE_LEN;

function equalAt(buf: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let i = 0; i < key.length; i += 1) if (buf[at + i] !== key[i]) return false;
  return true;
}

function readValue(buf: Uint8Array, from: number, end: number): RawValue {
  let found = EMPTY;
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const valueAt = position();
    const stop = skipField(buf, tag, valueAt, end);
    const known = KINDS[tag >>> 3];
    if (known !== undefined && known[1] === (tag & 7)) {
      if (known[1] === WIRE_LEN) readVarint(buf, valueAt, end);
      const isNested = known[0] === 'array' || known[0] === 'kvlist';
      if (isNested) found = { kind: known[0], buf, from, end };
      else found = { kind: known[0], buf, from: known[1] === WIRE_LEN ? position() : valueAt, end: stop };
    }
    pos = stop;
  }
  return found;
}

/** The number of an int or a double; undefined for all else. */
export function numberOf(value: RawValue): number | undefined {
  if (value.kind === 'int') return Number(int64At(value));
  if (value.kind !== 'double') return undefined;
  const { buf } = value;
  return new DataView(buf.buffer, buf.byteOffset + value.from, 8).getFloat64(0, true);
}

function int64At({ buf, from, end }: RawValue): bigint {
  let bits = 0n;
  for (let pos = end - 1; pos >= from; pos -= 1) bits = (bits << 7n) | BigInt((buf[pos] as number) & 0x7f);
  return BigInt.asIntN(64, bits);
}

export function textOf({ buf, from, end }: RawValue): string {
  return asBuffer(buf).toString('utf8', from, end);
}

/** What getBytesFromValue of the Collector gives: bytes as they are, all else as the UTF-8 of its AsString. */
export function hashableBytes(value: RawValue): Uint8Array {
  switch (value.kind) {
    case 'string':
    case 'bytes':
      return value.buf.subarray(value.from, value.end);
    case 'bool':
      return Buffer.from(int64At(value) === 0n ? 'false' : 'true');
    case 'int':
      return Buffer.from(String(int64At(value)));
    case 'double':
      return Buffer.from(goDouble(numberOf(value) as number));
    case 'empty':
      return new Uint8Array(0);
    default:
      // Lists and maps, as JSON: the one place where the processor decodes, for the value of from_attribute alone.
      return Buffer.from(anyValueAsString(decodeAnyValue(asBuffer(value.buf), value.from, value.end)));
  }
}

/** float64AsString of pdata: as JavaScript writes it, but for the sign of the exponent and of zero. */
function goDouble(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return String(value);
}

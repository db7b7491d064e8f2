import { MalformedError, position, readLength, readTag, skipField, WIRE_FIXED64, WIRE_LEN, WIRE_VARINT } from '../wire.ts';
import { bytesField, doubleField, readInt32, readInt64, textField, varint64Field, wrongWireType } from './scalars.ts';
import { keyTextOf, textOf } from './text.ts';

/**
 * AnyValue as JavaScript has it: undefined is the empty value, integers are bigint (so 1 and 1.0 differ and 64 bits survive), doubles number,
 * bytes Uint8Array, lists Array, maps Map in their order; a key that is there twice has its last value.
 */
export type AnyValue = undefined | string | boolean | bigint | number | Uint8Array | readonly AnyValue[] | ReadonlyMap<string, AnyValue>;
/** The value of an attribute; the same. */
export type AttributeValue = AnyValue;

/** Strings that profiles name by index; absent for other signals. */
export type StringTable = readonly string[] | undefined;

/**
 * Values nested deeper are malformed where somebody reads them; unread ones pass as bytes. protobuf's own readers in C++ and Java stop at
 * 100 messages, which is 50 lists or 33 maps.
 */
export const MAX_VALUE_DEPTH = 400;

/**
 * AnyValue: 1 string | 2 bool | 3 int64 | 4 double | 5 ArrayValue {1 AnyValue ...} | 6 KeyValueList {1 KeyValue ...} | 7 bytes
 *           | 8 index of a string. A oneof: the last one counts, and a list or map that comes twice in a row is one in pieces, as protobuf
 *           reads it: what stands in the first piece must not be hidden from who looks for secrets.
 */
export function decodeAnyValue(buf: Buffer, from: number, end: number, strings?: StringTable, depth = 0): AnyValue {
  if (depth > MAX_VALUE_DEPTH) throw new MalformedError(`values nested more than ${MAX_VALUE_DEPTH} deep`, from);
  let value: AnyValue;
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const field = tag >>> 3;
    const wire = tag & 7;
    let body = position();
    if (field === 0 || field > 8) {
      pos = skipField(buf, tag, body, end);
      continue;
    }
    if (wire !== WIRE_OF[field]) throw wrongWireType(tag, pos);
    let stop: number;
    if (wire === WIRE_LEN) {
      stop = readLength(buf, body, end);
      body = position();
    } else {
      stop = skipField(buf, tag, body, end);
    }
    switch (field) {
      case 1:
        value = textOf(buf, body, stop);
        break;
      case 2:
        value = readInt64(buf, body, stop) !== 0n;
        break;
      case 3:
        value = readInt64(buf, body, stop);
        break;
      case 4:
        value = buf.readDoubleLE(body);
        break;
      case 5:
        value = decodeArray(buf, body, stop, strings, depth + 1, Array.isArray(value) ? value : []);
        break;
      case 6:
        value = decodeMap(buf, body, stop, strings, depth + 1, value instanceof Map ? value : new Map());
        break;
      case 7:
        value = buf.subarray(body, stop);
        break;
      default:
        value = strings?.[readInt32(buf, body, stop)] ?? '';
    }
    pos = stop;
  }
  return value;
}

/** Wire types of the fields of AnyValue. */
const WIRE_OF: readonly (number | undefined)[] = [
  undefined,
  WIRE_LEN,
  WIRE_VARINT,
  WIRE_VARINT,
  WIRE_FIXED64,
  WIRE_LEN,
  WIRE_LEN,
  WIRE_LEN,
  WIRE_VARINT,
];

/** Kinds of AnyValue by the number of their field; a text that is named by index is one, too. */
const KINDS = ['empty', 'string', 'bool', 'int', 'double', 'array', 'map', 'bytes', 'string'] as const;

export type ValueKind = (typeof KINDS)[number];

/** Most members of one list or map where somebody reads it: hostile ones take two bytes each, and a hundred as objects. */
const MAX_MEMBERS = 2 ** 20;

function checkMembers(count: number, from: number): void {
  if (count > MAX_MEMBERS) throw new MalformedError(`more than ${MAX_MEMBERS} members in one value`, from);
}

/** What kind of value it is, without decoding it. */
export function kindOfValue(buf: Buffer, from: number, end: number): ValueKind {
  let kind: ValueKind = 'empty';
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const field = tag >>> 3;
    if (field <= 8 && (tag & 7) !== WIRE_OF[field]) throw wrongWireType(tag, pos);
    kind = KINDS[field] ?? kind;
    pos = skipField(buf, tag, position(), end);
  }
  return kind;
}

/** Puts them behind those in `list`. */
function decodeArray(buf: Buffer, from: number, end: number, strings: StringTable, depth: number, list: AnyValue[]): AnyValue[] {
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    if (tag >>> 3 === 1) {
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, pos);
      const stop = readLength(buf, position(), end);
      checkMembers(list.push(decodeAnyValue(buf, position(), stop, strings, depth)), from);
      pos = stop;
    } else {
      pos = skipField(buf, tag, position(), end);
    }
  }
  return list;
}

type Decoded = Map<string, AnyValue>;

/** A module variable as in wire.ts, for the one who asks. */
let replaced = 0;

/** How many values of maps were replaced by another one of the same key, by all that was decoded. */
export function replacedValues(): number {
  return replaced;
}

function decodeMap(buf: Buffer, from: number, end: number, strings: StringTable, depth: number, map: Decoded): Decoded {
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    if (tag >>> 3 === 1) {
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, pos);
      const stop = readLength(buf, position(), end);
      const entry = readKeyValue(buf, position(), stop);
      const { from: at, end: to, source } = valueAt(buf, entry);
      const key = keyOf(buf, entry, strings);
      if (map.has(key)) replaced += 1;
      map.set(key, decodeAnyValue(source, at, to, strings, depth));
      checkMembers(map.size, from);
      pos = stop;
    } else {
      pos = skipField(buf, tag, position(), end);
    }
  }
  return map;
}

/** Where key and value of a KeyValue lie: 1 key | 2 value AnyValue | 3 index of the key (profiles). */
export interface KeyValueRange {
  /** -1 where there is none. */
  keyFrom: number;
  keyEnd: number;
  /** AnyValue, without header; -1 where there is none. */
  valueFrom: number;
  valueEnd: number;
  /** The last field `value`, header included. */
  fieldFrom: number;
  /** 0 where there is none. */
  keyIndex: number;
  /** Contents of all pieces, where the value comes in more than one. */
  pieces: Buffer | undefined;
}

export function newRange(): KeyValueRange {
  return { keyFrom: -1, keyEnd: -1, valueFrom: -1, valueEnd: -1, fieldFrom: -1, keyIndex: 0, pieces: undefined };
}

/** Reads a KeyValue without its value, into a range that is new. */
export function readKeyValue(buf: Buffer, from: number, end: number, range = newRange()): KeyValueRange {
  const keyEnd = from + 2 + (buf[from + 1] as number);
  // As every SDK writes it: a key of less than 128 bytes, then the value, and nothing else.
  if (end - from >= 4 && buf[from] === KEY_TAG && (buf[from + 1] as number) < 0x80 && keyEnd + 2 <= end && buf[keyEnd] === VALUE_TAG) {
    const length = buf[keyEnd + 1] as number;
    const isShort = length < 0x80;
    if (isShort ? keyEnd + 2 + length === end : readLength(buf, keyEnd + 1, end) === end) {
      range.keyFrom = from + 2;
      range.keyEnd = keyEnd;
      range.fieldFrom = keyEnd;
      range.valueFrom = isShort ? keyEnd + 2 : position();
      range.valueEnd = end;
      return range;
    }
  }
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const body = position();
    const field = tag >>> 3;
    if (field === 1 || field === 2) {
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, pos);
      const stop = readLength(buf, body, end);
      if (field === 1) {
        range.keyFrom = position();
        range.keyEnd = stop;
      } else {
        const at = position();
        if (range.valueFrom >= 0)
          range.pieces = Buffer.concat([range.pieces ?? buf.subarray(range.valueFrom, range.valueEnd), buf.subarray(at, stop)]);
        range.valueFrom = at;
        range.valueEnd = stop;
        range.fieldFrom = pos;
      }
      pos = stop;
    } else {
      const stop = skipField(buf, tag, body, end);
      if (field === 3) {
        if ((tag & 7) !== WIRE_VARINT) throw wrongWireType(tag, pos);
        range.keyIndex = readInt32(buf, body, stop);
      }
      pos = stop;
    }
  }
  return range;
}

const KEY_TAG = (1 << 3) | WIRE_LEN;
const VALUE_TAG = (2 << 3) | WIRE_LEN;

/** The key as text. */
export function keyOf(buf: Buffer, range: KeyValueRange, strings: StringTable): string {
  if (range.keyIndex !== 0 && strings !== undefined) return strings[range.keyIndex] ?? '';
  return range.keyFrom < 0 ? '' : keyTextOf(buf, range.keyFrom, range.keyEnd);
}

/** Where the AnyValue lies, in pieces or not. */
export function valueAt(buf: Buffer, range: KeyValueRange): { readonly source: Buffer; readonly from: number; readonly end: number } {
  if (range.pieces !== undefined) return { source: range.pieces, from: 0, end: range.pieces.length };
  return range.valueFrom < 0 ? { source: buf, from: 0, end: 0 } : { source: buf, from: range.valueFrom, end: range.valueEnd };
}

/** The content of an AnyValue, without header. Throws MalformedError for values nested too deeply to be read again. */
export function encodeAnyValue(value: AnyValue, depth = 0): Uint8Array {
  if (depth > MAX_VALUE_DEPTH) throw new MalformedError(`values nested more than ${MAX_VALUE_DEPTH} deep`, 0);
  switch (typeof value) {
    case 'undefined':
      return EMPTY;
    case 'string':
      return textField(1, value);
    case 'boolean':
      return Uint8Array.of(2 << 3, value ? 1 : 0);
    case 'bigint':
      return varint64Field(3, value);
    case 'number':
      return doubleField(4, value);
    default:
      if (value instanceof Uint8Array) return bytesField(7, value);
      if (value instanceof Map) return bytesField(6, Buffer.concat([...mapFields(value as ReadonlyMap<string, AnyValue>, depth)]));
      return bytesField(5, Buffer.concat((value as readonly AnyValue[]).map((each) => bytesField(1, encodeAnyValue(each, depth + 1)))));
  }
}

function* mapFields(map: ReadonlyMap<string, AnyValue>, depth: number): Generator<Uint8Array> {
  for (const [key, value] of map) yield bytesField(1, encodeKeyValue(key, encodeAnyValue(value, depth + 1)));
}

/** The content of a KeyValue; `value` is the content of an AnyValue. */
export function encodeKeyValue(key: string, value: Uint8Array): Uint8Array {
  return Buffer.concat([textField(1, key), bytesField(2, value)]);
}

const EMPTY = Buffer.alloc(0);

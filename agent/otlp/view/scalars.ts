import {
  MalformedError,
  position,
  readLength,
  readTag,
  readVarint,
  skipField,
  varintSize,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_LEN,
  WIRE_VARINT,
  writeVarint,
} from '../wire.ts';

/** Reading and writing of protobuf's scalars. 64-bit integers are bigint, so that all 64 bits survive. */

/** An unsigned 64-bit varint. */
export function readVarint64(buf: Buffer, from: number, end: number): bigint {
  const number = readVarint(buf, from, end);
  if (number <= Number.MAX_SAFE_INTEGER) return BigInt(number);
  let value = 0n;
  let shift = 0n;
  for (let pos = from; pos < position(); pos += 1) {
    value |= BigInt((buf[pos] as number) & 0x7f) << shift;
    shift += 7n;
  }
  return BigInt.asUintN(64, value);
}

/** A varint as int64. */
export function readInt64(buf: Buffer, from: number, end: number): bigint {
  return BigInt.asIntN(64, readVarint64(buf, from, end));
}

/** A varint as int32 or an enum's number: the low 32 bits, with their sign. */
export function readInt32(buf: Buffer, from: number, end: number): number {
  const number = readVarint(buf, from, end);
  return number <= 0x7fff_ffff ? number : Number(BigInt.asIntN(32, readVarint64(buf, from, end)));
}

/** A varint as uint32: the low 32 bits. */
export function readUint32(buf: Buffer, from: number, end: number): number {
  const number = readVarint(buf, from, end);
  return number <= 0xffff_ffff ? number : Number(BigInt.asUintN(32, readVarint64(buf, from, end)));
}

/** sint32: zigzag. */
export function readSint32(buf: Buffer, from: number, end: number): number {
  const number = readUint32(buf, from, end);
  return (number >>> 1) ^ -(number & 1);
}

function tagBytes(field: number, wire: number): number[] {
  const bytes: number[] = [];
  pushVarint(bytes, field * 8 + wire);
  return bytes;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}

function pushVarint64(bytes: number[], value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
}

/** Field with a varint; negative numbers take ten bytes, as protobuf wants it for int32, int64 and enums. */
export function varint64Field(field: number, value: bigint): Uint8Array {
  if (field < 16 && value >= 0n && value < 0x80n) return Uint8Array.of(field * 8 + WIRE_VARINT, Number(value));
  const bytes = tagBytes(field, WIRE_VARINT);
  pushVarint64(bytes, value);
  return Uint8Array.from(bytes);
}

export function sint32Field(field: number, value: number): Uint8Array {
  const bytes = tagBytes(field, WIRE_VARINT);
  pushVarint(bytes, ((value << 1) ^ (value >> 31)) >>> 0);
  return Uint8Array.from(bytes);
}

export function fixed64Field(field: number, value: bigint): Uint8Array {
  const tag = tagBytes(field, WIRE_FIXED64);
  const bytes = Buffer.alloc(tag.length + 8);
  bytes.set(tag);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value), tag.length);
  return bytes;
}

export function doubleField(field: number, value: number): Uint8Array {
  const tag = tagBytes(field, WIRE_FIXED64);
  const bytes = Buffer.alloc(tag.length + 8);
  bytes.set(tag);
  bytes.writeDoubleLE(value, tag.length);
  return bytes;
}

export function fixed32Field(field: number, value: number): Uint8Array {
  const tag = tagBytes(field, WIRE_FIXED32);
  const bytes = Buffer.alloc(tag.length + 4);
  bytes.set(tag);
  bytes.writeUInt32LE(value >>> 0, tag.length);
  return bytes;
}

export function bytesField(field: number, value: Uint8Array): Uint8Array {
  const tag = field * 8 + WIRE_LEN;
  const head = varintSize(tag) + varintSize(value.length);
  const bytes = Buffer.allocUnsafe(head + value.length);
  writeVarint(bytes, writeVarint(bytes, 0, tag), value.length);
  bytes.set(value, head);
  return bytes;
}

export function textField(field: number, value: string): Uint8Array {
  return bytesField(field, Buffer.from(value, 'utf8'));
}

/** A packed field of 8-byte values. */
export function packed64Field(field: number, values: readonly (bigint | number)[]): Uint8Array {
  const body = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => {
    if (typeof value === 'bigint') body.writeBigUInt64LE(BigInt.asUintN(64, value), i * 8);
    else body.writeDoubleLE(value, i * 8);
  });
  return bytesField(field, body);
}

/** A packed field of varints. */
export function packedVarintField(field: number, values: readonly bigint[]): Uint8Array {
  const bytes: number[] = [];
  for (const value of values) pushVarint64(bytes, value);
  return bytesField(field, Uint8Array.from(bytes));
}

/**
 * Most fields that one message may have where somebody reads it: hostile ones of two bytes each would take sixteen times their size in the
 * table. A scope of 64 MiB has room for a million spans.
 */
export const MAX_FIELDS = 2 ** 21;

/**
 * The fields of one message as a flat list, four numbers each: tag, start (of the tag), body (behind tag and length), end. Flat, as an object
 * for each field costs three times as much (a span has twelve or more).
 */
export function fieldTable(buf: Buffer, from: number, end: number): number[] {
  const table: number[] = [];
  readFields(buf, from, end, table);
  return table;
}

/** The same into a list that is used again; returns how many numbers of it count. */
export function readFields(buf: Buffer, from: number, end: number, table: number[]): number {
  let length = 0;
  let pos = from;
  while (pos < end) {
    const start = pos;
    let tag = buf[pos] as number;
    let body = pos + 1;
    // As most are: tag and length of one byte, or eight bytes. Without the calls that all others take it is half the time.
    if (tag >= 0x80 || tag < 8) {
      tag = readTag(buf, pos, end);
      body = position();
    }
    const wire = tag & 7;
    if (wire === WIRE_LEN) {
      const bytes = body < end ? (buf[body] as number) : 0x80;
      if (bytes < 0x80 && body + 1 + bytes <= end) {
        body += 1;
        pos = body + bytes;
      } else {
        pos = readLength(buf, body, end);
        body = position();
      }
    } else {
      pos = wire === WIRE_FIXED64 && body + 8 <= end ? body + 8 : skipField(buf, tag, body, end);
    }
    table[length] = tag;
    table[length + 1] = start;
    table[length + 2] = body;
    table[length + 3] = pos;
    length += 4;
    if (length > 4 * MAX_FIELDS) throw new MalformedError(`more than ${MAX_FIELDS} fields in one message`, from);
  }
  return length;
}

/** Refuses a known field that has another wire type than its own. */
export function wrongWireType(tag: number, offset: number): MalformedError {
  return new MalformedError(`field ${tag >>> 3} has wire type ${tag & 7}`, offset);
}

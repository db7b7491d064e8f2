import protobuf from 'protobufjs';
import { varintSize, writeVarint } from '../../../agent/otlp/wire.ts';
import { randomOf } from '../support/mutations.ts';

/**
 * Encodings that protobuf allows and no SDK writes, made of one that an SDK would write. What they say may differ from the original (a field
 * in two pieces, another text), but every reader has to take them, and all readers have to take them the same way.
 *
 *   fields in another order, unknown fields of each wire type, groups, tags, lengths and numbers in more bytes than they need,
 *   what may be there once twice (the last one counts, messages merge), several of a oneof, empty messages, texts that are no UTF-8,
 *   lists of numbers packed and not, packed in pieces, 2^64 - 1
 */
/**
 * `rate`: how much of it is odd, from 0 to 1. `isTame`: nothing that the Collector's reader (pdata 1.61) takes otherwise than protobuf says:
 * it fails at unknown groups, has only the last piece of a list of numbers and of a message of a oneof, a value by index is none to it, and of what
 * is no UTF-8 it makes one U+FFFD for each byte where JavaScript makes one for several; a sint32 of
 * more than 32 bits it takes apart before it cuts it.
 */
export function oddly(type: protobuf.Type, bytes: Uint8Array, seed: number, rate: number, isTame = false): Buffer {
  const random = randomOf(seed);
  const now = (share: number): boolean => random() < rate * share;
  return message(type, bytes, Object.assign(now, { isTame }), random);
}

type Random = () => number;
/** Whether something with that share is done now. */
type Now = ((share: number) => boolean) & { readonly isTame: boolean };

interface Found {
  readonly field: protobuf.Field | undefined;
  readonly tag: number;
  /** All behind the tag. */
  readonly raw: Uint8Array;
}

function* fieldsIn(type: protobuf.Type, bytes: Uint8Array): Generator<Found> {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const from = reader.pos;
    reader.skipType(tag & 7);
    yield { field: type.fieldsById[tag >>> 3], tag, raw: bytes.subarray(from, reader.pos) };
  }
}

function message(type: protobuf.Type, bytes: Uint8Array, now: Now, random: Random): Buffer {
  const pieces: Buffer[] = [];
  for (const { field, tag, raw } of fieldsIn(type, bytes)) {
    if (now(0.1)) pieces.push(unknown(type, random, now.isTame ? 3 : 0));
    pieces.push(...fieldOf(field, tag, raw, now, random));
  }
  for (const one of type.oneofsArray) {
    if (!now(0.1)) continue;
    const [other] = shuffled(one.fieldsArray, random);
    const isPlain = other !== undefined && !(other.resolve().resolvedType instanceof protobuf.Type) && !other.name.endsWith('Strindex');
    if (other !== undefined && (isPlain || !now.isTame)) pieces.push(someOf(other.resolve(), random));
  }
  if (now(0.1)) pieces.push(unknown(type, random, now.isTame ? 3 : 0));
  return Buffer.concat(now(0.3) ? shuffled(pieces, random) : pieces);
}

function fieldOf(field: protobuf.Field | undefined, tag: number, raw: Uint8Array, now: Now, random: Random): Buffer[] {
  const number = tag >>> 3;
  const wire = tag & 7;
  if (field === undefined) return [Buffer.concat([varint(tag, 0), raw])];
  field.resolve();
  if (wire !== 2) {
    const whole = Buffer.concat([varint(tag, extra(now, random, 0.05)), wire === 0 ? longer(raw, now, random) : raw]);
    // Something else before: the last one counts.
    const isTwice = !field.repeated && now(0.1) && !(now.isTame && field.type === 'sint32');
    return isTwice ? [someOf(field, random), whole] : [whole];
  }
  const reader = protobuf.Reader.create(raw);
  const content = Buffer.from(reader.bytes());
  const put = (inside: Uint8Array): Buffer =>
    Buffer.concat([varint(tag, extra(now, random, 0.05)), varint(inside.length, extra(now, random, 0.1)), inside]);
  if (field.resolvedType instanceof protobuf.Type) {
    const { resolvedType } = field;
    const inside = message(resolvedType, content, now, random);
    if (field.repeated) return now(0.05) ? [put(inside), put(Buffer.alloc(0))] : [put(inside)];
    if (!now(0.2) || (now.isTame && field.partOf !== null)) return [put(inside)];
    const cut = randomCut(inside, random);
    return [put(inside.subarray(0, cut)), ...(now(0.2) ? [put(Buffer.alloc(0))] : []), put(inside.subarray(cut))];
  }
  if (field.repeated && field.type !== 'string' && field.type !== 'bytes') {
    if (content.length === 0 || !now(0.5) || now.isTame) return [put(content)];
    const each = numbersIn(field, content);
    if (now(0.5)) return each.map((value) => Buffer.concat([varint(number * 8 + wireOf(field), 0), value]));
    const [first = Buffer.alloc(0), ...rest] = each;
    return [put(first), put(Buffer.alloc(0)), put(Buffer.concat(rest))];
  }
  const text =
    field.type === 'string' && !now.isTame && now(0.1)
      ? shuffled([Buffer.from([0xc3]), content, Buffer.from([0xff, 0x80])], random)
      : [content];
  const whole = put(Buffer.concat(text));
  return !field.repeated && now(0.1) ? [someOf(field, random), whole] : [whole];
}

const WIDTHS: Readonly<Record<string, number>> = { fixed64: 8, sfixed64: 8, double: 8, fixed32: 4, sfixed32: 4, float: 4 };

/** The wire type of one of its numbers. */
function wireOf({ type }: protobuf.Field): number {
  const width = WIDTHS[type];
  return width === undefined ? 0 : width === 8 ? 1 : 5;
}

/** The numbers of a packed list. */
function numbersIn(field: protobuf.Field, content: Buffer): Buffer[] {
  const reader = protobuf.Reader.create(content);
  const all: Buffer[] = [];
  while (reader.pos < reader.len) {
    const from = reader.pos;
    reader.skipType(wireOf(field));
    all.push(content.subarray(from, reader.pos));
  }
  return all;
}

/** A field of that kind with something in it. */
function someOf(field: protobuf.Field, random: Random): Buffer {
  field.resolve();
  const number = field.id * 8;
  if (field.resolvedType instanceof protobuf.Type || field.type === 'string' || field.type === 'bytes') {
    const text = field.type === 'string' || field.name === 'bytesValue' ? TEXTS[pick(random, TEXTS.length)] : ID_BYTES[field.name];
    return lengthDelimited(field.id, text ?? EMPTY);
  }
  const width = WIDTHS[field.type];
  const value =
    width === undefined ? [Buffer.from([1]), MOST, Buffer.from([0])][pick(random, 3)] : Buffer.alloc(width, [0xff, 0, 7][pick(random, 3)]);
  return Buffer.concat([varint(number + wireOf(field), 0), value ?? EMPTY]);
}

function lengthDelimited(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + 2, 0), varint(content.length, 0), content]);
}

const TEXTS = ['', 'x', '\u00e9', '4111111111111111'].map((text) => Buffer.from(text));
/** Readers refuse ids of other lengths, also where another one follows. */
const ID_BYTES: Readonly<Record<string, Buffer>> = {
  traceId: Buffer.alloc(16, 7),
  profileId: Buffer.alloc(16, 7),
  spanId: Buffer.alloc(8, 7),
  parentSpanId: Buffer.alloc(8, 7),
};

/** 2^64 - 1. */
const MOST = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
const EMPTY = Buffer.alloc(0);

/** A field that nobody knows. */
function unknown(type: protobuf.Type, random: Random, depth: number): Buffer {
  const numbers = [13, 15, 16, 17, 100, 3000, 536870911].filter((id) => type.fieldsById[id] === undefined);
  const number = (numbers[pick(random, numbers.length)] as number) * 8;
  switch (pick(random, depth < 3 ? 5 : 4)) {
    case 0:
      return Buffer.concat([varint(number, 0), MOST]);
    case 1:
      return Buffer.concat([varint(number + 1, 0), Buffer.alloc(8, 0x12)]);
    case 2:
      return Buffer.concat([varint(number + 2, 0), varint(2, pick(random, 3)), Buffer.from([0x12, 0])]);
    case 3:
      return Buffer.concat([varint(number + 5, 0), Buffer.alloc(4, 0xff)]);
    default:
      return Buffer.concat([varint(number + 3, 0), unknown(type, random, depth + 1), varint(number + 4, 0)]);
  }
}

/** Between two fields. */
function randomCut(bytes: Uint8Array, random: Random): number {
  const cuts = [0];
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    reader.skipType(tag & 7);
    cuts.push(reader.pos);
  }
  return cuts[pick(random, cuts.length)] as number;
}

function extra(now: Now, random: Random, share: number): number {
  return now(share) ? 1 + pick(random, 3) : 0;
}

/** A varint with more bytes than it needs, where it has room for them. */
function longer(raw: Uint8Array, now: Now, random: Random): Uint8Array {
  const more = Math.min(extra(now, random, 0.1), 10 - raw.length);
  if (more <= 0) return raw;
  const long = Buffer.concat([raw, Buffer.alloc(more, 0x80)]);
  long[raw.length - 1] = (long[raw.length - 1] as number) | 0x80;
  long[long.length - 1] = 0;
  return long;
}

function varint(value: number, more: number): Buffer {
  const bytes = Buffer.alloc(varintSize(value) + more);
  const end = writeVarint(bytes, 0, value);
  if (more === 0) return bytes;
  bytes[end - 1] = (bytes[end - 1] as number) | 0x80;
  bytes.fill(0x80, end);
  bytes[bytes.length - 1] = 0;
  return bytes;
}

function pick(random: Random, below: number): number {
  return Math.min(Math.floor(random() * below), below - 1);
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const j = pick(random, i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/**
 * What protobuf says that bytes mean, written the way SDKs write it: fields by their number, unknown ones left out, of what may be there once
 * the last one, messages in pieces as one, of a oneof the last, lists of numbers packed, zeros left out, everything in no more bytes than it
 * needs. Texts keep their bytes; with `repairs` what is no UTF-8 in them is U+FFFD.
 */
export function plainly(type: protobuf.Type, bytes: Uint8Array, repairs = false): Buffer {
  const found = new Map<protobuf.Field, Uint8Array[]>();
  for (const { field, tag, raw } of fieldsIn(type, bytes)) {
    if (field === undefined) continue;
    field.resolve();
    for (const other of field.partOf?.fieldsArray ?? []) if (other !== field) found.delete(other);
    const value = (tag & 7) === 2 ? protobuf.Reader.create(raw).bytes() : raw;
    const isList = (tag & 7) === 2 && field.repeated && isNumber(field);
    found.set(field, [...(found.get(field) ?? []), ...(isList ? numbersIn(field, Buffer.from(value)) : [value])]);
  }
  const out: Buffer[] = [];
  for (const [field, values] of [...found].sort(([a], [b]) => a.id - b.id)) out.push(...plainField(field, values, repairs));
  return Buffer.concat(out);
}

function plainField(field: protobuf.Field, values: readonly Uint8Array[], repairs: boolean): Buffer[] {
  const isText = field.type === 'string' && repairs;
  const put = (content: Uint8Array): Buffer => lengthDelimited(field.id, isText ? Buffer.from(Buffer.from(content).toString()) : content);
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type)
    return (field.repeated ? values : [Buffer.concat(values)]).map((each) => put(plainly(resolvedType, each, repairs)));
  if (!isNumber(field))
    return field.repeated
      ? values.map(put)
      : values
          .slice(-1)
          .filter((each) => field.partOf || each.length > 0)
          .map(put);
  const numbers = values.map((each) => plainNumber(field, each));
  if (field.repeated) return numbers.length === 0 ? [] : [put(Buffer.concat(numbers))];
  const [last = EMPTY] = numbers.slice(-1);
  return field.partOf === null && last.every((byte) => byte === 0) ? [] : [Buffer.concat([varint(field.id * 8 + wireOf(field), 0), last])];
}

function isNumber({ type, resolvedType }: protobuf.Field): boolean {
  return type !== 'string' && type !== 'bytes' && !(resolvedType instanceof protobuf.Type);
}

function plainNumber(field: protobuf.Field, raw: Uint8Array): Uint8Array {
  if (WIDTHS[field.type] !== undefined) return raw;
  let value = 0n;
  raw.forEach((byte, i) => {
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
  });
  if (field.type === 'bool') value = BigInt.asUintN(64, value) === 0n ? 0n : 1n;
  else if (field.type === 'uint32' || field.type === 'sint32') value = BigInt.asUintN(32, value);
  else if (field.type === 'int32' || field.resolvedType instanceof protobuf.Enum) value = BigInt.asIntN(32, value);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}

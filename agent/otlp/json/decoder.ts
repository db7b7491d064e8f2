import { high, low } from './int64.ts';
import type { Output } from './output.ts';
import { doubleOfText, readBase64, readDouble, readHex, readInteger } from './scalars.ts';
import { type FieldType, type Kind, type MessageType, wireTypeOf } from './schema.ts';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  complex,
  JsonSyntaxError,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  resolveEscapes,
  skipColon,
  skipNumber,
  skipSpace,
  skipString,
  skipValue,
  skipWord,
} from './tokens.ts';

/** Messages in messages. Each level is four calls on the stack. */
const MAX_DEPTH = 500;
/**
 * From here on a length is written in five bytes, padded as protobuf allows: moving what was written to fit a shorter one would cost
 * the whole body once more for each level.
 */
const PADDED_DEPTH = 24;
const PADDED_BYTES = 5;
const SHORT_TEXT = 48;

/** Reads JSON from one buffer and writes protobuf to another; each method reads what is at the position, and leaves it behind that. */
export class Decoder {
  readonly buf: Buffer;
  /** Where the next token is. */
  pos = 0;
  readonly #out: Output;
  /** Messages that the position lies in. */
  depth = 0;

  constructor(buf: Buffer, out: Output) {
    this.buf = buf;
    this.#out = out;
  }

  /** The object at the position, as the fields of a message. */
  object(type: MessageType): void {
    const buf = this.buf;
    if (buf[this.pos] !== OPEN_OBJECT) throw new JsonSyntaxError(`${type.name} is no object`, this.pos);
    if (this.depth >= MAX_DEPTH) throw new JsonSyntaxError(`more than ${MAX_DEPTH} messages in each other`, this.pos);
    this.depth += 1;
    let pos = skipSpace(buf, this.pos + 1);
    if (buf[pos] === CLOSE_OBJECT) {
      this.pos = pos + 1;
      this.depth -= 1;
      return;
    }
    for (;;) {
      this.pos = pos;
      const field = this.key(type);
      if (field === undefined) this.pos = skipValue(buf, this.pos);
      else this.field(field);
      pos = skipSpace(buf, this.pos);
      if (buf[pos] === CLOSE_OBJECT) break;
      if (buf[pos] !== COMMA) throw new JsonSyntaxError("neither a comma nor '}'", pos);
      pos = skipSpace(buf, pos + 1);
    }
    this.pos = pos + 1;
    this.depth -= 1;
  }

  /** The key at the position, which is at its value then; undefined for one that the message does not have. */
  key(type: MessageType): FieldType | undefined {
    const { buf, pos } = this;
    if (buf[pos] !== QUOTE) throw new JsonSyntaxError('no key in quotes', pos);
    const end = skipString(buf, pos + 1);
    const field = complex ? this.#findEscaped(type, pos + 1, end - 1) : type.find(buf, pos + 1, end - 1);
    this.pos = skipColon(buf, end);
    return field;
  }

  /** A key with escapes: nobody writes one, and it means the same. */
  #findEscaped(type: MessageType, from: number, end: number): FieldType | undefined {
    if (end - from > 1024) return undefined; // longer than six times any name
    const key = Buffer.allocUnsafe(end - from);
    return type.find(key, 0, resolveEscapes(this.buf, from, end, key, 0));
  }

  field(field: FieldType): void {
    const buf = this.buf;
    if (buf[this.pos] === 0x6e) {
      this.pos = skipWord(buf, this.pos, 'null');
      return;
    }
    if (!field.repeated) {
      this.tag(field.tag);
      this.#value(field);
      return;
    }
    if (buf[this.pos] !== OPEN_ARRAY) throw new JsonSyntaxError(`${field.name} is no list`, this.pos);
    const first = skipSpace(buf, this.pos + 1);
    if (buf[first] === CLOSE_ARRAY) {
      this.pos = first + 1;
      return;
    }
    this.pos = first;
    if (field.kind === 'message' || field.kind === 'string') this.#elements(field, true);
    else this.#packed(field);
  }

  /** The values of a list up to its bracket; each has its own tag unless they are packed. */
  #elements(field: FieldType, tagged: boolean): void {
    const buf = this.buf;
    for (;;) {
      this.element(field, tagged);
      const pos = skipSpace(buf, this.pos);
      if (buf[pos] === CLOSE_ARRAY) {
        this.pos = pos + 1;
        return;
      }
      if (buf[pos] !== COMMA) throw new JsonSyntaxError("neither a comma nor ']'", pos);
      this.pos = skipSpace(buf, pos + 1);
    }
  }

  element(field: FieldType, tagged: boolean): void {
    if (tagged) this.tag(field.tag);
    if (tagged && this.buf[this.pos] === 0x6e) {
      // As the Collector: null in a list is an empty element. A number that is null is none.
      this.pos = skipWord(this.buf, this.pos, 'null');
      this.#out.buf[this.#out.at++] = 0;
    } else this.#value(field);
  }

  #packed(field: FieldType): void {
    this.tag(field.tag);
    const start = this.open(1);
    this.#elements(field, false);
    this.close(start, 1);
  }

  /** One value, without its tag. */
  #value(field: FieldType): void {
    const { kind } = field;
    switch (kind) {
      case 'message':
        this.message(field.message as MessageType);
        return;
      case 'string':
        this.#text();
        return;
      case 'id':
        this.#id(field);
        return;
      case 'bytes':
        this.#bytes();
        return;
      case 'bool':
        this.#bool();
        return;
      case 'double':
        this.#double();
        return;
      case 'enum':
        if (this.buf[this.pos] === QUOTE) {
          this.#enumName(field);
          return;
        }
        this.#integer(kind);
        return;
      default:
        this.#integer(kind);
    }
  }

  message(type: MessageType): void {
    const reserved = this.depth >= PADDED_DEPTH ? PADDED_BYTES : type.lengthBytes;
    const start = this.open(reserved);
    this.object(type);
    const needed = this.close(start, reserved);
    if (reserved !== PADDED_BYTES) type.lengthBytes = needed;
  }

  /** Leaves room for a length; returns where the content begins. */
  open(reserved: number): number {
    this.#out.room(reserved);
    this.#out.at += reserved;
    return this.#out.at;
  }

  /** Writes the length of what begins at `start` into the room before it, moving it where the room does not fit; returns the size. */
  close(start: number, reserved: number): number {
    const out = this.#out;
    const length = out.at - start;
    const needed = length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5;
    if (reserved === PADDED_BYTES) {
      this.#paddedLength(start - reserved, length);
      return needed;
    }
    if (needed !== reserved) {
      const to = start - reserved + needed;
      if (needed > reserved) out.room(needed - reserved);
      out.buf.copyWithin(to, start, out.at);
      out.at = to + length;
    }
    let at = start - reserved;
    let rest = length;
    while (rest >= 0x80) {
      out.buf[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    out.buf[at] = rest;
    return needed;
  }

  #paddedLength(from: number, length: number): void {
    const { buf } = this.#out;
    buf[from] = (length & 0x7f) | 0x80;
    buf[from + 1] = ((length >>> 7) & 0x7f) | 0x80;
    buf[from + 2] = ((length >>> 14) & 0x7f) | 0x80;
    buf[from + 3] = ((length >>> 21) & 0x7f) | 0x80;
    buf[from + 4] = length >>> 28;
  }

  /** Past the string at the position; its content is [from, this.pos - 1). */
  #quoted(what: string): number {
    if (this.buf[this.pos] !== QUOTE) throw new JsonSyntaxError(`${what} is not in quotes`, this.pos);
    const from = this.pos + 1;
    this.pos = skipString(this.buf, from);
    return from;
  }

  #text(): void {
    const from = this.#quoted('text');
    const out = this.#out;
    const length = this.pos - 1 - from;
    out.room(length + 5);
    if (complex) {
      const reserved = length < 0x80 ? 1 : length < 0x4000 ? 2 : 3;
      const start = this.open(reserved);
      out.at = resolveEscapes(this.buf, from, this.pos - 1, out.buf, start);
      this.close(start, reserved);
      return;
    }
    this.#varint(length, 0);
    const { buf } = out;
    const { at } = out;
    if (length > SHORT_TEXT) this.buf.copy(buf, at, from, from + length);
    else for (let i = 0; i < length; i += 1) buf[at + i] = this.buf[from + i] as number;
    out.at = at + length;
  }

  #id(field: FieldType): void {
    const from = this.#quoted(field.name);
    const length = this.pos - 1 - from;
    const { idBytes } = field;
    if (complex || (length !== 0 && length !== idBytes * 2))
      throw new JsonSyntaxError(`${field.name} is not ${idBytes * 2} hex digits`, from - 1);
    const out = this.#out;
    out.room(idBytes + 1);
    out.buf[out.at] = length / 2;
    readHex(this.buf, from, this.pos - 1, out.buf, out.at + 1);
    out.at += 1 + length / 2;
  }

  #bytes(): void {
    const from = this.#quoted('base64');
    const out = this.#out;
    let buf: Uint8Array = this.buf;
    let first = from;
    let end = this.pos - 1;
    out.room(2 * (end - from) + 8);
    if (complex) {
      // PHP writes "\/": resolved behind the place where the bytes will lie, and read from there.
      const free = out.at + (end - from) + 8;
      end = resolveEscapes(buf, from, end, out.buf, free);
      buf = out.buf;
      first = free;
    }
    const length = end - first;
    const reserved = length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4;
    const start = this.open(reserved);
    out.at = readBase64(buf, first, end, out.buf, start);
    this.close(start, reserved);
  }

  #bool(): void {
    const value = this.buf[this.pos] === 0x74;
    this.pos = skipWord(this.buf, this.pos, value ? 'true' : 'false');
    this.#out.room(1);
    this.#out.buf[this.#out.at++] = value ? 1 : 0;
  }

  #double(): void {
    const buf = this.buf;
    let value: number;
    if (buf[this.pos] === QUOTE) {
      const from = this.#quoted('a double');
      value = doubleOfText(this.#plain(from), from);
    } else {
      const from = this.pos;
      this.pos = skipNumber(buf, from);
      value = readDouble(buf, from, this.pos);
    }
    this.#out.room(8);
    this.#out.at = this.#out.buf.writeDoubleLE(value, this.#out.at);
  }

  /** The string that was read last, for the few that are numbers or names. */
  #plain(from: number): string {
    const end = this.pos - 1;
    if (end - from > 256) throw new JsonSyntaxError('a text that is too long to be a number', from);
    if (!complex) return this.buf.toString('latin1', from, end);
    const text = Buffer.allocUnsafe(end - from);
    return text.toString('utf8', 0, resolveEscapes(this.buf, from, end, text, 0));
  }

  #enumName(field: FieldType): void {
    const from = this.#quoted(field.name);
    const number = field.names?.get(this.#plain(from));
    if (number === undefined) throw new JsonSyntaxError(`${field.name} has no value of that name`, from - 1);
    this.#out.room(10);
    this.#varint(number, 0);
  }

  #integer(kind: Kind): void {
    const buf = this.buf;
    if (buf[this.pos] === QUOTE && kind !== 'enum') {
      const from = this.#quoted(kind);
      readInteger(buf, from, this.pos - 1, kind);
    } else {
      const from = this.pos;
      this.pos = skipNumber(buf, from);
      readInteger(buf, from, this.pos, kind);
    }
    const out = this.#out;
    out.room(10);
    if (kind === 'sint32') {
      const value = low | 0;
      this.#varint(((value << 1) ^ (value >> 31)) >>> 0, 0);
      return;
    }
    switch (wireTypeOf(kind)) {
      case 1:
        out.at = out.buf.writeUInt32LE(high, out.buf.writeUInt32LE(low, out.at));
        return;
      case 5:
        out.at = out.buf.writeUInt32LE(low, out.at);
        return;
      default:
        this.#varint(low, high);
    }
  }

  tag(tag: number): void {
    const out = this.#out;
    out.room(3); // and the byte of an empty element
    if (tag < 0x80) out.buf[out.at++] = tag;
    else {
      out.buf[out.at++] = (tag & 0x7f) | 0x80;
      out.buf[out.at++] = tag >>> 7;
    }
  }

  /** There are 10 bytes of room, or those that the number takes. */
  #varint(lowHalf: number, highHalf: number): void {
    const out = this.#out;
    const { buf } = out;
    let { at } = out;
    let lowRest = lowHalf >>> 0;
    let highRest = highHalf >>> 0;
    while (highRest > 0 || lowRest >= 0x80) {
      buf[at++] = (lowRest & 0x7f) | 0x80;
      lowRest = ((lowRest >>> 7) | (highRest << 25)) >>> 0;
      highRest >>>= 7;
    }
    buf[at++] = lowRest;
    out.at = at;
  }
}

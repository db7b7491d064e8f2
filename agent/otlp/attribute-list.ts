import { copyBytes } from './edit-items.ts';
import { type AnyValue, decodeAnyValue, encodeKeyValue, readKeyValue, type StringTable } from './view/any-value.ts';
import { asBuffer } from './view/attributes.ts';
import { bytesField, wrongWireType } from './view/scalars.ts';
import type { Writer } from './view/writer.ts';
import { MalformedError, position, readLength, readTag, skipField, varintSize, WIRE_LEN, writeVarint } from './wire.ts';

/** An attribute key that is looked for, as text and as bytes. */
export class Key {
  readonly text: string;
  readonly bytes: Buffer;

  constructor(text: string) {
    this.text = text;
    this.bytes = Buffer.from(text, 'utf8');
  }
}

/**
 * The attributes of one message after the other, for processors that go through millions: AttributesView makes two objects for each attribute,
 * this keeps positions in arrays that are used again (a quarter of the time, see test/bench/agent-components). Load, act, write:
 *
 *   message   | fields | KeyValue 0         | KeyValue 1 | fields |
 *             ^from    ^start[0]  ^key ^value            ^stop[1]  ^end         set[i]: undefined as it came, null removed, else the new value
 *
 * Where a key is there twice it is as in AttributesView: found and set is the first, removed are all.
 */
export class AttributeList {
  #buf: Buffer = NOTHING;
  #from = 0;
  #end = 0;
  #field = 0;
  #strings: StringTable;
  /** Entries that came in; those behind are added ones. */
  #loaded = 0;
  #length = 0;
  #changed = false;
  readonly #start: number[] = [];
  readonly #stop: number[] = [];
  readonly #body: number[] = [];
  readonly #keyBuf: Buffer[] = [];
  readonly #keyFrom: number[] = [];
  readonly #keyEnd: number[] = [];
  readonly #valueBuf: Buffer[] = [];
  readonly #valueFrom: number[] = [];
  readonly #valueEnd: number[] = [];
  /** Where the field `value` of the KeyValue begins, header included; -1 where key and value have to be written anew. */
  readonly #valueField: number[] = [];
  readonly #set: (Uint8Array | null | undefined)[] = [];
  /** Content of the whole KeyValue of an added entry. */
  readonly #whole: (Uint8Array | undefined)[] = [];

  /** Whether anything was set or removed since it was loaded. */
  get changed(): boolean {
    return this.#changed;
  }

  /** Entries to go through by index: those that came in and those added, the removed ones too. */
  get length(): number {
    return this.#length;
  }

  /** Reads the attributes in `field` of the message at [from, end). Throws MalformedError. */
  load(buf: Buffer, from: number, end: number, field: number, strings?: StringTable): void {
    if (this.#set.length > KEPT) this.#forget();
    this.#buf = buf;
    this.#from = from;
    this.#end = end;
    this.#field = field;
    this.#strings = strings;
    this.#length = 0;
    this.#changed = false;
    let pos = from;
    while (pos < end) {
      const tag = readTag(buf, pos, end);
      if (tag >>> 3 === field) {
        if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, pos);
        const stop = readLength(buf, position(), end);
        this.#read(buf, pos, position(), stop);
        pos = stop;
      } else {
        pos = skipField(buf, tag, position(), end);
      }
    }
    this.#loaded = this.#length;
  }

  #read(buf: Buffer, start: number, body: number, stop: number): void {
    const i = this.#length;
    if (i >= MAX_ATTRIBUTES) throw new MalformedError(`more than ${MAX_ATTRIBUTES} attributes in one place`, start);
    this.#length = i + 1;
    this.#start[i] = start;
    this.#stop[i] = stop;
    this.#body[i] = body;
    this.#set[i] = undefined;
    this.#keyBuf[i] = buf;
    this.#valueBuf[i] = buf;
    // As every SDK writes it: key, value, both with one-byte lengths.
    if (stop - body >= 4 && buf[body] === KEY_TAG) {
      const keyFrom = body + 2;
      const keyEnd = keyFrom + (buf[body + 1] as number);
      if ((buf[body + 1] as number) < 0x80 && keyEnd + 2 <= stop && buf[keyEnd] === VALUE_TAG) {
        const valueLength = buf[keyEnd + 1] as number;
        if (valueLength < 0x80 && keyEnd + 2 + valueLength === stop) {
          this.#keyFrom[i] = keyFrom;
          this.#keyEnd[i] = keyEnd;
          this.#valueField[i] = keyEnd;
          this.#valueFrom[i] = keyEnd + 2;
          this.#valueEnd[i] = stop;
          return;
        }
      }
    }
    this.#readSlowly(i, buf, body, stop);
  }

  /** Gives the room back that a message of very many attributes took. */
  #forget(): void {
    const all: unknown[][] = [
      this.#start,
      this.#stop,
      this.#body,
      this.#keyBuf,
      this.#keyFrom,
      this.#keyEnd,
      this.#valueBuf,
      this.#valueFrom,
      this.#valueEnd,
      this.#valueField,
      this.#set,
      this.#whole,
    ];
    for (const each of all) each.length = 0;
  }

  #readSlowly(i: number, buf: Buffer, body: number, stop: number): void {
    const range = readKeyValue(buf, body, stop);
    this.#keyFrom[i] = Math.max(range.keyFrom, 0);
    this.#keyEnd[i] = Math.max(range.keyEnd, 0);
    this.#valueField[i] = range.fieldFrom;
    this.#valueFrom[i] = Math.max(range.valueFrom, 0);
    this.#valueEnd[i] = Math.max(range.valueEnd, 0);
    if (range.keyIndex !== 0 && this.#strings !== undefined) {
      const key = Buffer.from(this.#strings[range.keyIndex] ?? '', 'utf8');
      this.#keyBuf[i] = key;
      this.#keyFrom[i] = 0;
      this.#keyEnd[i] = key.length;
    }
    if (range.pieces === undefined) return;
    this.#valueBuf[i] = range.pieces;
    this.#valueField[i] = -1;
    this.#valueFrom[i] = 0;
    this.#valueEnd[i] = range.pieces.length;
  }

  /** Index of the first entry of that key from `since` on, -1 where there is none. */
  find(key: Key, since = 0): number {
    const { bytes } = key;
    const { length } = bytes;
    for (let i = since; i < this.#length; i += 1) {
      const from = this.#keyFrom[i] as number;
      if ((this.#keyEnd[i] as number) - from !== length || this.#set[i] === null) continue;
      const buf = this.#keyBuf[i] as Buffer;
      let same = 0;
      while (same < length && buf[from + same] === bytes[same]) same += 1;
      if (same === length) return i;
    }
    return -1;
  }

  removed(i: number): boolean {
    return this.#set[i] === null;
  }

  key(i: number): string {
    return (this.#keyBuf[i] as Buffer).toString('utf8', this.#keyFrom[i], this.#keyEnd[i]);
  }

  value(i: number): AnyValue {
    const set = this.#set[i];
    if (set !== undefined && set !== null) return decodeAnyValue(asBuffer(set), 0, set.length, this.#strings);
    return decodeAnyValue(this.#valueBuf[i] as Buffer, this.#valueFrom[i] as number, this.#valueEnd[i] as number, this.#strings);
  }

  /** The content of the AnyValue, shared with the request. */
  raw(i: number): Uint8Array {
    return this.#set[i] ?? (this.#valueBuf[i] as Buffer).subarray(this.#valueFrom[i], this.#valueEnd[i]);
  }

  /** Sets the content of an AnyValue. */
  set(i: number, raw: Uint8Array): void {
    this.#set[i] = raw;
    // That of an added entry is written with its key.
    if (i >= this.#loaded) this.#whole[i] = undefined;
    this.#changed = true;
  }

  /** Puts an entry behind the others. `whole`: key and value as the content of a KeyValue, where somebody has them at hand. */
  add(key: Key, raw: Uint8Array, whole?: Uint8Array): void {
    const i = this.#length;
    this.#length = i + 1;
    this.#keyBuf[i] = key.bytes;
    this.#keyFrom[i] = 0;
    this.#keyEnd[i] = key.bytes.length;
    this.#set[i] = raw;
    this.#whole[i] = whole;
    this.#changed = true;
  }

  remove(i: number): void {
    this.#set[i] = null;
    this.#changed = true;
  }

  /** Bytes that `writeTo` takes more than the message had, at most. */
  get growth(): number {
    let growth = 0;
    for (let i = 0; i < this.#length; i += 1) {
      const set = this.#set[i];
      if (set === undefined || set === null) continue;
      growth += (this.#whole[i]?.length ?? set.length + (this.#keyEnd[i] as number) - (this.#keyFrom[i] as number)) + HEADERS_BYTES;
    }
    return growth;
  }

  /** Writes the content of the message forwards, into as much room as it had and `growth`; returns the position behind it. */
  writeTo(out: Buffer, at: number): number {
    let pos = at;
    let copied = this.#from;
    for (let i = 0; i < this.#loaded; i += 1) {
      const set = this.#set[i];
      if (set === undefined) continue;
      const start = this.#start[i] as number;
      copyBytes(this.#buf, copied, start, out, pos);
      pos += start - copied;
      copied = this.#stop[i] as number;
      if (set !== null) pos = this.#writeSetTo(out, pos, i, set);
    }
    copyBytes(this.#buf, copied, this.#end, out, pos);
    pos += this.#end - copied;
    for (let i = this.#loaded; i < this.#length; i += 1) {
      const set = this.#set[i];
      if (set === null || set === undefined) continue;
      pos = putField(out, pos, this.#field, this.#whole[i] ?? encodeKeyValue(this.key(i), set));
    }
    return pos;
  }

  #writeSetTo(out: Buffer, at: number, i: number, set: Uint8Array): number {
    const body = this.#body[i] as number;
    const field = this.#valueField[i] as number;
    if (field < 0) return putField(out, at, this.#field, Buffer.concat([this.#keyField(i), bytesField(2, set)]));
    const rest = this.#valueEnd[i] as number;
    const stop = this.#stop[i] as number;
    let pos = putHeader(out, at, this.#field, field - body + 1 + varintSize(set.length) + set.length + stop - rest);
    copyBytes(this.#buf, body, field, out, pos);
    pos = putField(out, pos + field - body, 2, set);
    copyBytes(this.#buf, rest, stop, out, pos);
    return pos + stop - rest;
  }

  /** Writes the content of the message. */
  write(writer: Writer): void {
    for (let i = this.#length - 1; i >= this.#loaded; i -= 1) {
      const set = this.#set[i];
      if (set === null || set === undefined) continue;
      const before = writer.bytes;
      writer.put(this.#whole[i] ?? encodeKeyValue(this.key(i), set));
      writer.header(this.#field, before);
    }
    let cursor = this.#end;
    for (let i = this.#loaded - 1; i >= 0; i -= 1) {
      const set = this.#set[i];
      if (set === undefined) continue;
      writer.range(this.#buf, this.#stop[i] as number, cursor);
      if (set !== null) this.#writeSet(writer, i, set);
      cursor = this.#start[i] as number;
    }
    writer.range(this.#buf, this.#from, cursor);
  }

  /** The key as it came, also where it is no text. */
  #keyField(i: number): Uint8Array {
    return bytesField(1, (this.#keyBuf[i] as Buffer).subarray(this.#keyFrom[i], this.#keyEnd[i]));
  }

  /** A KeyValue with another value; what else is in it stays. */
  #writeSet(writer: Writer, i: number, set: Uint8Array): void {
    const before = writer.bytes;
    const field = this.#valueField[i] as number;
    if (field < 0) {
      writer.put(bytesField(2, set));
      writer.put(this.#keyField(i));
    } else {
      writer.range(this.#buf, this.#valueEnd[i] as number, this.#stop[i] as number);
      const value = writer.bytes;
      writer.put(set);
      writer.header(2, value);
      writer.range(this.#buf, this.#body[i] as number, field);
    }
    writer.header(this.#field, before);
  }
}

/** Tag and length, three times. */
const HEADERS_BYTES = 18;

function putHeader(out: Buffer, at: number, field: number, length: number): number {
  out[at] = (field << 3) | WIRE_LEN;
  return writeVarint(out, at + 1, length);
}

function putField(out: Buffer, at: number, field: number, content: Uint8Array): number {
  const pos = putHeader(out, at, field, content.length);
  copyBytes(content, 0, content.length, out, pos);
  return pos + content.length;
}

/** Hostile attributes take two bytes each, and a hundred in the arrays. */
const MAX_ATTRIBUTES = 2 ** 20;

/** Entries for which the arrays are kept from one message to the next. */
const KEPT = 10_000;

const KEY_TAG = (1 << 3) | WIRE_LEN;
const VALUE_TAG = (2 << 3) | WIRE_LEN;
const NOTHING = Buffer.alloc(0);

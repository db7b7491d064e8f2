import { WIRE_LEN, WIRE_VARINT } from '../wire.ts';
import { type AnyValue, encodeAnyValue, type KeyValueRange, readKeyValue } from './any-value.ts';
import type { BackwardWriter } from './writer.ts';

/** One attribute of an AttributesView: where it lies, and what was made of it. One object, used for one message after the other. */
export class Entry implements KeyValueRange {
  /** The whole KeyValue; where key and value lie in it is looked for when somebody asks. */
  from = 0;
  end = 0;
  isRead = false;
  keyFrom = -1;
  keyEnd = -1;
  valueFrom = -1;
  valueEnd = -1;
  fieldFrom = -1;
  keyIndex = 0;
  pieces: Buffer | undefined = undefined;
  /** Not one that came in. */
  added = false;
  removed = false;
  /** Decoded when it is needed. */
  key: string | undefined = undefined;
  /** It has another value than it came with: the content of an AnyValue in `raw`, or where that is absent the text or integer `value`. */
  isSet = false;
  raw: Uint8Array | undefined = undefined;
  value: string | bigint = '';

  /** As good as new: one that came in at [from, end), or an added one. */
  begin(from: number, end: number, added: boolean): void {
    this.from = from;
    this.end = end;
    this.isRead = added;
    this.added = added;
    this.removed = false;
    this.key = undefined;
    this.isSet = false;
    this.raw = undefined;
    if (added) this.#clear();
  }

  /** Finds key and value. Throws MalformedError. */
  read(buf: Buffer): void {
    this.#clear();
    readKeyValue(buf, this.from, this.end, this);
    this.isRead = true;
  }

  /**
   * Of one that is not read: whether it is a short key, as every SDK writes it, and then its value, and that key has less bytes than so
   * many letters have, or more than they can have.
   */
  hasOtherLength(buf: Buffer, letters: number): boolean {
    const { from, end } = this;
    const bytes = buf[from + 1] as number;
    const keyEnd = from + 2 + bytes;
    if (end - from < 4 || buf[from] !== KEY_TAG || bytes >= 0x80 || keyEnd + 2 > end || buf[keyEnd] !== VALUE_TAG) return false;
    const value = buf[keyEnd + 1] as number;
    return (bytes < letters || bytes > letters * 3) && value < 0x80 && keyEnd + 2 + value === end;
  }

  /** Bytes of a text that came in as every SDK writes it, one field with a length of one byte; NO_PLAIN_TEXT for all else. */
  plainTextBytes(buf: Buffer): number {
    const { valueFrom: from, valueEnd: end } = this;
    if (this.isSet || this.pieces !== undefined || end - from < 2 || buf[from] !== TEXT_TAG) return NO_PLAIN_TEXT;
    const length = buf[from + 1] as number;
    return length < 0x80 && from + 2 + length === end ? length : NO_PLAIN_TEXT;
  }

  #clear(): void {
    this.keyFrom = -1;
    this.keyEnd = -1;
    this.valueFrom = -1;
    this.valueEnd = -1;
    this.fieldFrom = -1;
    this.keyIndex = 0;
    this.pieces = undefined;
  }

  /** Texts and small integers are encoded where they are written, as that needs no memory of its own. */
  setTo(value: AnyValue): void {
    this.isSet = true;
    if (typeof value === 'string' ? value.isWellFormed() : typeof value === 'bigint' && value >= 0n && value <= MOST_SMALL) {
      this.raw = undefined;
      this.value = value as string | bigint;
    } else {
      this.raw = encodeAnyValue(value);
    }
  }

  setToRaw(raw: Uint8Array): void {
    this.isSet = true;
    this.raw = raw;
  }

  /** The content of the AnyValue that it was set to. */
  writeValue(writer: BackwardWriter): void {
    if (this.raw !== undefined) {
      writer.put(this.raw);
      return;
    }
    if (typeof this.value === 'bigint') {
      writer.varint(Number(this.value));
      writer.varint(INT_TAG);
      return;
    }
    const before = writer.bytes;
    writer.text(this.value);
    writer.header(1, before);
  }
}

/** More than any of them has. */
export const NO_PLAIN_TEXT = 0x80;

/** Where the content of a LEN field begins. */
export function bodyOf(buf: Buffer, start: number): number {
  let pos = start;
  for (let varints = 0; varints < 2; varints += 1) {
    while ((buf[pos] as number) >= 0x80) pos += 1;
    pos += 1;
  }
  return pos;
}

const KEY_TAG = (1 << 3) | WIRE_LEN;
const VALUE_TAG = (2 << 3) | WIRE_LEN;
/** AnyValue.string_value = 1. */
const TEXT_TAG = (1 << 3) | WIRE_LEN;
const MOST_SMALL = 2n ** 31n;
/** AnyValue.int_value = 3. */
const INT_TAG = (3 << 3) | WIRE_VARINT;

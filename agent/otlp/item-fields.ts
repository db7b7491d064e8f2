import type { Key } from './attribute-list.ts';
import { position, readLength, readTag, skipField, WIRE_FIXED64, WIRE_LEN } from './wire.ts';

/** What `ItemFields` looks for in a Span or LogRecord. */
export interface WantedFields {
  /** Number of the repeated field `attributes`; without it attributes are not looked at. */
  readonly attributes?: number;
  readonly keys?: readonly Key[];
  /** Wire types of fields below 16 that are there at most once, by their number. */
  readonly fields?: ReadonlyMap<number, number>;
}

/**
 * One walk over the fields of a message that notes where a few known ones lie, and where the values of a few known attributes do. Nothing
 * is made for an item, nothing is decoded, and the arrays are used again for the next one: a span with seven attributes takes 60 ns, its
 * SpanView with one of its attributes a microsecond (test/bench/agent-processors-alone.mjs).
 *
 *   message   | 1 trace_id | 5 name | 6 kind | 9 KeyValue                     | 9 KeyValue | 15 status |
 *                            ^start   ^from    ^keyStart   ^keyFrom ^valueFrom ^valueEnd
 *                              ^from    ^end
 *
 * It knows messages as every SDK writes them. `load` is false for all others (a field twice that may be there once, a KeyValue that is not
 * one key and one value in this order, a key of 128 bytes and more, a tag in more bytes than it needs, another wire type) and throws for malformed bytes; for those the
 * views or AttributeList know the rules, so that whoever uses this has another way for them. What it does not note is proved as the views
 * prove it: every field ends where its message does, or before.
 */
export class ItemFields {
  /** By field number; `end` is -1 where the field is absent. `start` is that of the tag, `from` that of the content. */
  readonly start = new Int32Array(16);
  readonly from = new Int32Array(16);
  readonly end = new Int32Array(16);
  /** By place in `keys`; -1 where the attribute is absent. `keyStart` is that of the attribute's tag, `keyEnd` where its value's tag is. */
  readonly keyStart: Int32Array;
  readonly keyFrom: Int32Array;
  readonly keyEnd: Int32Array;
  readonly valueFrom: Int32Array;
  readonly valueEnd: Int32Array;
  /** One of the keys is there twice; the first one is noted. */
  duplicates = false;
  readonly #numbers: readonly number[];
  readonly #keys: readonly Uint8Array[];
  /** What to do by the tag, where it is one byte. */
  readonly #byTag = new Uint8Array(128);
  /** 1 where one of the keys has that many bytes; a KeyValue with a key of 128 or more is read the other way. */
  readonly #byLength = new Uint8Array(128);

  constructor({ attributes, keys = [], fields = new Map() }: WantedFields) {
    this.#numbers = [...fields.keys()];
    this.#keys = keys.map((key) => new Uint8Array(key.bytes));
    for (const key of keys) if (key.bytes.length < 0x80) this.#byLength[key.bytes.length] = 1;
    for (const [field, wire] of fields) {
      this.#byTag.fill(UNUSUAL, field * 8, field * 8 + 8);
      this.#byTag[field * 8 + wire] = NOTED;
    }
    if (attributes !== undefined) {
      this.#byTag.fill(UNUSUAL, attributes * 8, attributes * 8 + 8);
      this.#byTag[attributes * 8 + WIRE_LEN] = ATTRIBUTE;
    }
    this.keyStart = new Int32Array(keys.length);
    this.keyFrom = new Int32Array(keys.length);
    this.keyEnd = new Int32Array(keys.length);
    this.valueFrom = new Int32Array(keys.length);
    this.valueEnd = new Int32Array(keys.length);
  }

  /** Whether the message at [from, end) could be read in this way. Throws MalformedError. */
  load(buf: Uint8Array, from: number, end: number): boolean {
    const byTag = this.#byTag;
    this.duplicates = false;
    for (let i = 0; i < this.#numbers.length; i += 1) this.end[this.#numbers[i] as number] = -1;
    for (let k = 0; k < this.#keys.length; k += 1) this.valueEnd[k] = -1;
    let pos = from;
    while (pos < end) {
      const start = pos;
      const tag = buf[pos] as number;
      if (tag >= 0x80) {
        // Two bytes: a field above 15, or one below written in more bytes than it needs.
        const long = readTag(buf, pos, end);
        if (long < 0x80) return false;
        pos = skipField(buf, long, position(), end);
        continue;
      }
      const what = byTag[tag] as number;
      let body = pos + 1;
      if ((tag & 7) === WIRE_LEN && tag >= 8) {
        const length = body < end ? (buf[body] as number) : 0x80;
        if (length < 0x80 && body + 1 + length <= end) {
          body += 1;
          pos = body + length;
        } else {
          pos = readLength(buf, body, end);
          body = position();
        }
        if (what === ATTRIBUTE) {
          if (!this.#attribute(buf, start, body, pos)) return false;
          continue;
        }
      } else if ((tag & 7) === WIRE_FIXED64 && tag >= 8 && body + 8 <= end) {
        pos = body + 8;
      } else {
        body = readTagEnd(buf, pos, end);
        pos = skipField(buf, tag, body, end);
      }
      if (what === SKIPPED) continue;
      const field = tag >>> 3;
      if (what === UNUSUAL || this.end[field] !== -1) return false;
      this.start[field] = start;
      this.from[field] = body;
      this.end[field] = pos;
    }
    return true;
  }

  /** One KeyValue: 1 key, 2 value, nothing else. */
  #attribute(buf: Uint8Array, start: number, body: number, stop: number): boolean {
    const keyFrom = body + 2;
    if (keyFrom > stop || buf[body] !== KEY_TAG) return false;
    const keyLength = buf[body + 1] as number;
    const keyEnd = keyFrom + keyLength;
    if (keyLength >= 0x80 || keyEnd + 2 > stop || buf[keyEnd] !== VALUE_TAG) return false;
    let valueFrom = keyEnd + 2;
    const valueLength = buf[keyEnd + 1] as number;
    if (valueFrom + valueLength !== stop || valueLength >= 0x80) {
      if (valueLength < 0x80 || readLength(buf, keyEnd + 1, stop) !== stop) return false;
      valueFrom = position();
    }
    if (this.#byLength[keyLength] === 0) return true;
    const keys = this.#keys;
    for (let k = 0; k < keys.length; k += 1) {
      const key = keys[k] as Uint8Array;
      if (key.length !== keyLength) continue;
      let same = 0;
      while (same < keyLength && buf[keyFrom + same] === key[same]) same += 1;
      if (same < keyLength) continue;
      if (this.valueEnd[k] !== -1) {
        this.duplicates = true;
        return true;
      }
      this.keyStart[k] = start;
      this.keyFrom[k] = body;
      this.keyEnd[k] = keyEnd;
      this.valueFrom[k] = valueFrom;
      this.valueEnd[k] = stop;
      return true;
    }
    return true;
  }
}

/** The position behind a tag of one byte, which is proved. */
function readTagEnd(buf: Uint8Array, pos: number, end: number): number {
  readTag(buf, pos, end);
  return position();
}

const SKIPPED = 0;
const NOTED = 1;
const ATTRIBUTE = 2;
/** A wanted field with the wire type of another kind. */
const UNUSUAL = 3;

const KEY_TAG = (1 << 3) | WIRE_LEN;
const VALUE_TAG = (2 << 3) | WIRE_LEN;

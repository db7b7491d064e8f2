import { WIRE_LEN } from '../wire.ts';
import {
  type AnyValue,
  decodeAnyValue,
  encodeAnyValue,
  keyOf,
  kindOfValue,
  type StringTable,
  type ValueKind,
  valueAt,
} from './any-value.ts';
import { bodyOf, Entry, NO_PLAIN_TEXT } from './attribute-entry.ts';
import type { MessageView } from './message.ts';
import { wrongWireType } from './scalars.ts';
import { Slot } from './slot.ts';
import { isAscii, textOf } from './text.ts';
import type { BackwardWriter } from './writer.ts';

/**
 * A repeated KeyValue as a map. Where a key is there twice (forbidden by the data model, and sent by some), `get` and `set` are about the
 * first as in the Collector, and `delete` takes all of them, as what somebody wants gone must not stay.
 */
export class AttributesView extends Slot {
  #buf: Buffer;
  readonly #strings: StringTable;
  /** Those behind `length` are of a message before, to be used again. */
  readonly #entries: Entry[] = [];
  #length = 0;
  #size = 0;
  /** One of those that came in was set or removed. */
  #touched = false;
  /** The key that was looked for last, and what was found; undefined where it has to be looked for again. */
  #soughtKey: string | undefined = undefined;
  #found: Entry | undefined = undefined;

  constructor(owner: MessageView, field: number, strings?: StringTable) {
    super(owner, field);
    this.#buf = owner.source;
    this.#strings = strings;
  }

  override open(): void {
    if (this.#entries.length > KEPT_ENTRIES) this.#entries.length = 0;
    const { owner, field } = this;
    const { table, tableEnd, source } = owner;
    this.#buf = source;
    this.#length = 0;
    this.#soughtKey = undefined;
    this.#touched = false;
    for (let i = 0; i < tableEnd; i += 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== field) continue;
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, table[i + 1] as number);
      this.#next(table[i + 2] as number, table[i + 3] as number, false);
    }
    this.occurrences = this.#length;
    this.#size = this.#length;
    owner.claim(this.#length);
  }

  override get keepsAll(): boolean {
    return !this.#touched;
  }

  /** One more entry. */
  #next(from: number, end: number, added: boolean): Entry {
    let entry = this.#entries[this.#length];
    if (entry === undefined) {
      entry = new Entry();
      this.#entries.push(entry);
    }
    this.#length += 1;
    entry.begin(from, end, added);
    return entry;
  }

  #read(entry: Entry): Entry {
    if (!entry.isRead) entry.read(this.#buf);
    return entry;
  }

  #set(entry: Entry, value: AnyValue): void {
    entry.setTo(value);
    if (!entry.added) this.#touched = true;
    this.owner.markDirty();
  }

  /** How many there are; a key that is there twice counts twice. */
  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** undefined where the key is absent and where its value is the empty one; `has` tells them apart. */
  get(key: string): AnyValue {
    const entry = this.#find(key);
    return entry === undefined ? undefined : this.#valueOf(entry);
  }

  /** The content of the AnyValue as it stands in the bytes; undefined where the key is absent. To be copied with `setRaw`. */
  getRaw(key: string): Uint8Array | undefined {
    const entry = this.#find(key);
    if (entry === undefined) return undefined;
    if (entry.isSet) return entry.raw ?? encodeAnyValue(entry.value);
    const { source, from, end } = valueAt(this.#buf, this.#read(entry));
    return source.subarray(from, end);
  }

  /** Sets the first of that key, or puts it behind the others. */
  set(key: string, value: AnyValue): void {
    this.#set(this.#find(key) ?? this.#add(key), value);
  }

  /** The same with the content of an AnyValue. */
  setRaw(key: string, raw: Uint8Array): void {
    const entry = this.#find(key) ?? this.#add(key);
    entry.setToRaw(raw);
    if (!entry.added) this.#touched = true;
    this.owner.markDirty();
  }

  #add(key: string): Entry {
    const added = this.#next(0, 0, true);
    added.key = key;
    this.#size += 1;
    this.#soughtKey = undefined;
    return added;
  }

  /** Whether there was one. */
  delete(key: string): boolean {
    const before = this.#size;
    for (let i = 0; i < this.#length; i += 1) {
      const entry = this.#entries[i] as Entry;
      if (!entry.removed && this.#isKey(entry, key)) this.#remove(entry);
    }
    return this.#size < before;
  }

  /** Removes those for which `test` is true; returns how many. */
  deleteIf(test: (key: string) => boolean): number {
    const before = this.#size;
    for (let i = 0; i < this.#length; i += 1) {
      const entry = this.#entries[i] as Entry;
      if (!entry.removed && test(this.#keyOf(entry))) this.#remove(entry);
    }
    return before - this.#size;
  }

  #remove(entry: Entry): void {
    entry.removed = true;
    if (!entry.added) this.#touched = true;
    this.#size -= 1;
    this.#soughtKey = undefined;
    this.owner.markDirty();
  }

  /** Removes all of them. */
  clear(): void {
    this.deleteIf(() => true);
  }

  /** In their order; a key that is there twice comes twice. */
  *keys(): IterableIterator<string> {
    for (let i = 0; i < this.#length; i += 1) if (!this.removedAt(i)) yield this.keyAt(i);
  }

  /** In their order; what is set or deleted meanwhile may or may not come. */
  *entries(): IterableIterator<[string, AnyValue]> {
    for (let i = 0; i < this.#length; i += 1) if (!this.removedAt(i)) yield [this.keyAt(i), this.valueAt(i)];
  }

  [Symbol.iterator](): IterableIterator<[string, AnyValue]> {
    return this.entries();
  }

  /** All of them as a Map; of a key that is there twice the first. */
  toMap(): Map<string, AnyValue> {
    const map = new Map<string, AnyValue>();
    for (const [key, value] of this.entries()) if (!map.has(key)) map.set(key, value);
    return map;
  }

  /** Gives each a new value where `change` returns another than it got; also those whose key is there twice. */
  mapValues(change: (value: AnyValue, key: string) => AnyValue): void {
    for (let i = 0; i < this.#length; i += 1) {
      const entry = this.#entries[i] as Entry;
      if (entry.removed) continue;
      const value = this.#valueOf(entry);
      const changed = change(value, this.#keyOf(entry));
      if (Object.is(changed, value)) continue;
      this.#set(entry, changed);
    }
  }

  /**
   * The same for texts alone. Of none that is ASCII and has no more than `unlessLonger` bytes `change` would give another: those are not
   * even decoded.
   */
  mapTexts(change: (text: string) => string, unlessLonger = 0): void {
    for (let i = 0; i < this.#length; i += 1) {
      const entry = this.#entries[i] as Entry;
      if (entry.removed || this.#isShortAscii(entry, unlessLonger)) continue;
      const text = this.textAt(i);
      if (text === undefined) continue;
      const changed = change(text);
      if (changed === text) continue;
      this.#set(entry, changed);
    }
  }

  #isShortAscii(entry: Entry, most: number): boolean {
    return this.#plainTextBytes(entry) <= Math.min(most, 0x7f) && isAscii(this.#buf, entry.valueFrom + 2, entry.valueEnd);
  }

  #plainTextBytes(entry: Entry): number {
    return this.#read(entry).plainTextBytes(this.#buf);
  }

  /**
   * Entries to go through by index, the removed ones too; for those who look at all of them and decode few: keyAt, textAt, valueAt, setAt.
   * (A callback with an object for each takes twice as long as all the rest.)
   */
  get length(): number {
    return this.#length;
  }

  removedAt(i: number): boolean {
    return (this.#entries[i] as Entry).removed;
  }

  removeAt(i: number): void {
    this.#remove(this.#entries[i] as Entry);
  }

  /** Whether it is a text of less than so many bytes; false where that is not seen at a glance. */
  isTextBelow(i: number, bytes: number): boolean {
    const entry = this.#entries[i] as Entry;
    return this.#plainTextBytes(entry) < Math.min(bytes, 0x80);
  }

  keyAt(i: number): string {
    return this.#keyOf(this.#entries[i] as Entry);
  }

  /** The value where it is a text; undefined for all other kinds, which are not decoded. */
  textAt(i: number): string | undefined {
    const entry = this.#entries[i] as Entry;
    if (this.#plainTextBytes(entry) < NO_PLAIN_TEXT) return textOf(this.#buf, entry.valueFrom + 2, entry.valueEnd);
    return this.#kindOf(entry) === 'string' ? (this.#valueOf(entry) as string) : undefined;
  }

  valueAt(i: number): AnyValue {
    return this.#valueOf(this.#entries[i] as Entry);
  }

  setAt(i: number, value: AnyValue): void {
    this.#set(this.#entries[i] as Entry, value);
  }

  /** These and no others, in their order; of a key that is there twice the last value. */
  replaceAll(entries: Iterable<readonly [string, AnyValue]>): void {
    const list = [...entries].map(([key, value]) => [key, encodeAnyValue(value)] as const);
    this.clear();
    // Not one after the other by setRaw, which would look at all others each time.
    for (const [key, raw] of new Map(list)) this.#add(key).setToRaw(raw);
    this.owner.markDirty();
  }

  writeAdded(writer: BackwardWriter): void {
    for (let i = this.#length - 1; i >= 0; i -= 1) {
      const entry = this.#entries[i] as Entry;
      if (!entry.added) return; // those that came in lie before all new ones
      if (!entry.removed) this.#writeNew(writer, entry);
    }
  }

  writeAt(writer: BackwardWriter, k: number, buf: Buffer, start: number, end: number): void {
    const entry = this.#entries[k] as Entry;
    if (entry.removed) return;
    if (!entry.isSet) {
      writer.range(buf, start, end);
      return;
    }
    const before = writer.bytes;
    this.#read(entry);
    if (entry.pieces !== undefined || entry.fieldFrom < 0) {
      // In pieces or without a value: key and value are written anew.
      this.#writeNew(writer, entry);
      return;
    }
    const contentFrom = bodyOf(buf, start);
    writer.range(buf, entry.valueEnd, end);
    const value = writer.bytes;
    entry.writeValue(writer);
    writer.header(2, value);
    writer.range(buf, contentFrom, entry.fieldFrom);
    writer.header(this.field, before);
  }

  #writeNew(writer: BackwardWriter, entry: Entry): void {
    const before = writer.bytes;
    entry.writeValue(writer);
    writer.header(2, before);
    const keyBefore = writer.bytes;
    // One that came in keeps the bytes of its key, also where these are no text.
    if (entry.added || entry.keyIndex !== 0) writer.text(this.#keyOf(entry));
    else writer.range(this.#buf, entry.keyFrom, entry.keyEnd);
    writer.header(1, keyBefore);
    writer.header(this.field, before);
  }

  #find(key: string): Entry | undefined {
    // To set one is to look for it twice.
    if (this.#soughtKey === key) return this.#found;
    this.#soughtKey = key;
    this.#found = undefined;
    for (let i = 0; i < this.#length; i += 1) {
      const entry = this.#entries[i] as Entry;
      if (entry.removed || !this.#isKey(entry, key)) continue;
      this.#found = entry;
      break;
    }
    return this.#found;
  }

  /** Compares bytes as far as the key is ASCII: mostly they differ early, and decoding each key costs more than all the rest. */
  #isKey(entry: Entry, key: string): boolean {
    if (entry.key !== undefined) return entry.key === key;
    const { length } = key;
    // Of another length and plain: not even looked into.
    if (!entry.isRead && entry.hasOtherLength(this.#buf, length)) return false;
    this.#read(entry);
    if (entry.keyIndex === 0) {
      const { keyFrom, keyEnd } = entry;
      const buf = this.#buf;
      const bytes = keyEnd - keyFrom;
      if (bytes < length || bytes > length * 3) return false;
      let i = 0;
      for (; i < length; i += 1) {
        const code = key.charCodeAt(i);
        if (code >= 0x80) break;
        if (buf[keyFrom + i] !== code) return false;
      }
      // As many bytes as letters: ASCII, or not the same.
      if (i === length || bytes === length) return i === length && bytes === length;
    }
    return this.#keyOf(entry) === key;
  }

  #keyOf(entry: Entry): string {
    if (entry.key === undefined) entry.key = keyOf(this.#buf, this.#read(entry), this.#strings);
    return entry.key;
  }

  #kindOf(entry: Entry): ValueKind {
    if (entry.raw !== undefined) return kindOfValue(asBuffer(entry.raw), 0, entry.raw.length);
    if (entry.isSet) return typeof entry.value === 'string' ? 'string' : 'int';
    const { source, from, end } = valueAt(this.#buf, this.#read(entry));
    return kindOfValue(source, from, end);
  }

  #valueOf(entry: Entry): AnyValue {
    if (entry.raw !== undefined) return decodeAnyValue(asBuffer(entry.raw), 0, entry.raw.length, this.#strings);
    if (entry.isSet) return entry.value;
    this.#read(entry);
    if (entry.pieces === undefined)
      return entry.valueFrom < 0 ? undefined : decodeAnyValue(this.#buf, entry.valueFrom, entry.valueEnd, this.#strings);
    const { source, from, end } = valueAt(this.#buf, entry);
    return decodeAnyValue(source, from, end, this.#strings);
  }
}

/** Entries that are kept from one message to the next. */
const KEPT_ENTRIES = 1024;

/** The same bytes with Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import { WIRE_LEN } from '../wire.ts';
import {
  type AnyValue,
  decodeAnyValue,
  encodeAnyValue,
  type KeyValueRange,
  keyOf,
  kindOfValue,
  readKeyValue,
  type StringTable,
  type ValueKind,
  valueAt,
} from './any-value.ts';
import { type MessageView, Slot } from './message.ts';
import { wrongWireType } from './scalars.ts';
import type { Writer } from './writer.ts';

/**
 * A repeated KeyValue as a map. Where a key is there twice (forbidden by the data model, and sent by some), `get` and `set` are about the
 * first as in the Collector, and `delete` takes all of them, as what somebody wants gone must not stay.
 */
export class AttributesView extends Slot {
  readonly #owner: MessageView;
  readonly #buf: Buffer;
  readonly #field: number;
  readonly #strings: StringTable;
  readonly #entries: Entry[] = [];
  #size = 0;

  constructor(owner: MessageView, field: number, strings?: StringTable) {
    super(owner, field);
    owner.claim(this.occurrences);
    this.#owner = owner;
    this.#buf = owner.source;
    this.#field = field;
    this.#strings = strings;
    const { table } = owner;
    for (let i = 0; i < table.length; i += 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== field) continue;
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, table[i + 1] as number);
      const entry = new Entry(false);
      readKeyValue(this.#buf, table[i + 2] as number, table[i + 3] as number, entry);
      this.#entries.push(entry);
    }
    this.#size = this.#entries.length;
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
    if (entry.raw !== undefined) return entry.raw;
    const { source, from, end } = valueAt(this.#buf, entry);
    return source.subarray(from, end);
  }

  /** Sets the first of that key, or puts it behind the others. */
  set(key: string, value: AnyValue): void {
    this.setRaw(key, encodeAnyValue(value));
  }

  /** The same with the content of an AnyValue. */
  setRaw(key: string, raw: Uint8Array): void {
    const entry = this.#find(key);
    if (entry !== undefined) entry.raw = raw;
    else this.#add(key, raw);
    this.#owner.markDirty();
  }

  #add(key: string, raw: Uint8Array): void {
    const added = new Entry(true);
    added.key = key;
    added.raw = raw;
    this.#entries.push(added);
    this.#size += 1;
  }

  /** Whether there was one. */
  delete(key: string): boolean {
    return this.deleteIf((other) => other === key) > 0;
  }

  /** Removes those for which `test` is true; returns how many. */
  deleteIf(test: (key: string, value: () => AnyValue) => boolean): number {
    let deleted = 0;
    for (const entry of this.#entries) {
      if (entry.removed || !test(this.#keyOf(entry), () => this.#valueOf(entry))) continue;
      entry.removed = true;
      deleted += 1;
    }
    this.#size -= deleted;
    if (deleted > 0) this.#owner.markDirty();
    return deleted;
  }

  /** Removes all of them. */
  clear(): void {
    this.deleteIf(() => true);
  }

  /** In their order; a key that is there twice comes twice. */
  *keys(): IterableIterator<string> {
    for (const entry of this.#entries) if (!entry.removed) yield this.#keyOf(entry);
  }

  /** In their order; what is set or deleted meanwhile may or may not come. */
  *entries(): IterableIterator<[string, AnyValue]> {
    for (const entry of this.#entries) if (!entry.removed) yield [this.#keyOf(entry), this.#valueOf(entry)];
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
    for (const entry of this.#entries) {
      if (entry.removed) continue;
      const value = this.#valueOf(entry);
      const changed = change(value, this.#keyOf(entry));
      if (Object.is(changed, value)) continue;
      entry.raw = encodeAnyValue(changed);
      this.#owner.markDirty();
    }
  }

  /**
   * Entries to go through by index, the removed ones too; for those who look at all of them and decode few: keyAt, textAt, valueAt, setAt.
   * (A callback with an object for each takes twice as long as all the rest.)
   */
  get length(): number {
    return this.#entries.length;
  }

  removedAt(i: number): boolean {
    return (this.#entries[i] as Entry).removed;
  }

  keyAt(i: number): string {
    return this.#keyOf(this.#entries[i] as Entry);
  }

  /** The value where it is a text; undefined for all other kinds, which are not decoded. */
  textAt(i: number): string | undefined {
    const entry = this.#entries[i] as Entry;
    const { valueFrom: from, valueEnd: end } = entry;
    const buf = this.#buf;
    // As every SDK writes it: one field, with a length of one byte.
    if (entry.raw === undefined && entry.pieces === undefined && end - from >= 2 && buf[from] === TEXT_TAG) {
      const length = buf[from + 1] as number;
      if (length < 0x80 && from + 2 + length === end) return buf.toString('utf8', from + 2, end);
    }
    return this.#kindOf(entry) === 'string' ? (this.#valueOf(entry) as string) : undefined;
  }

  valueAt(i: number): AnyValue {
    return this.#valueOf(this.#entries[i] as Entry);
  }

  setAt(i: number, value: AnyValue): void {
    (this.#entries[i] as Entry).raw = encodeAnyValue(value);
    this.#owner.markDirty();
  }

  /** These and no others, in their order; of a key that is there twice the last value. */
  replaceAll(entries: Iterable<readonly [string, AnyValue]>): void {
    const list = [...entries].map(([key, value]) => [key, encodeAnyValue(value)] as const);
    this.clear();
    // Not one after the other by setRaw, which would look at all others each time.
    for (const [key, raw] of new Map(list)) this.#add(key, raw);
    this.#owner.markDirty();
  }

  writeAdded(writer: Writer): void {
    for (let i = this.#entries.length - 1; i >= 0; i -= 1) {
      const entry = this.#entries[i] as Entry;
      if (!entry.added) return; // those that came in lie before all new ones
      if (!entry.removed) this.#writeNew(writer, entry.key as string, entry.raw as Uint8Array);
    }
  }

  writeAt(writer: Writer, k: number, buf: Buffer, start: number, end: number): void {
    const entry = this.#entries[k] as Entry;
    if (entry.removed) return;
    const { raw } = entry;
    if (raw === undefined) {
      writer.range(buf, start, end);
      return;
    }
    const before = writer.bytes;
    if (entry.pieces !== undefined || entry.fieldFrom < 0) {
      // In pieces or without a value: key and value are written anew.
      this.#writeNew(writer, this.#keyOf(entry), raw);
      return;
    }
    const contentFrom = bodyOf(buf, start);
    writer.range(buf, entry.valueEnd, end);
    const value = writer.bytes;
    writer.put(raw);
    writer.header(2, value);
    writer.range(buf, contentFrom, entry.fieldFrom);
    writer.header(this.#field, before);
  }

  #writeNew(writer: Writer, key: string, raw: Uint8Array): void {
    const before = writer.bytes;
    writer.put(raw);
    writer.header(2, before);
    const keyBefore = writer.bytes;
    writer.text(key);
    writer.header(1, keyBefore);
    writer.header(this.#field, before);
  }

  #find(key: string): Entry | undefined {
    for (const entry of this.#entries) if (!entry.removed && this.#isKey(entry, key)) return entry;
    return undefined;
  }

  /** Compares lengths first: most keys differ in it, and decoding each key costs more than all the rest. */
  #isKey(entry: Entry, key: string): boolean {
    if (entry.key !== undefined) return entry.key === key;
    if (entry.keyIndex === 0) {
      const { length } = key;
      const bytes = entry.keyEnd - entry.keyFrom;
      if (bytes < length || bytes > length * 3) return false;
      // As many bytes as letters: ASCII, or not the same.
      if (bytes === length) {
        for (let i = 0; i < length; i += 1) {
          const code = key.charCodeAt(i);
          if (code >= 0x80 || this.#buf[entry.keyFrom + i] !== code) return false;
        }
        return true;
      }
    }
    return this.#keyOf(entry) === key;
  }

  #keyOf(entry: Entry): string {
    entry.key ??= keyOf(this.#buf, entry, this.#strings);
    return entry.key;
  }

  #kindOf(entry: Entry): ValueKind {
    if (entry.raw !== undefined) return kindOfValue(asBuffer(entry.raw), 0, entry.raw.length);
    const { source, from, end } = valueAt(this.#buf, entry);
    return kindOfValue(source, from, end);
  }

  #valueOf(entry: Entry): AnyValue {
    if (entry.raw !== undefined) return decodeAnyValue(asBuffer(entry.raw), 0, entry.raw.length, this.#strings);
    if (entry.pieces === undefined)
      return entry.valueFrom < 0 ? undefined : decodeAnyValue(this.#buf, entry.valueFrom, entry.valueEnd, this.#strings);
    const { source, from, end } = valueAt(this.#buf, entry);
    return decodeAnyValue(source, from, end, this.#strings);
  }
}

/** AnyValue.string_value. */
const TEXT_TAG = (1 << 3) | WIRE_LEN;

/** Where it lies, and what was made of it; one object, as there are many. */
class Entry implements KeyValueRange {
  keyFrom = -1;
  keyEnd = -1;
  valueFrom = -1;
  valueEnd = -1;
  fieldFrom = -1;
  keyIndex = 0;
  pieces: Buffer | undefined = undefined;
  /** Not one that came in. */
  readonly added: boolean;
  /** Decoded when it is needed. */
  key: string | undefined = undefined;
  /** The content of the AnyValue that was set. */
  raw: Uint8Array | undefined = undefined;
  removed = false;

  constructor(added: boolean) {
    this.added = added;
  }
}

/** Where the content of a LEN field begins. */
function bodyOf(buf: Buffer, start: number): number {
  let pos = start;
  for (let varints = 0; varints < 2; varints += 1) {
    while ((buf[pos] as number) >= 0x80) pos += 1;
    pos += 1;
  }
  return pos;
}

/** The same bytes with Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

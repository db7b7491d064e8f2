import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LEN, WIRE_VARINT } from '../wire.ts';
import {
  bytesField,
  doubleField,
  fixed32Field,
  fixed64Field,
  readFields,
  readInt32,
  readSint32,
  readUint32,
  sint32Field,
  varint64Field,
  wrongWireType,
} from './scalars.ts';
import { ScalarSlot, type Slot } from './slot.ts';
import { textOf } from './text.ts';
import type { BackwardWriter } from './writer.ts';

/**
 * One protobuf message over the bytes it came in. Its fields are looked for when the first of them is asked for; a written field replaces
 * its own bytes and no others. Unknown fields stay where they are.
 *
 *   table    | tag start body end | tag start body end | ... tableEnd      one group of four for each field, in the order of the bytes
 *   slots    | slot of a field | slot of another | ... open, closed        what is written in place of a field's occurrences
 *
 * Everything that reads may throw MalformedError: only what is read is proved.
 *
 * `point` lets a view stand for another message of its kind, with the same table and slots used again: who looks at the items of a request
 * one after the other needs one view for all of them, and nothing outlives its item (ItemWalk; a third of the time of a view for each).
 */
export class MessageView {
  protected parent: MessageView | undefined;
  protected buf: Buffer;
  #from: number;
  #end: number;
  readonly #table: number[] = [];
  /** -1 before the table is read. */
  #tableEnd = -1;
  /** The first `#open` are those of the message at hand, in the order in which they were asked for. */
  #slots: Slot[] | undefined;
  #open = 0;
  #dirty = false;
  #removed = false;

  constructor(parent: MessageView | undefined, buf: Buffer, from: number, end: number) {
    this.parent = parent;
    this.buf = buf;
    this.#from = from;
    this.#end = end;
  }

  /** Lets the view stand for the message at [from, end) in the same parent; what was written into the one before is forgotten. */
  point(buf: Buffer, from: number, end: number): void {
    if (this.#table.length > KEPT_TABLE) this.#table.length = 0;
    this.buf = buf;
    this.#from = from;
    this.#end = end;
    this.#tableEnd = -1;
    this.#open = 0;
    this.#dirty = false;
    this.#removed = false;
  }

  /** Lets it lie in another message, before `point`. */
  moveTo(parent: MessageView): void {
    this.parent = parent;
  }

  /** Whether it, or anything in it, differs from the bytes it came in. */
  get dirty(): boolean {
    return this.#dirty;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** The table of fields; see above. What lies behind `tableEnd` is of no meaning. */
  get table(): readonly number[] {
    if (this.#tableEnd < 0) this.#tableEnd = readFields(this.buf, this.#from, this.#end, this.#table);
    return this.#table;
  }

  get tableEnd(): number {
    if (this.#tableEnd < 0) this.#tableEnd = readFields(this.buf, this.#from, this.#end, this.#table);
    return this.#tableEnd;
  }

  /** Where the fields of the table lie. */
  get source(): Buffer {
    return this.buf;
  }

  markDirty(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.parent?.markDirty();
  }

  /** Takes it out of the message that it lies in. */
  remove(): void {
    if (this.#removed) return;
    const items = this.itemCount();
    this.#removed = true;
    if (items > 0) this.parent?.itemsRemoved(items);
    this.parent?.markDirty();
  }

  /** Spans, data points, log records or samples in it. */
  itemCount(): number {
    return 0;
  }

  /** Told to all messages around one that was removed. */
  itemsRemoved(items: number): void {
    this.parent?.itemsRemoved(items);
  }

  /** Told to the request for so many messages or attributes that are about to be objects. */
  claim(count: number): void {
    this.parent?.claim(count);
  }

  /** The slot of a field number, made on first use. */
  slot<S extends Slot>(field: number, make: () => S): S {
    this.#slots ??= [];
    const slots = this.#slots;
    let at = 0;
    while (at < slots.length && (slots[at] as Slot).field !== field) at += 1;
    if (at < this.#open) return slots[at] as S;
    // One of a message before is opened again.
    const slot = (slots[at] as S | undefined) ?? make();
    slot.open();
    if (at !== this.#open && at < slots.length) slots[at] = slots[this.#open] as Slot;
    else if (at !== this.#open) slots.push(slots[this.#open] as Slot);
    slots[this.#open] = slot;
    this.#open += 1;
    return slot;
  }

  /** Writes the content, without header. */
  write(writer: BackwardWriter): void {
    if (!this.#dirty) {
      writer.range(this.buf, this.#from, this.#end);
      return;
    }
    const { table, tableEnd } = this;
    const slots = this.#slots ?? NO_SLOTS;
    let touched = 0;
    for (let i = this.#open - 1; i >= 0; i -= 1) {
      const slot = slots[i] as Slot;
      slot.left = slot.keepsAll ? ALL : slot.occurrences;
      if (slot.left !== ALL) touched += 1;
      slot.writeAdded(writer);
    }
    // Mostly something is added, and nothing else changes.
    if (touched === 0) {
      writer.range(this.buf, this.#from, this.#end);
      return;
    }
    for (let i = tableEnd - 4; i >= 0; i -= 4) {
      const slot = this.#opened((table[i] as number) >>> 3);
      const start = table[i + 1] as number;
      const end = table[i + 3] as number;
      if (slot === undefined || slot.left === ALL) {
        writer.range(this.buf, start, end);
      } else {
        slot.left -= 1;
        slot.writeAt(writer, slot.left, this.buf, start, end);
      }
    }
  }

  #opened(field: number): Slot | undefined {
    const slots = this.#slots ?? NO_SLOTS;
    for (let i = 0; i < this.#open; i += 1) if ((slots[i] as Slot).field === field) return slots[i];
    return undefined;
  }

  /** Index in the table of the last field of that number (protobuf: the last one counts), -1 where there is none. */
  protected find(field: number, wire: number): number {
    const { table, tableEnd } = this;
    for (let i = tableEnd - 4; i >= 0; i -= 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== field) continue;
      if ((tag & 7) !== wire) throw wrongWireType(tag, table[i + 1] as number);
      return i;
    }
    return -1;
  }

  /** The written value of a field, where there is one. */
  protected written(field: number): { readonly isThere: boolean; readonly value: unknown } | undefined {
    return this.#open === 0 ? undefined : (this.#opened(field) as ScalarSlot | undefined);
  }

  /** Whether the field is there, of whatever value. */
  protected has(field: number): boolean {
    const edit = this.written(field);
    if (edit !== undefined) return edit.isThere;
    const { table, tableEnd } = this;
    for (let i = 0; i < tableEnd; i += 4) if ((table[i] as number) >>> 3 === field) return true;
    return false;
  }

  protected text(field: number): string {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as string | undefined) ?? '';
    const i = this.find(field, WIRE_LEN);
    return i < 0 ? '' : textOf(this.buf, this.table[i + 2] as number, this.table[i + 3] as number);
  }

  protected bytes(field: number): Uint8Array {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as Uint8Array | undefined) ?? EMPTY;
    const i = this.find(field, WIRE_LEN);
    return i < 0 ? EMPTY : this.buf.subarray(this.table[i + 2] as number, this.table[i + 3] as number);
  }

  protected fixed64(field: number): bigint {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as bigint | undefined) ?? 0n;
    const i = this.find(field, WIRE_FIXED64);
    return i < 0 ? 0n : this.buf.readBigUInt64LE(this.table[i + 2] as number);
  }

  protected sfixed64(field: number): bigint {
    return BigInt.asIntN(64, this.fixed64(field));
  }

  protected double(field: number): number {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as number | undefined) ?? 0;
    const i = this.find(field, WIRE_FIXED64);
    return i < 0 ? 0 : this.buf.readDoubleLE(this.table[i + 2] as number);
  }

  protected fixed32(field: number): number {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as number | undefined) ?? 0;
    const i = this.find(field, WIRE_FIXED32);
    return i < 0 ? 0 : this.buf.readUInt32LE(this.table[i + 2] as number);
  }

  protected uint32(field: number): number {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as number | undefined) ?? 0;
    const i = this.find(field, WIRE_VARINT);
    return i < 0 ? 0 : readUint32(this.buf, this.table[i + 2] as number, this.table[i + 3] as number);
  }

  protected int32(field: number): number {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as number | undefined) ?? 0;
    const i = this.find(field, WIRE_VARINT);
    return i < 0 ? 0 : readInt32(this.buf, this.table[i + 2] as number, this.table[i + 3] as number);
  }

  protected sint32(field: number): number {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as number | undefined) ?? 0;
    const i = this.find(field, WIRE_VARINT);
    return i < 0 ? 0 : readSint32(this.buf, this.table[i + 2] as number, this.table[i + 3] as number);
  }

  /** A repeated field of 8-byte values, packed or not. */
  protected repeated64<T>(field: number, read: (at: number) => T): readonly T[] {
    const edit = this.written(field);
    if (edit !== undefined) return edit.value as readonly T[];
    const { table, tableEnd } = this;
    const values: T[] = [];
    for (let i = 0; i < tableEnd; i += 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== field) continue;
      const body = table[i + 2] as number;
      const end = table[i + 3] as number;
      if (((tag & 7) !== WIRE_LEN && (tag & 7) !== WIRE_FIXED64) || (end - body) % 8 !== 0) throw wrongWireType(tag, body);
      for (let pos = body; pos < end; pos += 8) values.push(read(pos));
    }
    return values;
  }

  protected bool(field: number): boolean {
    const edit = this.written(field);
    if (edit !== undefined) return edit.value === true;
    const i = this.find(field, WIRE_VARINT);
    if (i < 0) return false;
    for (let pos = this.table[i + 2] as number; pos < (this.table[i + 3] as number); pos += 1)
      if (((this.buf[pos] as number) & 0x7f) !== 0) return true;
    return false;
  }

  /** Replaces every occurrence of a field by these bytes (tag included), or removes them. `value` is what the getter gives from now on. */
  protected replace(field: number, bytes: Uint8Array | undefined, value: unknown): void {
    const slot = this.slot(field, () => new ScalarSlot(this, field));
    slot.bytes = bytes;
    slot.text = undefined;
    slot.small = -1;
    slot.value = value;
    this.markDirty();
  }

  /** Proto3: the zero value is written as nothing. */
  protected setText(field: number, value: string): void {
    this.replace(field, undefined, value);
    // Written where it is to stand, without bytes of its own before.
    if (value !== '') (this.#opened(field) as ScalarSlot).text = value;
  }

  protected setBytes(field: number, value: Uint8Array): void {
    this.replace(field, value.length === 0 ? undefined : bytesField(field, value), value);
  }

  protected setFixed64(field: number, value: bigint): void {
    const wrapped = BigInt.asUintN(64, value);
    this.replace(field, wrapped === 0n ? undefined : fixed64Field(field, wrapped), wrapped);
  }

  /** `keepZero`: the field is one of a oneof or optional, where zero differs from absent. */
  protected setDouble(field: number, value: number, keepZero = false): void {
    this.replace(field, Object.is(value, 0) && !keepZero ? undefined : doubleField(field, value), value);
  }

  protected setFixed32(field: number, value: number): void {
    const wrapped = value >>> 0;
    this.replace(field, wrapped === 0 ? undefined : fixed32Field(field, wrapped), wrapped);
  }

  protected setUint32(field: number, value: number): void {
    const wrapped = value >>> 0;
    this.#replaceVarint(field, wrapped);
  }

  protected setInt32(field: number, value: number): void {
    const wrapped = value | 0;
    // Negative numbers take ten bytes.
    if (wrapped >= 0) this.#replaceVarint(field, wrapped);
    else this.replace(field, varint64Field(field, BigInt(wrapped)), wrapped);
  }

  #replaceVarint(field: number, value: number): void {
    this.replace(field, undefined, value);
    if (value !== 0) (this.#opened(field) as ScalarSlot).small = value;
  }

  protected setSint32(field: number, value: number): void {
    const wrapped = value | 0;
    this.replace(field, wrapped === 0 ? undefined : sint32Field(field, wrapped), wrapped);
  }

  protected setBool(field: number, value: boolean): void {
    this.replace(field, value ? varint64Field(field, 1n) : undefined, value);
  }
}

const NO_SLOTS: readonly Slot[] = [];
/** Numbers that a table keeps room for from one message to the next: a thousand fields. */
const KEPT_TABLE = 4000;
const EMPTY = Buffer.alloc(0);
/** In place of a number of occurrences that are still to be written: all stay as they are. */
const ALL = -1;

import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LEN, WIRE_VARINT } from '../wire.ts';
import {
  bytesField,
  doubleField,
  fieldTable,
  fixed32Field,
  fixed64Field,
  readInt32,
  readSint32,
  readUint32,
  sint32Field,
  textField,
  varint64Field,
  wrongWireType,
} from './scalars.ts';
import type { Writer } from './writer.ts';

/** What stands in for the fields of one number once somebody touched them; one object for all occurrences of that number. */
export abstract class Slot {
  /** How often the field is there. */
  readonly occurrences: number;
  /** Of a pass of writing: occurrences that are still to be written. */
  left = 0;

  constructor(owner: MessageView, field: number) {
    const { table } = owner;
    let occurrences = 0;
    for (let i = 0; i < table.length; i += 4) if ((table[i] as number) >>> 3 === field) occurrences += 1;
    this.occurrences = occurrences;
  }

  /** Writes what lies behind all fields of the message: new ones. Called first, as writing goes from the end to the start. */
  abstract writeAdded(writer: Writer): void;

  /** Writes the occurrence `k`, whose bytes were [start, end) of buf. */
  abstract writeAt(writer: Writer, k: number, buf: Buffer, start: number, end: number): void;
}

/**
 * One protobuf message over the bytes it came in. Its fields are looked for when the first of them is asked for; a written field replaces
 * its own bytes and no others. Unknown fields stay where they are.
 *
 *   table    | tag start body end | tag start body end | ...        one group of four for each field, in the order of the bytes
 *   slots    field number -> what is written in place of its occurrences
 *
 * Everything that reads may throw MalformedError: only what is read is proved.
 */
export class MessageView {
  protected readonly parent: MessageView | undefined;
  protected readonly buf: Buffer;
  readonly #from: number;
  readonly #end: number;
  #table: number[] | undefined;
  #slots: Map<number, Slot> | undefined;
  #dirty = false;
  #removed = false;

  constructor(parent: MessageView | undefined, buf: Buffer, from: number, end: number) {
    this.parent = parent;
    this.buf = buf;
    this.#from = from;
    this.#end = end;
  }

  /** Whether it, or anything in it, differs from the bytes it came in. */
  get dirty(): boolean {
    return this.#dirty;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** The table of fields; see above. */
  get table(): readonly number[] {
    this.#table ??= fieldTable(this.buf, this.#from, this.#end);
    return this.#table;
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
    this.#slots ??= new Map();
    let slot = this.#slots.get(field);
    if (slot === undefined) {
      slot = make();
      this.#slots.set(field, slot);
    }
    return slot as S;
  }

  /** Writes the content, without header. */
  write(writer: Writer): void {
    if (!this.#dirty) {
      writer.range(this.buf, this.#from, this.#end);
      return;
    }
    const { table } = this;
    const slots = this.#slots ?? NO_SLOTS;
    if (slots.size > 0) {
      for (const slot of [...slots.values()].reverse()) {
        slot.left = slot.occurrences;
        slot.writeAdded(writer);
      }
    }
    for (let i = table.length - 4; i >= 0; i -= 4) {
      const slot = slots.get((table[i] as number) >>> 3);
      const start = table[i + 1] as number;
      const end = table[i + 3] as number;
      if (slot === undefined) {
        writer.range(this.buf, start, end);
      } else {
        slot.left -= 1;
        slot.writeAt(writer, slot.left, this.buf, start, end);
      }
    }
  }

  /** Index in the table of the last field of that number (protobuf: the last one counts), -1 where there is none. */
  protected find(field: number, wire: number): number {
    const { table } = this;
    for (let i = table.length - 4; i >= 0; i -= 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== field) continue;
      if ((tag & 7) !== wire) throw wrongWireType(tag, table[i + 1] as number);
      return i;
    }
    return -1;
  }

  /** The written value of a field, where there is one. */
  protected written(field: number): { readonly bytes: Uint8Array | undefined; readonly value: unknown } | undefined {
    return this.#slots?.get(field) as ScalarSlot | undefined;
  }

  /** Whether the field is there, of whatever value. */
  protected has(field: number): boolean {
    const edit = this.written(field);
    if (edit !== undefined) return edit.bytes !== undefined;
    const { table } = this;
    for (let i = 0; i < table.length; i += 4) if ((table[i] as number) >>> 3 === field) return true;
    return false;
  }

  protected text(field: number): string {
    const edit = this.written(field);
    if (edit !== undefined) return (edit.value as string | undefined) ?? '';
    const i = this.find(field, WIRE_LEN);
    return i < 0 ? '' : this.buf.toString('utf8', this.table[i + 2], this.table[i + 3]);
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
    const { table } = this;
    const values: T[] = [];
    for (let i = 0; i < table.length; i += 4) {
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
    slot.value = value;
    this.markDirty();
  }

  /** Proto3: the zero value is written as nothing. */
  protected setText(field: number, value: string): void {
    this.replace(field, value === '' ? undefined : textField(field, value), value);
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
    this.replace(field, wrapped === 0 ? undefined : varint64Field(field, BigInt(wrapped)), wrapped);
  }

  protected setInt32(field: number, value: number): void {
    const wrapped = value | 0;
    this.replace(field, wrapped === 0 ? undefined : varint64Field(field, BigInt(wrapped)), wrapped);
  }

  protected setSint32(field: number, value: number): void {
    const wrapped = value | 0;
    this.replace(field, wrapped === 0 ? undefined : sint32Field(field, wrapped), wrapped);
  }

  protected setBool(field: number, value: boolean): void {
    this.replace(field, value ? varint64Field(field, 1n) : undefined, value);
  }
}

/** A field that was set: stands where its last occurrence was, or behind all others. */
class ScalarSlot extends Slot {
  bytes: Uint8Array | undefined;
  value: unknown;

  writeAdded(writer: Writer): void {
    if (this.occurrences === 0 && this.bytes !== undefined) writer.put(this.bytes);
  }

  writeAt(writer: Writer, k: number): void {
    if (k === this.occurrences - 1 && this.bytes !== undefined) writer.put(this.bytes);
  }
}

const NO_SLOTS = new Map<number, Slot>();
const EMPTY = Buffer.alloc(0);

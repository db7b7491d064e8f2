import { WIRE_LEN } from '../wire.ts';
import { type MessageView, Slot } from './message.ts';
import { wrongWireType } from './scalars.ts';
import type { Writer } from './writer.ts';

/** Makes the view of a message that lies in another one. */
export type MakeView<V extends MessageView> = new (parent: MessageView, buf: Buffer, from: number, end: number) => V;

/**
 * A message that is there at most once. Where it comes in pieces (the same field twice) these are one message by protobuf's rules, so their
 * contents are joined; they stay apart in the bytes until somebody writes.
 */
export class SingularSlot<V extends MessageView> extends Slot {
  readonly view: V;
  readonly #field: number;

  /** `since`: index in the table from which pieces count; of a oneof only those behind the last field of another kind. */
  constructor(owner: MessageView, field: number, make: MakeView<V>, since = 0) {
    super(owner, field);
    this.#field = field;
    const { table, source } = owner;
    const pieces: Buffer[] = [];
    let from = 0;
    let end = 0;
    for (let i = since; i < table.length; i += 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== field) continue;
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, table[i + 1] as number);
      from = table[i + 2] as number;
      end = table[i + 3] as number;
      pieces.push(source.subarray(from, end));
    }
    if (pieces.length <= 1) {
      this.view = new make(owner, source, from, end);
    } else {
      const whole = Buffer.concat(pieces);
      this.view = new make(owner, whole, 0, whole.length);
    }
  }

  writeAdded(writer: Writer): void {
    if (this.occurrences === 0 && this.view.dirty && !this.view.removed) this.#writeView(writer);
  }

  writeAt(writer: Writer, k: number, buf: Buffer, start: number, end: number): void {
    if (this.view.removed) return;
    if (!this.view.dirty) writer.range(buf, start, end);
    else if (k === this.occurrences - 1) this.#writeView(writer);
  }

  #writeView(writer: Writer): void {
    const before = writer.bytes;
    this.view.write(writer);
    writer.header(this.#field, before);
  }
}

/** Messages that are there any number of times. */
export class RepeatedSlot<V extends MessageView> extends Slot {
  readonly #field: number;
  readonly #all: V[] = [];
  /** Whole messages put behind the others, without header. */
  readonly #added: Uint8Array[] = [];
  #live: readonly V[] | undefined;
  #liveRemoved = 0;

  constructor(owner: MessageView, field: number, make: MakeView<V>) {
    super(owner, field);
    owner.claim(this.occurrences);
    this.#field = field;
    const { table, source } = owner;
    for (let i = 0; i < table.length; i += 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== field) continue;
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, table[i + 1] as number);
      this.#all.push(new make(owner, source, table[i + 2] as number, table[i + 3] as number));
    }
  }

  /** Those that are not removed. The list is new after a removal, so that loops over it may remove. */
  get views(): readonly V[] {
    let removed = 0;
    for (const view of this.#all) if (view.removed) removed += 1;
    if (this.#live === undefined || removed !== this.#liveRemoved) {
      this.#live = removed === 0 ? this.#all : this.#all.filter((view) => !view.removed);
      this.#liveRemoved = removed;
    }
    return this.#live;
  }

  /** Puts a message behind the others; the owner has to be marked. The view is written as it is then. */
  add(content: Uint8Array): void {
    this.#added.push(content);
  }

  writeAdded(writer: Writer): void {
    for (let i = this.#added.length - 1; i >= 0; i -= 1) {
      const before = writer.bytes;
      writer.put(this.#added[i] as Uint8Array);
      writer.header(this.#field, before);
    }
  }

  writeAt(writer: Writer, k: number, buf: Buffer, start: number, end: number): void {
    const view = this.#all[k] as V;
    if (view.removed) return;
    if (!view.dirty) {
      writer.range(buf, start, end);
      return;
    }
    const before = writer.bytes;
    view.write(writer);
    writer.header(this.#field, before);
  }
}

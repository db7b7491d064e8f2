import { WIRE_LEN } from '../wire.ts';
import type { MessageView } from './message.ts';
import { wrongWireType } from './scalars.ts';
import { Slot } from './slot.ts';
import type { BackwardWriter } from './writer.ts';

/** Makes the view of a message that lies in another one. */
export type MakeView<V extends MessageView> = new (parent: MessageView, buf: Buffer, from: number, end: number) => V;

/**
 * A message that is there at most once. Where it comes in pieces (the same field twice) these are one message by protobuf's rules, so their
 * contents are joined; they stay apart in the bytes until somebody writes.
 */
export class SingularSlot<V extends MessageView> extends Slot {
  readonly view: V;
  readonly #since: () => number;

  /** `since`: index in the table from which pieces count; of a oneof only those behind the last field of another kind. */
  constructor(owner: MessageView, field: number, make: MakeView<V>, since = () => 0) {
    super(owner, field);
    this.#since = since;
    this.view = new make(owner, owner.source, 0, 0);
  }

  override open(): void {
    super.open();
    const { table, tableEnd, source } = this.owner;
    let pieces: Buffer[] | undefined;
    let from = 0;
    let end = 0;
    for (let i = this.#since(); i < tableEnd; i += 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== this.field) continue;
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, table[i + 1] as number);
      // Where it comes once no piece is made of it.
      if (end !== 0) pieces ??= [source.subarray(from, end)];
      from = table[i + 2] as number;
      end = table[i + 3] as number;
      pieces?.push(source.subarray(from, end));
    }
    if (pieces === undefined) {
      this.view.point(source, from, end);
    } else {
      const whole = Buffer.concat(pieces);
      this.view.point(whole, 0, whole.length);
    }
  }

  get keepsAll(): boolean {
    return this.occurrences === 0 || (!this.view.dirty && !this.view.removed);
  }

  writeAdded(writer: BackwardWriter): void {
    if (this.occurrences === 0 && this.view.dirty && !this.view.removed) this.#writeView(writer);
  }

  writeAt(writer: BackwardWriter, k: number, buf: Buffer, start: number, end: number): void {
    if (this.view.removed) return;
    if (!this.view.dirty) writer.range(buf, start, end);
    else if (k === this.occurrences - 1) this.#writeView(writer);
  }

  #writeView(writer: BackwardWriter): void {
    const before = writer.bytes;
    this.view.write(writer);
    writer.header(this.field, before);
  }
}

/** Messages that are there any number of times. */
export class RepeatedSlot<V extends MessageView> extends Slot {
  readonly #make: MakeView<V>;
  readonly #all: V[] = [];
  /** Views of messages before, to be pointed at others. */
  #spare: V[] = [];
  /** Whole messages put behind the others, without header. */
  readonly #added: Uint8Array[] = [];
  #live: readonly V[] | undefined;
  #liveRemoved = 0;

  constructor(owner: MessageView, field: number, make: MakeView<V>) {
    super(owner, field);
    this.#make = make;
  }

  override open(): void {
    super.open();
    const { owner, occurrences } = this;
    owner.claim(occurrences);
    // The list itself may still be in somebody's loop.
    if (this.#all.length > 0)
      this.#spare = this.#all.length > KEPT_VIEWS ? [] : this.#all.splice(0).concat(this.#spare).slice(0, KEPT_VIEWS);
    this.#added.length = 0;
    this.#live = undefined;
    if (occurrences === 0) return;
    const { table, tableEnd, source } = owner;
    for (let i = 0; i < tableEnd; i += 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== this.field) continue;
      if ((tag & 7) !== WIRE_LEN) throw wrongWireType(tag, table[i + 1] as number);
      this.#all.push(this.#viewOf(source, table[i + 2] as number, table[i + 3] as number));
    }
  }

  #viewOf(buf: Buffer, from: number, end: number): V {
    const spare = this.#spare.pop();
    if (spare === undefined) return new this.#make(this.owner, buf, from, end);
    spare.point(buf, from, end);
    return spare;
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

  get keepsAll(): boolean {
    return this.#all.every((view) => !view.dirty && !view.removed);
  }

  writeAdded(writer: BackwardWriter): void {
    for (let i = this.#added.length - 1; i >= 0; i -= 1) {
      const before = writer.bytes;
      writer.put(this.#added[i] as Uint8Array);
      writer.header(this.field, before);
    }
  }

  writeAt(writer: BackwardWriter, k: number, buf: Buffer, start: number, end: number): void {
    const view = this.#all[k] as V;
    if (view.removed) return;
    if (!view.dirty) {
      writer.range(buf, start, end);
      return;
    }
    const before = writer.bytes;
    view.write(writer);
    writer.header(this.field, before);
  }
}

/** Views that are kept from one message to the next. */
const KEPT_VIEWS = 256;

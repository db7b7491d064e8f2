import type { MessageView } from './message.ts';
import type { BackwardWriter } from './writer.ts';

/** What stands in for the fields of one number once somebody touched them; one object for all occurrences of that number. */
export abstract class Slot {
  readonly owner: MessageView;
  readonly field: number;
  /** How often the field is there. */
  occurrences = 0;
  /** Of a pass of writing: occurrences that are still to be written. */
  left = 0;

  constructor(owner: MessageView, field: number) {
    this.owner = owner;
    this.field = field;
  }

  /** Looks for the field in what the owner is about now; the slot is as good as new then. Throws MalformedError. */
  open(): void {
    const { table, tableEnd } = this.owner;
    let occurrences = 0;
    for (let i = 0; i < tableEnd; i += 4) if ((table[i] as number) >>> 3 === this.field) occurrences += 1;
    this.occurrences = occurrences;
  }

  /** Whether all occurrences stay as they are. */
  abstract get keepsAll(): boolean;

  /** Writes what lies behind all fields of the message: new ones. Called first, as writing goes from the end to the start. */
  abstract writeAdded(writer: BackwardWriter): void;

  /** Writes the occurrence `k`, whose bytes were [start, end) of buf. */
  abstract writeAt(writer: BackwardWriter, k: number, buf: Buffer, start: number, end: number): void;
}

/** A field that was set: stands where its last occurrence was, or behind all others. */
export class ScalarSlot extends Slot {
  /** The whole field. */
  bytes: Uint8Array | undefined = undefined;
  /** The same, of a text. */
  text: string | undefined = undefined;
  /** The same, of a varint; -1 where it is none. */
  small = -1;
  value: unknown = undefined;

  get isThere(): boolean {
    return this.bytes !== undefined || this.text !== undefined || this.small >= 0;
  }

  get keepsAll(): boolean {
    return this.occurrences === 0;
  }

  writeAdded(writer: BackwardWriter): void {
    if (this.occurrences === 0) this.#write(writer);
  }

  writeAt(writer: BackwardWriter, k: number): void {
    if (k === this.occurrences - 1) this.#write(writer);
  }

  #write(writer: BackwardWriter): void {
    if (this.text !== undefined) {
      const before = writer.bytes;
      writer.text(this.text);
      writer.header(this.field, before);
    } else if (this.small >= 0) {
      writer.varint(this.small);
      writer.varint(this.field * 8);
    } else if (this.bytes !== undefined) {
      writer.put(this.bytes);
    }
  }
}

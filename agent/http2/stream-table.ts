import type { Stream } from './stream.ts';

const FIRST_SLOTS = 16;

/**
 * Open streams by their id: a hash table with open addressing. Ids of a client count up by two, so that half the id as its own hash fills
 * the slots one after the other. A Map of streams that come and go makes a new table now and then, 150 bytes for each request (measured:
 * a third of what the codec allocates).
 *
 *   slot  0    1    2    3    4    5    6    7        id 9 wants slot 4; a search goes on to the next free slot,
 *         17   -    -    -    9    11   25   15       so whoever is removed lets those behind it move up
 *
 * A client that skips ids can put all into one row: a search takes as many steps as it has streams then, and their number is limited.
 */
export class StreamTable {
  size = 0;
  #slots: (Stream | undefined)[] = new Array<Stream | undefined>(FIRST_SLOTS).fill(undefined);

  get(id: number): Stream | undefined {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = (id >>> 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === undefined || stream.id === id) return stream;
    }
  }

  /** Of an id that is not in the table. */
  add(stream: Stream): void {
    if (this.size >= this.#slots.length / 2) this.#grow();
    this.size += 1;
    this.#put(stream);
  }

  remove(id: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = (id >>> 1) & mask;
    while (slots[hole]?.id !== id) {
      if (slots[hole] === undefined) return;
      hole = (hole + 1) & mask;
    }
    this.size -= 1;
    slots[hole] = undefined;
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === undefined) return;
      // It may move into the hole unless it would come before the slot that it wants.
      const wants = (stream.id >>> 1) & mask;
      if (((at - wants) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = stream;
      slots[at] = undefined;
      hole = at;
    }
  }

  /** Those that are open now, in no order: they may be closed while they are walked. */
  all(): Stream[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  #put(stream: Stream): void {
    const mask = this.#slots.length - 1;
    let at = (stream.id >>> 1) & mask;
    while (this.#slots[at] !== undefined) at = (at + 1) & mask;
    this.#slots[at] = stream;
  }

  #grow(): void {
    const streams = this.all();
    this.#slots = new Array<Stream | undefined>(this.#slots.length * 2).fill(undefined);
    for (const stream of streams) this.#put(stream);
  }
}

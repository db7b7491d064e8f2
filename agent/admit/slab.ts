/**
 * Backing stores of request bodies. Small bodies lie side by side in one, so that 25 spans cost no allocation of their own and bodies that
 * came one after the other can leave as one slice; a large body has one to itself.
 *
 *   slab  [ body | body | body |  free  ]      charged: what has been handed out of it, until the last body of it has gone
 *   store [ body                   | rest ]    charged: all of it
 *
 * A body keeps its whole slab alive, so its bytes stay charged that long: the backing stores are what is accounted, not the slices.
 * Emptied stores are used again: fresh ones are page faults, and garbage that V8 collects when it finds time (h2load at 3000 requests of
 * 190 kB a second, limit 512 MiB: peak RSS 551 MiB without reuse). Never one that an attempt without an answer may still be sending from.
 */

/** Bodies from here on have a store to themselves: few enough fit into a slab that its tail is no waste. */
export const SMALL_BODY_BYTES = 16 * 1024;
/** A twelfth of what merges into one request of 8192 spans; the tail that no body fits into is 3 % of it on average. */
export const SLAB_BYTES = 256 * 1024;
/** Sixteen sizes of stores in each doubling: a body wastes at most a sixteenth of its own. */
const SIZES_PER_DOUBLING = 16;
/** Larger ones are rare, and each would take the place of many. */
const LARGEST_SPARE_BYTES = 4 * 1024 * 1024;
/** Stores that wait for use, in the whole process: what half a million spans a second of 370 bytes hold for 100 ms, and some more. */
const SPARE_BYTES = 32 * 1024 * 1024;

/** Who is charged: gives back what it charged when told a negative number. False where a limit is in the way. */
export type Charge = (bytes: number) => boolean;

/** By their size. */
const spare = new Map<number, Buffer[]>();
let spareBytes = 0;
let mostSpareBytes = SPARE_BYTES;

/** Each of several workers has its own stores: their sum is that of the process. */
export function shareSpareStores(workers: number): void {
  mostSpareBytes = Math.floor(SPARE_BYTES / workers);
}

/** Lets the stores go that wait for use: the process is near its limit. */
export function dropSpareStores(): void {
  for (const alike of spare.values()) alike.forEach(free);
  spare.clear();
  spareBytes = 0;
}

/** Gives the memory back now: as garbage it would stay until V8 finds time, which is when half as much again has come. */
function free(store: Buffer): void {
  (store.buffer as ArrayBuffer).transfer(0);
}

/** A store of exactly so many bytes, `storeBytes` of something; what is in it is of no meaning. */
export function takeStore(bytes: number): Buffer {
  const found = spare.get(bytes)?.pop();
  if (found === undefined) return Buffer.allocUnsafeSlow(bytes);
  spareBytes -= bytes;
  return found;
}

/** Nobody reads the store any more, nor ever will: it is used again. */
export function giveStore(store: Buffer): void {
  const { length } = store;
  if (length > LARGEST_SPARE_BYTES || spareBytes + length > mostSpareBytes) {
    free(store);
    return;
  }
  const alike = spare.get(length);
  if (alike === undefined) spare.set(length, [store]);
  else alike.push(store);
  spareBytes += length;
}

/** The size of the store for one large body, which is what it is charged. */
export function storeBytes(bytes: number): number {
  if (bytes > LARGEST_SPARE_BYTES) return bytes;
  const step = 2 ** (31 - Math.clz32(bytes)) / SIZES_PER_DOUBLING;
  return Math.ceil(bytes / step) * step;
}

/** One backing store and the bodies in it. */
export class Slab {
  readonly #store: Buffer;
  readonly #charge: Charge;
  #used = 0;
  #bodies = 0;
  #closed = false;
  #reusable = true;

  constructor(bytes: number, charge: Charge) {
    this.#store = takeStore(bytes);
    this.#charge = charge;
  }

  /** For one large body; undefined where it may not be charged. */
  static ofOne(bytes: number, charge: Charge): Slab | undefined {
    const size = storeBytes(bytes);
    if (!charge(size)) return undefined;
    const slab = new Slab(size, charge);
    slab.#used = size;
    slab.#bodies = 1;
    slab.#closed = true;
    return slab;
  }

  fits(bytes: number): boolean {
    return this.#used + bytes <= this.#store.length;
  }

  /** Memory for one more body, of at most what fits; undefined where it may not be charged. */
  take(bytes: number): Buffer | undefined {
    if (!this.#charge(bytes)) return undefined;
    const from = this.#used;
    this.#used += bytes;
    this.#bodies += 1;
    return this.#store.subarray(from, this.#used);
  }

  /** So many bytes more for the body that was taken last, of at most what fits; where they begin in `whole`. False where a limit is in the way. */
  extend(bytes: number): number | false {
    if (!this.#charge(bytes)) return false;
    const from = this.#used;
    this.#used += bytes;
    return from;
  }

  /** All of the store, for whoever has asked for bytes of it. */
  get whole(): Buffer {
    return this.#store;
  }

  /** The first bytes of the store, for its only body. */
  head(bytes: number): Buffer {
    return this.#store.subarray(0, bytes);
  }

  /** A body has gone; `reusable` is false where somebody may still read it. */
  leave(reusable: boolean): void {
    this.#bodies -= 1;
    if (!reusable) this.#reusable = false;
    if (this.#bodies > 0) return;
    this.#charge(-this.#used);
    this.#used = 0;
    if (this.#closed) this.#end();
    // The one that is being filled begins anew, unless its memory is still being read: then the next body asks for another.
    else if (!this.#reusable) this.#used = this.#store.length;
  }

  /** No more bodies are put in. */
  close(): void {
    this.#closed = true;
    if (this.#bodies === 0) this.#end();
  }

  #end(): void {
    if (this.#reusable) giveStore(this.#store);
  }
}

/** The slabs of one route. */
export class Slabs {
  readonly charge: Charge;
  #current: Slab | undefined;

  constructor(charge: Charge) {
    this.charge = charge;
  }

  /** The slab for a small body. */
  for(bytes: number): Slab {
    const current = this.#current;
    if (current?.fits(bytes) === true) return current;
    current?.close();
    this.#current = new Slab(SLAB_BYTES, this.charge);
    return this.#current;
  }
}

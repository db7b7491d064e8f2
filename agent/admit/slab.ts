/**
 * Memory for small request bodies: many of them lie side by side in one backing store, so that 25 spans cost no allocation of their own
 * and bodies that came one after the other can leave as one slice.
 *
 *   slab  [ body | body | body |  free  ]      charged: what has been handed out of it, until the last body of it has gone
 *
 * A body keeps its whole slab alive, so its bytes stay charged that long: the backing stores are what is accounted, not the slices.
 * Emptied slabs are used again, as fresh memory is page faults and work for the garbage collector (test/bench/agent-slabs.mjs: 0.06 CPU s
 * per million spans of 25 a request); never one that an attempt without an answer may still be sending from.
 */

/** Bodies from here on have a backing store of their own: at least a page, and few enough that the slab's tail is no waste. */
export const SMALL_BODY_BYTES = 16 * 1024;
/** A fifth of what merges into one request of 8192 small spans; the tail that no body fits into is 3 % of it on average. */
export const SLAB_BYTES = 256 * 1024;
/** Empty slabs that are kept for reuse by the whole process, 8 MiB: what a burst of half a million spans a second holds at a time. */
const SPARE_SLABS = 32;

const spare: Buffer[] = [];

/** Who is charged: gives back what it charged when told a negative number. False where a limit is in the way. */
export type Charge = (bytes: number) => boolean;

export class Slab {
  readonly buffer: Buffer;
  readonly #charge: Charge;
  #used = 0;
  #bodies = 0;
  #full = false;
  #reusable = true;

  constructor(charge: Charge) {
    this.buffer = spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#charge = charge;
  }

  fits(bytes: number): boolean {
    return this.#used + bytes <= SLAB_BYTES;
  }

  /** Memory for one body, of at most what fits; undefined where it may not be charged. */
  take(bytes: number): Buffer | undefined {
    if (!this.#charge(bytes)) return undefined;
    const from = this.#used;
    this.#used += bytes;
    this.#bodies += 1;
    return this.buffer.subarray(from, this.#used);
  }

  /** A body has gone; `reusable` is false where somebody may still read it. */
  leave(reusable: boolean): void {
    this.#bodies -= 1;
    if (!reusable) this.#reusable = false;
    if (this.#bodies > 0) return;
    this.#charge(-this.#used);
    this.#used = 0;
    if (this.#full) this.#end();
    // The current one begins anew, unless its memory is still being read: then the next body asks for another.
    else if (!this.#reusable) this.#used = SLAB_BYTES;
  }

  /** No more bodies are put in. */
  close(): void {
    this.#full = true;
    if (this.#bodies === 0) this.#end();
  }

  #end(): void {
    if (this.#reusable && spare.length < SPARE_SLABS) spare.push(this.buffer);
  }
}

/** The slabs of one route. */
export class Slabs {
  readonly #charge: Charge;
  #current: Slab | undefined;

  constructor(charge: Charge) {
    this.#charge = charge;
  }

  /** The slab for a body of so many bytes, below SLAB_BYTES. */
  for(bytes: number): Slab {
    const current = this.#current;
    if (current?.fits(bytes) === true) return current;
    current?.close();
    this.#current = new Slab(this.#charge);
    return this.#current;
  }
}

import type { Slab } from '../admit/slab.ts';
import type { Hold, Piece } from '../runtime/chunk.ts';

/**
 * A part of a request, where it goes, and its memory, in one object, as there is one for each request and upstream. What was copied lies in
 * a backing store beside parts of other requests; what is shared keeps the request's own memory.
 */
export class Part implements Piece, Hold {
  /** By the numbers that the route gave. */
  readonly target: number;
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
  readonly items: number;
  readonly charging: Hold['charging'];
  /** Where the copied bytes lie; undefined where all is shared. */
  readonly #slab: Slab | undefined;
  /** Of the request, where something of it is shared. */
  readonly #shared: Hold | undefined;
  /** Charged beside both. */
  #beside = 0;
  #owners = 1;
  #reusable = true;

  constructor(
    target: number,
    slices: readonly Uint8Array[],
    bytes: number,
    items: number,
    charging: Hold['charging'],
    slab: Slab | undefined,
    shared: Hold | undefined,
  ) {
    this.target = target;
    this.slices = slices;
    this.bytes = bytes;
    this.items = items;
    this.charging = charging;
    this.#slab = slab;
    this.#shared = shared;
    shared?.retain(1);
  }

  retain(more: number): void {
    this.#owners += more;
  }

  release(): void {
    this.#owners -= 1;
    if (this.#owners > 0) return;
    if (this.#owners < 0) throw new Error('a part of a request was released more often than it has owners');
    if (this.#beside !== 0) this.charging(-this.#beside);
    this.#slab?.leave(this.#reusable);
    this.#shared?.release();
  }

  charge(more: number): void {
    this.#beside += more;
    this.charging(more);
  }

  taint(): void {
    this.#reusable = false;
    this.#shared?.taint();
  }
}

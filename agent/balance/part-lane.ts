import { type Charge, SLAB_BYTES, Slab } from '../admit/slab.ts';
import { writeVarint } from '../otlp/wire.ts';
import type { Hold } from '../runtime/chunk.ts';
import { Part } from './part.ts';

/** From here on bytes are shared with the request, below they are copied: a slice of its own costs about as much as copying so many. */
export const SHARE_FROM_BYTES = 4096;
/** Parts up to this lie with others of their target in one store, larger ones have their own, which is not larger than it has to be. */
const OWN_STORE_FROM_BYTES = 64 * 1024;
const SMALLEST_STORE_BYTES = 4 * 1024;
/** So many parts in a store: its tail, where the next one does not fit, is a small share of it. */
const PARTS_IN_A_STORE = 16;
const NOTHING = Buffer.alloc(0);
const NO_SLICES: Uint8Array[] = [];

/**
 * Where the parts of one target are written, one behind the other, so that parts of many requests lie side by side and leave in few writes
 * (a block of each part's own cost 5 of 6.4 CPU s per million spans at 25 spans a request and four targets). The stores are those of
 * admit/slab.ts: charged, and used again when the last part in them has been delivered. Neighbours wait in one queue, and go at about the
 * same time.
 *
 *   store   | part of request 1 | part of request 2 | part of request 3 |        |
 *                                                   ^ from              ^ at
 */
export class PartLane {
  readonly #charge: Charge;
  /** The store that is being filled. */
  #filling: Slab | undefined;
  #fillingBytes = 0;
  /** The part at hand: its store, its room there, and what of that is written and no slice yet. */
  #slab: Slab | undefined;
  #room: Buffer = NOTHING;
  #from = 0;
  #at = 0;
  /** Where something is shared. */
  #slices: Uint8Array[] = NO_SLICES;
  #shares = false;
  /** The part that was written last, while there may be more behind it. */
  #last: Part | undefined;

  constructor(charge: Charge) {
    this.#charge = charge;
  }

  /** Begins a part in which exactly `copied` bytes will be written beside what is shared. */
  begin(copied: number): void {
    this.#shares = false;
    this.#from = 0;
    this.#at = 0;
    this.#last = undefined;
    this.#slab = copied === 0 ? undefined : copied > OWN_STORE_FROM_BYTES ? Slab.ofOne(copied, this.#charge) : this.#slabFor(copied);
    if (this.#slab === undefined) this.#room = NOTHING;
    else this.#room = copied > OWN_STORE_FROM_BYTES ? this.#slab.head(copied) : (this.#slab.take(copied) as Buffer);
  }

  /** The bytes [from, end) of `buf`, copied. */
  copy(buf: Buffer, from: number, end: number): void {
    buf.copy(this.#room, this.#at, from, end);
    this.#at += end - from;
  }

  /** The bytes [from, end) of `buf`, as they lie there. */
  share(buf: Buffer, from: number, end: number): void {
    if (!this.#shares) this.#slices = [];
    this.#shares = true;
    this.#cut();
    this.#slices.push(buf.subarray(from, end));
  }

  /** Tag and length of a message of `length` bytes. */
  header(tag: number, length: number): void {
    this.#at = writeVarint(this.#room, writeVarint(this.#room, this.#at, tag), length);
  }

  /** The part; `hold` is the memory that it shares. */
  finish(target: number, bytes: number, items: number, hold: Hold): Part {
    if (this.#shares) this.#cut();
    // A literal has room for one; a list that something is pushed to takes 150 bytes, for every request and upstream.
    const slices = this.#shares ? this.#slices : [this.#room];
    const part = new Part(target, slices, bytes, items, this.#charge, this.#slab, this.#shares ? hold : undefined);
    if (!this.#shares && this.#slab === this.#filling) this.#last = part;
    this.#slab = undefined;
    this.#room = NOTHING;
    this.#slices = NO_SLICES;
    return part;
  }

  /** The part behind which so many bytes may be written, as one with it. */
  lastWithRoom(bytes: number): Part | undefined {
    return this.#last !== undefined && this.#filling?.fits(bytes) === true ? this.#last : undefined;
  }

  /** Goes on behind the last part, with exactly `bytes` that are copied. Ends without finish(). */
  extend(bytes: number): void {
    const filling = this.#filling as Slab;
    this.#at = filling.extend(bytes) as number;
    this.#room = filling.whole;
  }

  #slabFor(bytes: number): Slab {
    const filling = this.#filling;
    if (filling?.fits(bytes) === true) return filling;
    filling?.close();
    let size = SMALLEST_STORE_BYTES;
    while (size < SLAB_BYTES && size < PARTS_IN_A_STORE * bytes) size *= 2;
    // Parts of one target differ in size: what once had to be large stays so, up to a doubling at a time.
    this.#fillingBytes = Math.max(size, this.#fillingBytes >>> 1);
    this.#filling = new Slab(this.#fillingBytes, this.#charge);
    return this.#filling;
  }

  #cut(): void {
    if (this.#at > this.#from) this.#slices.push(this.#room.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

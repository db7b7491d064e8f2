import type { Metadata } from '../process/process.ts';
import { type Charge, giveStore, Slab, type Slabs, SMALL_BODY_BYTES } from './slab.ts';

/**
 * What a request costs beside its bytes, from its headers to its delivery: first the stream and its call, then the chunk, its receipt, the
 * views of its body. Measured in heapUsed: 521 bytes for a gRPC call of which only the headers have come, 497 for a request that waits in a
 * queue. Without it a million spans of 8 bytes, each sent by itself, were 8 MB that were counted and 474 that were used.
 */
export const REQUEST_BYTES = 512;
/** Of a header that travels with a request: its entry in the map, its list, the heads of two strings. */
const HEADER_BYTES = 128;

/**
 * Bytes of requests that are held, from the moment that their size is known until the last exporter is done with them. Counted before
 * memory is used, so there is nothing to measure and nothing to collect first: a plain number against two marks.
 *
 *   0 ............ soft = limit - spike ............ limit
 *   new requests are let in  | refused               |
 *   those let in may grow, also by inflating ........| refused
 */
export class Budget {
  readonly name: string;
  limit = 0;
  soft = 0;
  used = 0;
  /** The process is above its limit though this is not: new requests get a quarter of the room (memory-guard.ts). */
  pressed = false;

  constructor(name: string, limit: number, spike: number) {
    this.name = name;
    this.resize(limit, spike);
  }

  /** Other marks, after a reload; what is held stays counted. */
  resize(limit: number, spike: number): void {
    this.limit = limit;
    this.soft = Math.max(0, limit - spike);
  }

  /** Whether a new request of `bytes` may come in. */
  admits(bytes: number): boolean {
    return this.used + bytes <= (this.pressed ? this.soft / 4 : this.soft);
  }

  /** Whether what was let in may take so much more. */
  fits(bytes: number): boolean {
    return this.used + bytes <= this.limit;
  }

  /** At or above the hard limit less one small request: not ready for traffic. */
  get exhausted(): boolean {
    return this.used >= this.soft;
  }
}

/** Takes so much more from all of the budgets, or nothing and false where one has not got it; gives back where `more` is negative. */
export function chargeAll(budgets: readonly Budget[], more: number): boolean {
  if (more > 0) for (const budget of budgets) if (!budget.fits(more)) return false;
  for (const budget of budgets) budget.used += more;
  return true;
}

const unasked = new WeakMap<readonly Budget[], Charge>();

/** Charges all of them without asking; one and the same function for each list. */
function chargeUnasked(budgets: readonly Budget[]): Charge {
  let charge = unasked.get(budgets);
  if (charge === undefined) {
    charge = (bytes) => {
      for (const budget of budgets) budget.used += bytes;
      return true;
    };
    unasked.set(budgets, charge);
  }
  return charge;
}

/**
 * Memory of one request. It belongs to whoever works on the request; `retain` adds an owner for a fan-out. All budgets of the route are
 * charged, normally one. The received body lies in a backing store (slab.ts), which is charged by itself and kept until it is let go.
 */
export class Grant {
  readonly granted = true;
  /** Beside the body in the store. */
  #bytes = 0;
  #owners = 1;
  #reusable = true;
  #store: Slab | undefined;
  #bodyBytes = 0;
  /** Charged until the end, whatever the request becomes. */
  #fixed = 0;
  /** Of bodies that processors wrote anew. */
  #stores: Buffer[] | undefined;
  readonly #budgets: readonly Budget[];
  readonly #slabs: Slabs | undefined;

  constructor(budgets: readonly Budget[], slabs?: Slabs) {
    this.#budgets = budgets;
    this.#slabs = slabs;
  }

  get charging(): Charge {
    return chargeUnasked(this.#budgets);
  }

  /** What the request holds: its body and what was made of it. */
  get bytes(): number {
    return this.#bytes + this.#bodyBytes;
  }

  /**
   * Memory for the body, charged before it is taken, in the place of what was charged for it when it was declared; undefined where a hard
   * limit is in the way. Once for each grant.
   */
  allocate(bytes: number): Buffer | undefined {
    if (this.#slabs === undefined || bytes === 0) return this.resize(bytes) ? Buffer.allocUnsafeSlow(bytes) : undefined;
    this.#charge(-this.#bytes);
    let body: Buffer | undefined;
    if (bytes < SMALL_BODY_BYTES) {
      this.#store = this.#slabs.for(bytes);
      body = this.#store.take(bytes);
      if (body === undefined) this.#store = undefined;
    } else {
      this.#store = Slab.ofOne(bytes, this.#slabs.charge);
      body = this.#store?.head(bytes);
    }
    if (body !== undefined) this.#bodyBytes = bytes;
    return body;
  }

  /** From now on it is a request: without asking, as Budget.admits() has been. */
  begin(): void {
    this.#fixed += REQUEST_BYTES;
    for (const budget of this.#budgets) budget.used += REQUEST_BYTES;
  }

  /** Headers go with the request as far as it goes; false where a hard limit is in the way. */
  carry(metadata: Metadata): boolean {
    let bytes = 0;
    for (const [name, values] of metadata) {
      bytes += HEADER_BYTES + name.length;
      for (const value of values) bytes += value.length;
    }
    if (!chargeAll(this.#budgets, bytes)) return false;
    this.#fixed += bytes;
    return true;
  }

  /** The received body is not needed any more: it was inflated, or rewritten as a whole. */
  leaveBody(): void {
    this.#store?.leave(this.#reusable);
    this.#store = undefined;
    this.#bodyBytes = 0;
  }

  /** The store of a rewritten body is to be used again when all is released; that it is charged is the caller's affair. */
  keepStore(store: Buffer): void {
    if (this.#stores === undefined) this.#stores = [store];
    else if (!this.#stores.includes(store)) this.#stores.push(store);
  }

  /** Somebody may go on reading the body after the release: a connection that was given up with the request half sent. */
  taint(): void {
    this.#reusable = false;
  }

  /** Says how much the request holds now, its body included; false where a hard limit is in the way, and nothing has changed then. */
  resize(bytes: number): boolean {
    const beside = Math.max(0, bytes - this.#bodyBytes);
    if (!chargeAll(this.#budgets, beside - this.#bytes)) return false;
    this.#bytes = beside;
    return true;
  }

  /** Like `resize`, without asking: for the few bytes that a rewritten attribute adds to what was let in. */
  adjust(bytes: number): void {
    this.#charge(Math.max(0, bytes - this.#bodyBytes) - this.#bytes);
  }

  /** So many bytes more or less, without asking: what an exporter makes of the request, as its compressed body. */
  charge(more: number): void {
    this.#charge(more);
  }

  /** Adds owners. */
  retain(more: number): void {
    this.#owners += more;
  }

  /** One owner is done; the last gives the bytes back. */
  release(): void {
    this.#owners -= 1;
    if (this.#owners === 0) {
      this.#charge(-this.#bytes);
      for (const budget of this.#budgets) budget.used -= this.#fixed;
      this.leaveBody();
      if (this.#stores !== undefined && this.#reusable) this.#stores.forEach(giveStore);
      this.#stores = undefined;
    }
    if (this.#owners < 0) throw new Error('a grant was released more often than it has owners');
  }

  #charge(more: number): void {
    this.#bytes += more;
    for (const budget of this.#budgets) budget.used += more;
  }
}

import type { QueueSettings, Sizer } from '../config/settings.ts';
import type { Chunk } from '../runtime/chunk.ts';
import { Deque } from '../runtime/deque.ts';
import type { Verdict } from '../runtime/outcome.ts';
import type { ExporterCounters } from '../telemetry/counters.ts';

/**
 * queue: what was accepted and is not yet delivered, one ring for each exporter and signal.
 * In:       chunks. Out: the same chunks, oldest first, to export/batch.ts.
 * May drop: with `drop_oldest` the oldest that is not in flight. Otherwise it says `full`, or parks the sender (block_on_overflow).
 * Counters: otelcol_exporter_queue_{size,capacity}, evicted; capacity is given back when a chunk is delivered, not when it is taken.
 * Bench:    test/bench/agent-hop.
 *
 *    parked (only with block)          ring                     in flight
 *   [ p q r ] --room is given back--> [ a b c d ] --take-->     [ x y ] --done--> room
 *                                     '------ size <= capacity ------'
 */
export class MemoryQueue {
  readonly capacity: number;
  readonly #sizer: Sizer;
  readonly #overflow: QueueSettings['overflow'];
  readonly #counters: ExporterCounters;
  readonly #onStored: (chunk: Chunk) => void;
  readonly #onEvicted: (chunk: Chunk) => void;
  readonly #ring = new Deque<Chunk>();
  readonly #parked = new Deque<Chunk>();
  #size = 0;
  #waitingItems = 0;
  #waitingBytes = 0;

  constructor(settings: QueueSettings, counters: ExporterCounters, onStored: (chunk: Chunk) => void, onEvicted: (chunk: Chunk) => void) {
    this.capacity = settings.enabled ? settings.capacity : Number.POSITIVE_INFINITY;
    this.#sizer = settings.sizer;
    this.#overflow = settings.overflow;
    this.#counters = counters;
    this.#onStored = onStored;
    this.#onEvicted = onEvicted;
    counters.queueCapacity = this.capacity;
  }

  /** Chunks that wait in the ring. */
  get length(): number {
    return this.#ring.length;
  }

  get parked(): number {
    return this.#parked.length;
  }

  get waitingItems(): number {
    return this.#waitingItems;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** In the sizer's unit, in flight included. */
  get size(): number {
    return this.#size;
  }

  /** Whether a request of this size would be taken now; bytes and items are 0 while they are not known. */
  hasRoom(items: number, bytes: number): boolean {
    const size = this.#measure(items, bytes);
    if (size > this.capacity) return false;
    return this.#overflow !== 'refuse' || (this.#size + size <= this.capacity && this.#size < this.capacity);
  }

  offer(chunk: Chunk): Verdict {
    const size = this.#sizeOf(chunk);
    if (size > this.capacity) return 'full';
    if (this.#size + size > this.capacity) {
      if (this.#overflow === 'refuse') return 'full';
      if (this.#overflow === 'block') {
        this.#park(chunk);
        return 'taken';
      }
      this.#evictFor(size);
    }
    this.#count(chunk);
    this.#store(chunk);
    return 'taken';
  }

  /** The youngest that waits, where a request of this size could be added to it without passing by another, or a limit. */
  youngestWithRoom(items: number, bytes: number): Chunk | undefined {
    if (this.#parked.length > 0 || this.#size + this.#measure(items, bytes) > this.capacity) return undefined;
    return this.#ring.peekLast();
  }

  /** One more request, in the youngest chunk. */
  extended(items: number, bytes: number): void {
    this.#counters.offered += items;
    this.#counters.queued += items;
    this.#waitingItems += items;
    this.#waitingBytes += bytes;
    this.#resize(this.#measure(items, bytes));
  }

  peek(): Chunk | undefined {
    return this.#ring.peek();
  }

  take(): Chunk | undefined {
    const chunk = this.#ring.shift();
    if (chunk !== undefined) {
      this.#waitingItems -= chunk.items;
      this.#waitingBytes -= chunk.bytes;
    }
    return chunk;
  }

  /** Puts the pieces of a chunk that was taken back to the front. */
  putBack(chunk: Chunk, pieces: readonly Chunk[]): void {
    let size = 0;
    for (let i = pieces.length - 1; i >= 0; i -= 1) {
      const piece = pieces[i] as Chunk;
      this.#ring.unshift(piece);
      this.#waitingItems += piece.items;
      this.#waitingBytes += piece.bytes;
      size += this.#sizeOf(piece);
    }
    this.#resize(size - this.#sizeOf(chunk));
  }

  /** A chunk that was taken has ended: its room is free, and who is parked moves up. */
  done(chunk: Chunk): void {
    this.#resize(-this.#sizeOf(chunk));
    this.#counters.queued -= chunk.items;
    this.#unpark();
  }

  /** Takes out all that still waits, parked ones too: for the drain deadline. */
  clear(): Chunk[] {
    const left: Chunk[] = [];
    for (let chunk = this.#parked.shift(); chunk !== undefined; chunk = this.#parked.shift()) left.push(chunk);
    for (let chunk = this.take(); chunk !== undefined; chunk = this.take()) {
      this.#resize(-this.#sizeOf(chunk));
      left.push(chunk);
    }
    return left;
  }

  #store(chunk: Chunk): void {
    this.#resize(this.#sizeOf(chunk));
    this.#waitingItems += chunk.items;
    this.#waitingBytes += chunk.bytes;
    this.#ring.push(chunk);
    this.#onStored(chunk);
  }

  #park(chunk: Chunk): void {
    this.#count(chunk);
    this.#parked.push(chunk);
  }

  #unpark(): void {
    for (let next = this.#parked.peek(); next !== undefined; next = this.#parked.peek()) {
      if (next.abandoned) {
        // Its sender has gone unanswered and will send again: storing it now would make a duplicate.
        this.#parked.shift();
        this.#counters.offered -= next.items;
        this.#counters.queued -= next.items;
        this.#onEvicted(next);
        continue;
      }
      if (this.#size + this.#sizeOf(next) > this.capacity) return;
      this.#parked.shift();
      this.#store(next);
    }
  }

  #evictFor(size: number): void {
    while (this.#size + size > this.capacity) {
      const oldest = this.take();
      if (oldest === undefined) return; // all the rest is in flight: one request above the capacity, rather than losing the newest
      this.#resize(-this.#sizeOf(oldest));
      this.#counters.queued -= oldest.items;
      this.#counters.evicted += oldest.items;
      this.#onEvicted(oldest);
    }
  }

  #count(chunk: Chunk): void {
    this.#counters.offered += chunk.items;
    this.#counters.queued += chunk.items;
  }

  #resize(by: number): void {
    this.#size += by;
    this.#counters.queueSize = this.#size;
  }

  #sizeOf(chunk: Chunk): number {
    return this.#sizer === 'requests' ? chunk.requests : this.#measure(chunk.items, chunk.bytes);
  }

  /** Of one request. */
  #measure(items: number, bytes: number): number {
    if (this.#sizer === 'requests') return 1;
    return this.#sizer === 'items' ? items : bytes;
  }
}

import type { Signal } from '../config/settings.ts';
import type { Metadata } from '../process/process.ts';
import { OK, type Outcome } from './outcome.ts';
import type { Receipt } from './receipt.ts';

/** Memory that a chunk occupies, counted until `release()`; admit hands it out. */
export interface Hold {
  /**
   * Charges bytes, or gives them back where they are negative, without asking: for memory of its own that a part of the request gets. The
   * same function for all requests of one route, so that their parts may lie in one backing store.
   */
  readonly charging: (bytes: number) => boolean;
  retain(more: number): void;
  release(): void;
  /** So many bytes more, or less, while there are owners. */
  charge(more: number): void;
  /** What it covers may still be read after the release, so its memory is not to be used again. */
  taint(): void;
}

/** A piece of a chunk that is split. */
export interface Piece {
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
  readonly items: number;
}

/**
 * The one value that travels: the bytes of an `ExportXServiceRequest` as slices, and what is known of them without decoding.
 * Slices are shared, never written to: a fan-out or a rewrite makes another chunk over the same memory. A chunk ends exactly once:
 * its sender's part is settled (when stored or when delivered), its memory released.
 */
export class Chunk {
  readonly signal: Signal;
  /** Of the request, after inflating: what queues and batches count. What is held is the grant's affair. Only `extend` changes it. */
  bytes: number;
  /** Spans, data points, log records or profile samples. Only `extend` changes it. */
  items: number;
  /**
   * It is gzip and goes on as it came: only lines whose takesMembers() has said so get such chunks, and none that they would have to cut.
   */
  readonly packed: boolean;
  /** `performance.now()` when it was received. */
  readonly receivedAt: number;
  /** Headers of the request that brought it, where the receiver has include_metadata. */
  readonly metadata: Metadata | undefined;
  readonly #receipt: Receipt;
  readonly #hold: Hold;
  #settled: boolean;
  #slices: readonly Uint8Array[];
  /** Where it was extended: bytes and items of each of its requests, by turns. */
  #requests: number[] | undefined;
  /** What was added is not in the slices yet. */
  #extended = false;
  /** It ends where its memory does. Its pieces do not, though they have the same hold. */
  #growing = false;

  constructor(
    signal: Signal,
    slices: readonly Uint8Array[],
    bytes: number,
    items: number,
    receivedAt: number,
    receipt: Receipt,
    hold: Hold,
    settled = false,
    metadata: Metadata | undefined = undefined,
    packed = false,
  ) {
    this.signal = signal;
    this.#slices = slices;
    this.bytes = bytes;
    this.items = items;
    this.receivedAt = receivedAt;
    this.#receipt = receipt;
    this.#hold = hold;
    this.#settled = settled;
    this.metadata = metadata;
    this.packed = packed;
  }

  /** Joined they are the request, or with `packed` one gzip body of it. */
  get slices(): readonly Uint8Array[] {
    if (this.#extended) {
      // One view for all that was added, when it is asked for: one for each request is what most of a small part costs.
      const first = this.#slices[0] as Uint8Array;
      this.#slices = [Buffer.from(first.buffer, first.byteOffset, this.bytes)];
      this.#extended = false;
    }
    return this.#slices;
  }

  /** Requests that it consists of. */
  get requests(): number {
    return this.#requests === undefined ? 1 : this.#requests.length / 2;
  }

  /** The sender has gone and was told nothing of this chunk. */
  get abandoned(): boolean {
    return !this.#settled && this.#receipt.abandoned;
  }

  /** Its sender wants to hear of the delivery: storing it settles nothing. */
  get waits(): boolean {
    return this.#receipt.waits;
  }

  /** Tells the sender's receipt how this chunk ended. Later calls say nothing: what was acknowledged when stored stays acknowledged. */
  settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#receipt.settle(outcome);
  }

  /** Whether `hold` is its memory, and one request more that is written behind it there may be added. */
  extendsWith(hold: Hold): boolean {
    return this.#growing && this.#hold === hold && this.#settled && this.metadata === undefined;
  }

  /** Adds a request whose bytes follow in memory on its own, and whose sender has been answered. */
  extend(bytes: number, items: number): void {
    this.#requests ??= [this.bytes, this.items];
    this.#requests.push(bytes, items);
    this.bytes += bytes;
    this.items += items;
    this.#extended = true;
  }

  /** Two chunks of half of its requests each, in order; undefined where it is only one. */
  halves(): readonly [Chunk, Chunk] | undefined {
    const requests = this.#requests;
    if (requests === undefined) return undefined;
    const middle = 2 * (this.requests >>> 1);
    const [slice] = this.slices as readonly [Uint8Array];
    const bytes = sumOf(requests, 0, middle);
    const items = sumOf(requests, 1, middle);
    this.#hold.retain(1);
    const first = this.#part(slice.subarray(0, bytes), items, requests.slice(0, middle));
    return [first, this.#part(slice.subarray(bytes), this.items - items, requests.slice(middle))];
  }

  #part(slice: Uint8Array, items: number, requests: number[]): Chunk {
    const { signal, receivedAt, metadata } = this;
    const chunk = new Chunk(signal, [slice], slice.length, items, receivedAt, this.#receipt, this.#hold, this.#settled, metadata);
    if (requests.length > 2) chunk.#requests = requests;
    return chunk;
  }

  /** The same request in pieces: each is settled and released by itself, the sender hears of all of them together. */
  split(pieces: readonly Piece[]): Chunk[] {
    const receipt = this.#settled ? this.#receipt : this.#receipt.pieces(pieces.length);
    this.#hold.retain(pieces.length - 1);
    const { signal, receivedAt, metadata } = this;
    return pieces.map((p) => new Chunk(signal, p.slices, p.bytes, p.items, receivedAt, receipt, this.#hold, this.#settled, metadata));
  }

  /**
   * The same in parts that `write` makes: each holds its own memory, and of this chunk's what it shares, which it retains by itself. This
   * chunk's own share is let go. Without any part it was stored elsewhere as a whole.
   */
  cut(write: (hold: Hold) => readonly (Piece & Hold)[]): Chunk[] {
    const parts = write(this.#hold);
    if (parts.length === 0) this.settle(OK);
    const receipt = this.#settled ? this.#receipt : this.#receipt.pieces(parts.length);
    const { signal, receivedAt, metadata } = this;
    const chunks: Chunk[] = [];
    for (const part of parts) {
      const chunk = new Chunk(signal, part.slices, part.bytes, part.items, receivedAt, receipt, part, this.#settled, metadata);
      chunk.#growing = part.slices.length === 1;
      chunks.push(chunk);
    }
    this.#hold.release();
    return chunks;
  }

  /** Bytes that live because of this chunk beside its own: a compressed body. Given back before the chunk is released. */
  charge(more: number): void {
    if (more !== 0) this.#hold.charge(more);
  }

  /** An attempt to send it ended without an answer: whatever carried it may still hold the slices. */
  taint(): void {
    this.#hold.taint();
  }

  /** The stage that finishes the chunk gives its memory back, once. */
  release(): void {
    this.#hold.release();
  }
}

/** Of every second number, from `first` on, below `end`. */
function sumOf(list: readonly number[], first: number, end: number): number {
  let sum = 0;
  for (let i = first; i < end; i += 2) sum += list[i] as number;
  return sum;
}

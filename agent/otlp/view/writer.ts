import { SMALL_BODY_BYTES, storeBytes, takeStore } from '../../admit/slab.ts';
import { varintSize, writeVarint } from '../wire.ts';

/** What views write themselves into: from the end to the start, each call puts something before what there is. */
export interface BackwardWriter {
  /** Bytes written so far. */
  readonly bytes: number;
  /** A range of the input. */
  range(buf: Buffer, from: number, end: number): void;
  /** Bytes that nothing else will change. */
  put(bytes: Uint8Array): void;
  /** A text, as UTF-8. */
  text(value: string): void;
  /** A number below 2^53. */
  varint(value: number): void;
  /** `tag, length` of a message whose content began when there were `before` bytes. */
  header(field: number, before: number): void;
}

/**
 * Writes protobuf from its end to its start: the length of a message is known when its header is due, so one pass is enough.
 *
 *   request   | untouched ............ | header | edited | untouched ......................... |
 *   slices    [ shared with the input  ][ scratch buffer ][ shared with the input             ]
 *
 * Neighbouring untouched ranges grow into one; a long one is shared as a slice of its own, a short one is copied into the scratch buffer, as
 * a slice costs the socket more than copying a few hundred bytes.
 */
export class Writer implements BackwardWriter {
  #bytes = 0;
  readonly #slices: Uint8Array[] = [];
  /** Made when the first byte has to be copied. */
  #scratch: Buffer = NOTHING;
  /** The used part of the scratch buffer is [at, used). */
  #at = 0;
  #used = 0;
  /** The scratch buffer is the one that is used again: nothing of it may be handed out. */
  #borrowed: Buffer | undefined;
  #shares = false;
  readonly #expected: number;
  #pending: Buffer | undefined;
  #pendingFrom = 0;
  #pendingEnd = 0;

  /** `expected`: bytes that probably have to be copied. */
  constructor(expected: number) {
    this.#expected = Math.max(expected, MIN_SCRATCH_BYTES);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts a range of the input before what there is. */
  range(buf: Buffer, from: number, end: number): void {
    if (end <= from) return;
    this.#bytes += end - from;
    if (this.#pending === buf && this.#pendingFrom === end) {
      this.#pendingFrom = from;
      return;
    }
    this.#settle();
    this.#pending = buf;
    this.#pendingFrom = from;
    this.#pendingEnd = end;
  }

  /** Puts bytes that nothing else will change before what there is. */
  put(bytes: Uint8Array): void {
    this.#settle();
    this.#bytes += bytes.length;
    if (bytes.length >= SHARED_FROM_BYTES) this.#share(bytes);
    else {
      this.#reserve(bytes.length);
      this.#at -= bytes.length;
      this.#scratch.set(bytes, this.#at);
    }
  }

  /** Puts a text before what there is. */
  text(value: string): void {
    const { length } = value;
    if (length > SHORT_TEXT) {
      this.put(Buffer.from(value, 'utf8'));
      return;
    }
    this.#settle();
    this.#reserve(length);
    const at = this.#at - length;
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        this.put(Buffer.from(value, 'utf8'));
        return;
      }
      this.#scratch[at + i] = code;
    }
    this.#at = at;
    this.#bytes += length;
  }

  /** Puts `tag, length` before a message whose content began when there were `before` bytes. */
  header(field: number, before: number): void {
    this.varint(this.#bytes - before);
    this.varint(field * 8 + 2);
  }

  /** Puts a varint below 2^53 before what there is. */
  varint(value: number): void {
    this.#settle();
    this.#reserve(8);
    const size = varintSize(value);
    this.#at -= size;
    this.#bytes += size;
    writeVarint(this.#scratch, this.#at, value);
  }

  /** What was written, in order, and the store that it lies in, where it does (Body.store). The writer is used up. */
  finish(): { readonly slices: Uint8Array[]; readonly store?: Buffer } {
    this.#settle();
    this.#flush();
    const slices = this.#slices.reverse();
    const borrowed = this.#borrowed;
    if (borrowed === undefined) return { slices };
    this.#borrowed = undefined;
    spare = borrowed;
    if (this.#shares || this.#bytes < SMALL_BODY_BYTES)
      return { slices: slices.map((slice) => (slice.buffer === borrowed.buffer ? new Uint8Array(slice) : slice)) };
    const store = takeStore(storeBytes(this.#bytes));
    let at = 0;
    for (const slice of slices) {
      store.set(slice, at);
      at += slice.length;
    }
    return { slices: [store.subarray(0, at)], store };
  }

  #settle(): void {
    const buf = this.#pending;
    if (buf === undefined) return;
    this.#pending = undefined;
    const length = this.#pendingEnd - this.#pendingFrom;
    if (length >= SHARED_FROM_BYTES) {
      this.#share(buf.subarray(this.#pendingFrom, this.#pendingEnd));
      return;
    }
    this.#reserve(length);
    this.#at -= length;
    buf.copy(this.#scratch, this.#at, this.#pendingFrom, this.#pendingEnd);
  }

  #share(bytes: Uint8Array): void {
    this.#shares = true;
    this.#flush();
    this.#slices.push(bytes);
  }

  #flush(): void {
    if (this.#at === this.#used) return;
    this.#slices.push(this.#scratch.subarray(this.#at, this.#used));
    this.#used = this.#at;
  }

  #reserve(bytes: number): void {
    if (this.#at >= bytes) return;
    this.#flush();
    if (this.#scratch === NOTHING && this.#expected >= SMALL_BODY_BYTES && bytes <= REUSED_BYTES) {
      // Taken away, and given back by finish(): two writers at a time would each have their own.
      this.#borrowed = spare ?? Buffer.allocUnsafeSlow(REUSED_BYTES);
      spare = undefined;
      this.#scratch = this.#borrowed;
    } else {
      const wanted = this.#scratch === NOTHING ? this.#expected : 2 * this.#scratch.length;
      this.#scratch = Buffer.allocUnsafe(Math.max(bytes, Math.min(wanted, MAX_SCRATCH_BYTES)));
    }
    this.#at = this.#scratch.length;
    this.#used = this.#at;
  }
}

/** From this length on an untouched range is a slice of its own. A guess between a memcpy (10 GB/s) and an iovec entry (about 1 us). */
const SHARED_FROM_BYTES = 8192;

/** Up to here a loop over ASCII is faster than a call into the encoder. */
const SHORT_TEXT = 64;

/**
 * The scratch of larger requests is used again, and what was written is copied out of it once: fresh memory is page faults and work for the
 * garbage collector, ten times what copying takes (test/bench/agent-processors-alone.mjs).
 */
const REUSED_BYTES = 512 * 1024;
let spare: Buffer | undefined;

const MIN_SCRATCH_BYTES = 256;
const MAX_SCRATCH_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);

import type { Wire } from '../runtime/wire.ts';
import { FrameType, putHead, putUint32 } from './frames.ts';
import type { Unsent } from './unsent.ts';

const NOTHING = new Uint8Array(0);

/**
 * Frames are put together in a slab, and sent by a single write for each read that caused them. Most are with the kernel when the write
 * returns, so one slab does for all connections: it stays in the cache, and an idle connection keeps nothing. What the kernel does not take
 * at once is still read from where it lies, so that slab stays with its connection, and no part of it is written twice before all is sent:
 *
 *   slab  | sent, or the socket's | from .. at: not sent yet | free |
 *
 * Who finds the common slab in use (answers to requests of many connections at the same moment) takes one of its own, and so does who has
 * not been taken from at once: when it is full there is a new one, twice as large up to 16 KiB (some 170 answers). TLS and other streams may
 * keep what they are given: their slabs are never used again (Wire.write says so).
 */
const FIRST_SLAB_BYTES = 1024;
const LAST_SLAB_BYTES = 16 * 1024;
/** With less than this part of a slab free, the next answers begin a new one: what straddles two is two pieces for the socket. */
const SPARE_PARTS = 4;

/** Undefined while it is lent, or when a connection has kept it. */
let common: Buffer | undefined;
let lent = false;

/** What one connection sends. */
export class Output {
  /** Where `claim` said to write. */
  bytes: Uint8Array = NOTHING;
  /** Bytes in full slabs: what one read has brought, when it is much. */
  held = 0;
  readonly #wire: Wire;
  readonly #unsent: Unsent | undefined;
  /** `bytes` is the common slab. */
  #borrowed = false;
  /** The last write was taken at once. Others keep what they are given: they would leave with the common slab each time. */
  #borrows = false;
  #from = 0;
  #at = 0;
  /** Full slabs that wait to be sent. */
  #full: Uint8Array[] = [];
  #slabBytes = FIRST_SLAB_BYTES;
  /** Somebody will flush: the end of the read that is under way, or the microtask. */
  #armed = false;
  readonly #flush = (): void => this.flush();

  constructor(wire: Wire, unsent?: Unsent) {
    this.#wire = wire;
    this.#unsent = unsent;
  }

  /** Until `flush`, which has to come: what is written is kept together. */
  hold(): void {
    this.#armed = true;
  }

  /**
   * Room for so many bytes: where they begin in `bytes`, which is to be read after this. All of them have to be written: what lies there is
   * of another connection.
   */
  claim(length: number): number {
    if (this.#at + length > this.bytes.length) this.#grow(length);
    if (!this.#armed) this.#arm();
    const start = this.#at;
    this.#at += length;
    return start;
  }

  flush(): void {
    this.#armed = false;
    if (this.#at === this.#from && this.#full.length === 0) return;
    let taken = false;
    if (this.#at > this.#from) {
      const bytes = this.bytes.subarray(this.#from, this.#at);
      this.#from = this.#at;
      if (this.#full.length === 0) taken = this.#wire.write(bytes);
      else this.#full.push(bytes);
    }
    if (this.#full.length > 0) {
      const pieces = this.#full;
      this.#full = [];
      this.held = 0;
      taken = this.#wire.writeAll(pieces);
    }
    if (taken) this.#reuse();
    else this.#keep();
    if (this.#wire.pending > 0) this.#unsent?.grown();
  }

  /** The connection is over: nothing is sent any more. */
  release(): void {
    this.#leave();
    this.#full = [];
  }

  windowUpdate(stream: number, bytes: number): void {
    const start = this.claim(13);
    putHead(this.bytes, start, 4, FrameType.WINDOW_UPDATE, 0, stream);
    putUint32(this.bytes, start + 9, bytes);
  }

  reset(stream: number, code: number): void {
    const start = this.claim(13);
    putHead(this.bytes, start, 4, FrameType.RST_STREAM, 0, stream);
    putUint32(this.bytes, start + 9, code);
  }

  goaway(code: number, lastStream: number, debug: string): void {
    const start = this.claim(17 + debug.length);
    putHead(this.bytes, start, 8 + debug.length, FrameType.GOAWAY, 0, 0);
    putUint32(this.bytes, start + 9, lastStream);
    putUint32(this.bytes, start + 13, code);
    for (let i = 0; i < debug.length; i += 1) this.bytes[start + 17 + i] = debug.charCodeAt(i);
  }

  /** A frame of the connection whose payload is `from` and `length` on in other bytes. */
  control(type: number, flags: number, payload: Uint8Array, from: number, length: number): void {
    const start = this.claim(9 + length);
    putHead(this.bytes, start, length, type, flags, 0);
    for (let i = 0; i < length; i += 1) this.bytes[start + 9 + i] = payload[from + i] as number;
  }

  /** Nothing of the slab is needed any more. */
  #reuse(): void {
    this.#from = 0;
    this.#at = 0;
    if (this.#borrowed) common = this.bytes as Buffer;
    if (this.#borrowed || !this.#borrows) this.bytes = NOTHING;
    this.#borrows = true;
    this.#returned();
  }

  /** The socket still reads from the slab, or whoever is behind it. */
  #keep(): void {
    this.#borrows = false;
    this.#returned();
    if ((this.bytes.length - this.#at) * SPARE_PARTS < this.bytes.length) this.#leave();
  }

  /** What is in the slab is written or waits, and nothing more comes in. */
  #leave(): void {
    this.#returned();
    this.bytes = NOTHING;
    this.#from = 0;
    this.#at = 0;
  }

  /** The slab is not lent any more: it is back, or it is this connection's now and the next that asks makes another. */
  #returned(): void {
    if (!this.#borrowed) return;
    this.#borrowed = false;
    lent = false;
  }

  #grow(length: number): void {
    if (this.#at > this.#from) {
      this.#full.push(this.bytes.subarray(this.#from, this.#at));
      this.held += this.#at - this.#from;
    }
    this.#leave();
    if (this.#borrows && !lent && length <= LAST_SLAB_BYTES) {
      this.bytes = common ?? Buffer.allocUnsafeSlow(LAST_SLAB_BYTES);
      common = undefined;
      lent = true;
      this.#borrowed = true;
      return;
    }
    // Of its own, not from the pool of Buffer, whose pages would stay for the sake of one answer.
    this.bytes = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, length));
    this.#slabBytes = Math.min(LAST_SLAB_BYTES, this.#slabBytes * 2);
  }

  #arm(): void {
    this.#armed = true;
    queueMicrotask(this.#flush);
  }
}

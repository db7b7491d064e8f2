import type { Wire } from '../runtime/wire.ts';
import { FrameType, putHead, putUint32 } from './frames.ts';
import type { Unsent } from './unsent.ts';

/**
 * Frames are put together in one slab for all connections, and sent by a single write for each read that caused them:
 *
 *   slab  | sent, owned by sockets | from .. at: this connection's, not sent yet | free |
 *
 * A slab is never written twice, as sockets and TLS may hold what they were given; when it is full there is a new one. 16 KiB are some 170
 * answers, and all that a socket which does not move keeps alive.
 */
const SLAB_BYTES = 16 * 1024;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let at = 0;
/** Whose bytes end at `at`: when another connection writes, they become a piece of their own. */
let owner: Output | undefined;

/** What one connection sends. */
export class Output {
  /** Where `claim` said to write. */
  bytes: Uint8Array = slab;
  readonly #wire: Wire;
  #from = 0;
  #pieces: Uint8Array[] = [];
  /** Somebody will flush: the end of the read that is under way, or the microtask. */
  #armed = false;
  readonly #flush = (): void => this.flush();
  readonly #unsent: Unsent | undefined;

  constructor(wire: Wire, unsent?: Unsent) {
    this.#wire = wire;
    this.#unsent = unsent;
  }

  /** Until `flush`, which has to come: what is written is kept together. */
  hold(): void {
    this.#armed = true;
  }

  /** Room for so many bytes: where they begin in `bytes`, which is to be read after this. */
  claim(length: number): number {
    if (owner !== this || at + length > slab.length) this.#take(length);
    if (!this.#armed) this.#arm();
    const start = at;
    at += length;
    return start;
  }

  flush(): void {
    this.#armed = false;
    if (this.#pieces.length > 0) {
      if (owner === this) this.#seal();
      const pieces = this.#pieces;
      this.#pieces = [];
      this.#wire.writeAll(pieces);
    } else {
      if (owner !== this || at === this.#from) return;
      const bytes = slab.subarray(this.#from, at);
      this.#from = at;
      this.#wire.write(bytes);
    }
    if (this.#wire.pending > 0) this.#unsent?.grown();
  }

  /** The connection is over: nothing is sent any more. */
  release(): void {
    if (owner === this) owner = undefined;
    this.#pieces = [];
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

  #take(length: number): void {
    if (owner !== undefined) owner.#seal();
    owner = this;
    if (at + length > slab.length) {
      slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
      at = 0;
    }
    this.#from = at;
    this.bytes = slab;
  }

  #seal(): void {
    if (at > this.#from) this.#pieces.push(slab.subarray(this.#from, at));
    this.#from = at;
  }

  #arm(): void {
    this.#armed = true;
    queueMicrotask(this.#flush);
  }
}

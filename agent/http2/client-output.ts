import type { Wire } from '../runtime/wire.ts';
import { Burst } from './client-burst.ts';
import { FrameType, putUint32 } from './frames.ts';

/** Small frames of a client's connection: one write for all that a read has caused, or that one turn of the program has. */
export class ClientOutput {
  readonly #wire: Wire;
  readonly #burst = new Burst();
  readonly #word = new Uint8Array(4);
  /** Somebody will flush: the end of the read that is under way, or the microtask. */
  #armed = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Until `flush`, which has to come: what is written is kept together. */
  hold(): void {
    this.#armed = true;
  }

  flush(): void {
    this.#armed = false;
    if (this.#burst.bytes > 0) this.#wire.writeAll(this.#burst.take());
  }

  windowUpdate(stream: number, bytes: number): void {
    putUint32(this.#word, 0, bytes);
    this.frame(FrameType.WINDOW_UPDATE, stream, 0, this.#word, 0, 4);
  }

  reset(stream: number, code: number): void {
    putUint32(this.#word, 0, code);
    this.frame(FrameType.RST_STREAM, stream, 0, this.#word, 0, 4);
  }

  /** We are never pushed to, so that the last stream of the peer's is always 0. */
  goaway(code: number, debug: string): void {
    const payload = Buffer.concat([Buffer.alloc(8), Buffer.from(debug)]);
    putUint32(payload, 4, code);
    this.frame(FrameType.GOAWAY, 0, 0, payload, 0, payload.length);
  }

  frame(type: number, stream: number, flags: number, payload: Uint8Array, from: number, end: number): void {
    this.#burst.block(type, stream, flags, payload, from, end);
    if (this.#armed) return;
    this.#armed = true;
    queueMicrotask(() => this.flush());
  }
}

import { onceRead } from '../runtime/once-read.ts';
import type { Wire } from '../runtime/wire.ts';
import { MAX_UNSENT_BYTES } from './limits.ts';

/** A limit acts at most a quarter of itself late, as the receiver's sweep does. */
const LOOKS_PER_TIMEOUT = 4;

/**
 * Answers that the socket has not taken: their client does not read, or slower than we write. Above a limit nothing is read from it, so
 * that no more answers are made; when nothing at all has left for the timeout, it is given up.
 */
export class Unsent {
  readonly #wire: Wire;
  /** 0 is for ever. */
  readonly #timeoutMs: number;
  readonly #giveUp: () => void;
  #paused = false;
  #timer: NodeJS.Timeout | undefined;
  #written = 0;
  #movedAt = 0;

  constructor(wire: Wire, timeoutMs: number, giveUp: () => void) {
    this.#wire = wire;
    this.#timeoutMs = timeoutMs;
    this.#giveUp = giveUp;
  }

  /** Nothing is read from the client until it has taken its answers. */
  get paused(): boolean {
    return this.#paused;
  }

  /** After a write that left something behind. */
  grown(): void {
    if (this.#wire.pending > MAX_UNSENT_BYTES && !this.#paused) {
      this.#paused = true;
      this.#wire.pause();
    }
    if (this.#timer !== undefined || this.#timeoutMs <= 0) return;
    this.#written = this.#wire.written;
    this.#movedAt = performance.now();
    this.#timer = setInterval(onceRead, this.#timeoutMs / LOOKS_PER_TIMEOUT, this.#look, undefined).unref();
  }

  /** All of it has left. */
  drained(): void {
    this.stop();
    if (!this.#paused) return;
    this.#paused = false;
    this.#wire.resume();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  readonly #look = (): void => {
    if (this.#timer === undefined) return;
    const now = performance.now();
    const { pending, written } = this.#wire;
    if (pending === 0) this.stop();
    else if (written !== this.#written) {
      this.#written = written;
      this.#movedAt = now;
    } else if (now - this.#movedAt >= this.#timeoutMs) {
      this.stop();
      this.#giveUp();
    }
  };
}

import type { Outcome } from '../runtime/outcome.ts';

/** Added to each pause at random, so that the many clients of one next hop do not come back in the same instant. */
const PAUSE_JITTER = 0.1;

/** Who waits: told a pass, or that its time is over. */
interface Waiter {
  readonly admit: (pass: number | undefined) => void;
}

/**
 * How hard one line presses on its next hop (spec 1.11, "OTLP/gRPC Throttling", "OTLP/HTTP Throttling"). A next hop that names a time
 * speaks to the whole line, not to the one request that heard it: nothing is sent before, then a single request probes, and with each
 * answer one more may be on the wire, so that what is allowed doubles in a round trip.
 *
 *   most ----RetryInfo, Retry-After----> pause ----time is over----> 1 ----ok----> 2 ----ok ok----> 4 ...> most
 *                                          ^------ again ------------'
 *
 * A failure without a time is that request's own affair: its backoff spreads it.
 */
export class Throttle {
  readonly #most: number;
  readonly #onOpen: () => void;
  readonly #random: () => number;
  readonly #waiting: Waiter[] = [];
  #limit: number;
  #running = 0;
  #notBefore = 0;
  /** Passes of before the last pause say nothing of how the next hop is now. */
  #epoch = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `most` attempts at a time where nothing is throttled; `onOpen` is called when more may start than before. */
  constructor(most: number, onOpen: () => void, random: () => number = Math.random) {
    this.#most = most;
    this.#limit = most;
    this.#onOpen = onOpen;
    this.#random = random;
  }

  /** Attempts that may be on the wire at a time. */
  get limit(): number {
    return this.#limit;
  }

  /** Whether the next hop has asked for silence that is not over. */
  get paused(): boolean {
    return this.#timer !== undefined;
  }

  /** Milliseconds until the silence is over. */
  get pauseMs(): number {
    return this.paused ? Math.max(0, this.#notBefore - performance.now()) : 0;
  }

  /**
   * A pass for one attempt, to be given back by `leave`; at once where that is possible, else in turn. Undefined when `abort` fires or at
   * `until` (`performance.now()`).
   */
  enter(abort: AbortSignal, until: number): number | Promise<number | undefined> {
    if (this.#running < this.#limit && !this.paused && this.#waiting.length === 0) {
      this.#running += 1;
      return this.#epoch;
    }
    return this.#wait(abort, until);
  }

  /** The attempt has ended. */
  leave(pass: number, outcome: Outcome): void {
    this.#running -= 1;
    if (outcome.kind === 'retry' && outcome.afterMs !== undefined) this.#pause(outcome.afterMs);
    if (this.#limit === this.#most) return; // nobody waits where nothing is throttled: as many passes as there are attempts
    if (outcome.kind !== 'retry' && pass === this.#epoch) this.#limit += 1;
    this.#admit();
  }

  /** No timer outlives the line. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #pause(afterMs: number): void {
    this.#limit = 1;
    this.#epoch += 1;
    const now = performance.now();
    this.#notBefore = Math.max(this.#notBefore, now + afterMs * (1 + PAUSE_JITTER * this.#random()));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#resume(), Math.ceil(this.#notBefore - now)).unref();
  }

  #resume(): void {
    this.#timer = undefined;
    this.#admit();
  }

  #admit(): void {
    if (this.paused) return;
    while (this.#running < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#onOpen();
        return;
      }
      this.#running += 1;
      next.admit(this.#epoch);
    }
  }

  #wait(abort: AbortSignal, until: number): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    let timer: NodeJS.Timeout | undefined;
    const giveUp = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.admit(undefined);
    };
    const waiter: Waiter = {
      admit: (pass) => {
        clearTimeout(timer);
        abort.removeEventListener('abort', giveUp);
        resolve(pass);
      },
    };
    this.#waiting.push(waiter);
    if (until !== Number.POSITIVE_INFINITY) timer = setTimeout(giveUp, Math.max(0, until - performance.now())).unref();
    abort.addEventListener('abort', giveUp, { once: true });
    return promise;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff, type BackoffSettings } from '../runtime/backoff.ts';

/**
 * Between failed tries. Soon at first, so that a restart is hardly seen; at most 10 s, so that a server which comes back is not met by
 * all agents at once and yet is found soon.
 */
const BACKOFF: BackoffSettings = { initialIntervalMs: 250, multiplier: 1.7, maxIntervalMs: 8_000, randomizationFactor: 0.25 };

/**
 * A failure so long after the last one begins again with a short wait. Not an answer in between: a server that answers and fails in turn
 * would be asked as fast as it fails.
 */
const CALM_MS = 10_000;

export interface AskLoopOptions {
  /**
   * One round: a lookup, a blocking query, a list with its watch. Returns when the next one is due. `answered` is called at each answer;
   * a throw is a failed try.
   */
  readonly round: (signal: AbortSignal, answered: () => void) => Promise<void>;
  readonly failed: (message: string) => void;
  readonly backoff?: BackoffSettings;
}

/** Asks again and again, without end and without haste: the frame of every resolver that has a server. */
export class AskLoop {
  readonly #options: AskLoopOptions;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  readonly #first = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(options: AskLoopOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? BACKOFF);
  }

  /** Resolves after the first answer or the first failed try. */
  start(): Promise<void> {
    this.#running ??= this.#run(this.#first.resolve);
    return this.#first.promise;
  }

  /** Resolves when the round under way has ended. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(first: () => void): Promise<void> {
    const { signal } = this.#stop;
    let waitedAt = performance.now();
    while (!signal.aborted) {
      try {
        await this.#options.round(signal, first);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.failed(describe(error));
        first();
        if (performance.now() - waitedAt > CALM_MS) this.#backoff.reset();
        await pause(Math.max(this.#backoff.next(), retryAfterMs(error)), signal);
        waitedAt = performance.now();
      }
    }
    first();
  }
}

/** Why something ended that nobody wants any more. */
export const CLOSED = 'closed';

/** Waits without keeping the process alive; an abort ends it early, without an error. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { ref: false, signal });
  } catch {
    // aborted
  }
}

/** A server that asks for time (429, 503) gets it. */
export class AskLaterError extends Error {
  readonly afterMs: number;

  constructor(message: string, afterMs: number) {
    super(message);
    this.afterMs = afterMs;
  }
}

/** A minute at most: a hostile Retry-After must not silence a resolver for days. */
const MAX_RETRY_AFTER_MS = 60_000;

function retryAfterMs(error: unknown): number {
  return error instanceof AskLaterError ? Math.min(error.afterMs, MAX_RETRY_AFTER_MS) : 0;
}

/** An error in words; undici and Node hide the reason in `cause` or in several `errors`. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const message = error.message === '' ? (code ?? error.name) : error.message;
  if (error.cause instanceof Error && error.cause !== error) return `${message}: ${describe(error.cause)}`;
  return code !== undefined && !message.includes(code) ? `${message} (${code})` : message;
}

import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** What is waited for, for the error. */
  readonly what: string;
  /** @default 120000 */
  readonly timeoutMs?: number;
  /** How often the condition is looked at. @default 100 */
  readonly intervalMs?: number;
  /** Ends the wait early with the reason, for example when the program that is waited for has exited. */
  readonly abort?: () => Error | undefined;
}

/**
 * Asks until the answer is neither undefined nor false, and returns it. For conditions of other processes, which send no event; a
 * throwing `ask` counts as "not yet", and its last error is part of the message when the time is over.
 */
export async function waitFor<T>(ask: () => Promise<T | undefined | false> | T | undefined | false, options: WaitOptions): Promise<T> {
  const { what, timeoutMs = 120_000, intervalMs = 100 } = options;
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    const aborted = options.abort?.();
    if (aborted) throw aborted;
    if (Date.now() >= deadline) {
      const reason = last instanceof Error ? `; the last try said: ${last.message}` : '';
      throw new Error(`gave up after ${timeoutMs} ms waiting for ${what}${reason}`);
    }
    await sleep(intervalMs);
  }
}

/**
 * The time in ms that `run` takes, and where that is `limitMs` or more, the shortest of three: for a promise in seconds that is not the fault
 * of a machine which does much else.
 */
export async function shortestMs(limitMs: number, run: () => Promise<unknown>): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3 && shortest >= limitMs; tries += 1) {
    const before = performance.now();
    await run();
    shortest = Math.min(shortest, performance.now() - before);
  }
  return shortest;
}

import type { Endpoint, Usable } from './endpoint.ts';

/**
 * Decides who gets the next request. A policy knows nothing of health, connections or time but what it is told: it is one small
 * piece of arithmetic that a test can drive a hundred thousand times.
 */
export interface Policy {
  /** The endpoints to choose from, from now on, in a stable order. Called when they change, not for each request. */
  use(endpoints: readonly Endpoint[]): void;
  /** The next one of those that are usable, or undefined where none is. `now` is `performance.now()`. */
  pick(now: number, usable: Usable): Endpoint | undefined;
}

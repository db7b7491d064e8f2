import type { Endpoint, Usable } from './endpoint.ts';
import type { Policy } from './policy.ts';

/**
 * Each in turn. One that warms up takes only a part of its turns: at each turn it saves its warmth, and takes the turn when it has
 * saved a whole one.
 */
export class RoundRobin implements Policy {
  #endpoints: readonly Endpoint[] = [];
  readonly #saved = new WeakMap<Endpoint, number>();
  #next: number;

  /** `start` spreads many agents that begin at the same time; grpc-go starts at a random place, too. */
  constructor(start = 0) {
    this.#next = start;
  }

  use(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
  }

  pick(now: number, usable: Usable): Endpoint | undefined {
    const count = this.#endpoints.length;
    let cold: Endpoint | undefined;
    for (let step = 0; step < count; step += 1) {
      const endpoint = this.#endpoints[this.#next % count] as Endpoint;
      this.#next = (this.#next + 1) % count;
      if (!usable(endpoint)) continue;
      if (this.#takesTurn(endpoint, now)) return endpoint;
      cold ??= endpoint;
    }
    return cold; // all that are usable are cold: the first of them, rather than none
  }

  #takesTurn(endpoint: Endpoint, now: number): boolean {
    const warmth = endpoint.warmth(now);
    if (warmth === 1) return true;
    const saved = (this.#saved.get(endpoint) ?? 0) + warmth;
    this.#saved.set(endpoint, saved >= 1 ? saved - 1 : saved);
    return saved >= 1;
  }
}

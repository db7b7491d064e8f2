import type { Endpoint, Usable } from './endpoint.ts';
import type { Policy } from './policy.ts';

/**
 * The one with the fewest requests under way for its weight; among equals each in turn, or a row of quick requests would all go to
 * the first. The request that is to be placed is counted in, so that weights and warmth matter also where nothing is under way.
 */
export class LeastConnections implements Policy {
  #endpoints: readonly Endpoint[] = [];
  #next: number;

  constructor(start = 0) {
    this.#next = start;
  }

  use(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
  }

  pick(now: number, usable: Usable): Endpoint | undefined {
    const count = this.#endpoints.length;
    let best: Endpoint | undefined;
    let bestAt = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let step = 0; step < count; step += 1) {
      const at = (this.#next + step) % count;
      const endpoint = this.#endpoints[at] as Endpoint;
      if (!usable(endpoint)) continue;
      const load = (endpoint.active + 1) / (endpoint.weight * endpoint.warmth(now));
      if (load < least) {
        least = load;
        best = endpoint;
        bestAt = at;
      }
    }
    if (best !== undefined) this.#next = (bestAt + 1) % count;
    return best;
  }
}

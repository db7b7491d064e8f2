import type { Endpoint, Usable } from './endpoint.ts';
import type { Policy } from './policy.ts';

/**
 * Smooth weighted round robin, as nginx has it: at each pick every endpoint gains its weight, the one with the most is taken and pays
 * the sum of all. Weights 5, 1, 1 give a a b a c a a, never five in a row. An endpoint's weight counts less while it warms up.
 */
export class WeightedRoundRobin implements Policy {
  #endpoints: readonly Endpoint[] = [];
  #current = new Map<Endpoint, number>();

  use(endpoints: readonly Endpoint[]): void {
    const before = this.#current;
    this.#endpoints = endpoints;
    this.#current = new Map(endpoints.map((endpoint) => [endpoint, before.get(endpoint) ?? 0]));
  }

  pick(now: number, usable: Usable): Endpoint | undefined {
    let best: Endpoint | undefined;
    let most = Number.NEGATIVE_INFINITY;
    let total = 0;
    for (const endpoint of this.#endpoints) {
      if (!usable(endpoint)) continue;
      const weight = endpoint.weight * endpoint.warmth(now);
      const current = (this.#current.get(endpoint) as number) + weight;
      this.#current.set(endpoint, current);
      total += weight;
      if (current > most) {
        most = current;
        best = endpoint;
      }
    }
    if (best !== undefined) this.#current.set(best, most - total);
    return best;
  }
}

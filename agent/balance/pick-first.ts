import type { Endpoint, Usable } from './endpoint.ts';
import type { Policy } from './policy.ts';

/** Everything to one, in the resolver's order, until it fails; what took over stays, as in gRPC, and nothing goes back by itself. */
export class PickFirst implements Policy {
  #endpoints: readonly Endpoint[] = [];
  #chosen: Endpoint | undefined;

  use(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    if (this.#chosen !== undefined && !endpoints.includes(this.#chosen)) this.#chosen = undefined;
  }

  pick(_now: number, usable: Usable): Endpoint | undefined {
    if (this.#chosen === undefined || !usable(this.#chosen)) this.#chosen = this.#endpoints.find(usable);
    return this.#chosen;
  }
}

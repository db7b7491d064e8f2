import { LeastConnections } from './least-connections.ts';
import { PickFirst } from './pick-first.ts';
import type { Policy } from './policy.ts';
import { RoundRobin } from './round-robin.ts';
import type { BalancerName } from './settings.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/** A thousand agents that start together must not begin with the same upstream. */
const PLACES = 0x10000;

export function createPolicy(name: BalancerName, random: () => number = Math.random): Policy {
  switch (name) {
    case 'round_robin':
      return new RoundRobin(Math.floor(random() * PLACES));
    case 'weighted_round_robin':
      return new WeightedRoundRobin();
    case 'least_connections':
      return new LeastConnections(Math.floor(random() * PLACES));
    case 'pick_first':
      return new PickFirst();
  }
}

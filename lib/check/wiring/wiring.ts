import type { Snapshot } from '../read/snapshot';
import { type Discovered, discovered } from './discovery';
import { type Monitored, monitored } from './monitors';
import { type Resolution, resolve } from './resolve';
import type { AddressUse } from './use';
import { addressUses } from './uses';

/** Who is told to connect to what, found once per snapshot. */
export interface Wiring {
  readonly addresses: readonly { readonly use: AddressUse; readonly resolution: Resolution }[];
  readonly scrapes: readonly Discovered[];
  readonly monitors: readonly Monitored[];
}

const known = new WeakMap<Snapshot, Wiring>();

export function wiringOf(snapshot: Snapshot): Wiring {
  const before = known.get(snapshot);
  if (before !== undefined) return before;
  const wiring = {
    addresses: addressUses(snapshot).map((use) => ({ use, resolution: resolve(use, snapshot) })),
    scrapes: discovered(snapshot),
    monitors: monitored(snapshot),
  };
  known.set(snapshot, wiring);
  return wiring;
}

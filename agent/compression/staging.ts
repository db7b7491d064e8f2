import { giveStore, storeBytes, takeStore } from '../admit/slab.ts';

/** The slices of a request in a row, in memory that is used again. */
export interface Staged {
  readonly joined: Buffer;
  /** Nobody reads it any more. */
  end(): void;
}

/**
 * Joins slices for a compressor, in one of the stores that bodies lie in: 3 MB of new memory for each merged request are 750 page faults,
 * measured as 0.04 to 0.35 CPU s per million spans, where the copy itself is 0.01 (bench: test/bench/agent-compression.mjs). Who asks
 * charges the bytes.
 */
export function stage(slices: readonly Uint8Array[], bytes: number): Staged {
  const store = takeStore(storeBytes(bytes));
  let at = 0;
  for (const slice of slices) {
    store.set(slice, at);
    at += slice.length;
  }
  return { joined: store.subarray(0, at), end: () => giveStore(store) };
}

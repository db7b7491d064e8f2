import { crc32, crc32Modulo } from './crc32.ts';
import type { RingKind } from './settings.ts';

/** How often the Collector looks one place further when two virtual nodes meet, before it leaves the second one out. */
const PROBES = 10;

interface RingShape {
  /** Places on the ring. */
  readonly places: number;
  /** Virtual nodes of each name. */
  readonly nodes: number;
  /** Whether all virtual nodes are sorted before they claim their places, so that names listed first have no advantage. */
  readonly sorted: boolean;
}

/**
 * The constants of consistent_hashing.go in the Collector's loadbalancing exporter. 0.155: those since 0.131 (contrib #41271);
 * 0.157: those since contrib #49585.
 */
const SHAPES: Readonly<Record<RingKind, RingShape>> = {
  'collector_0.155': { places: 36_000, nodes: 100, sorted: false },
  'collector_0.157': { places: 131_071, nodes: 200, sorted: true },
};

/** Index into names, by place. */
export type OwnerTable = Uint8Array | Uint16Array | Uint32Array;

interface Candidate {
  readonly place: number;
  readonly hash: number;
  readonly owner: number;
}

/**
 * The ring of the Collector's loadbalancing exporter, place for place, so that it and this agent can feed one tier:
 *
 *   virtual node i of a name    crc32(name, i as 4 bytes little endian) % places; a taken place moves on by one, at most 10 times
 *   key                         crc32(key) % places, and from there to the next virtual node, around the end
 *
 * Vectors that were made by upstream's own source: test/agent/balance/vectors.
 */
export class HashRing {
  /** Sorted by bytes, as the Collector's resolvers hand them over. */
  readonly names: readonly string[];
  readonly #places: number;
  /** Ascending. */
  readonly #place: Uint32Array;
  /** Index into names, beside #place. */
  readonly #owner: Uint32Array;

  constructor(names: readonly string[], kind: RingKind = 'collector_0.155') {
    this.names = [...new Set(names)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const shape = SHAPES[kind];
    this.#places = shape.places;
    const items = claimPlaces(candidatesOf(this.names, shape), shape.places);
    this.#place = Uint32Array.from(items, (item) => item.place);
    this.#owner = Uint32Array.from(items, (item) => item.owner);
  }

  /** Virtual nodes that found a place. */
  get nodes(): number {
    return this.#place.length;
  }

  /** The place of a key that lies in `bytes`. */
  placeOf(bytes: Uint8Array, from = 0, end = bytes.length): number {
    return crc32Modulo(bytes, from, end, this.#places);
  }

  /** Index into names of who owns a place; -1 on an empty ring. */
  ownerOf(place: number): number {
    const at = this.#nodeAt(place);
    return at < 0 ? -1 : (this.#owner[at] as number);
  }

  /**
   * Who takes a key at each place, as `usableOwnerOf` has it: one look instead of a search for every span. As few bytes for a place as
   * will do, as looks are at random: 36 kB stay in the cache that 144 do not. Empty where nobody is usable.
   */
  table(usable: (owner: number) => boolean): OwnerTable {
    const places = this.usableOwnerOf(0, usable) < 0 ? 0 : this.#places;
    const owners = this.names.length;
    const table = owners <= 0x100 ? new Uint8Array(places) : owners <= 0x10000 ? new Uint16Array(places) : new Uint32Array(places);
    let from = 0;
    for (const place of this.#place) {
      table.fill(this.usableOwnerOf(place, usable), from, place + 1);
      from = place + 1;
    }
    // Behind the last node it goes on at the first one.
    table.fill(this.usableOwnerOf(0, usable), from);
    return table;
  }

  /** The same, but on to the next owner until one is usable: only the share of those that are not moves. */
  usableOwnerOf(place: number, usable: (owner: number) => boolean): number {
    const from = this.#nodeAt(place);
    if (from < 0) return -1;
    let last = -1;
    for (let step = 0; step < this.#owner.length; step += 1) {
      const owner = this.#owner[(from + step) % this.#owner.length] as number;
      if (owner !== last && usable(owner)) return owner;
      last = owner;
    }
    return -1;
  }

  /** The first node at `place` or behind it. */
  #nodeAt(place: number): number {
    let low = 0;
    let high = this.#place.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#place[middle] as number) < place) low = middle + 1;
      else high = middle;
    }
    if (this.#place.length === 0) return -1;
    return low === this.#place.length ? 0 : low;
  }
}

function candidatesOf(names: readonly string[], { places, nodes, sorted }: RingShape): Candidate[] {
  const found: Candidate[] = [];
  names.forEach((name, owner) => {
    const bytes = Buffer.concat([Buffer.from(name), Buffer.alloc(4)]);
    for (let node = 0; node < nodes; node += 1) {
      bytes.writeUInt32LE(node, bytes.length - 4);
      const hash = crc32(bytes);
      found.push({ place: hash % places, hash, owner });
    }
  });
  // Names are sorted, so their indices compare as they do.
  return sorted ? found.sort((a, b) => a.place - b.place || a.hash - b.hash || a.owner - b.owner) : found;
}

function claimPlaces(candidates: readonly Candidate[], places: number): { readonly place: number; readonly owner: number }[] {
  const taken = new Set<number>();
  const items: { readonly place: number; readonly owner: number }[] = [];
  for (const { place: wanted, owner } of candidates) {
    let place = wanted;
    let probes = 0;
    while (taken.has(place) && probes < PROBES) {
      place = (place + 1) % places;
      probes += 1;
    }
    // Upstream gives up after the tenth step even where that place is free.
    if (probes >= PROBES) continue;
    taken.add(place);
    items.push({ place, owner });
  }
  return items.sort((a, b) => a.place - b.place);
}

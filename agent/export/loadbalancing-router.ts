import type { Endpoint } from '../balance/endpoint.ts';
import { HashRing, type OwnerTable } from '../balance/hash-ring.ts';
import type { Part } from '../balance/part.ts';
import type { Policy } from '../balance/policy.ts';
import type { RingKind } from '../balance/settings.ts';
import type { KeySplitter, Plan } from '../balance/split-by-key.ts';
import type { Chunk } from '../runtime/chunk.ts';

const NO_OWNER = -1;
const MANY_OWNERS = -2;

/** Where one part of a chunk goes. */
export interface Placed {
  readonly endpoint: Endpoint;
  /** That is not where its key belongs. */
  readonly spilled: boolean;
}

/** A part that became a chunk, and which of the places is its own. */
export interface Cut {
  readonly place: number;
  readonly chunk: Chunk;
}

/** Puts the part of a place behind `last`: calls `write` and returns true, or false where that cannot be. */
export type Extend = (place: number, last: Part, items: number, bytes: number, write: (place: number) => void) => boolean;

/** Whether an upstream has room for so much. */
export type Roomy = (endpoint: Endpoint, items: number, bytes: number) => boolean;

/** Decides which upstream gets which part of a chunk. */
export interface Router {
  /** All upstreams, and those of them that are to be used. */
  use(all: readonly Endpoint[], live: readonly Endpoint[]): void;
  /** Undefined where some part has no place. Nothing has happened yet; a single place is that of the whole chunk. `avoid` gets nothing. */
  route(chunk: Chunk, roomy: Roomy, avoid: Endpoint | undefined): readonly Placed[] | undefined;
  /**
   * Cuts the chunk for which route() has just found several places. Each part that `taken` can put behind an earlier one of the same
   * target is written there; the others come back as chunks, with the index of their place.
   */
  cut(chunk: Chunk, extend: Extend): readonly Cut[];
}

/** Whole requests, by a policy. */
export class PolicyRouter implements Router {
  readonly #policy: Policy;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  use(_all: readonly Endpoint[], live: readonly Endpoint[]): void {
    this.#policy.use(live);
  }

  route({ items, bytes }: Chunk, roomy: Roomy, avoid: Endpoint | undefined): readonly Placed[] | undefined {
    const endpoint = this.#policy.pick(performance.now(), (one) => one !== avoid && roomy(one, items, bytes));
    return endpoint === undefined ? undefined : [{ endpoint, spilled: false }];
  }

  cut(chunk: Chunk): readonly Cut[] {
    return [{ place: 0, chunk }];
  }
}

/** Parts of requests, by key on the ring; past upstreams that are left out, and on to the next one where a queue is full. */
export class HashRouter implements Router {
  readonly #splitter: KeySplitter;
  readonly #kind: RingKind;
  #ring: HashRing;
  /** By the ring's own order. */
  #owners: readonly Endpoint[] = [];
  #live: ReadonlySet<Endpoint> = new Set();
  /** Owners by place while none is to be avoided; made when the first request asks. */
  #table: OwnerTable | undefined;
  #avoid: Endpoint | undefined;
  #plan: Plan = { count: 0, targets: [], bytes: [], items: [] };

  constructor(splitter: KeySplitter, kind: RingKind) {
    this.#splitter = splitter;
    this.#kind = kind;
    this.#ring = new HashRing([], kind);
  }

  use(all: readonly Endpoint[], live: readonly Endpoint[]): void {
    const names = all.map((endpoint) => endpoint.ringName);
    const byName = new Map(all.map((endpoint) => [endpoint.ringName, endpoint]));
    if (names.length !== this.#ring.names.length || this.#ring.names.some((name) => !byName.has(name)))
      this.#ring = new HashRing(names, this.#kind);
    this.#owners = this.#ring.names.map((name) => byName.get(name) as Endpoint);
    this.#live = new Set(live);
    this.#table = undefined;
  }

  route(chunk: Chunk, roomy: Roomy, avoid: Endpoint | undefined): readonly Placed[] | undefined {
    this.#avoid = avoid;
    const only = this.#onlyOwner();
    if (only === NO_OWNER) return undefined;
    // Where all keys go to one place nobody has to look for them.
    const plan = only >= 0 ? whole(only, chunk) : this.#planned(chunk);
    this.#plan = plan;
    const placed: Placed[] = [];
    for (let i = 0; i < plan.count; i += 1) {
      const target = plan.targets[i] as number;
      const items = plan.items[i] as number;
      const bytes = plan.bytes[i] as number;
      const owner = this.#owners[target] as Endpoint;
      if (roomy(owner, items, bytes)) placed.push({ endpoint: owner, spilled: false });
      else {
        const other = this.#nextWithRoom(target, items, bytes, roomy);
        if (other === undefined) return undefined;
        placed.push({ endpoint: other, spilled: true });
      }
    }
    return placed;
  }

  cut(chunk: Chunk, extend: Extend): readonly Cut[] {
    const splitter = this.#splitter;
    const { count, items, bytes } = this.#plan;
    const places: number[] = [];
    const chunks = chunk.cut((hold) => {
      const parts: Part[] = [];
      splitter.begin(hold);
      for (let i = 0; i < count; i += 1) {
        const last = splitter.lastBefore(i);
        if (last !== undefined && extend(i, last, items[i] as number, bytes[i] as number, this.#write)) continue;
        parts.push(splitter.write(i));
        places.push(i);
      }
      splitter.end();
      return parts;
    });
    return chunks.map((one, k) => ({ place: places[k] as number, chunk: one }));
  }

  readonly #write = (place: number): void => this.#splitter.extend(place);

  /** Who gets all keys; MANY_OWNERS where there are several. */
  #onlyOwner(): number {
    let only = NO_OWNER;
    for (let owner = 0; owner < this.#owners.length; owner += 1) {
      if (!this.#usable(owner)) continue;
      if (only !== NO_OWNER) return MANY_OWNERS;
      only = owner;
    }
    return only;
  }

  readonly #usable = (owner: number): boolean => {
    const endpoint = this.#owners[owner] as Endpoint;
    return endpoint !== this.#avoid && this.#live.has(endpoint);
  };

  readonly #ownerOf = (key: Uint8Array, from: number, end: number): number =>
    this.#ring.usableOwnerOf(this.#ring.placeOf(key, from, end), this.#usable);

  /** The same by the table: 0.1 CPU s per million spans less than a search on the ring, with a closure for every step, for each. */
  readonly #quickOwnerOf = (key: Uint8Array, from: number, end: number): number =>
    (this.#table as OwnerTable)[this.#ring.placeOf(key, from, end)] as number;

  #planned(chunk: Chunk): Plan {
    const { slices, bytes, items } = chunk;
    const request = slices.length === 1 ? (slices[0] as Uint8Array) : Buffer.concat(slices, bytes);
    try {
      if (this.#avoid === undefined) this.#table ??= this.#ring.table(this.#usable);
      // What was joined here is in no account, so that nothing may keep it.
      return this.#splitter.plan(request, items, this.#avoid === undefined ? this.#quickOwnerOf : this.#ownerOf, slices.length === 1);
    } catch {
      // Well formed down to the items, as admit has seen, and broken inside of one: it has no key, and its next hop will say what is
      // wrong. Or made to become a hundred times as large.
      return whole(this.#ownerOf(request, 0, 0), chunk);
    }
  }

  #nextWithRoom(target: number, items: number, bytes: number, roomy: Roomy): Endpoint | undefined {
    for (let step = 1; step < this.#owners.length; step += 1) {
      const owner = (target + step) % this.#owners.length;
      const endpoint = this.#owners[owner] as Endpoint;
      if (this.#usable(owner) && roomy(endpoint, items, bytes)) return endpoint;
    }
    return undefined;
  }
}

function whole(target: number, { bytes, items }: Chunk): Plan {
  return { count: 1, targets: [target], bytes: [bytes], items: [items] };
}

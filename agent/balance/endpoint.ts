import { type Upstream, upstreamKey } from '../resolve/resolver.ts';

/** The share that an upstream begins with when it comes back. */
const COLDEST = 0.1;

/** One upstream as a balancer sees it, from when a resolver names it until it does not any more. */
export class Endpoint {
  /** `host:port`. */
  readonly key: string;
  /** What the ring hashes. */
  readonly ringName: string;
  readonly host: string;
  readonly port: number;
  /** A resolver may change it while the endpoint stays. */
  weight: number;
  /** Requests that are under way; who sends counts them. */
  active = 0;
  /** Left out because it failed. */
  sick = false;
  /** Failed requests since the last good one. */
  failures = 0;
  /** It asked for silence until then (`performance.now()`). */
  notBefore = 0;
  #warmAt = 0;
  #warmMs = 0;

  constructor(upstream: Upstream) {
    this.key = upstreamKey(upstream);
    this.ringName = upstream.ringName ?? this.key;
    this.host = upstream.host;
    this.port = upstream.port;
    this.weight = upstream.weight;
  }

  /** It is back: its share grows to the whole within `ms`. */
  startSlowly(now: number, ms: number): void {
    this.#warmAt = now + ms;
    this.#warmMs = ms;
  }

  /** The part of its share that it takes now: 1, or less after it was ejected, growing with time. */
  warmth(now: number): number {
    if (now >= this.#warmAt) return 1;
    return Math.max(COLDEST, 1 - (this.#warmAt - now) / this.#warmMs);
  }
}

/** Whether an endpoint may be taken this time. */
export type Usable = (endpoint: Endpoint) => boolean;

import type { Resolver, Upstream } from '../resolve/resolver.ts';
import { upstreamKey } from '../resolve/resolver.ts';
import type { Log } from '../telemetry/log.ts';
import { Endpoint } from './endpoint.ts';
import type { Probe } from './probe.ts';
import type { HealthSettings } from './settings.ts';

/** What changed: at least one of them is not empty. */
export interface Change {
  readonly added: readonly Endpoint[];
  readonly removed: readonly Endpoint[];
  /** Left out from now on, as it failed. */
  readonly ejected: readonly Endpoint[];
  readonly returned: readonly Endpoint[];
}

export interface UpstreamsHost {
  readonly log: Log;
  /** The exporter's id, for logs. */
  readonly id: string;
  readonly probe: Probe | undefined;
  /** Called after each change, with the lists as they are then. */
  changed(change: Change): void;
  /** @default performance.now */
  readonly now?: () => number;
}

/** Connections of checks that are open at a time, however many upstreams there are. */
const CHECKS_AT_A_TIME = 32;

const NOTHING: Change = { added: [], removed: [], ejected: [], returned: [] };

/**
 * Who is there, and who of them is well:
 *
 *   resolver --list--> added, removed
 *   requests --failures in a row--> ejected          checks --a failed one--> ejected
 *   ejected --a good check, or (without checks) time--> returned, with a share that grows (slow start)
 *
 * Where none is well, all are used: a request that probably fails is better than one that certainly does. A single upstream is never
 * ejected, and not checked either.
 */
export class Upstreams {
  readonly #resolver: Resolver;
  readonly #health: HealthSettings;
  readonly #host: UpstreamsHost;
  readonly #now: () => number;
  #byKey = new Map<string, Endpoint>();
  #all: readonly Endpoint[] = [];
  #live: readonly Endpoint[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #returns = new Set<NodeJS.Timeout>();
  #checking = false;
  #closed = false;

  constructor(resolver: Resolver, health: HealthSettings, host: UpstreamsHost) {
    this.#resolver = resolver;
    this.#health = health;
    this.#host = host;
    this.#now = host.now ?? (() => performance.now());
  }

  /** In the resolver's order. */
  get all(): readonly Endpoint[] {
    return this.#all;
  }

  /** Those to use: the ones that are well, or all where none is. */
  get live(): readonly Endpoint[] {
    return this.#live;
  }

  get resolver(): Resolver {
    return this.#resolver;
  }

  /** Resolves after the resolver's first answer, or first failure. */
  start(): Promise<void> {
    return this.#resolver.start((upstreams) => this.#resolved(upstreams));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const timer of this.#returns) clearTimeout(timer);
    await this.#resolver.close();
  }

  /** A request was answered, whatever the answer was: the upstream lives. */
  succeeded(endpoint: Endpoint): void {
    endpoint.failures = 0;
  }

  /** A request was not answered. */
  failed(endpoint: Endpoint, why: string): void {
    endpoint.failures += 1;
    const { ejectAfter } = this.#health;
    if (ejectAfter > 0 && endpoint.failures >= ejectAfter) this.#eject(endpoint, `${endpoint.failures} requests failed in a row: ${why}`);
  }

  /** Looks at every upstream once; the timer calls it, and a test. */
  async check(): Promise<void> {
    const { probe } = this.#host;
    if (probe === undefined || this.#checking || (this.#all.length < 2 && !this.#all.some((one) => one.sick))) return;
    this.#checking = true;
    const next = this.#all.values();
    const look = async (): Promise<void> => {
      for (const endpoint of next) {
        const problem = await asked(probe, endpoint, this.#health.timeoutMs);
        if (this.#closed) return;
        if (problem !== undefined) this.#eject(endpoint, `health check: ${problem}`);
        else if (endpoint.sick) this.#return(endpoint);
      }
    };
    await Promise.all(Array.from({ length: CHECKS_AT_A_TIME }, look));
    this.#checking = false;
  }

  #resolved(upstreams: readonly Upstream[]): void {
    if (this.#closed) return;
    const before = this.#byKey;
    const now = new Map<string, Endpoint>();
    const added: Endpoint[] = [];
    for (const upstream of upstreams) {
      const key = upstreamKey(upstream);
      const present = before.get(key);
      const endpoint = present ?? new Endpoint(upstream);
      endpoint.weight = upstream.weight;
      if (present === undefined) added.push(endpoint);
      now.set(key, endpoint);
    }
    const removed = [...before.values()].filter((endpoint) => !now.has(endpoint.key));
    this.#byKey = now;
    this.#all = [...now.values()];
    this.#update({ ...NOTHING, added, removed });
    if (this.#host.probe !== undefined) this.#timer ??= setInterval(() => void this.check(), this.#health.intervalMs).unref();
  }

  #eject(endpoint: Endpoint, why: string): void {
    if (endpoint.sick || this.#all.length < 2 || this.#byKey.get(endpoint.key) !== endpoint) return;
    endpoint.sick = true;
    this.#host.log.warn('upstream left out', { exporter: this.#host.id, upstream: endpoint.key, reason: why });
    if (this.#host.probe === undefined) {
      const timer = setTimeout(() => {
        this.#returns.delete(timer);
        this.#return(endpoint);
      }, this.#health.returnAfterMs).unref();
      this.#returns.add(timer);
    }
    this.#update({ ...NOTHING, ejected: [endpoint] });
  }

  #return(endpoint: Endpoint): void {
    if (!endpoint.sick || this.#byKey.get(endpoint.key) !== endpoint) return;
    endpoint.sick = false;
    endpoint.failures = 0;
    endpoint.startSlowly(this.#now(), this.#health.slowStartMs);
    this.#host.log.info('upstream is back', { exporter: this.#host.id, upstream: endpoint.key });
    this.#update({ ...NOTHING, returned: [endpoint] });
  }

  #update(change: Change): void {
    const well = this.#all.filter((endpoint) => !endpoint.sick);
    this.#live = well.length > 0 ? well : this.#all;
    this.#host.changed(change);
  }
}

/** Node throws at once for a port that is none: whatever a resolver found, that upstream is not well. */
async function asked(probe: Probe, endpoint: Endpoint, timeoutMs: number): Promise<string | undefined> {
  try {
    return await probe(endpoint, timeoutMs);
  } catch (error) {
    return (error as Error).message;
  }
}

import type { Log } from '../../telemetry/log.ts';
import { pause } from '../ask-loop.ts';
import { AskingResolver } from '../asking-resolver.ts';
import type { Upstream } from '../resolver.ts';
import { MAX_UPSTREAMS } from '../resolver-state.ts';
import type { EtcdResolverSettings } from '../settings.ts';
import { parseEntry } from './entry.ts';
import { CompactedError, EtcdClient } from './etcd-client.ts';

/** Between two ranges that a compaction or a lagging member asked for. */
const PACE_MS = 250;

/**
 * The keys below a prefix of an etcd v3: one range, then a watch from the next revision on. https://etcd.io/docs/v3.6/learning/api/
 *
 *   range ─▶ revision ─▶ watch from revision + 1 ─┬─ events: keys replaced, revision goes on
 *     ▲                                           ├─ progress notify (every 10 min): only the revision goes on
 *     │                                           └─ broken: the next member, the watch again from revision + 1
 *     └── compacted, or a member that knows less than we do, or another cluster (restored from a backup)
 */
export class EtcdResolver extends AskingResolver {
  readonly #prefix: string;
  readonly #client: EtcdClient;
  /** By key. A key whose new value cannot be read keeps its last one: only an answer that makes sense takes an upstream away. */
  readonly #entries = new Map<string, Upstream | undefined>();
  /** Where #entries cannot be read, by key. */
  readonly #unreadable = new Set<string>();
  /** What #entries is of; undefined asks for a range. */
  #at: { readonly revision: bigint; readonly clusterId: bigint } | undefined;

  constructor(settings: EtcdResolverSettings, log: Log) {
    super('etcd', `the etcd keys below ${settings.prefix}`, log);
    this.#prefix = settings.prefix;
    this.#client = new EtcdClient(settings);
  }

  protected override async disconnect(): Promise<void> {
    this.#client.close();
  }

  protected override async round(signal: AbortSignal, answered: () => void): Promise<void> {
    const { endpoint } = this.#client;
    try {
      const { revision, clusterId } = this.#at ?? (await this.#range(signal, answered));
      await this.#watch(revision, clusterId, signal, answered);
    } catch (error) {
      if (error instanceof CompactedError) {
        this.#at = undefined;
        await pause(PACE_MS * (0.75 + Math.random() / 2), signal);
        return;
      }
      this.#client.failover();
      throw new Error(`${endpoint}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #range(signal: AbortSignal, answered: () => void): Promise<{ readonly revision: bigint; readonly clusterId: bigint }> {
    const range = await this.#client.range(this.#prefix, signal);
    const keys = new Set(range.entries.map(({ key }) => key));
    for (const key of this.#entries.keys()) if (!keys.has(key)) this.#remove(key);
    for (const { key, value } of range.entries) this.#put(key, value);
    this.#publish();
    answered();
    this.#at = range;
    return range;
  }

  async #watch(revision: bigint, clusterId: bigint, signal: AbortSignal, answered: () => void): Promise<void> {
    await this.#client.watch(
      this.#prefix,
      revision + 1n,
      {
        created: (known, cluster) => {
          // A watch from a revision that is yet to come is silent until then: this etcd has lost what we have seen, or lags behind.
          if (known < revision || cluster !== clusterId) throw new CompactedError('etcd knows less than before');
          this.#publish();
          answered();
        },
        changed: (changes, last) => {
          for (const { key, value } of changes) {
            if (value === undefined) this.#remove(key);
            else this.#put(key, value);
          }
          if (this.#entries.size > MAX_UPSTREAMS) throw new Error(`there are more than ${MAX_UPSTREAMS} keys below ${this.#prefix}`);
          this.#at = { revision: last, clusterId };
          this.#publish();
        },
        progress: (known) => {
          this.#at = { revision: known, clusterId };
        },
      },
      signal,
    );
  }

  #put(key: string, value: string): void {
    const upstream = parseEntry(value);
    if (upstream === undefined) this.#unreadable.add(key);
    else this.#unreadable.delete(key);
    this.#entries.set(key, upstream ?? this.#entries.get(key));
  }

  #remove(key: string): void {
    this.#entries.delete(key);
    this.#unreadable.delete(key);
  }

  #publish(): void {
    const [first] = this.#unreadable;
    const remark =
      first === undefined
        ? undefined
        : `${this.#unreadable.size} of ${this.#entries.size} keys have no host:port and no {"host", "port"}, ${first} for one`;
    this.state.resolved(
      [...this.#entries.values()].filter((upstream) => upstream !== undefined),
      remark,
    );
  }
}

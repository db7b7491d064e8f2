import { printEntry } from '../resolve/etcd/entry.ts';
import { EtcdClient } from '../resolve/etcd/etcd-client.ts';
import type { Entry, Registry } from './registry.ts';
import type { EtcdRegistrySettings } from './settings.ts';

/**
 * The agent as a key of an etcd, under a lease that ends with it: the key is there while the agent lives and wants traffic.
 *
 *   grant lease ─▶ put key under it ─▶ keepalive each third of the TTL ─▶ "no such lease" ─▶ from the start
 *                                      not ready, or draining ─▶ revoke: the key goes at once
 */
export class EtcdRegistry implements Registry {
  readonly #client: EtcdClient;
  readonly #prefix: string;
  readonly #entry: Entry;
  #lease: { readonly id: bigint; readonly hasKey: boolean } | undefined;

  constructor(settings: EtcdRegistrySettings, entry: Entry) {
    this.#client = new EtcdClient(settings);
    this.#prefix = settings.prefix;
    this.#entry = entry;
  }

  get where(): string {
    return `etcd at ${this.#client.endpoint}, ${this.#key}`;
  }

  get #key(): string {
    return this.#prefix + this.#entry.instance;
  }

  async beat(ready: boolean, signal: AbortSignal): Promise<'kept' | 'registered' | 'withdrawn'> {
    try {
      if (!ready) {
        await this.withdraw(signal);
        return 'withdrawn';
      }
      const lease = this.#lease;
      if (lease?.hasKey === true && (await this.#client.keepAlive(lease.id, signal)) > 0) return 'kept';
      // A lease without its key, as a put had failed, ends by itself.
      const id = await this.#client.grant(Math.ceil(this.#entry.ttlMs / 1000), signal);
      this.#lease = { id, hasKey: false };
      await this.#client.put(this.#key, printEntry(this.#entry.upstream), id, signal);
      this.#lease = { id, hasKey: true };
      return 'registered';
    } catch (error) {
      this.#client.failover();
      throw error;
    }
  }

  async withdraw(signal: AbortSignal): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) return;
    await this.#client.everywhere((client) => client.revoke(lease.id, signal), signal);
    this.#lease = undefined;
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}

import { ConsulClient } from '../resolve/consul/consul-client.ts';
import type { HttpAnswer } from '../resolve/http-client.ts';
import { statusError } from '../resolve/http-client.ts';
import { VERSION } from '../runtime/version.ts';
import type { Entry, Registry } from './registry.ts';
import type { ConsulRegistrySettings } from './settings.ts';

/** Of one request: the Consul agent is on the same machine or near. */
const REQUEST_TIMEOUT_MS = 5_000;

const NOT_FOUND = 404;

/**
 * The agent as a service of a Consul agent with a TTL check: passing as long as the agent says so in time and wants traffic, critical
 * otherwise. https://developer.hashicorp.com/consul/api-docs/agent/service and .../agent/check
 *
 *   register service + check ─▶ check/update each third of the TTL ─▶ 404: forgotten (its Consul agent was replaced) ─▶ from the start
 *                               draining ─▶ deregister
 */
export class ConsulRegistry implements Registry {
  readonly #client: ConsulClient;
  readonly #settings: ConsulRegistrySettings;
  readonly #entry: Entry;
  #isRegistered = false;
  /** A request to register was sent, whatever became of it. */
  #mayBeThere = false;

  constructor(settings: ConsulRegistrySettings, entry: Entry) {
    this.#client = new ConsulClient(settings);
    this.#settings = settings;
    this.#entry = entry;
  }

  get where(): string {
    return `Consul at ${this.#settings.address}, service ${this.#settings.service}`;
  }

  get #checkId(): string {
    return `service:${this.#entry.instance}`;
  }

  async beat(ready: boolean, signal: AbortSignal): Promise<'kept' | 'registered' | 'withdrawn'> {
    if (this.#isRegistered) {
      const answer = await this.#update(ready, signal);
      if (answer.status === 200) return ready ? 'kept' : 'withdrawn';
      if (answer.status !== NOT_FOUND) throw statusError(answer);
      this.#isRegistered = false;
    }
    this.#mayBeThere = true;
    await this.#register(ready, signal);
    this.#isRegistered = true;
    return 'registered';
  }

  async withdraw(signal: AbortSignal): Promise<void> {
    if (!this.#mayBeThere) return;
    const answer = await this.#put(`/v1/agent/service/deregister/${encodeURIComponent(this.#entry.instance)}`, undefined, signal);
    if (answer.status !== 200 && answer.status !== NOT_FOUND) {
      // Where it may not leave it can at least be critical, and resolvers do not see it.
      await this.#update(false, signal);
      throw statusError(answer);
    }
    this.#isRegistered = false;
    this.#mayBeThere = false;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #register(ready: boolean, signal: AbortSignal): Promise<void> {
    const { service, tags, deregisterAfterMs } = this.#settings;
    const { upstream, instance, ttlMs } = this.#entry;
    const body = {
      ID: instance,
      Name: service,
      Tags: tags,
      Address: upstream.host,
      Port: upstream.port,
      Weights: { Passing: upstream.weight, Warning: 1 },
      Meta: { 'otlp-agent-version': VERSION },
      Check: {
        CheckID: this.#checkId,
        Name: 'otlp-agent is ready',
        TTL: `${Math.ceil(ttlMs / 1000)}s`,
        Status: ready ? 'passing' : 'critical',
        DeregisterCriticalServiceAfter: `${Math.ceil(deregisterAfterMs / 1000)}s`,
      },
    };
    const answer = await this.#put('/v1/agent/service/register', body, signal, { 'replace-existing-checks': 'true' });
    if (answer.status !== 200) throw statusError(answer);
  }

  async #update(ready: boolean, signal: AbortSignal): Promise<HttpAnswer> {
    const body = { Status: ready ? 'passing' : 'critical', Output: ready ? 'ready' : 'not ready, or draining' };
    return await this.#put(`/v1/agent/check/update/${encodeURIComponent(this.#checkId)}`, body, signal);
  }

  async #put(
    path: string,
    body: object | undefined,
    signal: AbortSignal,
    query: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    return await this.#client.ask({
      method: 'PUT',
      path,
      query,
      timeoutMs: REQUEST_TIMEOUT_MS,
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }
}

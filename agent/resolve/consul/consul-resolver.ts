import type { Log } from '../../telemetry/log.ts';
import { pause } from '../ask-loop.ts';
import { AskingResolver } from '../asking-resolver.ts';
import { asMap, asText, parseJson, statusError } from '../http-client.ts';
import { isHost, isPort, weightOf } from '../place.ts';
import type { Upstream } from '../resolver.ts';
import type { ConsulResolverSettings } from '../settings.ts';
import { ConsulClient } from './consul-client.ts';

/** Consul adds up to wait/16 of its own, so that all clients do not come back at once; the rest is for the way and a busy server. */
const WAIT_JITTER = 1 / 16;
const ANSWER_MARGIN_MS = 10_000;

/** Between two queries, whatever they answer: a service that changes all the time is read four times a second. */
const PACE_MS = 250;

/**
 * The instances of a Consul service whose checks pass, by blocking queries.
 * https://developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service
 * https://developer.hashicorp.com/consul/api-docs/features/blocking
 *
 * The index of an answer is asked with next; one that goes backwards or is below 1 starts over from 0 (a Consul that was restored). An
 * answer of a server that knows no leader may be old and is no answer.
 */
export class ConsulResolver extends AskingResolver {
  readonly #settings: ConsulResolverSettings;
  readonly #client: ConsulClient;
  #index = 0;

  constructor(settings: ConsulResolverSettings, log: Log) {
    super('consul', `the Consul service ${settings.service}`, log);
    this.#settings = settings;
    this.#client = new ConsulClient(settings);
  }

  protected override async disconnect(): Promise<void> {
    await this.#client.close();
  }

  protected override async round(signal: AbortSignal, answered: () => void): Promise<void> {
    const { service, tag, waitMs } = this.#settings;
    // After a failure the next question is not a blocking one: what is wrong must not be waited for, nor that all is well again.
    const index = this.#index;
    this.#index = 0;
    const answer = await this.#client.ask({
      path: `/v1/health/service/${encodeURIComponent(service)}`,
      query: { passing: 'true', tag, ...(index > 0 ? { index: String(index), wait: `${Math.ceil(waitMs / 1000)}s` } : {}) },
      timeoutMs: ANSWER_MARGIN_MS + (index > 0 ? waitMs * (1 + WAIT_JITTER) : 0),
      signal,
    });
    if (answer.status !== 200) throw statusError(answer);
    if (answer.header('x-consul-knownleader') === 'false') throw new Error('the Consul server knows no leader, so its answer may be old');
    const found = parseJson(answer.body);
    if (!Array.isArray(found)) throw new Error('the answer is no list of service instances');
    const next = Number(answer.header('x-consul-index'));
    if (!Number.isSafeInteger(next)) throw new Error('the answer has no X-Consul-Index; is this the address of a Consul agent?');
    this.#take(found);
    this.#index = next < Math.max(index, 1) ? 0 : next;
    answered();
    await pause(PACE_MS * (0.75 + Math.random() / 2), signal);
  }

  #take(instances: readonly unknown[]): void {
    const found: Upstream[] = [];
    let bad = 0;
    for (const instance of instances) {
      const upstream = toUpstream(instance);
      if (upstream === undefined) bad += 1;
      else found.push(upstream);
    }
    // A list of which nothing can be read is no answer; one of which something can be is.
    if (bad > 0 && found.length === 0) throw new Error(`none of the ${bad} instances has an address and a port`);
    this.state.resolved(found, bad === 0 ? undefined : `${bad} of ${instances.length} instances have no address and port`);
  }
}

/** Service.Address is empty where the service runs at the address of its node. */
function toUpstream(instance: unknown): Upstream | undefined {
  const service = asMap(asMap(instance).Service);
  const host = asText(service.Address) ?? asText(asMap(asMap(instance).Node).Address);
  const weight = weightOf(asMap(service.Weights).Passing);
  return isHost(host) && isPort(service.Port) && weight !== undefined ? { host, port: service.Port, weight } : undefined;
}

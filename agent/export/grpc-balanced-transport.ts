import { createPolicy } from '../balance/create-policy.ts';
import type { Endpoint } from '../balance/endpoint.ts';
import type { Policy } from '../balance/policy.ts';
import { probeOf } from '../balance/probe.ts';
import type { BalancerName, BalanceSettings } from '../balance/settings.ts';
import { type Change, Upstreams } from '../balance/upstreams.ts';
import type { OtlpGrpcExporterSettings } from '../config/settings.ts';
import type { Resolver } from '../resolve/resolver.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { Log } from '../telemetry/log.ts';
import { compress } from './compress.ts';
import { type Fate, unavailable } from './grpc-call.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { grpcLabels } from './grpc-transport.ts';
import type { Encoded, Transport } from './transport.ts';

/**
 * OTLP over gRPC to all addresses of a name. One queue in front of all of them; each attempt goes where the policy says:
 *
 *   never left, or refused unseen     at once to the next upstream, until each was tried
 *   failed in any other way           told as retry: the same bytes go to another upstream when the wait is over
 *   answered                          that is all: it goes nowhere else
 */
export class GrpcBalancedTransport implements Transport {
  readonly labels: Readonly<Record<string, string>>;
  readonly #settings: OtlpGrpcExporterSettings;
  readonly #upstreams: Upstreams;
  readonly #policy: Policy;
  readonly #balancer: BalancerName;
  /** Of one unit of weight, attempts that may be under way at a time. */
  #attemptsEach = Number.POSITIVE_INFINITY;
  readonly #channels = new Map<Endpoint, GrpcChannel>();
  /** Of upstreams that have left: calls under way go on. */
  readonly #retired = new Set<GrpcChannel>();
  /** Where a body failed the last time; it lives as long as its retries. */
  readonly #failedAt = new WeakMap<Encoded, Endpoint>();
  /** Attempts that came before the first answer of the resolver. */
  #waiting: (() => void)[] | undefined = [];
  #closed = false;

  constructor(settings: OtlpGrpcExporterSettings, { balancer, health }: BalanceSettings, resolver: Resolver, log: Log) {
    this.#settings = settings;
    this.labels = grpcLabels(settings);
    this.#policy = createPolicy(balancer);
    this.#balancer = balancer;
    this.#upstreams = new Upstreams(resolver, health, {
      id: settings.id,
      log,
      probe: probeOf(health.type),
      changed: (change) => this.#changed(change),
    });
    void this.#upstreams.start().then(() => this.#resolved());
  }

  encode(...body: Parameters<Transport['encode']>): Encoded | Promise<Encoded> {
    return compress(this.#settings.compression, undefined, ...body);
  }

  send(body: Encoded): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const begin = (): void => this.#send(body, resolve, undefined);
    if (this.#waiting === undefined) begin();
    else this.#waiting.push(begin);
    return promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#resolved();
    await this.#upstreams.close();
    for (const channel of [...this.#channels.values(), ...this.#retired]) channel.close();
  }

  /** `tried`: those that the same attempt could not reach; the list is made only where there is one. */
  #send(body: Encoded, resolve: (outcome: Outcome) => void, tried: readonly Endpoint[] | undefined): void {
    const endpoint = this.#closed ? undefined : this.#pick(body, tried);
    const channel = endpoint === undefined ? undefined : this.#channels.get(endpoint);
    if (endpoint === undefined || channel === undefined) {
      resolve(unavailable(this.#closed ? 'the exporter is closed' : `no upstream: ${this.#upstreams.resolver.status.message}`));
      return;
    }
    endpoint.active += 1;
    channel.send(body, (outcome, fate) => {
      endpoint.active -= 1;
      this.#judge(endpoint, outcome, fate);
      if (outcome.kind !== 'retry') {
        resolve(outcome);
        return;
      }
      const soFar = [...(tried ?? []), endpoint];
      const elsewhere = fate === 'unsent' || fate === 'refused' ? this.#upstreams.all.length > soFar.length : false;
      if (elsewhere && !this.#closed) {
        this.#send(body, resolve, soFar);
        return;
      }
      this.#failedAt.set(body, endpoint);
      // A RetryInfo is for that upstream: with others at hand the line need not be silent.
      const others = this.#upstreams.live.some((one) => one !== endpoint && one.notBefore <= performance.now());
      resolve(outcome.afterMs !== undefined && others ? { ...outcome, afterMs: undefined } : outcome);
    });
  }

  /** First who is ready, has not more than its share under way and did not fail with this body, then who did not, then anyone. */
  #pick(body: Encoded, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const now = performance.now();
    const failed = this.#failedAt.get(body);
    const untried = (one: Endpoint): boolean => one !== failed && tried?.includes(one) !== true;
    return (
      this.#policy.pick(now, (one) => one.notBefore <= now && untried(one) && one.active < this.#mostFor(one)) ??
      this.#policy.pick(now, (one) => one.notBefore <= now && untried(one)) ??
      this.#policy.pick(now, untried) ??
      this.#upstreams.all.find(untried) ??
      this.#policy.pick(now, (one) => tried?.includes(one) !== true)
    );
  }

  /**
   * A slow upstream holds its attempts for long, and each turn would give it one more, until it holds all that this exporter may have under
   * way and the others stand idle. So it gets its share of them and one more, but never the last.
   */
  #mostFor(endpoint: Endpoint): number {
    if (this.#attemptsEach === Number.POSITIVE_INFINITY) return this.#attemptsEach;
    const share = this.#attemptsEach * (this.#balancer === 'weighted_round_robin' ? endpoint.weight : 1);
    return Math.max(1, Math.min(Math.ceil(share) + 1, this.#settings.queue.consumers - 1));
  }

  #judge(endpoint: Endpoint, outcome: Outcome, fate: Fate): void {
    if (outcome.kind !== 'retry') this.#upstreams.succeeded(endpoint);
    else if (outcome.afterMs !== undefined) endpoint.notBefore = performance.now() + outcome.afterMs;
    else if (fate !== 'refused') this.#upstreams.failed(endpoint, outcome.message);
  }

  #changed({ added, removed }: Change): void {
    for (const endpoint of added) {
      const { host, port } = endpoint;
      this.#channels.set(endpoint, new GrpcChannel(this.#settings, { kind: 'tcp', host, port }));
    }
    for (const old of this.#retired) if (old.gone) this.#retired.delete(old);
    for (const endpoint of removed) {
      const channel = this.#channels.get(endpoint) as GrpcChannel;
      channel.retire();
      this.#channels.delete(endpoint);
      this.#retired.add(channel);
    }
    const { live } = this.#upstreams;
    this.#policy.use(live);
    const weights = this.#balancer === 'weighted_round_robin' ? live.reduce((sum, { weight }) => sum + weight, 0) : live.length;
    const limited = this.#balancer !== 'pick_first' && this.#settings.queue.enabled && live.length > 1;
    this.#attemptsEach = limited ? this.#settings.queue.consumers / weights : Number.POSITIVE_INFINITY;
    if (added.length > 0) this.#resolved();
  }

  /** The resolver has answered, or has failed: attempts need not wait any longer. */
  #resolved(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const begin of waiting) begin();
  }
}

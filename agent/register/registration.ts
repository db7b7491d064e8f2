import { describe, pause } from '../resolve/ask-loop.ts';
import type { ResolverStatus } from '../resolve/resolver.ts';
import { oneLine } from '../resolve/resolver-state.ts';
import { Backoff } from '../runtime/backoff.ts';
import type { Log } from '../telemetry/log.ts';
import { ConsulRegistry } from './consul-registry.ts';
import { EtcdRegistry } from './etcd-registry.ts';
import type { Registry } from './registry.ts';
import type { RegistrationSettings } from './settings.ts';

/** A sign of life comes this often within the TTL, so that two of them may be lost. */
const BEATS_IN_A_TTL = 3;
/** How soon a change of readiness is seen. */
const POLL_MS = 250;
/** Looked at again soon after it was entered: at a reload the old registration may take out what the new one has just entered. */
const CONFIRM_MS = 1_000;
/** How long the drain waits for the registry; a registry that is away finds out by the TTL. */
const WITHDRAW_MS = 3_000;

/** What a registration has done since its start. */
export interface RegistrationCounts {
  /** Times that the agent was entered, the first one and each one after it was forgotten. */
  readonly registrations: number;
  readonly failures: number;
}

/**
 * Tells a Consul or an etcd that this agent can be reached, for as long as it is ready. `start()` once the listeners are bound, `drain()`
 * before they stop, so that nobody is sent to a door that closes.
 */
export class Registration {
  readonly id: string;
  readonly #registry: Registry;
  readonly #ttlMs: number;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  readonly #first = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  #status: ResolverStatus = { ok: false, message: 'has not registered yet' };
  #registrations = 0;
  #failures = 0;

  constructor(settings: RegistrationSettings, log: Log) {
    const { upstream, instance, ttlMs, registry } = settings;
    const entry = { upstream, instance, ttlMs };
    this.id = settings.id;
    this.#registry = registry.kind === 'consul' ? new ConsulRegistry(registry, entry) : new EtcdRegistry(registry, entry);
    this.#ttlMs = ttlMs;
    this.#log = log;
    this.#backoff = new Backoff({
      initialIntervalMs: 250,
      multiplier: 1.7,
      maxIntervalMs: Math.min(ttlMs / BEATS_IN_A_TTL, 8_000),
      randomizationFactor: 0.25,
    });
  }

  get status(): ResolverStatus {
    return this.#status;
  }

  get counts(): RegistrationCounts {
    return { registrations: this.#registrations, failures: this.#failures };
  }

  /** Resolves after the first try, which may have failed: a registry that is away is no reason not to start. It does not reject. */
  start(ready: () => boolean): Promise<void> {
    this.#running ??= this.#run(ready, this.#first.resolve);
    return this.#first.promise;
  }

  /** Takes the agent out of the registry and gives no sign of life any more. Ends within seconds, also where the registry is away. */
  drain(): Promise<void> {
    this.#ended ??= this.#withdraw();
    return this.#ended;
  }

  /** drain() if that was not called, and nothing stays open. */
  async close(): Promise<void> {
    await this.drain();
    await this.#registry.close();
  }

  async #run(ready: () => boolean, first: () => void): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const wanted = ready();
      let wait = this.#ttlMs / BEATS_IN_A_TTL;
      try {
        const result = await this.#registry.beat(wanted, signal);
        this.#backoff.reset();
        if (result === 'registered') {
          this.#registrations += 1;
          wait = Math.min(wait, CONFIRM_MS);
        }
        this.#say(true, wanted ? 'registered' : 'not offered, as the agent is not ready');
      } catch (error) {
        if (signal.aborted) break;
        this.#failures += 1;
        this.#say(false, oneLine(describe(error)));
        wait = this.#backoff.next();
      }
      first();
      for (const until = performance.now() + wait; performance.now() < until && ready() === wanted && !signal.aborted; ) {
        await pause(Math.min(POLL_MS, until - performance.now()), signal);
      }
    }
    first();
  }

  async #withdraw(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (this.#running === undefined) return;
    try {
      await this.#registry.withdraw(AbortSignal.timeout(WITHDRAW_MS));
      this.#say(true, 'withdrawn');
    } catch (error) {
      this.#say(false, `not withdrawn, it ends with its TTL: ${oneLine(describe(error))}`);
    }
  }

  #say(ok: boolean, message: string): void {
    const whole = `${message} (${this.#registry.where})`;
    if (whole === this.#status.message) return;
    this.#status = { ok, message: whole };
    if (ok) this.#log.info('registration', { extension: this.id, state: whole });
    else this.#log.warn('registration failed', { extension: this.id, error: whole });
  }
}

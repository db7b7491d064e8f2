import { context, diag, ROOT_CONTEXT } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, suppressTracing } from '@opentelemetry/core';
import type { AgentConfig } from '../../config/agent-config.generated.ts';
import { timerMs } from '../../config/go-duration.ts';
import type { Signal } from '../../config/settings.ts';
import type { Outcome } from '../../runtime/outcome.ts';
import { type CreateOptions, create } from '../create.ts';
import type { EmbeddedAgent } from '../embedded-agent.ts';
import { Pending } from '../pending.ts';
import type { ShortConfig } from '../short-form.ts';
import { Remarks } from './remarks.ts';

/**
 * Where an exporter sends to: an instance, or the promise of one, that several exporters may share and that its maker closes; or a
 * configuration, of which the exporter makes an instance of its own that ends with it.
 */
export type Destination = EmbeddedAgent | Promise<EmbeddedAgent> | AgentConfig | ShortConfig | string;

export interface ExporterOptions {
  /**
   * Milliseconds that the result of an export waits for the delivery. After that it is SUCCESS, as the agent has the data and goes on
   * trying: a processor exports one batch at a time, and while it waits for a backend that is away its own small queue overflows. 0 never
   * waits, Infinity always does. @default 1000
   */
  readonly patienceMs?: number;
  /** Milliseconds after which forceFlush() rejects; what it waited for stays queued. @default 10000, as the official exporters' timeout */
  readonly flushTimeoutMs?: number;
  /** On whose behalf, for the audit of the instance. @default the instance's `who` */
  readonly who?: string;
  /** Of an instance of its own: audit, log, environment. */
  readonly create?: CreateOptions;
}

type Done = (result: ExportResult) => void;

/** Before every message. */
const NAME = 'otlp-stack-agent';
const DEFAULT_PATIENCE_MS = 1000;
const DEFAULT_FLUSH_TIMEOUT_MS = 10_000;
/** Exports that may come before the instance is there: it is made in milliseconds, and what is held for it counts nowhere. */
const MAX_EARLY = 64;

/**
 * What the three exporters have in common: serialize, hand over, answer once, flush, shut down. Never throws into the SDK.
 *
 *   export -> bytes -> taken   -> delivered in time    SUCCESS
 *                              -> rejected in time     FAILED
 *                              -> patience is over     SUCCESS, the agent goes on; a loss is said by diag
 *                   -> refused                         FAILED
 */
export class Handover<T> {
  readonly #signal: Signal;
  readonly #serialize: (items: T) => Uint8Array;
  readonly #options: ExporterOptions;
  readonly #patienceMs: number;
  readonly #ownsAgent: boolean;
  readonly #arriving: Promise<EmbeddedAgent | undefined>;
  #agent: EmbeddedAgent | undefined;
  #failure: Error | undefined;
  #early = 0;
  /** Requests whose patience is over: while there are any, the next ones need not wait to learn that the backend is slow. */
  #behind = 0;
  readonly #onLate = (): void => {
    this.#behind += 1;
  };
  readonly #pending = new Pending();
  readonly #remarks = new Remarks(NAME);
  #shutdown: Promise<void> | undefined;

  constructor(signal: Signal, serialize: (items: T) => Uint8Array, destination: Destination, options: ExporterOptions) {
    this.#signal = signal;
    this.#serialize = serialize;
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
    this.#ownsAgent = !isAgent(destination) && !isPromise(destination);
    if (isAgent(destination)) this.#agent = destination;
    const made = isAgent(destination) || isPromise(destination) ? destination : create(destination, this.#createOptions());
    this.#arriving = this.#arrive(made);
  }

  /** Never rejects: what is wrong fails every export. */
  async #arrive(made: EmbeddedAgent | Promise<EmbeddedAgent>): Promise<EmbeddedAgent | undefined> {
    try {
      const agent = await made;
      if (!isAgent(agent)) throw new TypeError('the exporter was given something else than an instance of the agent');
      this.#agent = agent;
      return agent;
    } catch (error) {
      this.#failure = errorOf(error);
      diag.error(`${NAME}: ${this.#signal} are not exported: ${this.#failure.message}`);
      return undefined;
    }
  }

  export(items: T, done: Done): void {
    const bytes = this.#bytesOf(items);
    if (bytes instanceof Error) answer(done, { code: ExportResultCode.FAILED, error: bytes });
    else if (this.#agent !== undefined) this.#hand(this.#agent, bytes, done);
    else this.#handWhenThere(bytes, done);
  }

  #bytesOf(items: T): Uint8Array | Error {
    if (this.#shutdown !== undefined) return new Error(`${NAME}: the exporter has been shut down`);
    try {
      return this.#serialize(items);
    } catch (error) {
      return errorOf(error);
    }
  }

  #handWhenThere(bytes: Uint8Array, done: Done): void {
    if (this.#early >= MAX_EARLY) {
      answer(done, failed('the agent is not started yet'));
      return;
    }
    this.#early += 1;
    void this.#arriving.then((agent) => {
      this.#early -= 1;
      if (agent === undefined) answer(done, failed(this.#failure?.message ?? 'there is no agent'));
      else this.#hand(agent, bytes, done);
    });
  }

  /** Resolves when everything exported by now has been delivered or has ended otherwise; rejects after `flushTimeoutMs`. */
  async forceFlush(): Promise<void> {
    const timeoutMs = this.#options.flushTimeoutMs ?? DEFAULT_FLUSH_TIMEOUT_MS;
    if (!(await this.#settledWithin(timeoutMs))) {
      throw new Error(`${this.#signal} are not delivered within ${timeoutMs} ms; they stay queued`);
    }
  }

  /** Delivers what is left, within the drain deadline of the agent, and ends an instance of its own. Resolves in any case. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#end();
    return this.#shutdown;
  }

  async #end(): Promise<void> {
    await this.#endAgent();
    this.#remarks.flush();
  }

  async #endAgent(): Promise<void> {
    const agent = await this.#arriving;
    if (agent === undefined) return;
    if (!this.#ownsAgent) {
      if (!(await this.#settledWithin(agent.drainDeadlineMs))) diag.warn(`${NAME}: ${this.#signal} are still queued at the shutdown`);
      return;
    }
    const { total } = await agent.drain();
    if (total.evicted > 0) diag.warn(`${NAME}: ${total.evicted} ${this.#signal} were not delivered before the shutdown`);
    await agent.close();
  }

  async #settledWithin(timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timerMs(timeoutMs));
    // After the exports that wait for the same promise: they are handed over first.
    void this.#arriving
      .then(() => {
        this.#agent?.hurry();
        return this.#pending.settled();
      })
      .then(() => resolve(true));
    const settled = await promise;
    clearTimeout(timer);
    return settled;
  }

  #hand(agent: EmbeddedAgent, bytes: Uint8Array, done: Done): void {
    const generation = this.#pending.begin();
    const waiting = new Waiting(done, this.#behind > 0 ? 0 : this.#patienceMs, this.#onLate);
    const onOutcome = (outcome: Outcome): void => {
      if (waiting.late) this.#behind -= 1;
      waiting.end(resultOf(outcome));
      this.#say(outcome, waiting.late);
      this.#pending.end(generation);
    };
    const { who } = this.#options;
    // Sending is no work of the request that happens to be active, and must not be traced: its span would be exported, and so on.
    const verdict = context.with(suppressTracing(ROOT_CONTEXT), () =>
      agent.offer(this.#signal, bytes, who === undefined ? { onOutcome } : { who, onOutcome }),
    );
    if (verdict === 'taken') {
      waiting.begin();
      return;
    }
    this.#pending.end(generation);
    waiting.end(failed(verdict.message));
  }

  /** What the result could not say: it was given already, or it is SUCCESS. An instance of its own says it in its log, which is diag. */
  #say(outcome: Outcome, late: boolean): void {
    if (this.#ownsAgent) return;
    if (outcome.kind === 'ok') {
      if (outcome.rejected > 0)
        this.#remarks.add('warn', `the backend rejected a part of ${this.#signal}`, `${outcome.rejected}: ${outcome.message}`);
    } else if (late) this.#remarks.add('error', `${this.#signal} were not delivered`, outcome.message);
  }

  #createOptions(): CreateOptions {
    return { log: { debug: () => {}, info: diagOf('info'), warn: diagOf('warn'), error: diagOf('error') }, ...this.#options.create };
  }
}

/** One export whose result is awaited: answers once. */
class Waiting {
  /** The result was given before the end. */
  late = false;
  /** Let go when it was called: it holds the items of the SDK, three times what their bytes take, and the delivery may be hours away. */
  #done: Done | undefined;
  readonly #patienceMs: number;
  readonly #onLate: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(done: Done, patienceMs: number, onLate: () => void) {
    this.#done = done;
    this.#patienceMs = patienceMs;
    this.#onLate = onLate;
  }

  /** It was taken. It may have ended already, in that very call. */
  begin(): void {
    if (this.#done === undefined || this.#patienceMs === Number.POSITIVE_INFINITY) return;
    if (this.#patienceMs <= 0) this.#giveUpWaiting();
    else this.#timer = setTimeout(() => this.#giveUpWaiting(), timerMs(this.#patienceMs)).unref();
  }

  end(result: ExportResult): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    answer(done, result);
  }

  #giveUpWaiting(): void {
    this.late = true;
    this.#onLate();
    this.end({ code: ExportResultCode.SUCCESS });
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function isAgent(destination: Destination): destination is EmbeddedAgent {
  return has(destination, 'offer');
}

/** Of any realm and make. */
function isPromise(destination: Destination): destination is Promise<EmbeddedAgent> {
  return has(destination, 'then');
}

/** Not a key of any configuration. */
function has(destination: unknown, method: string): boolean {
  return typeof destination === 'object' && destination !== null && typeof (destination as Record<string, unknown>)[method] === 'function';
}

function resultOf(outcome: Outcome): ExportResult {
  return outcome.kind === 'ok' ? { code: ExportResultCode.SUCCESS } : failed(outcome.message);
}

function failed(message: string): ExportResult {
  return { code: ExportResultCode.FAILED, error: new Error(`${NAME}: ${message}`) };
}

/** A processor's callback that throws must not end a delivery half way. */
function answer(done: Done, result: ExportResult): void {
  try {
    done(result);
  } catch (error) {
    diag.error(`${NAME}: the callback of an export threw`, error);
  }
}

function diagOf(level: 'info' | 'warn' | 'error'): (event: string, fields?: object) => void {
  return (event, fields) => diag[level](`${NAME}: ${event}`, fields ?? {});
}

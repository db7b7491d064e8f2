import type { Refusal } from '../admit/errors.ts';
import { REFUSALS, refuse } from '../admit/errors.ts';
import type { AgentSettings, Signal, SocketAddress } from '../config/settings.ts';
import { scan } from '../otlp/wire.ts';
import { compile, type Line } from '../pipeline.ts';
import { formatAddress } from '../receive/listen.ts';
import { type Books, booksOf } from '../telemetry/books.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { createRegistry, metricDefinitions } from '../telemetry/metrics.ts';
import { healthServer, metricsServer, type SideServer } from '../telemetry/servers.ts';
import { aborted } from './aborted.ts';
import type { Outcome } from './outcome.ts';

/** What surrounds the settings: for tests and embedding. */
export interface AgentOptions {
  /** @default JSON lines or console text on stdout, by the settings */
  readonly log?: Log;
  /**
   * What the process needs beside requests, taken off the memory limits. The program measures it; embedded in another program it is
   * that program's affair. @default 0
   */
  readonly baselineBytes?: number;
}

/** An agent: `createAgent()`, `start()`, `drain()`, `close()`, in this order; each may be called twice. */
export class Agent {
  readonly #settings: AgentSettings;
  readonly #line: Line;
  readonly #log: Log;
  readonly #metrics: SideServer | undefined;
  readonly #health: ReadonlyMap<string, SideServer>;
  readonly #exposition: () => Promise<string>;
  #state: 'created' | 'started' | 'draining' | 'drained' | 'closed' = 'created';
  #draining: Promise<Books> | undefined;

  /** Use createAgent(). */
  constructor(settings: AgentSettings, line: Line, log: Log) {
    this.#settings = settings;
    this.#line = line;
    this.#log = log;
    const startedAt = performance.now();
    const registry = createRegistry(metricDefinitions(line.counters, () => this.heldBytes, startedAt));
    this.#exposition = () => registry.metrics();
    const { metrics } = settings.telemetry;
    this.#metrics = metrics === undefined ? undefined : metricsServer(metrics.address, this.#exposition, registry.contentType);
    const health = { ready: () => this.ready, reason: () => this.#notReady() };
    this.#health = new Map(settings.healthChecks.map((one) => [one.id, healthServer(one, health, new Date())]));
  }

  /** Bytes of requests that are held at the moment. */
  get heldBytes(): number {
    let most = 0;
    for (const budget of this.#line.budgets) most = Math.max(most, budget.used);
    return most;
  }

  /** Whether it wants traffic: started, not draining, below its memory limit. */
  get ready(): boolean {
    return this.#state === 'started' && !this.#line.budgets.some((budget) => budget.exhausted);
  }

  /** Where it listens, by `otlp/grpc`, `otlp/http`, `metrics` and the health checks' ids; ports are the real ones where 0 was asked for. */
  get addresses(): Readonly<Record<string, SocketAddress>> {
    const found: Record<string, SocketAddress> = {};
    for (const [id, receiver] of this.#line.receivers) found[id] = receiver.address;
    if (this.#metrics !== undefined) found.metrics = this.#metrics.address;
    for (const [id, server] of this.#health) found[id] = server.address;
    return found;
  }

  /** Every item that came in, in exactly one place. */
  books(): Books {
    return booksOf(this.#line.counters);
  }

  /** The text of /metrics. */
  metrics(): Promise<string> {
    return this.#exposition();
  }

  /** Binds health and metrics, then the receivers; rejects with the configuration key where a port cannot be had, and nothing stays bound. */
  async start(): Promise<void> {
    if (this.#state !== 'created') return;
    try {
      await this.#metrics?.start();
      for (const server of this.#health.values()) await server.start();
      for (const receiver of this.#line.receivers.values()) await receiver.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#state = 'started';
    this.#log.info('started', {
      listening: Object.fromEntries(Object.entries(this.addresses).map(([id, address]) => [id, formatAddress(address)])),
    });
  }

  /**
   * Hands over a request without a socket: the bytes of an ExportXServiceRequest. `answer` is called once, when the data is stored or,
   * with wait_for_result, delivered. A refusal is returned; the bytes are still the caller's then.
   */
  offer(signal: Signal, request: Uint8Array, answer: (outcome: Outcome) => void): Refusal | undefined {
    const admission = this.#line.library[signal];
    if (admission === undefined) return refuse(REFUSALS.NO_PIPELINE, signal);
    const grant = admission.open(request.length);
    if (!grant.granted) return grant;
    const found = scan(signal, request);
    if (!found.ok) {
      grant.release();
      return refuse(REFUSALS.MALFORMED, found.reason);
    }
    const result = admission.offer(request, found.items, grant, answer);
    return 'kind' in result ? result : undefined;
  }

  /**
   * SIGTERM. In this order, as each step feeds the next:
   *   1. not ready any more, new requests are refused (UNAVAILABLE, 503), GOAWAY
   *   2. requests under way are read, answered and queued
   *   3. queues are flushed without waiting for batches to fill; retries go on
   *   4. at the deadline: what is left is counted as evicted and said in the log
   */
  drain(deadlineMs: number = this.#settings.agent.drainDeadlineMs): Promise<Books> {
    this.#draining ??= this.#drain(deadlineMs);
    return this.#draining;
  }

  async #drain(deadlineMs: number): Promise<Books> {
    this.#state = 'draining';
    this.#line.gate.open = false;
    this.#log.info('draining', { deadlineMs });
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMs);
    // Side by side: with wait_for_result a request under way is answered by what the exporter flushes.
    const receivers = [...this.#line.receivers.values()].map((receiver) => receiver.drain(deadline.signal));
    const flushed = Promise.all(receivers);
    for (const exporter of this.#line.exporters) exporter.flush();
    await Promise.race([flushed, aborted(deadline.signal)]);
    await Promise.all(this.#line.exporters.map((exporter) => exporter.drain(deadline.signal)));
    clearTimeout(timer);
    if (this.#state === 'draining') this.#state = 'drained';
    const books = this.books();
    this.#log.info('drained', { ...books.total });
    return books;
  }

  /** Ends all connections and servers. Without a drain before it, what is queued is lost. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#line.gate.open = false;
    await Promise.all([...this.#line.receivers.values()].map((receiver) => receiver.close()));
    await Promise.all(this.#line.exporters.map((exporter) => exporter.close()));
    await Promise.all([...this.#health.values()].map((server) => server.close()));
    await this.#metrics?.close();
  }

  #notReady(): string {
    if (this.#state === 'created') return 'starting';
    if (this.#state !== 'started') return 'draining';
    return 'at the memory limit';
  }
}

/** Builds an agent from settings; nothing is bound before start(). */
export async function createAgent(settings: AgentSettings, options: AgentOptions = {}): Promise<Agent> {
  const log = options.log ?? createLog(settings.telemetry.logs);
  const line = await compile(settings, log, options.baselineBytes ?? 0);
  return new Agent(settings, line, log);
}

import type { Refusal } from '../admit/errors.ts';
import { REFUSALS, refuse } from '../admit/errors.ts';
import { MemoryGuard } from '../admit/memory-guard.ts';
import { availableMemory } from '../config/load.ts';
import type { AgentSettings, Signal, SocketAddress } from '../config/settings.ts';
import { scan } from '../otlp/wire.ts';
import { formatAddress } from '../receive/listen.ts';
import type { Books } from '../telemetry/books.ts';
import { loadMetrics } from '../telemetry/load-metrics.ts';
import { LoadWatch } from '../telemetry/load-watch.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { printMetrics } from '../telemetry/metrics.ts';
import { ownMetrics } from '../telemetry/own/own-metrics.ts';
import { OwnTelemetry } from '../telemetry/own/own-telemetry.ts';
import { registrationMetrics } from '../telemetry/resolver-metrics.ts';
import type { Health } from '../telemetry/servers.ts';
import { type AgentStatus, statusOf } from '../telemetry/status.ts';
import { workersOf } from '../workers/count.ts';
import type { DataLine } from './data-line.ts';
import { Line } from './line.ts';
import type { Outcome } from './outcome.ts';
import { SideServers } from './side-servers.ts';

/** What surrounds the settings: for tests and embedding. */
export interface AgentOptions {
  /** @default JSON lines or console text on stdout, by the settings */
  readonly log?: Log;
  /**
   * What the process needs beside requests, taken off the memory limits. The program measures it; embedded in another program it is
   * that program's affair. @default 0
   */
  readonly baselineBytes?: number;
  /**
   * The process is the agent's own: its whole memory is watched against the limits, and garbage collected by force near them.
   * @default false
   */
  readonly ownsProcess?: boolean;
  /** The file that a worker thread starts from, where `agent.workers` may be more than 1. @default everything runs in this thread */
  readonly workerEntry?: URL;
}

/** The queue of one exporter for one signal; size and capacity in the unit of its `sizer`. */
export interface QueueState {
  readonly exporter: string;
  readonly signal: Signal;
  /** What waits and what is on its way. */
  readonly size: number;
  /** Infinity where the queue is off. */
  readonly capacity: number;
  /** Requests on their way. */
  readonly inFlight: number;
}

/** For what the agent says of itself, after a drain that has used its time up. */
const LAST_WORDS_MS = 1000;

/** An agent: `createAgent()`, `start()`, `drain()`, `close()`, in this order; each may be called twice. */
export class Agent {
  #settings: AgentSettings;
  readonly #line: DataLine;
  readonly #log: Log;
  readonly #own: OwnTelemetry;
  readonly #side: SideServers;
  readonly #guard: MemoryGuard | undefined;
  readonly #load: LoadWatch;
  readonly #ownsProcess: boolean;
  readonly #startedAt = performance.now();
  #state: 'created' | 'started' | 'draining' | 'drained' | 'closed' = 'created';
  #draining: Promise<Books> | undefined;
  /** Reloads and the drain come one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** Use createAgent(). */
  constructor(settings: AgentSettings, line: DataLine, own: OwnTelemetry, ownsProcess: boolean) {
    const { log } = own;
    this.#own = own;
    this.#settings = settings;
    this.#line = line;
    this.#log = log;
    this.#guard = ownsProcess ? new MemoryGuard(() => line.budgets.all, line.counters.memory, log, line.collect) : undefined;
    this.#ownsProcess = ownsProcess;
    this.#load = new LoadWatch(settings.agent.thresholds, availableMemory(), log, line.busy);
    const health: Health = {
      ready: () => this.ready,
      reason: () => this.#notReady(),
      status: async () => {
        await line.look?.();
        return this.status();
      },
    };
    this.#side = new SideServers(settings, () => this.metrics(), health, log);
  }

  /** Bytes of requests that are held at the moment. */
  get heldBytes(): number {
    return this.#line.heldBytes;
  }

  /** What the process needs beside requests, with its workers: taken off the memory limits. */
  get baselineBytes(): number {
    return this.#line.baselineBytes;
  }

  /** Whether it wants traffic: started, not draining, below its memory limit. */
  get ready(): boolean {
    return this.#state === 'started' && !this.#line.budgets.all.some((budget) => budget.exhausted);
  }

  /** Where it listens, by `otlp/grpc`, `otlp/http`, `metrics` and the extensions' ids; ports are the real ones where 0 was asked for. */
  get addresses(): Readonly<Record<string, SocketAddress>> {
    return { ...this.#line.addresses, ...this.#side.addresses };
  }

  /** The settings that hold at the moment. */
  get settings(): AgentSettings {
    return this.#settings;
  }

  /** Every item that came in, in exactly one place. With workers as they were when last asked: at a scrape, and at the end of the drain. */
  books(): Books {
    return this.#line.books();
  }

  /** How it is, pipeline by pipeline; what /status answers. */
  status(): AgentStatus {
    return statusOf(this.#settings, this.#line.exporters, this.#load, this.ready ? undefined : this.#notReady());
  }

  /** The text of /metrics. Which series there are changes with the settings, so the registry is made when it is asked for. */
  async metrics(): Promise<string> {
    const ofLine = await this.#line.metrics(this.#startedAt);
    const ofProcess = this.#ownsProcess ? loadMetrics(this.#load) : [];
    return await printMetrics([...ofLine, ...ofProcess, ...ownMetrics(this.#own), ...registrationMetrics(() => this.#side.registrations)]);
  }

  /** Binds health and metrics, then the receivers; rejects with the configuration key where a port cannot be had, and nothing stays bound. */
  async start(): Promise<void> {
    if (this.#state !== 'created') return;
    try {
      await this.#side.start();
      await this.#line.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#state = 'started';
    this.#guard?.apply(this.#settings);
    if (this.#ownsProcess) this.#load.start();
    this.#log.info('started', {
      listening: Object.fromEntries(Object.entries(this.addresses).map(([id, address]) => [id, formatAddress(address)])),
    });
  }

  /**
   * Other settings take over with no request refused and nothing lost: what did not change keeps its connections and queues, what is gone
   * finishes what it has. Rejects, and everything stays as it was, where an address cannot be had.
   */
  reload(settings: AgentSettings): Promise<void> {
    const turn = this.#turn.then(async () => {
      if (this.#state !== 'started') return;
      const { reloads } = this.#line.counters;
      try {
        await this.#side.reload(settings, () => this.#line.reload(settings, settings.agent.drainDeadlineMs));
        this.#settings = settings;
        this.#guard?.apply(settings);
        this.#load.apply(settings.agent.thresholds);
        reloads.success += 1;
        reloads.lastSuccess = Date.now() / 1000;
        this.#log.info('configuration reloaded', { pipelines: settings.pipelines.map(({ id }) => id) });
      } catch (error) {
        this.reloadFailed((error as Error).message);
        throw error;
      }
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Counts and says that a new configuration was not taken; the old one runs on. */
  reloadFailed(reason: string): void {
    this.#line.counters.reloads.failure += 1;
    this.#log.error('configuration not reloaded, the old one runs on', { reason });
  }

  /** The queues of the exporters, in no order. */
  get queues(): readonly QueueState[] {
    return this.#line.exporters.map(({ exporter, signal, queueSize, queueCapacity, inFlight }) => ({
      exporter,
      signal,
      size: queueSize,
      capacity: queueCapacity,
      inFlight,
    }));
  }

  /** What is queued at this moment waits for no batch to fill. */
  hurry(): void {
    this.#line.hurry();
  }

  /**
   * Hands over a request without a socket: the bytes of an ExportXServiceRequest. `answer` is called once, when the data is stored or, with
   * wait_for_result or `until` delivered, when it is delivered; with the number of items. A refusal is returned; the bytes are still the
   * caller's then.
   */
  offer(
    signal: Signal,
    request: Uint8Array,
    answer: (outcome: Outcome, items: number) => void,
    until: 'stored' | 'delivered' = 'stored',
  ): Refusal | undefined {
    const admission = this.#line.library[signal];
    if (admission === undefined) return refuse(REFUSALS.NO_PIPELINE, signal);
    const grant = admission.open(request.length);
    if (!grant.granted) return grant;
    const found = scan(signal, request);
    if (!found.ok) {
      grant.release();
      return refuse(REFUSALS.MALFORMED, found.reason);
    }
    const { items } = found;
    const told = (outcome: Outcome): void => answer(outcome, items);
    const result = admission.offer(request, items, grant, told, undefined, until === 'delivered');
    return 'kind' in result ? result : undefined;
  }

  /**
   * SIGTERM. In this order, as each step feeds the next:
   *   1. not ready any more, registrations are taken back, new requests are refused (UNAVAILABLE, 503), GOAWAY
   *   2. requests under way are read, answered and queued
   *   3. queues are flushed without waiting for batches to fill; retries go on
   *   4. at the deadline (milliseconds, or a signal): what is left is counted as evicted and said in the log
   */
  drain(deadline: number | AbortSignal = this.#settings.agent.drainDeadlineMs): Promise<Books> {
    this.#draining ??= this.#drain(deadline);
    return this.#draining;
  }

  async #drain(deadline: number | AbortSignal): Promise<Books> {
    this.#state = 'draining';
    this.#log.info('draining', typeof deadline === 'number' ? { deadlineMs: deadline } : {});
    const own = new AbortController();
    const timer = typeof deadline === 'number' ? setTimeout(() => own.abort(), deadline) : undefined;
    const signal = typeof deadline === 'number' ? own.signal : deadline;
    await this.#turn;
    await this.#side.drain(signal);
    await this.#line.drain(signal);
    // Last, as it tells of the line; a second more where that ran out of time, as then there is something to tell.
    await this.#own.drain(signal.aborted ? AbortSignal.timeout(LAST_WORDS_MS) : signal);
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
    this.#guard?.close();
    this.#load.close();
    await this.#line.close();
    await this.#side.close();
    await this.#own.close();
  }

  #notReady(): string {
    if (this.#state === 'created') return 'starting';
    if (this.#state !== 'started') return 'draining';
    return 'at the memory limit';
  }
}

/** Builds an agent from settings; nothing is bound before start(). */
export async function createAgent(settings: AgentSettings, options: AgentOptions = {}): Promise<Agent> {
  const own = await OwnTelemetry.create(settings.telemetry, options.log ?? createLog(settings.telemetry.logs));
  const { log } = own;
  const baselineBytes = options.baselineBytes ?? 0;
  const { workerEntry } = options;
  const line: DataLine =
    workersOf(settings, workerEntry !== undefined, log) === 1 || workerEntry === undefined
      ? new Line(log, baselineBytes)
      : new (await import('../workers/worker-pool.ts')).WorkerPool(log, workerEntry, baselineBytes);
  try {
    await line.build(settings);
  } catch (error) {
    await line.close();
    throw error;
  }
  return new Agent(settings, line, own, options.ownsProcess ?? false);
}

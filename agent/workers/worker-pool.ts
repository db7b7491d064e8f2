import { setFlagsFromString } from 'node:v8';
import type { AgentSettings } from '../config/settings.ts';
import { Budgets } from '../pipeline.ts';
import type { Admissions } from '../receive/receive.ts';
import type { DataLine, ExporterState } from '../runtime/data-line.ts';
import type { Books } from '../telemetry/books.ts';
import { Counters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
import { type MetricDefinition, metricDefinitions } from '../telemetry/metrics.ts';
import { pack } from './crossing.ts';
import { mergeBooks, mergeMetrics } from './merge.ts';
import { probe } from './probe.ts';
import type { Addresses, Pulse, Snapshot } from './protocol.ts';
import { shareOf } from './share.ts';
import { type SharedCells, sharedCells, WholeBudget } from './shared-budget.ts';
import { LOOK_MS, SpreadWatch } from './spread.ts';
import { WorkerHandle } from './worker-handle.ts';

/**
 * A line in each of several threads, as one line. Workers have nothing in common but the limits of memory: each has its receivers on the
 * same addresses (the kernel spreads connections), its queues, batches, retries, resolvers and connections.
 *
 *   main thread                     worker 0 .. n-1
 *   signals, configuration, log     sockets -> admit -> process -> queue -> export -> sockets
 *   /metrics, health, registration      |          |
 *   memory guard                    reusePort   leases out of one limit (shared-budget.ts)
 *
 * Slow things only go between: settings, counters when somebody asks, lines of the log. No item does.
 */
export class WorkerPool implements DataLine {
  readonly counters = new Counters();
  readonly library: Admissions = {};
  readonly #log: Log;
  readonly #entry: URL;
  readonly #spread: SpreadWatch;
  readonly #cells = new Map<string, SharedCells>();
  #baselineBytes: number;
  #budgets: Budgets | undefined;
  #workers: readonly WorkerHandle[] = [];
  #settings: AgentSettings | undefined;
  #addresses: Addresses = {};
  #seen: readonly Snapshot[] = [];
  #busy: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `baselineBytes` is what the process needs before there are workers; `entry` what a worker starts from. */
  constructor(log: Log, entry: URL, baselineBytes: number) {
    this.#log = log;
    this.#entry = entry;
    this.#baselineBytes = baselineBytes;
    this.#spread = new SpreadWatch(log);
  }

  get budgets(): { readonly all: readonly WholeBudget[] } {
    return { all: (this.#budgets?.all ?? []) as readonly WholeBudget[] };
  }

  get baselineBytes(): number {
    return this.#baselineBytes;
  }

  get addresses(): Addresses {
    return this.#addresses;
  }

  get heldBytes(): number {
    return this.#seen.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  get exporters(): readonly ExporterState[] {
    return this.#seen.flatMap(({ exporters }) => exporters);
  }

  books(): Books {
    return mergeBooks(this.#seen.map(({ books }) => books));
  }

  readonly collect = (): void => {
    for (const worker of this.#workers) worker.tell('collect');
  };

  readonly busy = (): number => {
    this.#busy = this.#workers.map((worker) => worker.busy());
    return Math.max(0, ...this.#busy);
  };

  async look(): Promise<void> {
    this.#seen = await this.#each((worker) => worker.ask('snapshot'));
  }

  async metrics(startedAt: number): Promise<readonly MetricDefinition[]> {
    const [pulses] = await Promise.all([this.#pulses(), this.look()]);
    const main = metricDefinitions(this.counters, () => 0, startedAt);
    return [
      ...mergeMetrics(
        main,
        this.#seen.map(({ metrics }) => metrics),
      ),
      ...this.#spread.metrics(pulses),
    ];
  }

  /** The first worker alone, as the others need to know where it listens. */
  async build(settings: AgentSettings): Promise<void> {
    const { workers: count } = settings.agent;
    this.#settings = settings;
    // Flags are those of the process, and a thread looks at them when it starts: a worker that set it itself would race with the others.
    setFlagsFromString('--expose-gc');
    this.#workers = Array.from({ length: count }, (_, index) => new WorkerHandle(this.#entry, { index, count }, this.#log));
    this.#learn(settings);
    await this.#buildOne(this.#first, settings, {});
  }

  async start(): Promise<void> {
    const settings = this.#settings as AgentSettings;
    await probe(settings, undefined);
    this.#addresses = await this.#first.ask('bind');
    await this.#others(async (worker) => {
      await this.#buildOne(worker, settings, this.#addresses);
      await worker.ask('bind');
    });
    setFlagsFromString('--no-expose-gc');
    // All that runs without traffic is here now, and is not there for requests.
    this.#baselineBytes = Math.max(this.#baselineBytes, process.memoryUsage.rss());
    this.#budgets = new Budgets(this.#baselineBytes, (name) => new WholeBudget(this.#cellsOf(name)));
    this.#budgets.apply(settings);
    await this.look();
    await this.#each((worker) => worker.ask('open'));
    this.#log.info('workers', { workers: this.#workers.length, baselineMib: Math.round(this.#baselineBytes / 2 ** 20) });
    this.#timer = setInterval(() => void this.#watch(), LOOK_MS).unref();
  }

  /** All or nothing: prepared in all of them before the first takes it over. */
  async reload(settings: AgentSettings, deadlineMs: number): Promise<void> {
    const before = this.#settings;
    await probe(settings, before);
    this.#learn(settings);
    const prepared: WorkerHandle[] = [];
    const prepare = async (worker: WorkerHandle, addresses: Addresses): Promise<Addresses> => {
      const got = await worker.ask('prepare', this.#told(worker, settings, addresses));
      prepared.push(worker);
      return got;
    };
    let addresses: Addresses;
    try {
      // As at its start without the ports that it got: what asks for port 0 as before is the same listener, and keeps its port.
      addresses = await prepare(this.#first, {});
      // Each to its end, so that none is prepared after the rest has been told to stay.
      const results = await Promise.allSettled(this.#workers.slice(1).map((worker) => prepare(worker, addresses)));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } catch (error) {
      await Promise.all(prepared.map((worker) => worker.ask('abandon')));
      throw error;
    }
    this.#budgets?.apply(settings);
    await this.#each((worker) => worker.ask('commit', { deadlineMs }));
    this.#settings = settings;
    this.#addresses = addresses;
  }

  hurry(): void {
    for (const worker of this.#workers) worker.tell('hurry');
  }

  /** Side by side; each sends its last counts when it is done. */
  async drain(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#timer);
    const tell = (): void => {
      for (const worker of this.#workers) worker.tell('deadline');
    };
    if (deadline.aborted) tell();
    else deadline.addEventListener('abort', tell, { once: true });
    this.#seen = await this.#each((worker) => worker.ask('drain'));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const last = await this.#each((worker) => worker.close());
    if (last.every((one) => one !== undefined)) this.#seen = last;
  }

  get #first(): WorkerHandle {
    return this.#workers[0] as WorkerHandle;
  }

  async #buildOne(worker: WorkerHandle, settings: AgentSettings, addresses: Addresses): Promise<void> {
    await worker.ask('build', this.#told(worker, settings, addresses));
  }

  #told(worker: WorkerHandle, settings: AgentSettings, addresses: Addresses): { settings: unknown; budgets: readonly SharedCells[] } {
    const place = { index: worker.index, count: this.#workers.length };
    return { settings: pack(shareOf(settings, place, addresses)), budgets: [...this.#cells.values()] };
  }

  /** Cells for each limit of the settings; those of a limit that is gone stay, as requests may hold it. */
  #learn(settings: AgentSettings): void {
    this.#cellsOf('agent.memory');
    for (const own of Object.values(settings.processors)) if (own.kind === 'memory_limiter') this.#cellsOf(own.id);
  }

  #cellsOf(name: string): SharedCells {
    const present = this.#cells.get(name) ?? sharedCells(name, this.#workers.length);
    this.#cells.set(name, present);
    return present;
  }

  #pulses(): Promise<Pulse[]> {
    return this.#each((worker) => worker.ask('pulse'));
  }

  async #watch(): Promise<void> {
    this.#spread.judge(await this.#pulses(), this.#busy);
  }

  #each<T>(ask: (worker: WorkerHandle) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#workers.map(ask));
  }

  async #others(ask: (worker: WorkerHandle) => Promise<void>): Promise<void> {
    await Promise.all(this.#workers.slice(1).map(ask));
  }
}

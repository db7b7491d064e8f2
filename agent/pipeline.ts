import { Admission, type Gate, Route } from './admit/admit.ts';
import { Budget } from './admit/budget.ts';
import type { ConnectorEntry, PipelineEntry } from './admit/flow.ts';
import type { AgentSettings, PipelineSettings, Signal } from './config/settings.ts';
import { SIGNALS } from './config/settings.ts';
import { createConnector } from './connect/create-connector.ts';
import type { Outlet } from './export/outlet.ts';
import { createProcessor } from './process/create-processor.ts';
import type { Prepared } from './process/prepare.ts';
import type { Counters, ReceiverCounters } from './telemetry/counters.ts';
import type { Log } from './telemetry/log.ts';

/**
 * The straight line, compiled from service.pipelines:
 *
 *   receive  ->  admit  ->  process  ->  queue  ->  export
 *   sockets      bytes      slices       ring       batch, retry, connections
 *
 * This file makes the middle: entries (process and connect) and routes (admit). runtime/line.ts holds both ends.
 */
export interface Middle {
  readonly entries: readonly PipelineEntry[];
  /** Ends the timers of processors and connectors, when another middle has taken over. */
  close(): void;
}

/** Pipelines with their processors and connectors, ready to run; `outlet` gives the exporter of an id for a signal, `prepared` what processors had to wait for. */
export function compileMiddle(
  settings: AgentSettings,
  counters: Counters,
  log: Log,
  outlet: (signal: Signal, id: string) => Outlet,
  prepared: Prepared,
): Middle {
  const closers: { close?(): void }[] = [];
  const made = new Map<string, PipelineEntry>();

  const processorsOf = (pipeline: PipelineSettings): PipelineEntry['processors'] =>
    pipeline.processors.map((id) => {
      const own = settings.processors[id];
      if (own === undefined) throw new Error(`pipeline ${pipeline.id} names processor ${id}, which is not in the settings`);
      const count = counters.processor(id, own.kind, pipeline.signal);
      const processor = createProcessor(own, pipeline.signal, { log, counters: count, prepared });
      if (processor !== undefined) closers.push(processor);
      return { processor, counters: count };
    });

  const connectorsOf = (pipeline: PipelineSettings): ConnectorEntry[] =>
    onceEach(pipeline.exporters).flatMap((id) => {
      const own = settings.connectors[id];
      if (own === undefined) return [];
      const connector = createConnector(own, log);
      closers.push(connector);
      const targets = settings.pipelines.filter((other) => other.receivers.includes(id)).map(entryOf);
      return [{ connector, counters: counters.connector(id, pipeline.signal), targets }];
    });

  // Recursion ends: config/connectors.ts refuses circles.
  const entryOf = (pipeline: PipelineSettings): PipelineEntry => {
    const present = made.get(pipeline.id);
    if (present !== undefined) return present;
    const entry: PipelineEntry = {
      id: pipeline.id,
      signal: pipeline.signal,
      processors: processorsOf(pipeline),
      outlets: onceEach(pipeline.exporters)
        .filter((id) => settings.connectors[id] === undefined)
        .map((id) => outlet(pipeline.signal, id)),
      connectors: connectorsOf(pipeline),
    };
    made.set(pipeline.id, entry);
    return entry;
  };

  const entries = settings.pipelines.map(entryOf);
  return {
    entries,
    close: () => {
      for (const one of closers) one.close?.();
    },
  };
}

/** An exporter that a pipeline names twice is one node of the Collector's graph: it gets everything once. */
function onceEach(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)];
}

export type Transport = ReceiverCounters['transport'];

/** What a receiver's signal reaches decides which pipelines it feeds and which limits it meets; undefined where nothing takes it. */
export function routeOf(
  settings: AgentSettings,
  { entries }: Middle,
  budgets: Budgets,
  counters: Counters,
  receiver: string,
  transport: Transport,
  signal: Signal,
): Route | undefined {
  // A function call reaches every pipeline that begins outside, one that a connector feeds only through it.
  const begins = (pipeline: PipelineSettings): boolean =>
    transport === 'library'
      ? pipeline.receivers.length === 0 || pipeline.receivers.some((id) => settings.connectors[id] === undefined)
      : pipeline.receivers.includes(receiver);
  const reached = settings.pipelines.flatMap((pipeline, i) =>
    pipeline.signal === signal && begins(pipeline) ? [entries[i] as PipelineEntry] : [],
  );
  if (reached.length === 0) return undefined;
  const limits = new Set<Budget>([budgets.always]);
  const visit = (entry: PipelineEntry): void => {
    for (const { counters: one } of entry.processors) if (one.kind === 'memory_limiter') limits.add(budgets.of(one.processor));
    for (const { targets } of entry.connectors) targets.forEach(visit);
  };
  reached.forEach(visit);
  return new Route(counters.receiver(receiver, transport, signal), [...limits], reached);
}

/** A budget without a limit yet; workers share theirs (workers/shared-budget.ts). */
export type MakeBudget = (name: string) => Budget;

/** One budget for each memory_limiter and one over everything; they outlive reloads, as requests that are held stay counted. */
export class Budgets {
  readonly always: Budget;
  readonly #byId = new Map<string, Budget>();
  readonly #baselineBytes: number;
  readonly #make: MakeBudget;

  constructor(baselineBytes: number, make: MakeBudget = (name) => new Budget(name, Number.POSITIVE_INFINITY, 0)) {
    this.#baselineBytes = baselineBytes;
    this.#make = make;
    this.always = make('agent.memory');
  }

  get all(): readonly Budget[] {
    return [this.always, ...this.#byId.values()];
  }

  of(id: string): Budget {
    const found = this.#byId.get(id);
    if (found === undefined) throw new Error(`memory_limiter ${id} has no budget`);
    return found;
  }

  /** Takes the limits of the settings over. */
  apply(settings: AgentSettings): void {
    const { memoryLimitBytes } = settings.agent;
    // Counted also where nothing limits it, so that what is held is known.
    if (memoryLimitBytes === undefined) this.always.resize(Number.POSITIVE_INFINITY, 0);
    else this.#resize(this.always, memoryLimitBytes, memoryLimitBytes / 5);
    for (const own of Object.values(settings.processors)) {
      if (own.kind !== 'memory_limiter') continue;
      const budget = this.#byId.get(own.id) ?? this.#make(own.id);
      this.#byId.set(own.id, budget);
      this.#resize(budget, own.limitBytes, own.spikeBytes);
    }
    for (const id of this.#byId.keys()) if (settings.processors[id]?.kind !== 'memory_limiter') this.#byId.delete(id);
  }

  /** The limit that people set is that of the process: what the process needs for itself is not there for requests, down to a quarter. */
  #resize(budget: Budget, limit: number, spike: number): void {
    const room = Math.max(limit - this.#baselineBytes, limit / 4);
    budget.resize(room, Math.min(spike, room / 2));
  }
}

/** The doors of one receiver and transport: an admission for each signal that a pipeline takes. The object stays, its doors are rerouted. */
export class Doors {
  readonly admissions: Partial<Record<Signal, Admission>> = {};

  /** One route for each signal that is taken from now on. */
  reroute(route: (signal: Signal) => Route | undefined, gate: Gate): void {
    for (const signal of SIGNALS) {
      const next = route(signal);
      const present = this.admissions[signal];
      if (next === undefined) {
        present?.shut();
        delete this.admissions[signal];
      } else if (present === undefined) {
        this.admissions[signal] = new Admission(signal, next, gate);
      } else {
        present.reroute(next);
      }
    }
  }
}

import { Admission, type Gate, type PipelineEntry } from './admit/admit.ts';
import { Budget } from './admit/budget.ts';
import { type AgentSettings, SIGNALS, type Signal } from './config/settings.ts';
import { createTransport } from './export/create-transport.ts';
import { ExportLine } from './export/export-line.ts';
import { ResourceProcessor } from './process/resource.ts';
import { GrpcReceiver } from './receive/grpc.ts';
import { HttpReceiver } from './receive/http.ts';
import type { Admissions, Receiver } from './receive/receive.ts';
import { Counters, ProcessorCounters, ReceiverCounters } from './telemetry/counters.ts';
import type { Log } from './telemetry/log.ts';

/**
 * The straight line, compiled from service.pipelines:
 *
 *   receive  ->  admit  ->  process  ->  queue  ->  export
 *   sockets      bytes      slices       ring       batch, retry, connections
 */
export interface Line {
  readonly counters: Counters;
  readonly budgets: readonly Budget[];
  readonly gate: Gate;
  /** By `<receiver id>/grpc` and `<receiver id>/http`. */
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly exporters: readonly ExportLine[];
  /** For data that comes by a function call instead of a socket. */
  readonly library: Admissions;
}

/** Builds from the end to the start, as each stage knows only the next one. Nothing is bound or dialled yet. */
export async function compile(settings: AgentSettings, log: Log, baselineBytes: number): Promise<Line> {
  const counters = new Counters();
  const gate: Gate = { open: true };

  // export and queue: one line for each exporter and signal, shared by the pipelines that name it.
  const exporters = new Map<string, ExportLine>();
  for (const pipeline of settings.pipelines) {
    for (const id of pipeline.exporters) {
      const key = `${pipeline.signal} ${id}`;
      if (exporters.has(key)) continue;
      const own = settings.exporters[id];
      if (own === undefined) throw new Error(`pipeline ${pipeline.id} names exporter ${id}, which is not in the settings`);
      const transport = await createTransport(own, pipeline.signal, log);
      const line = new ExportLine(own, pipeline.signal, pipeline.batch, transport, log);
      exporters.set(key, line);
      counters.exporters.push(line.counters);
    }
  }

  // process: one chain for each pipeline, in its order; a memory_limiter acts in admit and is only counted here.
  const entries = settings.pipelines.map((pipeline): PipelineEntry => {
    const processors = pipeline.processors.map((id) => {
      const own = settings.processors[id];
      if (own === undefined) throw new Error(`pipeline ${pipeline.id} names processor ${id}, which is not in the settings`);
      const count = processorCounters(counters, id, own.kind, pipeline.signal);
      return { processor: own.kind === 'resource' ? new ResourceProcessor(own, pipeline.signal) : undefined, counters: count };
    });
    return { processors, exporters: pipeline.exporters.map((id) => exporters.get(`${pipeline.signal} ${id}`) as ExportLine) };
  });

  // admit: what a receiver's signal reaches decides which limits it meets.
  const budgets = new Map<string, Budget>();
  const { memoryLimitBytes } = settings.agent;
  // One budget counts everything, limited or not, so that what is held is known.
  const always =
    memoryLimitBytes === undefined
      ? new Budget('agent.memory', Number.POSITIVE_INFINITY, 0)
      : budget('agent.memory', memoryLimitBytes, memoryLimitBytes / 5, baselineBytes);
  budgets.set('', always);
  const admission = (receiver: string, transport: 'grpc' | 'http' | 'library', signal: Signal): Admission | undefined => {
    const mine = settings.pipelines.map((p, i) => [p, entries[i] as PipelineEntry] as const).filter(([p]) => p.signal === signal);
    const reached = mine.filter(([p]) => transport === 'library' || p.receivers.includes(receiver));
    if (reached.length === 0) return undefined;
    const limits = new Set<Budget>([always]);
    for (const id of reached.flatMap(([p]) => p.processors)) {
      const own = settings.processors[id];
      if (own?.kind !== 'memory_limiter') continue;
      if (!budgets.has(id)) budgets.set(id, budget(id, own.limitBytes, own.spikeBytes, baselineBytes));
      limits.add(budgets.get(id) as Budget);
    }
    const count = new ReceiverCounters(receiver, transport, signal);
    counters.receivers.push(count);
    return new Admission(
      signal,
      count,
      [...limits],
      reached.map(([, entry]) => entry),
      gate,
    );
  };
  const admissions = (receiver: string, transport: 'grpc' | 'http' | 'library'): Admissions =>
    Object.fromEntries(
      SIGNALS.flatMap((signal) => {
        const found = admission(receiver, transport, signal);
        return found === undefined ? [] : [[signal, found]];
      }),
    );

  // receive: last, as from here on data flows.
  const receivers = new Map<string, Receiver>();
  for (const [id, own] of Object.entries(settings.receivers)) {
    const key = `receivers.${id}.protocols`;
    if (own.grpc !== undefined)
      receivers.set(`${id}/grpc`, new GrpcReceiver(own.grpc, `${key}.grpc.endpoint`, admissions(id, 'grpc'), counters));
    if (own.http !== undefined)
      receivers.set(`${id}/http`, new HttpReceiver(own.http, `${key}.http.endpoint`, admissions(id, 'http'), counters));
  }
  const library = admissions('library', 'library');
  return { counters, budgets: [...budgets.values()], gate, receivers, exporters: [...exporters.values()], library };
}

/** The limit that people set is that of the process: what the process needs for itself is not there for requests, down to a quarter. */
function budget(name: string, limit: number, spike: number, baseline: number): Budget {
  const room = Math.max(limit - baseline, limit / 4);
  return new Budget(name, room, Math.min(spike, room / 2));
}

/** One set of counters for a processor and signal, however many pipelines name it, as the Collector counts. */
function processorCounters(counters: Counters, id: string, kind: 'memory_limiter' | 'resource', signal: Signal): ProcessorCounters {
  const present = counters.processors.find((one) => one.processor === id && one.signal === signal);
  if (present !== undefined) return present;
  const count = new ProcessorCounters(id, kind, signal);
  counters.processors.push(count);
  return count;
}

import type { Signal } from '../config/settings.ts';
import type { Connector } from '../connect/connector.ts';
import type { Outlet } from '../export/outlet.ts';
import { type Body, type Metadata, type Processor, ProcessorRefusal } from '../process/process.ts';
import type { ConnectorCounters, ProcessorCounters } from '../telemetry/counters.ts';

/** A pipeline as it runs: what happens to the bytes, and where they go. */
export interface PipelineEntry {
  readonly id: string;
  readonly signal: Signal;
  readonly processors: readonly { readonly processor: Processor | undefined; readonly counters: ProcessorCounters }[];
  readonly outlets: readonly Outlet[];
  readonly connectors: readonly ConnectorEntry[];
}

/** A connector that begins in a pipeline, with the pipelines that it ends in. */
export interface ConnectorEntry {
  readonly connector: Connector;
  readonly counters: ConnectorCounters;
  readonly targets: readonly PipelineEntry[];
}

/** What goes into one exporter. */
export interface Delivery {
  readonly outlet: Outlet;
  readonly body: Body;
  /** New data that a connector made: nobody waits for it. */
  readonly derived: boolean;
}

/**
 * Runs a body through a pipeline and whatever follows it, synchronously, and appends what has to be stored to `into`; nothing is stored
 * yet, so a malformed body in the last pipeline of several still leaves no trace. Returns why it is refused: a text where it cannot be read.
 */
export function flow(
  pipeline: PipelineEntry,
  body: Body,
  metadata: Metadata | undefined,
  derived: boolean,
  into: Delivery[],
): string | ProcessorRefusal | undefined {
  let current = body;
  for (const { processor, counters } of pipeline.processors) {
    counters.incoming += current.items;
    if (processor === undefined) {
      counters.accepted += current.items; // memory_limiter: it has decided in open() and resize()
    } else {
      const next = processor.process(current, metadata);
      if (typeof next === 'string' || next instanceof ProcessorRefusal) return next;
      current = next;
    }
    counters.outgoing += current.items;
    if (current.bytes === 0) return undefined; // all was dropped: no empty envelope goes on
  }
  for (const outlet of pipeline.outlets) into.push({ outlet, body: current, derived });
  for (const { connector, counters, targets } of pipeline.connectors) {
    counters.consumed += current.items;
    const produced = connector.consume(pipeline.signal, current);
    if (typeof produced === 'string') return produced;
    for (const one of produced) {
      counters.produced += one.body.items;
      for (const target of targets) {
        if (target.signal !== one.signal) continue;
        const before = into.length;
        const problem = flow(target, one.body, metadata, derived || one.derived, into);
        if (problem === undefined) continue;
        if (derived || !one.derived) return problem;
        // What was made anew is lost, and counted: it must not cost the sender its own data.
        into.length = before;
        counters.lost += one.body.items;
      }
    }
  }
  return undefined;
}

/** Exporters that a sender's own data may reach; what connectors make anew is left out. */
export function outletsOf(pipeline: PipelineEntry, into: Set<Outlet> = new Set()): Set<Outlet> {
  for (const outlet of pipeline.outlets) into.add(outlet);
  for (const { connector, targets } of pipeline.connectors) {
    // By what it makes, not by the signal: count makes metrics of metrics.
    if (!connector.derives) for (const target of targets) outletsOf(target, into);
  }
  return into;
}

/** The processors of a pipeline and of those that follow it. */
export function processorsOf(pipeline: PipelineEntry): readonly ProcessorCounters[] {
  const own = pipeline.processors.map((one) => one.counters);
  return [...own, ...pipeline.connectors.flatMap(({ targets }) => targets.flatMap(processorsOf))];
}

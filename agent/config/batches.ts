import type { Findings } from './parse.ts';
import type { AgentSettings, BatchSettings, PipelineSettings, Signal } from './settings.ts';
import { originAt } from './tree.ts';

/**
 * A `batch` processor runs as the batch of the exporters at the end of its pipeline (process/batch-config.ts). Where that end is a
 * `forward` connector, the exporters are those of the pipelines behind it, as far as these have no batch of their own. What `count` makes
 * is new: the batches of what it counts say nothing of it. Called with pipelines that have no circle.
 */
export function batchesBehindForwards(
  pipelines: readonly PipelineSettings[],
  connectors: AgentSettings['connectors'],
): readonly PipelineSettings[] {
  const found = new Map<string, BatchSettings | undefined>();
  const batchOf = (pipeline: PipelineSettings): BatchSettings | undefined => {
    if (pipeline.batch !== undefined || found.has(pipeline.id)) return pipeline.batch ?? found.get(pipeline.id);
    found.set(pipeline.id, undefined); // A circle, which is refused elsewhere, ends here.
    for (const before of pipelines) {
      const joins = before.signal === pipeline.signal && before.exporters.some((id) => forwards(id) && pipeline.receivers.includes(id));
      const inherited = joins ? batchOf(before) : undefined;
      if (inherited === undefined) continue;
      found.set(pipeline.id, inherited);
      break;
    }
    return found.get(pipeline.id);
  };
  const forwards = (id: string): boolean => connectors[id]?.kind === 'forward';
  return pipelines.map((pipeline) => {
    const batch = batchOf(pipeline);
    return batch === undefined ? pipeline : { ...pipeline, batch };
  });
}

/** The batch of an exporter for a signal: it has one queue for all of its pipelines, so the first of them that has a batch decides. */
export function batchOfExporter(pipelines: readonly PipelineSettings[], signal: Signal, id: string): BatchSettings | undefined {
  return pipelines.find((one) => one.signal === signal && one.batch !== undefined && one.exporters.includes(id))?.batch;
}

/** A notice where that is not what a pipeline by itself would have. */
export function noteSharedBatches(pipelines: readonly PipelineSettings[], exporters: AgentSettings['exporters'], findings: Findings): void {
  for (const { id, signal, batch, exporters: ids } of pipelines) {
    for (const exporter of new Set(ids)) {
      if (exporters[exporter] === undefined || exporters[exporter].queue.batch !== undefined) continue;
      const found = batchOfExporter(pipelines, signal, exporter);
      if (found === undefined || JSON.stringify(found) === JSON.stringify(batch)) continue;
      const path = ['service', 'pipelines', id];
      const message = `its data is merged in ${exporter} as the batch of another pipeline says: an exporter has one queue for all of them`;
      findings.notices.push({ path, origin: originAt(findings.root, path), message });
    }
  }
}

import type { AgentSettings } from '../config/settings.ts';
import type { ExporterState } from '../runtime/data-line.ts';
import { type LoadWatch, RESOURCES, type Resource } from './load-watch.ts';

/** What /status answers: how the agent is, pipeline by pipeline. Degraded is worth a look, and no reason to send it less. */
export interface AgentStatus {
  readonly status: 'ok' | 'degraded' | 'not ready';
  /** Why not ready; empty otherwise. */
  readonly reason: string;
  readonly pipelines: readonly PipelineStatus[];
  readonly load: Readonly<Record<Resource, { readonly percent: number; readonly threshold: number; readonly high: boolean }>>;
}

export interface PipelineStatus {
  readonly id: string;
  readonly status: 'ok' | 'degraded';
  readonly exporters: readonly ExporterStatus[];
}

export interface ExporterStatus {
  readonly id: string;
  readonly status: 'ok' | 'degraded';
  /** What the last attempt failed with; absent where it did not. */
  readonly failing?: string;
  /** In the sizer of the queue; capacity is absent without a queue. */
  readonly queue: { readonly size: number; readonly capacity?: number };
}

export function statusOf(
  settings: AgentSettings,
  states: readonly ExporterState[],
  watch: LoadWatch,
  notReady: string | undefined,
): AgentStatus {
  const pipelines = settings.pipelines.map((pipeline): PipelineStatus => {
    const exporters = pipeline.exporters
      .filter((id) => settings.connectors[id] === undefined)
      .map((id): ExporterStatus => {
        const parts = states.filter((one) => one.exporter === id && one.signal === pipeline.signal);
        const failing = parts.map((one) => one.failing).find((reason) => reason !== '');
        const size = parts.reduce((sum, one) => sum + one.queueSize, 0);
        const capacity = parts.reduce((sum, one) => sum + one.queueCapacity, 0);
        const full = Number.isFinite(capacity) && capacity > 0 && size >= capacity;
        return {
          id,
          status: failing === undefined && !full ? 'ok' : 'degraded',
          ...(failing === undefined ? {} : { failing }),
          queue: { size, ...(Number.isFinite(capacity) ? { capacity } : {}) },
        };
      });
    return { id: pipeline.id, status: exporters.every((one) => one.status === 'ok') ? 'ok' : 'degraded', exporters };
  });
  const load = Object.fromEntries(
    RESOURCES.map((resource) => [
      resource,
      { percent: percent(watch.load[resource]), threshold: percent(watch.thresholds[resource]), high: watch.above.has(resource) },
    ]),
  ) as AgentStatus['load'];
  const degraded = watch.above.size > 0 || pipelines.some((one) => one.status === 'degraded');
  return { status: notReady === undefined ? (degraded ? 'degraded' : 'ok') : 'not ready', reason: notReady ?? '', pipelines, load };
}

function percent(ratio: number): number {
  return Math.round(ratio * 1000) / 10;
}

import { type Books, type ExporterBook, type ReceiverBook, totalsOf } from '../telemetry/books.ts';
import type { MetricDefinition } from '../telemetry/metrics.ts';
import type { MetricSamples } from './protocol.ts';

/** The books of all workers as those of one agent: each item is in one worker, so that sums are right. */
export function mergeBooks(all: readonly Books[]): Books {
  const receivers = new Map<string, ReceiverBook>();
  const exporters = new Map<string, ExporterBook>();
  for (const books of all) {
    for (const one of books.receivers) add(receivers, `${one.receiver} ${one.transport} ${one.signal}`, one);
    for (const one of books.exporters) add(exporters, `${one.exporter} ${one.signal}`, one);
  }
  return totalsOf([...receivers.values()], [...exporters.values()]);
}

/** Sums of numbers, the words of the first. */
function add<T extends object>(into: Map<string, T>, key: string, one: T): void {
  const present = into.get(key);
  if (present === undefined) {
    into.set(key, { ...one });
    return;
  }
  const sums = Object.entries(one).filter(([, value]) => typeof value === 'number');
  into.set(key, {
    ...present,
    ...Object.fromEntries(sums.map(([name, value]) => [name, ((present as Record<string, number>)[name] as number) + (value as number)])),
  });
}

/** Counts that every worker has for itself, of the same thing: upstreams that a resolver found. */
const LARGEST = new Set(['otelcol_loadbalancer_num_backends', 'otlp_agent_loadbalancer_ejected_backends']);
/** 1 where all is well. */
const LEAST = new Set(['otlp_agent_resolver_up']);
/** Of the process: the main thread tells them. */
const OF_PROCESS = new Set([
  'otelcol_process_cpu_seconds',
  'otelcol_process_memory_rss',
  'otelcol_process_uptime',
  'otlp_agent_config_reloads',
  'otlp_agent_config_last_reload_success_timestamp_seconds',
  'otlp_agent_memory_collections',
  'otlp_agent_memory_pressed',
]);

/** The metrics of the main thread and of all workers under the same names: sums, but for the few above. */
export function mergeMetrics(main: readonly MetricDefinition[], workers: readonly (readonly MetricSamples[])[]): MetricDefinition[] {
  const found = new Map<string, MetricSamples[]>();
  const put = (one: MetricSamples): void => void found.set(one.name, [...(found.get(one.name) ?? []), one]);
  for (const { samples, ...rest } of main) put({ ...rest, samples: [...samples()] });
  for (const metrics of workers) for (const one of metrics) if (!OF_PROCESS.has(one.name)) put(one);
  return [...found.values()].map((same) => {
    const first = same[0] as MetricSamples;
    const pick = LARGEST.has(first.name) ? Math.max : LEAST.has(first.name) ? Math.min : (a: number, b: number): number => a + b;
    const series = new Map<string, { readonly labels: Record<string, string>; readonly value: number }>();
    for (const { labels, value } of same.flatMap(({ samples }) => samples)) {
      const key = JSON.stringify(Object.entries(labels).sort());
      const present = series.get(key);
      series.set(key, { labels, value: present === undefined ? value : pick(present.value, value) });
    }
    return { ...first, samples: () => series.values() };
  });
}

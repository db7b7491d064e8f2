import { type LoadWatch, RESOURCES } from './load-watch.ts';
import type { MetricDefinition } from './metrics.ts';

/** Load and thresholds, both from 0 to 1, so that an alert is a comparison. */
export function loadMetrics(watch: LoadWatch): MetricDefinition[] {
  return [
    {
      name: 'otlp_agent_load_ratio',
      type: 'gauge',
      help: 'Share of what the process may use: cpu, memory, and io, the time for which the busiest thread that reads and writes was busy.',
      labels: ['resource'],
      upstream: false,
      samples: () => RESOURCES.map((resource) => ({ labels: { resource }, value: watch.load[resource] })),
    },
    {
      name: 'otlp_agent_load_threshold_ratio',
      type: 'gauge',
      help: 'Share from which on the load is said to be high (agent.thresholds).',
      labels: ['resource'],
      upstream: false,
      samples: () => RESOURCES.map((resource) => ({ labels: { resource }, value: watch.thresholds[resource] })),
    },
  ];
}

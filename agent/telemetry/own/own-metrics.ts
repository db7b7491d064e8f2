import type { MetricDefinition } from '../metrics.ts';
import type { OwnTelemetry } from './own-telemetry.ts';

/** What the agent sent of itself; nothing is printed where it sends nothing. */
export function ownMetrics(own: OwnTelemetry): MetricDefinition[] {
  if (own.totals().length === 0) return [];
  return [
    {
      name: 'otlp_agent_own_telemetry_items',
      type: 'counter',
      help: 'Number of spans and log records of the agent itself by result: sent, or dropped as the destination did not take them.',
      labels: ['data_type', 'result'],
      upstream: false,
      *samples() {
        for (const { signal, sent, dropped } of own.totals()) {
          yield { labels: { data_type: signal, result: 'sent' }, value: sent };
          yield { labels: { data_type: signal, result: 'dropped' }, value: dropped };
        }
      },
    },
  ];
}

import type { ConnectorCounters, Counters } from './counters.ts';
import type { MetricDefinition } from './metrics.ts';

/** What connectors took and handed on; upstream has no such metrics. */
export function connectorMetrics(all: readonly ConnectorCounters[]): MetricDefinition[] {
  return (
    [
      ['consumed', 'that pipelines handed to the connector'],
      ['produced', 'that the connector handed on'],
    ] as const
  ).map(([field, words]) => ({
    name: `otlp_agent_connector_${field}_items`,
    type: 'counter',
    help: `Number of items ${words}.`,
    labels: ['connector', 'data_type'],
    upstream: false,
    samples: () => all.map((one) => ({ labels: { connector: one.connector, data_type: one.signal }, value: one[field] })),
  }));
}

/** Reloads of the configuration, by SIGHUP or a change of its files. */
export function reloadMetrics({ reloads }: Counters): MetricDefinition[] {
  return [
    {
      name: 'otlp_agent_config_reloads',
      type: 'counter',
      help: 'Number of reloads of the configuration by result: success, or failure, after which the old one runs on.',
      labels: ['result'],
      upstream: false,
      samples: () => (['success', 'failure'] as const).map((result) => ({ labels: { result }, value: reloads[result] })),
    },
    {
      name: 'otlp_agent_config_last_reload_success_timestamp_seconds',
      type: 'gauge',
      help: 'When the running configuration was taken, in seconds since 1970.',
      labels: [],
      upstream: false,
      samples: () => [{ labels: {}, value: reloads.lastSuccess }],
    },
  ];
}

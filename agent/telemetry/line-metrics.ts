import type { ConnectorCounters, Counters, MemoryCounters } from './counters.ts';
import type { MetricDefinition } from './metrics.ts';

/** What connectors took and handed on; upstream has no such metrics. */
export function connectorMetrics(all: readonly ConnectorCounters[]): MetricDefinition[] {
  return (
    [
      ['consumed', 'that pipelines handed to the connector'],
      ['produced', 'that the connector handed on'],
      ['lost', 'that the connector made anew and a pipeline behind it refused'],
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

/** The guard over the memory of the process (admit/memory-guard.ts). */
export function memoryMetrics(memory: MemoryCounters): MetricDefinition[] {
  return [
    {
      name: 'otlp_agent_memory_collections',
      type: 'counter',
      help: 'Number of collections that were forced because the process came near its memory limit.',
      labels: [],
      upstream: false,
      samples: () => [{ labels: {}, value: memory.collections }],
    },
    {
      name: 'otlp_agent_memory_pressed',
      type: 'gauge',
      help: '1 while the process is above its memory limit in spite of collections: new requests get a quarter of the room.',
      labels: [],
      upstream: false,
      samples: () => [{ labels: {}, value: memory.pressed ? 1 : 0 }],
    },
  ];
}

import type { MetricFact, MetricKind, PortFact } from '../../model.ts';
import type { PartialFacts } from '../store.mts';

/**
 * Facts that no program here shows and no module holds: ports by default, and the programs of the stack that cannot run in the tests.
 * Each names the page or file where it was read.
 */
export function recordDocumented(): PartialFacts[] {
  return [...OWN_PORTS, ...PORTS_OF_RUN_PROGRAMS, ...COLLECTOR_PORTS, GRAFANA, FLUENTD, ELASTICSEARCH, JAEGER_NEWEST];
}

const DOCS = 'docs';

function port(name: string, number: number, protocol: string, where: string, more: Partial<PortFact> = {}): PortFact {
  return { name, port: number, transport: 'TCP', protocol, source: DOCS, where, ...more };
}

function metric(
  name: string,
  type: MetricKind,
  labels: readonly string[],
  help: string,
  at: { source: string; where: string; when?: string },
): MetricFact {
  return { name, type, help, labels: [...labels].sort(), endpoint: 'self', ...at };
}

/** Defaults of this repository's programs; a test compares them with what the agent prints. */
const OWN_PORTS: readonly PartialFacts[] = [
  {
    program: 'otlp-agent',
    version: '0.1.0',
    ports: [
      port('otlp-grpc', 4317, 'grpc', 'agent/receive/config.ts', { source: 'upstream@v0.1.0' }),
      port('otlp-http', 4318, 'http', 'agent/receive/config.ts', { source: 'upstream@v0.1.0' }),
      port('http-metrics', 8888, 'http', 'agent/telemetry/config.ts', { source: 'upstream@v0.1.0', path: '/metrics' }),
      port('http-health', 13133, 'http', 'agent/telemetry/health-check-config.ts', { source: 'upstream@v0.1.0' }),
    ],
  },
  {
    program: 'sample-service',
    version: '0.1.0',
    ports: [port('http', 8080, 'http', 'apps/sample-service/config.ts', { source: 'upstream@v0.1.0', path: '/metrics' })],
  },
];

const COLLECTOR_DOCS = 'https://opentelemetry.io/docs/collector/';
const COLLECTOR_PORTS: readonly PartialFacts[] = ['0.155.0', '0.160.0', '0.161.0'].map((version) => ({
  program: 'otelcol',
  version,
  ports: [
    port('otlp-grpc', 4317, 'grpc', `${COLLECTOR_DOCS}configuration/#receivers`),
    port('otlp-http', 4318, 'http', `${COLLECTOR_DOCS}configuration/#receivers`),
    port('http-metrics', 8888, 'http', `${COLLECTOR_DOCS}internal-telemetry/`, { path: '/metrics' }),
    port('http-health', 13133, 'http', 'contrib/extension/healthcheckextension/README.md'),
    port('http-zpages', 55679, 'http', 'collector/extension/zpagesextension/README.md'),
    port('http-pprof', 1777, 'http', 'contrib/extension/pprofextension/README.md'),
  ],
}));

const JAEGER_PORTS = (version: string): readonly PortFact[] => {
  const at = { source: `upstream@v${version}`, where: 'github.com/jaegertracing/jaeger/ports/ports.go' };
  return [
    port('otlp-grpc', 4317, 'grpc', 'https://www.jaegertracing.io/docs/latest/architecture/apis/'),
    port('otlp-http', 4318, 'http', 'https://www.jaegertracing.io/docs/latest/architecture/apis/'),
    port('http-sampling', 5778, 'http', '', at),
    port('grpc-sampling', 5779, 'grpc', '', at),
    port('http-metrics', 8888, 'http', 'github.com/jaegertracing/jaeger/cmd/jaeger/internal/all-in-one.yaml', { path: '/metrics' }),
    port('http-health', 13133, 'http', '', { ...at, path: '/status' }),
    port('grpc-query', 16685, 'grpc', '', at),
    port('http-query', 16686, 'http', '', at),
  ];
};

const PORTS_OF_RUN_PROGRAMS: readonly PartialFacts[] = [
  { program: 'jaeger', version: '2.13.0', ports: JAEGER_PORTS('1.76.0') },
  {
    program: 'prometheus',
    version: '3.15.0',
    ports: [port('http-web', 9090, 'http', 'https://prometheus.io/docs/prometheus/latest/command-line/prometheus/', { path: '/metrics' })],
  },
  {
    program: 'alertmanager',
    version: '0.34.2',
    ports: [
      port('http-web', 9093, 'http', 'https://prometheus.io/docs/alerting/latest/alertmanager/', { path: '/metrics' }),
      port('tcp-cluster', 9094, 'tcp', 'https://prometheus.io/docs/alerting/latest/high_availability/'),
      port('udp-cluster', 9094, 'udp', 'https://prometheus.io/docs/alerting/latest/high_availability/', { transport: 'UDP' }),
    ],
  },
];

/** Jaeger keeps its ports and, as far as its release notes say, its storage metrics; those of its Collector changed with 0.152. */
const JAEGER_NEWEST: PartialFacts = {
  program: 'jaeger',
  version: '2.21.0',
  title: 'Jaeger',
  run: false,
  note: 'Not run, and its module is not in the Go proxy: ports by its documentation; no metrics are promised.',
  ports: JAEGER_PORTS('1.76.0').map((fact) => ({ ...fact, source: DOCS })),
};

/** The stored source is older than 13.3, so these are documentation: a finding on them is a warning at most. */
const GRAFANA_METRICS = {
  source: DOCS,
  where: 'grafana/grafana pkg/infra/metrics/metrics.go at 002d6e954d20, pkg/middleware/request_metrics.go at 001f3709aec6',
};
const GRAFANA: PartialFacts = {
  program: 'grafana',
  version: '13.3.0',
  title: 'Grafana',
  run: false,
  note: 'Not run: its module is not in the Go proxy. Metrics were read in an older source.',
  ports: [
    port('http-web', 3000, 'http', 'https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#http_port', {
      path: '/metrics',
    }),
  ],
  metrics: [
    metric(
      'grafana_build_info',
      'gauge',
      ['branch', 'edition', 'goversion', 'revision', 'version'],
      'Constant 1, labelled by what was built.',
      GRAFANA_METRICS,
    ),
    metric(
      'grafana_http_request_duration_seconds',
      'histogram',
      ['handler', 'method', 'status_code'],
      'Latencies of HTTP requests.',
      GRAFANA_METRICS,
    ),
    metric('grafana_http_request_in_flight', 'gauge', [], 'Requests that are being served.', GRAFANA_METRICS),
    metric('grafana_api_response_status_total', 'counter', ['code'], 'API answers by status.', GRAFANA_METRICS),
    metric('grafana_page_response_status_total', 'counter', ['code'], 'Page answers by status.', GRAFANA_METRICS),
    metric('grafana_proxy_response_status_total', 'counter', ['code'], 'Data source proxy answers by status.', GRAFANA_METRICS),
    metric('grafana_alerting_active_alerts', 'gauge', [], 'Alerts that are active in Grafana itself.', GRAFANA_METRICS),
    metric('grafana_stat_totals_dashboard', 'gauge', [], 'Dashboards.', GRAFANA_METRICS),
  ],
};

const PLUGIN_COMMIT = '02bacd67db6e787b5016ac4a7cb64b4e14fce22c';
const PLUGIN = {
  source: `upstream@${PLUGIN_COMMIT}`,
  where: 'fluent/fluent-plugin-prometheus lib/fluent/plugin/in_prometheus_output_monitor.rb',
  when: 'input prometheus_output_monitor',
};
const PLUGIN_LATER = {
  source: 'upstream@fdef0e5d35bfd3cc3055a9d067be7f30e4070243',
  where: 'fluent/fluent-plugin-prometheus lib/fluent/plugin/in_prometheus_output_monitor.rb',
  when: 'input prometheus_output_monitor',
};
const OUTPUT = ['plugin_id', 'type'];
const FLUENTD: PartialFacts = {
  program: 'fluentd',
  version: '1.19.3',
  title: 'Fluentd',
  run: false,
  note: 'Not run: it cannot be had from the registries of the tests. Metrics are those of fluent-plugin-prometheus, with the labels that it sets itself.',
  ports: [
    port('forward', 24224, 'tcp', 'https://docs.fluentd.org/input/forward'),
    port('http-metrics', 24231, 'http', 'https://docs.fluentd.org/monitoring-fluentd/monitoring-prometheus', { path: '/metrics' }),
    port('http-monitor', 24220, 'http', 'https://docs.fluentd.org/input/monitor_agent', { path: '/api/plugins.json' }),
  ],
  metrics: [
    metric('fluentd_output_status_buffer_queue_length', 'gauge', OUTPUT, 'Chunks that wait in the queue.', PLUGIN),
    metric('fluentd_output_status_buffer_total_bytes', 'gauge', OUTPUT, 'Size of all buffered chunks.', PLUGIN),
    metric('fluentd_output_status_buffer_newest_timekey', 'gauge', OUTPUT, 'Newest time key in the buffer.', PLUGIN),
    metric('fluentd_output_status_buffer_oldest_timekey', 'gauge', OUTPUT, 'Oldest time key in the buffer.', PLUGIN),
    metric('fluentd_output_status_retry_count', 'gauge', OUTPUT, 'Retries so far.', PLUGIN),
    metric('fluentd_output_status_retry_wait', 'gauge', OUTPUT, 'Time until the next retry.', PLUGIN),
    metric('fluentd_output_status_num_errors', 'gauge', OUTPUT, 'Errors so far.', PLUGIN),
    metric('fluentd_output_status_emit_count', 'gauge', OUTPUT, 'Emits so far.', PLUGIN),
    metric('fluentd_output_status_emit_records', 'gauge', OUTPUT, 'Records emitted so far.', PLUGIN),
    metric('fluentd_output_status_write_count', 'gauge', OUTPUT, 'Chunks written so far.', PLUGIN),
    metric('fluentd_output_status_rollback_count', 'gauge', OUTPUT, 'Rollbacks so far.', PLUGIN),
    metric('fluentd_output_status_buffer_available_space_ratio', 'gauge', OUTPUT, 'Free share of the buffer, in percent.', PLUGIN_LATER),
    metric('fluentd_output_status_slow_flush_count', 'gauge', OUTPUT, 'Slow flushes so far.', PLUGIN_LATER),
  ],
};

const ELASTICSEARCH: PartialFacts = {
  program: 'elasticsearch',
  version: '9.5.1',
  title: 'Elasticsearch',
  run: false,
  note: 'Not run; OpenSearch 2.19.1 stands in for what both speak. It has no Prometheus endpoint.',
  ports: [
    port('http', 9200, 'http', 'https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/networking-settings'),
    port('tcp-transport', 9300, 'tcp', 'https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/networking-settings'),
  ],
};

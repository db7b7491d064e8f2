import type { Signal } from '../../../agent/config/settings.ts';
import type { Message } from '../../agent/kit/otlp.ts';
import { type Configuration, describeAgainstCollector, type Exception, type Seen } from './harness.ts';

const PIPELINES = (signal: Signal): Configuration['pipelines'] => ({
  [signal]: { receivers: ['otlp'], exporters: ['count'] },
  'metrics/counted': { receivers: ['count'], exporters: ['otlp_http'] },
});

const count = (signal: Signal, name: string, config: object | null): Configuration => ({
  name,
  connectors: { count: config },
  pipelines: PIPELINES(signal),
  signals: [signal],
  vocabulary: { keys: ['http.method', 'service.name'], texts: ['exception'] },
});

const METRICS_WITHOUT_DATA: Exception = {
  name: 'metrics without data',
  reason:
    'The Collector refuses a whole request for one metric that has no data, which OTLP allows; the agent counts it as a metric without points.',
  covers: ({ signal, theirs, ours, request }) =>
    signal === 'metrics' && theirs.status !== 200 && ours.status === 200 && hasMetricWithoutData(request),
};

const UNDECIDABLE: Exception = {
  name: 'conditions that cannot be decided',
  reason:
    'The Collector refuses a whole request where a condition fails on one item; the agent counts that item as not met and says so in its log.',
  covers: ({ configuration, theirs, ours }) => configuration === 'a condition that fails' && theirs.status !== 200 && ours.status === 200,
};

function hasMetricWithoutData(request: Message): boolean {
  const kinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];
  const lists = (value: unknown): Message[] => (value ?? []) as Message[];
  return lists(request.resourceMetrics).some((resource) =>
    lists(resource.scopeMetrics).some((scope) => lists(scope.metrics).some((metric) => !kinds.some((kind) => kind in metric))),
  );
}

/** What has no time was counted "now"; metrics and points come in any order from Go's maps, and two moments must not decide it. */
function ordered(seen: Seen): Seen {
  const now = BigInt(Date.now()) * 1_000_000n;
  const near = (digits: string): boolean => {
    const distance = BigInt(digits) - now;
    return distance > -3_600_000_000_000n && distance < 3_600_000_000_000n;
  };
  const timeless = JSON.stringify(seen).replaceAll(/"(\d{19})"/gu, (whole, digits: string) => (near(digits) ? '"now"' : whole));
  return JSON.parse(timeless, (_key, value: unknown) => {
    if (Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && ('name' in one || 'asInt' in one)))
      return [...value].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return value;
  }) as Seen;
}

const DIMENSIONS = [
  { key: 'http.method', default_value: 'none' },
  { key: 'a', default_value: 7 },
  { key: 'service.name', default_value: { x: [1] } },
];

describeAgainstCollector(
  'the count connector',
  [
    count('traces', 'traces by default', null),
    count('metrics', 'metrics by default', {}),
    count('logs', 'logs by default', { logs: {} }),
    count('traces', 'traces by attributes', {
      spans: {
        'by.method': { description: 'By method.', attributes: [{ key: 'http.method' }] },
        'by.three': { attributes: DIMENSIONS },
        all: null,
      },
      spanevents: { 'events.by.user': { attributes: [{ key: 'user.id' }] } },
    }),
    count('metrics', 'data points by attributes', {
      datapoints: { points: { attributes: DIMENSIONS } },
      metrics: { gauges: { conditions: ['metric.type == METRIC_DATA_TYPE_GAUGE'] } },
    }),
    count('logs', 'logs by attributes', {
      logs: { 'by.pod': { attributes: [{ key: 'k8s.pod.name' }] }, twice: { attributes: [{ key: 'a' }, { key: 'a' }] } },
    }),
    count('traces', 'conditions of spans and events', {
      spans: {
        servers: { conditions: ['span.kind == SPAN_KIND_SERVER', 'span.kind.string == "Client"'] },
        named: { conditions: ['IsMatch(span.name, "^[A-Z]+$") and resource.attributes["a"] == nil'] },
        roots: { conditions: ['IsRootSpan()'], attributes: [{ key: 'b', default_value: true }] },
      },
      spanevents: { texts: { conditions: ['spanevent.name == "exception" or span.name == "exception"'] } },
    }),
    count('logs', 'conditions of logs', {
      logs: {
        severe: { conditions: ['log.severity_number >= SEVERITY_NUMBER_ERROR'] },
        bodies: { conditions: ['IsString(log.body)', 'IsMap(log.body)'] },
      },
    }),
    count('metrics', 'conditions of points', {
      datapoints: {
        methods: { conditions: ['datapoint.attributes["http.method"] == "GET"'] },
        sums: { conditions: ['metric.type == METRIC_DATA_TYPE_SUM'] },
      },
    }),
    count('logs', 'a condition that fails', { logs: { numbers: { conditions: ['Int(log.body) > 1', 'Len(log.body) > 2'] } } }),
  ],
  { exceptions: [METRICS_WITHOUT_DATA, UNDECIDABLE], adjust: ordered },
);

describeAgainstCollector('the forward connector', [
  {
    name: 'traces to two',
    connectors: { forward: null },
    processors: { attributes: { actions: [{ key: 'a', value: 'b', action: 'upsert' }] } },
    pipelines: {
      traces: { receivers: ['otlp'], exporters: ['forward'] },
      'traces/out': { receivers: ['forward'], processors: ['attributes'], exporters: ['otlp_http'] },
    },
    signals: ['traces'],
  },
]);

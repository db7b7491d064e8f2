import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { balanceMetrics } from './balance-metrics.ts';
import type { Counters, ExporterCounters, ProcessorCounters, ReceiverCounters } from './counters.ts';
import { connectorMetrics, memoryMetrics, reloadMetrics } from './line-metrics.ts';

type Labels = Record<string, string>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One metric as data: name, kind, help, labels, and the numbers when somebody asks. docs/reference/agent-metrics.md is made of these. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  /** False for those that the Collector does not have. */
  readonly upstream: boolean;
  samples(): Iterable<Sample>;
}

/**
 * All metrics of an agent: names, labels and spelling are those that Collector 0.155 prints on /metrics (no `_total`), so that
 * dashboards and alerts for it fit. Those named otlp_agent_* are ours.
 */
export function metricDefinitions(counters: Counters, heldBytes: () => number, startedAt: number): MetricDefinition[] {
  return [
    ...receiverMetrics(counters.receivers),
    ...exporterMetrics(counters.exporters),
    ...processorMetrics(counters.processors),
    ...connectorMetrics(counters.connectors),
    ...balanceMetrics(counters),
    ...reloadMetrics(counters),
    ...memoryMetrics(counters.memory),
    ...ownMetrics(counters, heldBytes),
    ...processMetrics(startedAt),
  ];
}

/** The text of /metrics. The client is loaded by the first scrape: an agent is ready 4 ms earlier, a program that embeds it imports 30 ms less. */
export async function printMetrics(definitions: readonly MetricDefinition[]): Promise<string> {
  const { Counter, Gauge, Registry } = await import('@prometheus-io/client');
  const registry = new Registry();
  for (const definition of definitions) {
    const { name, help, labels } = definition;
    if (definition.type === 'counter') {
      new Counter({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect(): void {
          this.reset();
          for (const sample of definition.samples()) this.inc(sample.labels, sample.value);
        },
      });
    } else {
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect(): void {
          this.reset();
          // Two lines of one exporter, while a reload's old one drains, are one series.
          for (const sample of definition.samples()) this.inc(sample.labels, sample.value);
        },
      });
    }
  }
  return await registry.metrics();
}

const RECEIVER_FIELDS = [
  ['accepted', 'successfully pushed into the pipeline'],
  ['refused', 'that could not be pushed into the pipeline'],
  ['failed', 'that failed to be processed by the receiver due to internal errors'],
] as const;

function receiverMetrics(all: readonly ReceiverCounters[]): MetricDefinition[] {
  const found: MetricDefinition[] = [];
  for (const facts of Object.values(SIGNAL_FACTS)) {
    const mine = all.filter((one) => one.signal === facts.signal);
    if (mine.length === 0) continue;
    for (const [field, words] of RECEIVER_FIELDS) {
      found.push({
        name: `otelcol_receiver_${field}_${facts.metricWord}`,
        type: 'counter',
        help: `Number of ${facts.itemWord} ${words}.`,
        labels: ['receiver', 'transport'],
        upstream: true,
        // The door for embedding shows up only where somebody comes through it.
        samples: () =>
          mine
            .filter((one) => one.transport !== 'library' || one.received > 0)
            .map((one) => ({ labels: { receiver: one.receiver, transport: one.transport }, value: one[field] })),
      });
    }
  }
  return found;
}

const EXPORTER_FIELDS = [
  ['sent', 'sent', 'successfully sent to the destination', true],
  ['sendFailed', 'send_failed', 'in failed attempts to send to the destination', true],
  ['enqueueFailed', 'enqueue_failed', 'that one exporter of a fan-out had no room for in its queue', true],
  ['evicted', 'evicted', 'that left the queue undelivered: dropped as the oldest, or left at the drain deadline', false],
] as const;

const EXPORTER_LABELS = ['exporter', 'server_address', 'server_port', 'url_path'];

function exporterMetrics(all: readonly ExporterCounters[]): MetricDefinition[] {
  const found: MetricDefinition[] = [];
  for (const facts of Object.values(SIGNAL_FACTS)) {
    const mine = all.filter((one) => one.signal === facts.signal);
    if (mine.length === 0) continue;
    for (const [field, word, help, upstream] of EXPORTER_FIELDS) {
      found.push({
        name: `otelcol_exporter_${word}_${facts.metricWord}`,
        type: 'counter',
        help: `Number of ${facts.itemWord} ${help}.`,
        labels: EXPORTER_LABELS,
        upstream,
        samples: () => mine.map((one) => ({ labels: { exporter: one.exporter, ...one.labels }, value: one[field] })),
      });
    }
  }
  const gauge = (
    name: string,
    help: string,
    value: (one: ExporterCounters) => number,
    of: readonly ExporterCounters[],
  ): MetricDefinition => ({
    name,
    type: 'gauge',
    help,
    labels: ['exporter', 'data_type'],
    upstream: true,
    samples: () => of.map((one) => ({ labels: { data_type: one.signal, exporter: one.exporter }, value: value(one) })),
  });
  const queued = all.filter((one) => one.hasQueue);
  found.push(
    gauge(
      'otelcol_exporter_queue_size',
      'Current size of the sending queue (in its sizer, in flight included).',
      (one) => one.queueSize,
      queued,
    ),
    gauge('otelcol_exporter_queue_capacity', 'Fixed capacity of the sending queue (in its sizer).', (one) => one.queueCapacity, queued),
    gauge(
      'otelcol_exporter_in_flight_requests',
      'Number of export requests currently in-flight (including retry backoff).',
      (one) => one.inFlight,
      all,
    ),
  );
  return found;
}

function processorMetrics(all: readonly ProcessorCounters[]): MetricDefinition[] {
  const found: MetricDefinition[] = [];
  for (const [field, word] of [
    ['incoming', 'passed to the processor'],
    ['outgoing', 'emitted from the processor'],
  ] as const) {
    found.push({
      name: `otelcol_processor_${field}_items`,
      type: 'counter',
      help: `Number of items ${word}.`,
      labels: ['processor', 'otel_signal'],
      upstream: true,
      samples: () => all.map((one) => ({ labels: { otel_signal: one.signal, processor: one.processor }, value: one[field] })),
    });
  }
  for (const facts of Object.values(SIGNAL_FACTS)) {
    const filters = all.filter((one) => one.kind === 'filter' && one.signal === facts.signal);
    if (filters.length > 0) {
      const word = { traces: 'spans', metrics: 'datapoints', logs: 'logs', profiles: 'profiles' }[facts.signal];
      found.push({
        name: `otelcol_processor_filter_${word}_filtered`,
        type: 'counter',
        help: `Number of ${facts.itemWord} dropped by the filter processor.`,
        labels: ['filter'],
        upstream: true,
        samples: () => filters.map((one) => ({ labels: { filter: one.processor }, value: one.filtered })),
      });
    }
    const samplers = all.filter((one) => one.kind === 'probabilistic_sampler' && one.signal === facts.signal);
    if (samplers.length > 0) {
      found.push({
        name: `otelcol_processor_probabilistic_sampler_count_${facts.signal}_sampled`,
        type: 'counter',
        help: `Number of ${facts.itemWord} that were sampled or not, by what decided.`,
        labels: ['policy', 'sampled'],
        upstream: true,
        samples: () =>
          samplers.flatMap((one) =>
            [...one.sampled].flatMap(([policy, { kept, dropped }]) => [
              { labels: { policy, sampled: 'true' }, value: kept },
              { labels: { policy, sampled: 'false' }, value: dropped },
            ]),
          ),
      });
    }
    const mine = all.filter((one) => one.kind === 'memory_limiter' && one.signal === facts.signal);
    if (mine.length === 0) continue;
    for (const field of ['accepted', 'refused'] as const) {
      found.push({
        name: `otelcol_processor_memory_limiter_${field}_${facts.metricWord}`,
        type: 'counter',
        help: `Number of ${facts.itemWord} ${field} by the memory limiter; requests refused before their body was read have no known items.`,
        labels: ['processor'],
        upstream: true,
        samples: () => mine.map((one) => ({ labels: { processor: one.processor }, value: one[field] })),
      });
    }
  }
  return found;
}

function ownMetrics(counters: Counters, heldBytes: () => number): MetricDefinition[] {
  return [
    {
      name: 'otlp_agent_receiver_requests',
      type: 'counter',
      help: 'Number of requests by how they were answered: ok, or a code of the error table.',
      labels: ['receiver', 'transport', 'data_type', 'code'],
      upstream: false,
      *samples() {
        for (const one of counters.receivers) {
          for (const [code, value] of one.requests)
            yield { labels: { receiver: one.receiver, transport: one.transport, data_type: one.signal, code }, value };
        }
      },
    },
    {
      name: 'otlp_agent_connection_errors',
      type: 'counter',
      help: 'Number of connections that broke the protocol, by kind.',
      labels: ['kind'],
      upstream: false,
      *samples() {
        for (const [kind, value] of counters.connectionErrors) yield { labels: { kind }, value };
      },
    },
    {
      name: 'otlp_agent_memory_limiter_refused_requests',
      type: 'counter',
      help: 'Number of requests that the memory limiter refused before their body was read.',
      labels: ['processor', 'data_type'],
      upstream: false,
      samples: () =>
        counters.processors
          .filter((one) => one.kind === 'memory_limiter')
          .map((one) => ({ labels: { processor: one.processor, data_type: one.signal }, value: one.refusedRequests })),
    },
    {
      name: 'otlp_agent_processor_failures',
      type: 'counter',
      help: 'Number of OTTL statements and conditions of filter and transform that failed on a piece of data.',
      labels: ['processor', 'data_type'],
      upstream: false,
      samples: () =>
        counters.processors
          .filter((one) => one.kind === 'filter' || one.kind === 'transform')
          .map((one) => ({ labels: { processor: one.processor, data_type: one.signal }, value: one.failures })),
    },
    {
      name: 'otlp_agent_exporter_retries',
      type: 'counter',
      help: 'Number of attempts that ended with an outcome that may be retried.',
      labels: ['exporter', 'data_type'],
      upstream: false,
      samples: () => counters.exporters.map((one) => ({ labels: { exporter: one.exporter, data_type: one.signal }, value: one.retries })),
    },
    {
      name: 'otlp_agent_exporter_throttled',
      type: 'counter',
      help: 'Number of attempts whose answer named a time to wait, which the whole exporter did.',
      labels: ['exporter', 'data_type'],
      upstream: false,
      samples: () => counters.exporters.map((one) => ({ labels: { exporter: one.exporter, data_type: one.signal }, value: one.throttled })),
    },
    {
      name: 'otlp_agent_exporter_failed_items',
      type: 'counter',
      help: 'Number of items in otelcol_exporter_send_failed_* by reason: partial_success, retries_exhausted, not_retried, answer_unreadable, or the gRPC status that rejected them.',
      labels: ['exporter', 'data_type', 'reason'],
      upstream: false,
      *samples() {
        for (const one of counters.exporters) {
          for (const [reason, value] of one.losses) yield { labels: { exporter: one.exporter, data_type: one.signal, reason }, value };
        }
      },
    },
    {
      name: 'otlp_agent_held_bytes',
      type: 'gauge',
      help: 'Bytes of requests that are being read, inflated, queued or sent.',
      labels: [],
      upstream: false,
      samples: () => [{ labels: {}, value: heldBytes() }],
    },
  ];
}

function processMetrics(startedAt: number): MetricDefinition[] {
  const one = (name: string, type: 'counter' | 'gauge', help: string, value: () => number): MetricDefinition => ({
    name,
    type,
    help,
    labels: [],
    upstream: true,
    samples: () => [{ labels: {}, value: value() }],
  });
  return [
    one('otelcol_process_cpu_seconds', 'counter', 'Total CPU user and system time in seconds.', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    one('otelcol_process_memory_rss', 'gauge', 'Total physical memory (resident set size) in bytes.', () => process.memoryUsage.rss()),
    one('otelcol_process_uptime', 'counter', 'Uptime of the process in seconds.', () => (performance.now() - startedAt) / 1000),
    one('otelcol_process_runtime_heap_alloc_bytes', 'gauge', 'Bytes of heap in use (V8).', () => process.memoryUsage().heapUsed),
    one('otelcol_process_runtime_total_sys_memory_bytes', 'gauge', 'Heap and buffers obtained from the system in bytes.', () => {
      const { heapTotal, external } = process.memoryUsage();
      return heapTotal + external;
    }),
  ];
}

/**
 * The works of the comparison: what is sent, what is configured, and the goal as the issue set it (CPU seconds per million items of the
 * Collector, divided by ours). `ours` are `--set` arguments of our own command line: keys that the Collector does not know.
 */
const service = (more) => ({
  signal: 'traces',
  protocol: 'grpc',
  encoding: 'identity',
  items: 512,
  itemBytes: 373,
  millions: 1.5,
  ...more,
});
/** Requests of 25 spans, on each connection at a time: with 8, as for large ones, the programs wait for the drivers. */
const SMALL_IN_FLIGHT = 32;
const zipped = (more) => service({ millions: 0.5, ...more });
const RESOURCE = { resource: { attributes: [{ key: 'k8s.cluster.name', value: 'blue', action: 'upsert' }] } };

export const WORKS = {
  'none-512': service({ what: 'none, 512 spans x 373 B', goal: 4, floor: true }),
  'none-25': service({
    what: 'none, 25 spans x 376 B',
    goal: 5,
    items: 25,
    itemBytes: 376,
    inFlight: SMALL_IN_FLIGHT,
    millions: 0.8,
    floor: true,
  }),
  'none-1000': service({ what: 'none, 1000 spans x 735 B', goal: 4, items: 1000, itemBytes: 735, millions: 1, floor: true }),
  zstd: zipped({ millions: 1, what: 'zstd in and out, 512 x 373 B', goal: 3, encoding: 'zstd', compression: 'zstd' }),
  'gzip-resource': zipped({
    what: 'gzip in and out, payload rewritten (resource upsert), 512 x 373 B',
    goal: 3.5,
    encoding: 'gzip',
    compression: 'gzip',
    processors: RESOURCE,
    resourceKey: 'k8s.cluster.name',
  }),
  'gzip-members': zipped({
    what: 'gzip in and out, nothing rewritten, members passed through, 512 x 373 B',
    goal: 8,
    encoding: 'gzip',
    compression: 'gzip',
    ours: ['exporters.otlp_grpc.gzip_members=true'],
    collectorNext: true,
  }),
  'http-25': service({
    what: 'OTLP/HTTP protobuf in, 25 spans x 376 B',
    goal: 4,
    protocol: 'http',
    items: 25,
    itemBytes: 376,
    inFlight: SMALL_IN_FLIGHT,
    millions: 1,
  }),
  'http-512': service({ what: 'OTLP/HTTP protobuf in, 512 spans x 373 B', goal: 4, protocol: 'http' }),
  resource: service({ what: 'resource upsert, none, 512 x 373 B', goal: 4, processors: RESOURCE, resourceKey: 'k8s.cluster.name' }),
  attributes: service({
    what: 'attributes: upsert of one, delete of another, 512 x 373 B',
    goal: 3,
    processors: {
      attributes: {
        actions: [
          { key: 'deployment', value: 'blue', action: 'upsert' },
          { key: 'user.id', action: 'delete' },
        ],
      },
    },
    itemKey: 'deployment',
  }),
  filter: service({
    what: 'filter: drops health checks, a tenth of the spans, 512 x 373 B',
    goal: 3,
    processors: { filter: { error_mode: 'ignore', traces: { span: ['attributes["http.route"] == "/health"'] } } },
    drops: true,
  }),
  sampler: service({
    what: 'probabilistic_sampler: keeps a quarter, 512 x 373 B',
    goal: 3,
    processors: { probabilistic_sampler: { mode: 'hash_seed', sampling_percentage: 25 } },
    drops: true,
  }),
  balancing: service({
    what: 'trace-id load balancing over 4 upstreams, 512 x 373 B of mixed traces',
    beside: 'the plain otlp exporter of the Collector to one upstream, as its loadbalancing exporter cannot be built here',
    goal: 2,
    upstreams: 4,
  }),
  metrics: service({ what: 'metrics, none, 512 points x 373 B', goal: 4, signal: 'metrics' }),
  logs: service({ what: 'logs, none, 512 records x 373 B', goal: 4, signal: 'logs' }),
};

/** Batches of 8192 items or 100 ms. */
const BATCH_ITEMS = 8192;
const MAX_QUEUE_ITEMS = 150_000;
const MAX_QUEUE_BYTES = 150e6;

/**
 * Bounded by items and blocking, so that a closed loop whose answers come before the delivery waits at the queue, not at the memory limit,
 * where it would be refused. Two batches fit at least.
 */
function queueFor({ itemBytes }) {
  return {
    sizer: 'items',
    queue_size: Math.max(2 * BATCH_ITEMS, Math.min(MAX_QUEUE_ITEMS, Math.floor(MAX_QUEUE_BYTES / itemBytes))),
    block_on_overflow: true,
    batch: { flush_timeout: '100ms', min_size: BATCH_ITEMS, sizer: 'items' },
  };
}

/** The file that both programs read. Metrics, limiter and health check are on, as everywhere. */
export function configuration(work, { grpc, http, health, metrics, sinks }) {
  const processors = { memory_limiter: { check_interval: '1s', limit_mib: 512 }, ...work.processors };
  return {
    receivers: {
      otlp: {
        protocols: {
          grpc: { endpoint: `127.0.0.1:${grpc}`, max_recv_msg_size_mib: 64 },
          http: { endpoint: `127.0.0.1:${http}` },
        },
      },
    },
    processors,
    exporters: {
      otlp_grpc: {
        endpoint: `127.0.0.1:${sinks[0]}`,
        tls: { insecure: true },
        compression: work.compression ?? 'none',
        sending_queue: queueFor(work),
      },
    },
    extensions: { health_check: { endpoint: `127.0.0.1:${health}` } },
    service: {
      extensions: ['health_check'],
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: metrics } } } }] } },
      pipelines: { [work.signal]: { receivers: ['otlp'], processors: Object.keys(processors), exporters: ['otlp_grpc'] } },
    },
  };
}

/** `--set` arguments of our program for a work: keys and components that the Collector does not have. */
export function settingsOfOurs(work, { sinks }) {
  if ((work.upstreams ?? 1) === 1 && !work.balanced) return work.ours ?? [];
  const otlp = { tls: { insecure: true }, compression: work.compression ?? 'none', sending_queue: queueFor(work) };
  const balancer = {
    protocol: { otlp },
    resolver: { static: { hostnames: sinks.slice(0, work.upstreams).map((port) => `127.0.0.1:${port}`) } },
    ...work.balancer,
  };
  return [
    `exporters.loadbalancing=${JSON.stringify(balancer)}`,
    `service.pipelines.${work.signal}.exporters=["loadbalancing"]`,
    ...(work.ours ?? []),
  ];
}

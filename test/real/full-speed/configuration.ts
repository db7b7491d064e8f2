/** What the stack prints for the agent. */
export const LIMIT_MIB = 512;
/** What comes between two looks at the memory, by the words of memory_limiter; its default is a fifth. */
const SPIKE_MIB = LIMIT_MIB / 5;
/** The limit is one of the whole process: it may be above it for as long as nobody has looked. */
export const MOST_RSS_MIB = LIMIT_MIB + SPIKE_MIB;

export interface Shape {
  /** Ports of the next hops; more than one is balanced by trace id. */
  readonly hops: readonly number[];
  readonly exporter?: 'otlp_grpc' | 'otlp_http';
  /** @default none */
  readonly compression?: 'none' | 'gzip' | 'zstd';
  /** Spans. @default 100000 */
  readonly queueSize?: number;
  /** @default LIMIT_MIB */
  readonly limitMib?: number;
  /** @default 1 */
  readonly workers?: number;
  /** @default 60s */
  readonly drainDeadline?: string;
  /** Of a resource attribute. @default no processor */
  readonly environment?: string;
  /** Of the gRPC receiver: another one takes its connections over. @default 64 */
  readonly maxMessageMib?: number;
}

/** Of the receivers. Not any free ones: senders come again to a port that its agent has left, and would find who has it next. */
export interface Ports {
  readonly grpc: number;
  readonly http: number;
}

/** The agent's file for a shape: one pipeline of traces from both receivers to the next hops. */
export function configuration(shape: Shape, ports: Ports): object {
  const {
    hops,
    exporter = 'otlp_grpc',
    compression = 'none',
    queueSize = 100_000,
    limitMib = LIMIT_MIB,
    environment,
    maxMessageMib = 64,
  } = shape;
  const sending = {
    compression,
    timeout: '60s',
    tls: { insecure: true },
    retry_on_failure: { initial_interval: '50ms', max_interval: '200ms', max_elapsed_time: '0s' },
    sending_queue: { sizer: 'items', queue_size: queueSize, batch: { min_size: 8192, flush_timeout: '100ms', sizer: 'items' } },
  };
  const [hop] = hops;
  const balanced = {
    protocol: { otlp: sending },
    resolver: { static: { hostnames: hops.map((port) => `127.0.0.1:${port}`) } },
    health: { interval: '500ms' },
  };
  const exporters =
    hops.length > 1
      ? { loadbalancing: balanced }
      : { [exporter]: { ...sending, endpoint: exporter === 'otlp_http' ? `http://127.0.0.1:${hop}` : `127.0.0.1:${hop}` } };
  const processors = {
    memory_limiter: { check_interval: '250ms', limit_mib: limitMib },
    ...(environment === undefined ? {} : { resource: { attributes: [{ key: 'environment', value: environment, action: 'upsert' }] } }),
  };
  return {
    receivers: {
      otlp: {
        protocols: {
          grpc: { endpoint: `127.0.0.1:${ports.grpc}`, max_recv_msg_size_mib: maxMessageMib },
          http: { endpoint: `127.0.0.1:${ports.http}` },
        },
      },
    },
    processors,
    exporters,
    service: {
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: 0 } } } }] } },
      pipelines: { traces: { receivers: ['otlp'], processors: Object.keys(processors), exporters: Object.keys(exporters) } },
    },
    agent: { workers: shape.workers ?? 1, drain_deadline: shape.drainDeadline ?? '60s', reload_interval: '0s' },
  };
}

import type {
  AgentSettings,
  ConnectorSettings,
  ExporterSettings,
  GrpcServerSettings,
  Http2Codec,
  HttpClientCodec,
  HttpCodec,
  HttpServerSettings,
  OtlpGrpcExporterSettings,
  OtlpHttpExporterSettings,
  PipelineSettings,
  ProcessorSettings,
  QueueSettings,
  RetrySettings,
  SocketAddress,
  StallLimits,
} from '../../../agent/config/settings.ts';
import { SIGNALS } from '../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';

/** OTLP_STACK_HTTP2_CODEC=node runs the same tests over node:http2. */
export const CODEC: Http2Codec = process.env['OTLP_STACK_HTTP2_CODEC'] === 'node' ? 'node' : 'own';

/** The same for exporters: OTLP_STACK_HTTP2_CLIENT=node. */
export const CLIENT_CODEC: Http2Codec = process.env['OTLP_STACK_HTTP2_CLIENT'] === 'node' ? 'node' : 'own';

/** OTLP_STACK_HTTP1_CODEC=node runs the same tests over node:http. */
export const HTTP1_CODEC: HttpCodec = process.env['OTLP_STACK_HTTP1_CODEC'] === 'node' ? 'node' : 'own';

/** OTLP_STACK_HTTP1_CLIENT=undici runs the same tests over undici. */
export const HTTP1_CLIENT: HttpClientCodec = process.env['OTLP_STACK_HTTP1_CLIENT'] === 'undici' ? 'undici' : 'own';

/** Settings as the configuration's defaults make them, with loopback addresses on free ports. */
export const ANY_PORT: SocketAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };

export const QUEUE: QueueSettings = {
  enabled: true,
  consumers: 10,
  capacity: 1000,
  sizer: 'requests',
  overflow: 'refuse',
  waitForResult: false,
};

/** Fast, so that a test that retries ends soon. */
export const RETRY: RetrySettings = {
  enabled: true,
  initialIntervalMs: 20,
  randomizationFactor: 0.5,
  multiplier: 1.5,
  maxIntervalMs: 100,
  maxElapsedMs: 0,
};

/** The Collector's defaults: one ping in five minutes. */
export const KEEPALIVE: GrpcServerSettings['keepalive'] = {
  maxConnectionIdleMs: 0,
  maxConnectionAgeMs: 0,
  maxConnectionAgeGraceMs: 0,
  timeMs: 7_200_000,
  timeoutMs: 20_000,
  minPingIntervalMs: 300_000,
  permitWithoutStream: false,
};

/** What a client that stalls may hold. */
export const LIMITS: StallLimits = { maxConnections: 4096, bodyIdleMs: 60_000, minBodyRate: 16_384, writeTimeoutMs: 30_000 };

export const PATHS = Object.fromEntries(SIGNALS.map((signal) => [signal, SIGNAL_FACTS[signal].httpPath])) as Record<
  (typeof SIGNALS)[number],
  string
>;

/** Of an attempt, and of a drain: longer than a busy machine stands still. A test whose next hop is silent on purpose sets its own. */
export const NO_DEADLINE_MS = 60_000;

export function grpcExporter(port: number, more: Partial<OtlpGrpcExporterSettings> = {}): OtlpGrpcExporterSettings {
  return {
    kind: 'otlp_grpc',
    id: 'otlp_grpc',
    address: { kind: 'tcp', host: '127.0.0.1', port },
    authority: `127.0.0.1:${port}`,
    compression: 'none',
    headers: {},
    timeoutMs: NO_DEADLINE_MS,
    http2Codec: CLIENT_CODEC,
    queue: QUEUE,
    retry: RETRY,
    ...more,
  };
}

export function httpExporter(port: number, more: Partial<OtlpHttpExporterSettings> = {}): OtlpHttpExporterSettings {
  const base = `http://127.0.0.1:${port}`;
  return {
    kind: 'otlp_http',
    id: 'otlp_http',
    urls: Object.fromEntries(SIGNALS.map((signal) => [signal, base + PATHS[signal]])) as OtlpHttpExporterSettings['urls'],
    encoding: 'proto',
    keepAlives: true,
    http1Codec: HTTP1_CLIENT,
    compression: 'none',
    headers: {},
    maxConnections: 0,
    idleConnectionTimeoutMs: 90_000,
    timeoutMs: NO_DEADLINE_MS,
    queue: QUEUE,
    retry: RETRY,
    ...more,
  };
}

export interface AgentShape {
  readonly exporters: readonly ExporterSettings[];
  readonly processors?: readonly ProcessorSettings[];
  readonly connectors?: readonly ConnectorSettings[];
  readonly pipelines?: readonly PipelineSettings[];
  readonly maxMessageBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly drainDeadlineMs?: number;
  readonly maxConcurrentStreams?: number;
  /** Of the receiver, over what is above. */
  readonly grpc?: Partial<GrpcServerSettings>;
  readonly http?: Partial<HttpServerSettings>;
}

/** One otlp receiver on both transports, a pipeline for each signal with every processor and exporter given. */
export function agentSettings(shape: AgentShape): AgentSettings {
  const processors = shape.processors ?? [];
  const maxBytes = shape.maxMessageBytes ?? 64 * 1024 * 1024;
  return {
    receivers: {
      otlp: {
        id: 'otlp',
        grpc: {
          address: ANY_PORT,
          maxMessageBytes: maxBytes,
          maxConcurrentStreams: shape.maxConcurrentStreams ?? 1000,
          includeMetadata: false,
          keepalive: KEEPALIVE,
          handshakeTimeoutMs: 20_000,
          codec: CODEC,
          limits: LIMITS,
          ...shape.grpc,
        },
        http: {
          address: ANY_PORT,
          maxBodyBytes: maxBytes,
          readHeaderTimeoutMs: 60_000,
          readTimeoutMs: 0,
          idleTimeoutMs: 60_000,
          paths: PATHS,
          compressionAlgorithms: ['gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'x-snappy-framed', 'br'],
          responseHeaders: {},
          keepAlives: true,
          http1Codec: HTTP1_CODEC,
          includeMetadata: false,
          limits: LIMITS,
          ...shape.http,
        },
      },
    },
    processors: Object.fromEntries(processors.map((one) => [one.id, one])),
    exporters: Object.fromEntries(shape.exporters.map((one) => [one.id, one])),
    connectors: Object.fromEntries((shape.connectors ?? []).map((one) => [one.id, one])),
    extensions: [{ kind: 'health_check', id: 'health_check', address: ANY_PORT, path: '/' }],
    pipelines:
      shape.pipelines ??
      SIGNALS.map((signal) => ({
        id: signal,
        signal,
        receivers: ['otlp'],
        processors: processors.map((one) => one.id),
        exporters: shape.exporters.map((one) => one.id),
      })),
    telemetry: { metrics: { address: ANY_PORT }, logs: { level: 'info', encoding: 'json' }, resource: {} },
    agent: {
      drainDeadlineMs: shape.drainDeadlineMs ?? NO_DEADLINE_MS,
      workers: 1,
      reloadIntervalMs: 0,
      thresholds: { cpu: 0.8, memory: 0.85, io: 0.9 },
      ...(shape.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: shape.memoryLimitBytes }),
    },
  };
}

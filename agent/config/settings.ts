import type { BalanceSettings, ConnectionSettings } from '../balance/settings.ts';
import type { CountSettings } from '../connect/count-config.ts';
import type { ForwardSettings } from '../connect/forward-config.ts';
import type { FileExporterSettings } from '../export/file-config.ts';
import type { LoadBalancingSettings } from '../export/loadbalancing-config.ts';
import type { NopExporterSettings } from '../export/nop-config.ts';
import type { AttributesSettings } from '../process/attributes-config.ts';
import type { FilterSettings } from '../process/filter-config.ts';
import type { ProbabilisticSamplerSettings } from '../process/probabilistic-sampler-config.ts';
import type { RedactionSettings } from '../process/redaction-config.ts';
import type { ResourceSettings } from '../process/resource-config.ts';
import type { ResourceDetectionSettings } from '../process/resource-detection-config.ts';
import type { TransformSettings } from '../process/transform-config.ts';
import type { RegistrationSettings } from '../register/settings.ts';
import type { OwnDestination, OwnTraces } from '../telemetry/own/settings.ts';

/**
 * What the code of the agent is told: parsed, defaulted, with environment values put in and checked.
 * `config` is what a user writes (YAML), `settings` is this. Times are milliseconds, sizes bytes, names as in the file.
 */

/** The four OTLP signals; profiles are `v1development` upstream. */
export type Signal = 'traces' | 'metrics' | 'logs' | 'profiles';

/** All signals in the order in which tables and metrics name them. */
export const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs', 'profiles'];

/** Where a socket is bound or dialled: a TCP address, or a unix socket's path. */
export type SocketAddress =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** Several workers listen on it, and the kernel spreads connections over them. @default false */
      readonly reusePort?: boolean;
    }
  | { readonly kind: 'unix'; readonly path: string };

/** As `Content-Encoding` has them; gRPC takes none, gzip, zstd and x-snappy-framed, which it calls snappy. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'deflate' | 'zlib' | 'snappy' | 'x-snappy-framed';

/** Everything that one agent process runs. */
export interface AgentSettings {
  /** By component id (`otlp`, `otlp/2`); only those that a pipeline uses. */
  readonly receivers: Readonly<Record<string, OtlpReceiverSettings>>;
  readonly processors: Readonly<Record<string, ProcessorSettings>>;
  readonly exporters: Readonly<Record<string, ExporterSettings>>;
  /** By component id; only those that pipelines use at both ends. */
  readonly connectors: Readonly<Record<string, ConnectorSettings>>;
  /** Those that `service.extensions` lists, in its order. */
  readonly extensions: readonly ExtensionSettings[];
  /** In the order of the file. */
  readonly pipelines: readonly PipelineSettings[];
  readonly telemetry: TelemetrySettings;
  readonly agent: ProcessSettings;
}

/** `service.pipelines.<id>`. */
export interface PipelineSettings {
  /** `traces`, `traces/2`. */
  readonly id: string;
  readonly signal: Signal;
  /** Receivers, and connectors that end in this pipeline. */
  readonly receivers: readonly string[];
  /** Without the `batch` processors: they are in `batch`. */
  readonly processors: readonly string[];
  /** Exporters, and connectors that begin here. */
  readonly exporters: readonly string[];
  /** The pipeline's `batch` processor; an exporter's own `sending_queue.batch` wins over it. */
  readonly batch?: BatchSettings;
}

/** Receiver `otlp`, with at least one of grpc and http; receiver `library` has neither. */
export interface OtlpReceiverSettings {
  readonly id: string;
  readonly grpc?: GrpcServerSettings;
  readonly http?: HttpServerSettings;
}

export interface GrpcServerSettings {
  readonly address: SocketAddress;
  /** `max_recv_msg_size_mib`, on the wire and inflated. @default 64 MiB */
  readonly maxMessageBytes: number;
  /** `max_concurrent_streams` of one connection. @default 1000 */
  readonly maxConcurrentStreams: number;
  /** `keepalive.server_parameters`; 0 is never. */
  readonly keepalive: ServerKeepaliveSettings;
  /** `include_metadata`: hands request headers to later stages. @default false */
  readonly includeMetadata: boolean;
  /** `handshake_timeout`, ours: from the connection to the client's HTTP/2 preface. @default 20 000 */
  readonly handshakeTimeoutMs: number;
  /** `http2_codec`, ours: who reads and writes HTTP/2. @default own */
  readonly codec: Http2Codec;
  readonly limits: StallLimits;
}

/** Our HTTP/2 codec, or that of Node. */
export type Http2Codec = 'own' | 'node';

/** Our HTTP/1.1 codec, which leaves all but plain requests to that of Node, or that of Node for all. */
export type HttpCodec = 'own' | 'node';

/** Our HTTP/1.1 client, or undici. */
export type HttpClientCodec = 'own' | 'undici';

/** Of a listener: what clients that stall may hold, and for how long (receive/stall.ts). Keys of ours, but HTTP's write_timeout. */
export interface StallLimits {
  /** `max_connections` at a time; one more closes the oldest silent one, else itself. @default 4096 */
  readonly maxConnections: number;
  /** `body_idle_timeout`: time without a byte of a body. @default 60 000 */
  readonly bodyIdleMs: number;
  /** `min_body_rate`: bytes per second on average, of a body that takes longer than bodyIdleMs. @default 16 384 */
  readonly minBodyRate: number;
  /** `write_timeout`: an answer that its client does not take. @default 30 000 */
  readonly writeTimeoutMs: number;
}

export interface ServerKeepaliveSettings {
  /** `max_connection_idle`. @default 0 */
  readonly maxConnectionIdleMs: number;
  /** `max_connection_age`: then GOAWAY, so that clients balance again. @default 0 */
  readonly maxConnectionAgeMs: number;
  /** `max_connection_age_grace`; 0 waits for what is in flight without end. @default 0 */
  readonly maxConnectionAgeGraceMs: number;
  /** `time`: a ping after so much silence. @default 7 200 000 (2 h) */
  readonly timeMs: number;
  /** `timeout`: no answer to the ping closes the connection. @default 20 000 */
  readonly timeoutMs: number;
  /** `enforcement_policy.min_time`: a client that pings more often gets GOAWAY ENHANCE_YOUR_CALM. @default 300 000 (5 min) */
  readonly minPingIntervalMs: number;
  /** `enforcement_policy.permit_without_stream`: without a call in flight such a client may ping once in 2 hours. @default false */
  readonly permitWithoutStream: boolean;
}

export interface HttpServerSettings {
  readonly address: SocketAddress;
  /** `max_request_body_size`, on the wire and inflated. @default 64 MiB */
  readonly maxBodyBytes: number;
  /** `read_header_timeout`. @default 60 000 */
  readonly readHeaderTimeoutMs: number;
  /** `read_timeout`: the whole request; 0 leaves it to `limits`. @default 0 */
  readonly readTimeoutMs: number;
  /** `idle_timeout` between requests of one connection. @default 60 000 */
  readonly idleTimeoutMs: number;
  /** `traces_url_path` and so on. @default /v1/traces, /v1/metrics, /v1/logs, /v1development/profiles */
  readonly paths: Readonly<Record<Signal, string>>;
  /** `compression_algorithms`: those accepted beside none. @default gzip, zstd, zlib, snappy, deflate, x-snappy-framed, br */
  readonly compressionAlgorithms: readonly string[];
  /** `response_headers`. @default none */
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly cors?: CorsSettings;
  /** `http1_codec`, ours: who reads and writes HTTP/1.1. @default own */
  readonly http1Codec: HttpCodec;
  /** `keep_alives_enabled`: false ends each connection with its first answer. @default true */
  readonly keepAlives: boolean;
  /** `include_metadata`: hands request headers to later stages. @default false */
  readonly includeMetadata: boolean;
  readonly limits: StallLimits;
}

export interface CorsSettings {
  readonly allowedOrigins: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposedHeaders: readonly string[];
  /** Seconds, as in the header. */
  readonly maxAgeSeconds: number;
}

export type ProcessorSettings =
  | AttributesSettings
  | FilterSettings
  | MemoryLimiterSettings
  | ProbabilisticSamplerSettings
  | RedactionSettings
  | ResourceDetectionSettings
  | ResourceSettings
  | TransformSettings;

export interface MemoryLimiterSettings {
  readonly kind: 'memory_limiter';
  readonly id: string;
  readonly checkIntervalMs: number;
  /** `min_gc_interval_when_soft_limited`. @default 10 000 */
  readonly minGcIntervalSoftMs: number;
  /** `min_gc_interval_when_hard_limited`. @default 0 */
  readonly minGcIntervalHardMs: number;
  /** Hard limit in bytes (`limit_mib`, or `limit_percentage` of the cgroup's memory). */
  readonly limitBytes: number;
  /** New requests are refused above limitBytes - spikeBytes. @default 20 % of the limit */
  readonly spikeBytes: number;
}

export type ExporterSettings =
  | OtlpGrpcExporterSettings
  | OtlpHttpExporterSettings
  | DebugExporterSettings
  | FileExporterSettings
  | LoadBalancingSettings
  | NopExporterSettings;

export interface ExporterCommon {
  /** As written: `otlp/jaeger`. */
  readonly id: string;
  /** Of one attempt; never 0, as `timeout: 0` (without end) is the longest timer there is. @default 5 000 for otlp_grpc, 30 000 for otlp_http */
  readonly timeoutMs: number;
  readonly queue: QueueSettings;
  readonly retry: RetrySettings;
}

export interface OtlpGrpcExporterSettings extends ExporterCommon {
  readonly kind: 'otlp_grpc';
  readonly address: SocketAddress;
  /** The :authority sent; `authority` or the endpoint as written. */
  readonly authority: string;
  /** @default gzip */
  readonly compression: Compression;
  /** `gzip_members`; only with gzip. @default false */
  readonly gzipMembers?: boolean;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly keepalive?: ClientKeepaliveSettings;
  /** `connections`. @default at most 100 to one address, closed after 30 s without calls */
  readonly connections?: ConnectionSettings;
  /** Where requests are spread over the addresses of a name. Absent: one address at a time, looked up at each connect. */
  readonly balance?: BalanceSettings;
  /** `user_agent` of the configuration. @default "otlp-agent/<version>" */
  readonly userAgent?: string;
  /** `http2_codec`, ours: who reads and writes HTTP/2. @default own */
  readonly http2Codec?: Http2Codec;
}

export interface ClientKeepaliveSettings {
  readonly timeMs: number;
  readonly timeoutMs: number;
  readonly permitWithoutStream: boolean;
}

export interface OtlpHttpExporterSettings extends ExporterCommon {
  readonly kind: 'otlp_http';
  /** Whole URL by signal: `<endpoint>/v1/traces`, or `traces_endpoint` as written. */
  readonly urls: Readonly<Record<Signal, string>>;
  /** `encoding`. @default proto */
  readonly encoding: 'proto' | 'json';
  /** `proxy_url`; absent: what HTTP_PROXY and NO_PROXY say. */
  readonly proxyUrl?: string;
  /** @default gzip */
  readonly compression: Compression;
  /** `gzip_members`; only with gzip and proto. @default false */
  readonly gzipMembers?: boolean;
  /** `compression_params.level`; the algorithm's own default where it is absent. */
  readonly compressionLevel?: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `max_conns_per_host`; 0 is as many as consumers. @default 0 */
  readonly maxConnections: number;
  /** `idle_conn_timeout`. @default 90 000 */
  readonly idleConnectionTimeoutMs: number;
  /** False for `disable_keep_alives`: a connection for each request. @default true */
  readonly keepAlives: boolean;
  /** `http1_codec`, ours: who sends. @default own */
  readonly http1Codec?: HttpClientCodec;
}

export interface DebugExporterSettings extends ExporterCommon {
  readonly kind: 'debug';
  /** @default basic */
  readonly verbosity: 'basic' | 'normal' | 'detailed';
}

export type Sizer = 'requests' | 'items' | 'bytes';

/** What a full queue does: `refuse` (default), `block` = block_on_overflow: true, `drop_oldest` = our key `on_overflow`. */
export type OverflowPolicy = 'refuse' | 'block' | 'drop_oldest';

/** `sending_queue`. One queue for each signal of an exporter, as in the Collector. */
export interface QueueSettings {
  /** false: one request at a time goes straight out and the sender waits for the result. @default true (debug: false) */
  readonly enabled: boolean;
  /** `num_consumers`: requests in flight. @default 10 */
  readonly consumers: number;
  /** `queue_size`, counted in `sizer`. @default 1000 */
  readonly capacity: number;
  /** @default requests */
  readonly sizer: Sizer;
  readonly overflow: OverflowPolicy;
  /** `wait_for_result`. @default false */
  readonly waitForResult: boolean;
  /** `sending_queue.batch`; absent: what the pipeline's batch says, or no merging. */
  readonly batch?: BatchSettings;
}

export interface BatchSettings {
  /** @default 200 */
  readonly flushTimeoutMs: number;
  /** @default 8192 */
  readonly minSize: number;
  /** 0 is without limit. @default 0 */
  readonly maxSize: number;
  /** @default items */
  readonly sizer: Sizer;
  /** `partition.metadata_keys` in lower case: requests whose headers differ in one of these are not merged. @default none */
  readonly metadataKeys?: readonly string[];
}

/** `retry_on_failure`. */
export interface RetrySettings {
  readonly enabled: boolean;
  /** @default 5 000 */
  readonly initialIntervalMs: number;
  /** @default 0.5 */
  readonly randomizationFactor: number;
  /** @default 1.5 */
  readonly multiplier: number;
  /** @default 30 000 */
  readonly maxIntervalMs: number;
  /** 0 is for ever. @default 300 000 */
  readonly maxElapsedMs: number;
}

/** One member for each connector type, told apart by `kind`. */
export type ConnectorSettings = CountSettings | ForwardSettings;

/** One member for each extension type, told apart by `kind`. */
export type ExtensionSettings = HealthCheckSettings | RegistrationSettings;

export interface HealthCheckSettings {
  readonly kind: 'health_check';
  readonly id: string;
  readonly address: SocketAddress;
  /** @default "/" */
  readonly path: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface TelemetrySettings {
  /** Absent: no metrics server (`service.telemetry.metrics.level: none`). @default localhost:8888 */
  readonly metrics?: { readonly address: SocketAddress };
  readonly logs: { readonly level: LogLevel; readonly encoding: 'json' | 'console' };
  /** `traces`: where spans of deliveries go; absent: none are made. */
  readonly traces?: OwnTraces;
  /** `logs.processors`: where log lines go beside standard output. */
  readonly ownLogs?: OwnDestination;
  /** `service.telemetry.resource`: service.name and the like, as labels of target_info. */
  readonly resource: Readonly<Record<string, string>>;
}

/** `agent.thresholds`, from 0 to 1: loads from which on the agent says that it has too much to do. */
export interface Thresholds {
  /** @default 0.8 */
  readonly cpu: number;
  /** @default 0.85 */
  readonly memory: number;
  /** @default 0.9 */
  readonly io: number;
}

/** The top-level section `agent:`; ours alone. */
export interface ProcessSettings {
  /** `drain_deadline`: from SIGTERM until what is left is counted as evicted. @default 25 000 */
  readonly drainDeadlineMs: number;
  /** `reload_interval` of the files of the configuration; 0 is never. @default 2 000 */
  readonly reloadIntervalMs: number;
  readonly thresholds: Thresholds;
  /** `workers`: threads that receive, process and send. @default 1: all in one thread */
  readonly workers: number;
  /** `memory_limit_mib`: of every request held, also where no pipeline has a memory_limiter. Absent: no such limit. */
  readonly memoryLimitBytes?: number;
}

/**
 * The configuration of the agent as types, in the Collector's grammar. Written by `npm run docs` from the schemas beside the components; do
 * not edit. `null` is a key that is there and empty.
 */

/** A reference that is the whole value: `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}`. */
export type Reference = `\${${string}}`;

/** Go's syntax, as `200ms`, `5s` or `1h30m`. A number is nanoseconds, as in the Collector. */
export type Duration = `${string}${'ns' | 'us' | 'µs' | 'μs' | 'ms' | 's' | 'm' | 'h'}` | Reference | number | bigint;

/** A list of texts; one text with commas is a list, too. */
export type TextList = readonly (string | null)[] | string;

/** Names and values. */
export type NameMap = { readonly [name: string]: unknown } | readonly { readonly name?: string; readonly value?: unknown }[];

/** A whole configuration. */
export interface AgentConfig {
  readonly receivers?: ReceiversConfig | null;
  readonly processors?: ProcessorsConfig | null;
  readonly exporters?: ExportersConfig | null;
  readonly connectors?: ConnectorsConfig | null;
  readonly extensions?: ExtensionsConfig | null;
  /** What runs. */
  readonly service?: ServiceConfig | null;
  /** Of the whole process; of this agent alone. */
  readonly agent?: ProcessConfig | null;
}

/** What runs. Components that no pipeline uses are checked and not started. */
export interface ServiceConfig {
  /** Extensions to start. */
  readonly extensions?: readonly string[] | null;
  readonly pipelines?: PipelinesConfig | null;
  /** The agent's own metrics and log. */
  readonly telemetry?: TelemetryConfig | null;
}

/** `receivers`: by id, `type` or `type/name`. */
export interface ReceiversConfig {
  /** Receives OTLP over gRPC and HTTP. */
  readonly otlp?: OtlpReceiverConfig | null;
  readonly [id: `otlp/${string}`]: OtlpReceiverConfig | null | undefined;
  /** Takes requests from the program that the agent is embedded in (docs/how-to/embed.md); the program otlp-agent never has any. Of this agent alone. */
  readonly library?: LibraryReceiverConfig | null;
  readonly [id: `library/${string}`]: LibraryReceiverConfig | null | undefined;
}

/** Receives OTLP over gRPC and HTTP. */
export interface OtlpReceiverConfig {
  /** At least one of grpc and http. */
  readonly protocols?: {
    /** OTLP/gRPC; an empty key switches it on with its defaults. @default off */
    readonly grpc?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Address to listen on, `host:port`; the path of the socket where `transport` is unix. @default localhost:4317 */
      readonly endpoint?: string | null;
      /** Kind of socket: tcp, or unix with the path of the socket as endpoint. @default tcp */
      readonly transport?: 'tcp' | 'tcp4' | 'tcp6' | 'unix' | 'udp' | 'udp4' | 'udp6' | 'ip' | 'ip4' | 'ip6' | 'unixgram' | 'unixpacket' | Reference | null;
      /** Of outgoing connections. Without effect: a listener does not dial. */
      readonly dialer?: {
        /** Time to connect. @default 0s */
        readonly timeout?: Duration | null;
      } | null;
      /** TLS of the listener. Not supported: TLS on a listener is not supported yet; remove the key, or terminate TLS before the agent. */
      readonly tls?: null;
      /** Authenticator extension. Not supported: authentication is not supported yet; remove the key. */
      readonly auth?: null;
      /** Middleware extensions. Not supported: this agent has no middleware extensions; remove the key. */
      readonly middlewares?: null;
      /** MiB of one message, on the wire and after decompression. 64 is the default of OTLP 1.11; upstream has 4. @default 64 */
      readonly max_recv_msg_size_mib?: number | bigint | Reference | null;
      /** Requests in flight on one connection; 0 is 1000. @default 1000 */
      readonly max_concurrent_streams?: number | bigint | Reference | null;
      /** Bytes. Without effect: sizes Go buffers; Node sizes its own. */
      readonly read_buffer_size?: number | bigint | Reference | null;
      /** Bytes. Without effect: sizes Go buffers; Node sizes its own. */
      readonly write_buffer_size?: number | bigint | Reference | null;
      /** Pings and the life of connections. @default on */
      readonly keepalive?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Life of a connection. @default on */
        readonly server_parameters?: {
          /** false switches the section off. */
          readonly enabled?: boolean | Reference;
          /** Closes a connection without requests after this time; 0 is never. @default 0s */
          readonly max_connection_idle?: Duration | null;
          /** Sends GOAWAY to a connection of this age, so that its client balances again; 0 is never. @default 0s */
          readonly max_connection_age?: Duration | null;
          /** Time for what is in flight after that GOAWAY; 0 waits. @default 0s */
          readonly max_connection_age_grace?: Duration | null;
          /** Pings a client after so much silence; 0 is 2h. @default 2h */
          readonly time?: Duration | null;
          /** Closes the connection when the ping has no answer in this time; 0 is 20s. @default 20s */
          readonly timeout?: Duration | null;
        } | null;
        /** What pings of clients are allowed. @default on */
        readonly enforcement_policy?: {
          /** false switches the section off. */
          readonly enabled?: boolean | Reference;
          /** A client that pings more often gets GOAWAY; 0 is 5m. @default 5m */
          readonly min_time?: Duration | null;
          /** Whether a client may ping without a request in flight. Without effect: such pings are always allowed. @default false */
          readonly permit_without_stream?: boolean | Reference | null;
        } | null;
      } | null;
      /** Hands request metadata to later stages. Without effect: nothing reads request metadata yet. @default false */
      readonly include_metadata?: boolean | Reference | null;
    } | null;
    /** OTLP/HTTP, protobuf; an empty key switches it on with its defaults. @default off */
    readonly http?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Address to listen on, `host:port`; the path of the socket where `transport` is unix. @default localhost:4318 */
      readonly endpoint?: string | null;
      /** Kind of socket: tcp, or unix with the path of the socket as endpoint. @default tcp */
      readonly transport?: 'tcp' | 'tcp4' | 'tcp6' | 'unix' | 'udp' | 'udp4' | 'udp6' | 'ip' | 'ip4' | 'ip6' | 'unixgram' | 'unixpacket' | Reference | null;
      /** Of outgoing connections. Without effect: a listener does not dial. */
      readonly dialer?: {
        /** Time to connect. @default 0s */
        readonly timeout?: Duration | null;
      } | null;
      /** TLS of the listener. Not supported: TLS on a listener is not supported yet; remove the key, or terminate TLS before the agent. */
      readonly tls?: null;
      /** Authenticator extension. Not supported: authentication is not supported yet; remove the key. */
      readonly auth?: null;
      /** Middleware extensions. Not supported: this agent has no middleware extensions; remove the key. */
      readonly middlewares?: null;
      /** Cross-origin requests of browsers. @default off */
      readonly cors?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Values of Origin that a browser may send from; `*` stands for any characters. @default [] */
        readonly allowed_origins?: TextList | null;
        /** Request headers that a browser may send beside the simple ones. @default [] */
        readonly allowed_headers?: TextList | null;
        /** Response headers that a page may read. @default [] */
        readonly exposed_headers?: TextList | null;
        /** Seconds for which a browser keeps the answer to its preflight request. @default 0 */
        readonly max_age?: number | bigint | Reference | null;
      } | null;
      /** Bytes of one request, on the wire and after decompression. 64 MiB is the default of OTLP 1.11; upstream has 20 MiB. @default 67108864 */
      readonly max_request_body_size?: number | bigint | Reference | null;
      /** Hands request headers to later stages. Without effect: nothing reads request metadata yet. @default false */
      readonly include_metadata?: boolean | Reference | null;
      /** Headers added to every response. @default {} */
      readonly response_headers?: NameMap | null;
      /** Content-Encodings that are accepted beside none. @default gzip, zstd, deflate, zlib */
      readonly compression_algorithms?: TextList | null;
      /** Time for a whole request with its body; 0 is 1m, so that a stalled body ends. @default 0s */
      readonly read_timeout?: Duration | null;
      /** Time for the headers of a request. @default 1m */
      readonly read_header_timeout?: Duration | null;
      /** Time to write a response. Without effect: responses are a few bytes. @default 0s */
      readonly write_timeout?: Duration | null;
      /** Time that a connection may stay open between requests. @default 1m */
      readonly idle_timeout?: Duration | null;
      /** Keeps connections open between requests. Without effect: connections are always kept. @default true */
      readonly keep_alives_enabled?: boolean | Reference | null;
      /** URL path for traces. @default /v1/traces */
      readonly traces_url_path?: string | null;
      /** URL path for metrics. @default /v1/metrics */
      readonly metrics_url_path?: string | null;
      /** URL path for logs. @default /v1/logs */
      readonly logs_url_path?: string | null;
    } | null;
  } | null;
}

/** Takes requests from the program that the agent is embedded in (docs/how-to/embed.md); the program otlp-agent never has any. Of this agent alone. */
export interface LibraryReceiverConfig {}

/** `processors`: by id, `type` or `type/name`. */
export interface ProcessorsConfig {
  /** Refuses requests before they are read when memory runs short. */
  readonly memory_limiter?: MemoryLimiterProcessorConfig | null;
  readonly [id: `memory_limiter/${string}`]: MemoryLimiterProcessorConfig | null | undefined;
  /** Merges requests. Runs as sending_queue.batch of the exporters of its pipeline, so that what is acknowledged is already queued. */
  readonly batch?: BatchProcessorConfig | null;
  readonly [id: `batch/${string}`]: BatchProcessorConfig | null | undefined;
  /** Keeps a share of spans or log records by their trace id, the same ones as a Collector with the same settings. Edits in place: what is kept is copied, only tracestate (spans) or two attributes (logs) are written anew. */
  readonly probabilistic_sampler?: ProbabilisticSamplerProcessorConfig | null;
  readonly [id: `probabilistic_sampler/${string}`]: ProbabilisticSamplerProcessorConfig | null | undefined;
  /** Sets and removes resource attributes, in place: nothing is decoded. */
  readonly resource?: ResourceProcessorConfig | null;
  readonly [id: `resource/${string}`]: ResourceProcessorConfig | null | undefined;
}

/** Refuses requests before they are read when memory runs short. */
export interface MemoryLimiterProcessorConfig {
  /** Time between two looks at the memory of the process. What requests hold is counted at every request, without an interval. @default 1s */
  readonly check_interval?: Duration | null;
  /** MiB above which requests are refused. Wins over limit_percentage. @default none */
  readonly limit_mib?: number | bigint | Reference | null;
  /** MiB kept free below limit_mib; new requests are refused from limit_mib - spike_limit_mib on. @default 20 % of limit_mib */
  readonly spike_limit_mib?: number | bigint | Reference | null;
  /** The limit in percent of the memory of the cgroup, or of the machine. @default none */
  readonly limit_percentage?: number | bigint | Reference | null;
  /** The spike limit in percent of the same. @default 20 % of limit_percentage */
  readonly spike_limit_percentage?: number | bigint | Reference | null;
  /** Time between two forced collections. Without effect: bytes are counted exactly, nothing has to be collected by force. @default 10s */
  readonly min_gc_interval_when_soft_limited?: Duration | null;
  /** Time between two forced collections. Without effect: bytes are counted exactly, nothing has to be collected by force. @default 0s */
  readonly min_gc_interval_when_hard_limited?: Duration | null;
}

/** Merges requests. Runs as sending_queue.batch of the exporters of its pipeline, so that what is acknowledged is already queued. */
export interface BatchProcessorConfig {
  /** Sends what there is after this time; 0 sends at once. @default 200ms */
  readonly timeout?: Duration | null;
  /** Items from which a batch is sent before its time; 0 sends at once. @default 8192 */
  readonly send_batch_size?: number | bigint | Reference | null;
  /** Items of one request at most; larger ones are split. 0 is no limit. @default 0 */
  readonly send_batch_max_size?: number | bigint | Reference | null;
  /** Request metadata by which batches are kept apart. @default [] */
  readonly metadata_keys?: TextList | null;
  /** Different batches at most. Without effect: there is no batching by metadata yet. @default 1000 */
  readonly metadata_cardinality_limit?: number | bigint | Reference | null;
}

/** Keeps a share of spans or log records by their trace id, the same ones as a Collector with the same settings. Edits in place: what is kept is copied, only tracestate (spans) or two attributes (logs) are written anew. */
export interface ProbabilisticSamplerProcessorConfig {
  /** Percent of spans or log records that are kept; 100 and more is all. @default 0 */
  readonly sampling_percentage?: number | bigint | Reference | null;
  /** hash_seed: two tiers that sample independently need different ones; the same one decides the same. @default 0 */
  readonly hash_seed?: number | bigint | Reference | null;
  /** hash_seed (hash of the trace id, 14 bits), proportional (multiplies what was sampled before) or equalizing (raises it to the same). @default hash_seed */
  readonly mode?: 'hash_seed' | 'proportional' | 'equalizing' | Reference | null;
  /** Drops what has a broken tracestate or no randomness; false keeps it. @default true */
  readonly fail_closed?: boolean | Reference | null;
  /** Hex digits of the threshold that is written, up to 14. @default 4 */
  readonly sampling_precision?: number | bigint | Reference | null;
  /** Logs, hash_seed: traceID, or record where only from_attribute counts. @default traceID */
  readonly attribute_source?: 'traceID' | 'record' | Reference | null;
  /** Logs, hash_seed: the attribute that is hashed where the trace id is absent or not wanted. */
  readonly from_attribute?: string | null;
  /** Logs: the attribute that holds the percentage for its own record. */
  readonly sampling_priority?: string | null;
}

/** Sets and removes resource attributes, in place: nothing is decoded. */
export interface ResourceProcessorConfig {
  /** Actions, in order. */
  readonly attributes?: readonly ({
    /** The resource attribute. */
    readonly key?: string | null;
    /** insert (only where absent), update (only where present), upsert (both) or delete; in any case. */
    readonly action?: string | null;
    /** Text, number or boolean to set. An environment variable that looks like a number is one. */
    readonly value?: unknown | null;
    /** Another resource attribute whose value is copied. */
    readonly from_attribute?: string | null;
    /** Request metadata whose value is copied. Not supported yet. */
    readonly from_context?: string | null;
    /** Set where no other source is written. */
    readonly default_value?: unknown | null;
    /** delete: every key that matches this regular expression. */
    readonly pattern?: string | null;
    /** Of the action convert, which is not supported yet. */
    readonly converted_type?: string | null;
  })[] | null;
}

/** `exporters`: by id, `type` or `type/name`. */
export interface ExportersConfig {
  /** Sends OTLP over gRPC. */
  readonly otlp_grpc?: OtlpGrpcExporterConfig | null;
  readonly [id: `otlp_grpc/${string}`]: OtlpGrpcExporterConfig | null | undefined;
  /** Sends OTLP over gRPC. */
  readonly otlp?: OtlpGrpcExporterConfig | null;
  readonly [id: `otlp/${string}`]: OtlpGrpcExporterConfig | null | undefined;
  /** Sends OTLP over HTTP, as protobuf. */
  readonly otlp_http?: OtlpHttpExporterConfig | null;
  readonly [id: `otlp_http/${string}`]: OtlpHttpExporterConfig | null | undefined;
  /** Sends OTLP over HTTP, as protobuf. */
  readonly otlphttp?: OtlpHttpExporterConfig | null;
  readonly [id: `otlphttp/${string}`]: OtlpHttpExporterConfig | null | undefined;
  /** Writes what it gets to the log. For looking, never a destination in production. */
  readonly debug?: DebugExporterConfig | null;
  readonly [id: `debug/${string}`]: DebugExporterConfig | null | undefined;
  /** Writes requests into a file: OTLP/JSON lines, or protobuf behind its length. The sender gets its answer when the record is written; a full disk is told to it, and no part of a record stays. format proto decodes nothing, json decodes. */
  readonly file?: FileExporterConfig | null;
  readonly [id: `file/${string}`]: FileExporterConfig | null | undefined;
  /** Takes everything and keeps nothing: for pipelines that only feed a connector, and for measuring. Decodes nothing. */
  readonly nop?: NopExporterConfig | null;
  readonly [id: `nop/${string}`]: NopExporterConfig | null | undefined;
}

/** Sends OTLP over gRPC. */
export interface OtlpGrpcExporterConfig {
  /** host:port of the next hop; http://host:port, dns:///host:port and unix:///path too. */
  readonly endpoint?: string | null;
  /** TLS to the next hop. */
  readonly tls?: {
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly ca_file?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly ca_pem?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly include_system_ca_certs_pool?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly cert_file?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly cert_pem?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly key_file?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly key_pem?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly min_version?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly max_version?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly cipher_suites?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly include_insecure_cipher_suites?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly reload_interval?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly curve_preferences?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly tpm?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly insecure_skip_verify?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly server_name_override?: null;
    /** Sends without TLS. Must be true as long as the agent has no TLS, or the endpoint begins with http://. @default false */
    readonly insecure?: boolean | Reference | null;
  } | null;
  /** Authenticator extension. Not supported: authentication is not supported yet; remove the key. */
  readonly auth?: null;
  /** Middleware extensions. Not supported: this agent has no middleware extensions; remove the key. */
  readonly middlewares?: null;
  /** gzip, zstd, deflate (otlp_http only) or none. @default gzip */
  readonly compression?: 'gzip' | 'zstd' | 'deflate' | 'none' | 'zlib' | 'snappy' | 'x-snappy-framed' | 'lz4' | Reference | null;
  /** Time for one attempt; 0 waits without end. @default 5s */
  readonly timeout?: Duration | null;
  /** Metadata sent with every request. @default {} */
  readonly headers?: NameMap | null;
  /** The user-agent header. @default otlp-agent/<version> */
  readonly user_agent?: string | null;
  /** The :authority header, where it is not the endpoint. */
  readonly authority?: string | null;
  /** How requests are spread over the addresses of the endpoint. Without effect: requests go to one address of the endpoint at a time. @default round_robin */
  readonly balancer_name?: 'round_robin' | 'pick_first' | Reference | null;
  /** Pings to the next hop. @default off */
  readonly keepalive?: {
    /** false switches the section off. */
    readonly enabled?: boolean | Reference;
    /** Pings the next hop after so much silence. @default 10s */
    readonly time?: Duration | null;
    /** Connects again when the ping has no answer in this time. @default 20s */
    readonly timeout?: Duration | null;
    /** Pings also without a request in flight. @default false */
    readonly permit_without_stream?: boolean | Reference | null;
  } | null;
  /** Bytes. Without effect: sizes Go buffers; Node sizes its own. */
  readonly read_buffer_size?: number | bigint | Reference | null;
  /** Bytes. Without effect: sizes Go buffers; Node sizes its own. */
  readonly write_buffer_size?: number | bigint | Reference | null;
  /** Waits for a connection instead of failing at once. Without effect: an attempt always waits for its connection until its timeout. @default false */
  readonly wait_for_ready?: boolean | Reference | null;
  /** Holds requests between receiving and sending, in memory. @default on */
  readonly sending_queue?: {
    /** false switches the section off. */
    readonly enabled?: boolean | Reference;
    /** Requests in flight at a time. @default 10 */
    readonly num_consumers?: number | bigint | Reference | null;
    /** What the queue may hold, counted by sizer. @default 1000 */
    readonly queue_size?: number | bigint | Reference | null;
    /** What queue_size counts. @default requests */
    readonly sizer?: 'requests' | 'items' | 'bytes' | Reference | null;
    /** A full queue lets senders wait for room instead of refusing them. @default false */
    readonly block_on_overflow?: boolean | Reference | null;
    /** What a full queue does: refuse, block, or drop_oldest (counted as evicted). Wins over block_on_overflow. A key of this agent alone. @default refuse */
    readonly on_overflow?: 'refuse' | 'block' | 'drop_oldest' | Reference | null;
    /** The sender gets its answer when the request was delivered, not when it was queued. @default false */
    readonly wait_for_result?: boolean | Reference | null;
    /** Extension that keeps the queue on disk. Not supported: the disk queue is not supported yet; remove the key and the queue is in memory. */
    readonly storage?: null;
    /** Merges requests as they leave the queue. @default off */
    readonly batch?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Sends what there is after this time. @default 200ms */
      readonly flush_timeout?: Duration | null;
      /** Size from which a batch is sent before its time. @default 8192 */
      readonly min_size?: number | bigint | Reference | null;
      /** Size of one request at most; larger ones are split. 0 is no limit. @default 0 */
      readonly max_size?: number | bigint | Reference | null;
      /** What min_size and max_size count: items or bytes. @default items, or the sizer of the queue where that is written */
      readonly sizer?: 'requests' | 'items' | 'bytes' | Reference | null;
      /** How batches are kept apart. */
      readonly partition?: {
        /** Request metadata by which batches are kept apart. Not supported yet. @default [] */
        readonly metadata_keys?: TextList | null;
      } | null;
    } | null;
  } | null;
  /** When a request is sent again. Only what failed is; a request that was answered with success never. */
  readonly retry_on_failure?: {
    /** Whether a request that failed for now is sent again. @default true */
    readonly enabled?: boolean | Reference | null;
    /** Wait before the first retry. @default 5s */
    readonly initial_interval?: Duration | null;
    /** Each wait is the interval times 1 - factor to 1 + factor, at random. @default 0.5 */
    readonly randomization_factor?: number | bigint | Reference | null;
    /** Each interval is the one before times this. @default 1.5 */
    readonly multiplier?: number | bigint | Reference | null;
    /** The longest interval. @default 30s */
    readonly max_interval?: Duration | null;
    /** After this time the request is given up and counted; 0 never gives up. @default 5m */
    readonly max_elapsed_time?: Duration | null;
  } | null;
}

/** Sends OTLP over HTTP, as protobuf. */
export interface OtlpHttpExporterConfig {
  /** Base URL, http://host:port; `/v1/<signal>` is added. */
  readonly endpoint?: string | null;
  /** Whole URL for traces. @default <endpoint>/v1/traces */
  readonly traces_endpoint?: string | null;
  /** Whole URL for metrics. @default <endpoint>/v1/metrics */
  readonly metrics_endpoint?: string | null;
  /** Whole URL for logs. @default <endpoint>/v1/logs */
  readonly logs_endpoint?: string | null;
  /** Whole URL for profiles. @default <endpoint>/v1development/profiles */
  readonly profiles_endpoint?: string | null;
  /** proto; json is not supported yet. @default proto */
  readonly encoding?: 'proto' | 'json' | Reference | null;
  /** Proxy. Not supported yet. */
  readonly proxy_url?: string | null;
  /** TLS to the next hop. */
  readonly tls?: {
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly ca_file?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly ca_pem?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly include_system_ca_certs_pool?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly cert_file?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly cert_pem?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly key_file?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly key_pem?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly min_version?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly max_version?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly cipher_suites?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly include_insecure_cipher_suites?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly reload_interval?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly curve_preferences?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly tpm?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly insecure_skip_verify?: null;
    /** Part of TLS. Not supported: TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is, remove the others. */
    readonly server_name_override?: null;
    /** Sends without TLS. Must be true as long as the agent has no TLS, or the endpoint begins with http://. @default false */
    readonly insecure?: boolean | Reference | null;
  } | null;
  /** Authenticator extension. Not supported: authentication is not supported yet; remove the key. */
  readonly auth?: null;
  /** Middleware extensions. Not supported: this agent has no middleware extensions; remove the key. */
  readonly middlewares?: null;
  /** Cookies of the server. Not supported: cookies are not supported; remove the key. */
  readonly cookies?: null;
  /** gzip, zstd, deflate (otlp_http only) or none. @default gzip */
  readonly compression?: 'gzip' | 'zstd' | 'deflate' | 'none' | 'zlib' | 'snappy' | 'x-snappy-framed' | 'lz4' | Reference | null;
  /** How hard to compress. */
  readonly compression_params?: {
    /** Level of the algorithm: -1 to 9 for gzip and deflate, 1 to 22 for zstd; 0 is its default. @default 0 */
    readonly level?: number | bigint | Reference | null;
  } | null;
  /** Time for one attempt; 0 waits without end. @default 30s */
  readonly timeout?: Duration | null;
  /** Headers sent with every request. @default {} */
  readonly headers?: NameMap | null;
  /** Connections at most; 0 is as many as there are consumers. @default 0 */
  readonly max_conns_per_host?: number | bigint | Reference | null;
  /** Closes a connection without requests after this time. @default 1m30s */
  readonly idle_conn_timeout?: Duration | null;
  /** Idle connections at most. Without effect: connections are pooled by max_conns_per_host and idle_conn_timeout. @default 100 */
  readonly max_idle_conns?: number | bigint | Reference | null;
  /** Idle connections to one host at most. Without effect: connections are pooled by max_conns_per_host and idle_conn_timeout. @default 0 */
  readonly max_idle_conns_per_host?: number | bigint | Reference | null;
  /** One connection for each request. Without effect: connections are pooled by max_conns_per_host and idle_conn_timeout. @default false */
  readonly disable_keep_alives?: boolean | Reference | null;
  /** HTTP/2 pings. Without effect: requests go over HTTP/1.1. @default 0s */
  readonly http2_read_idle_timeout?: Duration | null;
  /** HTTP/2 pings. Without effect: requests go over HTTP/1.1. @default 0s */
  readonly http2_ping_timeout?: Duration | null;
  /** Tries HTTP/2. Without effect: requests go over HTTP/1.1. @default true */
  readonly force_attempt_http2?: boolean | Reference | null;
  /** Bytes. Without effect: sizes Go buffers; Node sizes its own. */
  readonly read_buffer_size?: number | bigint | Reference | null;
  /** Bytes. Without effect: sizes Go buffers; Node sizes its own. */
  readonly write_buffer_size?: number | bigint | Reference | null;
  /** Holds requests between receiving and sending, in memory. @default on */
  readonly sending_queue?: {
    /** false switches the section off. */
    readonly enabled?: boolean | Reference;
    /** Requests in flight at a time. @default 10 */
    readonly num_consumers?: number | bigint | Reference | null;
    /** What the queue may hold, counted by sizer. @default 1000 */
    readonly queue_size?: number | bigint | Reference | null;
    /** What queue_size counts. @default requests */
    readonly sizer?: 'requests' | 'items' | 'bytes' | Reference | null;
    /** A full queue lets senders wait for room instead of refusing them. @default false */
    readonly block_on_overflow?: boolean | Reference | null;
    /** What a full queue does: refuse, block, or drop_oldest (counted as evicted). Wins over block_on_overflow. A key of this agent alone. @default refuse */
    readonly on_overflow?: 'refuse' | 'block' | 'drop_oldest' | Reference | null;
    /** The sender gets its answer when the request was delivered, not when it was queued. @default false */
    readonly wait_for_result?: boolean | Reference | null;
    /** Extension that keeps the queue on disk. Not supported: the disk queue is not supported yet; remove the key and the queue is in memory. */
    readonly storage?: null;
    /** Merges requests as they leave the queue. @default off */
    readonly batch?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Sends what there is after this time. @default 200ms */
      readonly flush_timeout?: Duration | null;
      /** Size from which a batch is sent before its time. @default 8192 */
      readonly min_size?: number | bigint | Reference | null;
      /** Size of one request at most; larger ones are split. 0 is no limit. @default 0 */
      readonly max_size?: number | bigint | Reference | null;
      /** What min_size and max_size count: items or bytes. @default items, or the sizer of the queue where that is written */
      readonly sizer?: 'requests' | 'items' | 'bytes' | Reference | null;
      /** How batches are kept apart. */
      readonly partition?: {
        /** Request metadata by which batches are kept apart. Not supported yet. @default [] */
        readonly metadata_keys?: TextList | null;
      } | null;
    } | null;
  } | null;
  /** When a request is sent again. Only what failed is; a request that was answered with success never. */
  readonly retry_on_failure?: {
    /** Whether a request that failed for now is sent again. @default true */
    readonly enabled?: boolean | Reference | null;
    /** Wait before the first retry. @default 5s */
    readonly initial_interval?: Duration | null;
    /** Each wait is the interval times 1 - factor to 1 + factor, at random. @default 0.5 */
    readonly randomization_factor?: number | bigint | Reference | null;
    /** Each interval is the one before times this. @default 1.5 */
    readonly multiplier?: number | bigint | Reference | null;
    /** The longest interval. @default 30s */
    readonly max_interval?: Duration | null;
    /** After this time the request is given up and counted; 0 never gives up. @default 5m */
    readonly max_elapsed_time?: Duration | null;
  } | null;
}

/** Writes what it gets to the log. For looking, never a destination in production. */
export interface DebugExporterConfig {
  /** basic (a count for each request), normal or detailed; in any case. @default basic */
  readonly verbosity?: 'basic' | 'normal' | 'detailed' | (string & {}) | null;
  /** Lines of a second that are always written. Without effect: everything goes to the log of the agent, unsampled. @default 2 */
  readonly sampling_initial?: number | bigint | Reference | null;
  /** Of the others every so manieth. Without effect: everything goes to the log of the agent, unsampled. @default 1 */
  readonly sampling_thereafter?: number | bigint | Reference | null;
  /** Writes into the log of the process. Without effect: everything goes to the log of the agent, unsampled. @default true */
  readonly use_internal_logger?: boolean | Reference | null;
  /** Files to write to without use_internal_logger. Without effect: everything goes to the log of the agent, unsampled. */
  readonly output_paths?: TextList | null;
  /** Holds requests between receiving and sending, in memory. @default off */
  readonly sending_queue?: {
    /** false switches the section off. */
    readonly enabled?: boolean | Reference;
    /** Requests in flight at a time. @default 10 */
    readonly num_consumers?: number | bigint | Reference | null;
    /** What the queue may hold, counted by sizer. @default 1000 */
    readonly queue_size?: number | bigint | Reference | null;
    /** What queue_size counts. @default requests */
    readonly sizer?: 'requests' | 'items' | 'bytes' | Reference | null;
    /** A full queue lets senders wait for room instead of refusing them. @default false */
    readonly block_on_overflow?: boolean | Reference | null;
    /** What a full queue does: refuse, block, or drop_oldest (counted as evicted). Wins over block_on_overflow. A key of this agent alone. @default refuse */
    readonly on_overflow?: 'refuse' | 'block' | 'drop_oldest' | Reference | null;
    /** The sender gets its answer when the request was delivered, not when it was queued. @default false */
    readonly wait_for_result?: boolean | Reference | null;
    /** Extension that keeps the queue on disk. Not supported: the disk queue is not supported yet; remove the key and the queue is in memory. */
    readonly storage?: null;
    /** Merges requests as they leave the queue. @default off */
    readonly batch?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Sends what there is after this time. @default 200ms */
      readonly flush_timeout?: Duration | null;
      /** Size from which a batch is sent before its time. @default 8192 */
      readonly min_size?: number | bigint | Reference | null;
      /** Size of one request at most; larger ones are split. 0 is no limit. @default 0 */
      readonly max_size?: number | bigint | Reference | null;
      /** What min_size and max_size count: items or bytes. @default items, or the sizer of the queue where that is written */
      readonly sizer?: 'requests' | 'items' | 'bytes' | Reference | null;
      /** How batches are kept apart. */
      readonly partition?: {
        /** Request metadata by which batches are kept apart. Not supported yet. @default [] */
        readonly metadata_keys?: TextList | null;
      } | null;
    } | null;
  } | null;
}

/** Writes requests into a file: OTLP/JSON lines, or protobuf behind its length. The sender gets its answer when the record is written; a full disk is told to it, and no part of a record stays. format proto decodes nothing, json decodes. */
export interface FileExporterConfig {
  /** The file; relative to the working directory. */
  readonly path?: string | null;
  /** Writes behind what is in the file instead of emptying it at start. Not together with rotation. @default false */
  readonly append?: boolean | Reference | null;
  /** Renames the file when it is full, to <name>-<time>-size<extension>, and begins a new one; no record is cut or lost. @default off */
  readonly rotation?: {
    /** MiB from which the file is rotated; 0 is 100. @default 100 */
    readonly max_megabytes?: number | bigint | Reference | null;
    /** Days after which rotated files are removed; 0 is never. @default 0 */
    readonly max_days?: number | bigint | Reference | null;
    /** Rotated files that are kept; 0 keeps all. @default 100 */
    readonly max_backups?: number | bigint | Reference | null;
    /** Names rotated files in local time instead of UTC. @default false */
    readonly localtime?: boolean | Reference | null;
  } | null;
  /** json: one OTLP/JSON request a line. proto: requests, each behind 4 bytes of length. @default json */
  readonly format?: 'json' | 'proto' | Reference | null;
  /** Extension that encodes. Not supported: this agent has no encoding extensions; remove the key and write format. */
  readonly encoding?: null;
  /** Compresses each record; also json then stands behind 4 bytes of length. @default none */
  readonly compression?: 'zstd' | Reference | null;
  /** How hard to compress. */
  readonly compression_params?: {
    /** Level of zstd, 1 to 22; 0 is its default. @default 0 */
    readonly level?: number | bigint | Reference | null;
  } | null;
  /** Time between two writes of what is buffered. Without effect: nothing is buffered: a sender gets its answer when its record is written. @default 1s */
  readonly flush_interval?: Duration | null;
  /** One file for each value of a resource attribute. Not supported yet. Without effect: group_by is not supported yet. */
  readonly group_by?: {
    /** One file for each value of a resource attribute. Not supported yet. @default false */
    readonly enabled?: boolean | Reference | null;
    /** The attribute. @default fileexporter.path_segment */
    readonly resource_attribute?: string | null;
    /** Open files at most. @default 100 */
    readonly max_open_files?: number | bigint | Reference | null;
  } | null;
  /** Makes the folder of the file at start. @default false */
  readonly create_directory?: boolean | Reference | null;
  /** Mode of the folder, octal, as text. Only with create_directory. @default 0755 */
  readonly directory_permissions?: string | null;
}

/** Takes everything and keeps nothing: for pipelines that only feed a connector, and for measuring. Decodes nothing. */
export interface NopExporterConfig {}

/** `connectors`: by id, `type` or `type/name`. */
export interface ConnectorsConfig {
  /** Hands what one pipeline made of its data to further pipelines of the same signal; nothing is copied. */
  readonly forward?: ForwardConnectorConfig | null;
  readonly [id: `forward/${string}`]: ForwardConnectorConfig | null | undefined;
}

/** Hands what one pipeline made of its data to further pipelines of the same signal; nothing is copied. */
export interface ForwardConnectorConfig {}

/** `extensions`: by id, `type` or `type/name`. */
export interface ExtensionsConfig {
  /** Answers liveness and readiness probes over HTTP. */
  readonly health_check?: HealthCheckExtensionConfig | null;
  readonly [id: `health_check/${string}`]: HealthCheckExtensionConfig | null | undefined;
}

/** Answers liveness and readiness probes over HTTP. */
export interface HealthCheckExtensionConfig {
  /** Address to listen on, `host:port`; the path of the socket where `transport` is unix. @default localhost:13133 */
  readonly endpoint?: string | null;
  /** Kind of socket: tcp, or unix with the path of the socket as endpoint. @default tcp */
  readonly transport?: 'tcp' | 'tcp4' | 'tcp6' | 'unix' | 'udp' | 'udp4' | 'udp6' | 'ip' | 'ip4' | 'ip6' | 'unixgram' | 'unixpacket' | Reference | null;
  /** Of outgoing connections. Without effect: a listener does not dial. */
  readonly dialer?: {
    /** Time to connect. @default 0s */
    readonly timeout?: Duration | null;
  } | null;
  /** TLS of the listener. Not supported: TLS on a listener is not supported yet; remove the key, or terminate TLS before the agent. */
  readonly tls?: null;
  /** Authenticator extension. Not supported: authentication is not supported yet; remove the key. */
  readonly auth?: null;
  /** Middleware extensions. Not supported: this agent has no middleware extensions; remove the key. */
  readonly middlewares?: null;
  /** Cross-origin requests of browsers. @default off */
  readonly cors?: {
    /** false switches the section off. */
    readonly enabled?: boolean | Reference;
    /** Values of Origin that a browser may send from; `*` stands for any characters. @default [] */
    readonly allowed_origins?: TextList | null;
    /** Request headers that a browser may send beside the simple ones. @default [] */
    readonly allowed_headers?: TextList | null;
    /** Response headers that a page may read. @default [] */
    readonly exposed_headers?: TextList | null;
    /** Seconds for which a browser keeps the answer to its preflight request. @default 0 */
    readonly max_age?: number | bigint | Reference | null;
  } | null;
  /** Bytes of one request, on the wire and after decompression. 64 MiB is the default of OTLP 1.11; upstream has 20 MiB. @default 67108864 */
  readonly max_request_body_size?: number | bigint | Reference | null;
  /** Hands request headers to later stages. Without effect: nothing reads request metadata yet. @default false */
  readonly include_metadata?: boolean | Reference | null;
  /** Headers added to every response. @default {} */
  readonly response_headers?: NameMap | null;
  /** Content-Encodings that are accepted beside none. @default gzip, zstd, deflate, zlib */
  readonly compression_algorithms?: TextList | null;
  /** Time for a whole request with its body; 0 is 1m, so that a stalled body ends. @default 0s */
  readonly read_timeout?: Duration | null;
  /** Time for the headers of a request. @default 1m */
  readonly read_header_timeout?: Duration | null;
  /** Time to write a response. Without effect: responses are a few bytes. @default 0s */
  readonly write_timeout?: Duration | null;
  /** Time that a connection may stay open between requests. @default 1m */
  readonly idle_timeout?: Duration | null;
  /** Keeps connections open between requests. Without effect: connections are always kept. @default true */
  readonly keep_alives_enabled?: boolean | Reference | null;
  /** Path that answers as the Collector does; /livez and /readyz are there too. @default / */
  readonly path?: string | null;
  /** Bodies of the answers. Without effect: the answer is the state as JSON. @default off */
  readonly response_body?: {
    /** false switches the section off. */
    readonly enabled?: boolean | Reference;
    /** When healthy. */
    readonly healthy?: string | null;
    /** When not. */
    readonly unhealthy?: string | null;
  } | null;
  /** Ignored upstream as well. Without effect: ignored, as in the Collector. */
  readonly check_collector_pipeline?: {
    /** Counts failures of exporters. @default false */
    readonly enabled?: boolean | Reference | null;
    /** Over this time. @default 5m */
    readonly interval?: string | null;
    /** Failures that make it unhealthy. @default 5 */
    readonly exporter_failure_threshold?: number | bigint | Reference | null;
  } | null;
  /** Must be false. @default false */
  readonly use_v2?: boolean | Reference | null;
  /** healthcheckv2. Not supported: the keys of healthcheckv2 are not supported; remove it. */
  readonly grpc?: null;
  /** healthcheckv2. Not supported: the keys of healthcheckv2 are not supported; remove it. */
  readonly http?: null;
  /** healthcheckv2. Not supported: the keys of healthcheckv2 are not supported; remove it. */
  readonly component_health?: null;
}

/** `service.pipelines`: by id, a signal or `signal/name`. */
export interface PipelinesConfig {
  /** A pipeline of traces. */
  readonly traces?: PipelineConfig | null;
  readonly [id: `traces/${string}`]: PipelineConfig | null | undefined;
  /** A pipeline of metrics. */
  readonly metrics?: PipelineConfig | null;
  readonly [id: `metrics/${string}`]: PipelineConfig | null | undefined;
  /** A pipeline of logs. */
  readonly logs?: PipelineConfig | null;
  readonly [id: `logs/${string}`]: PipelineConfig | null | undefined;
  /** A pipeline of profiles. */
  readonly profiles?: PipelineConfig | null;
  readonly [id: `profiles/${string}`]: PipelineConfig | null | undefined;
}

/** A pipeline: `traces`, `metrics`, `logs` or `profiles`, with `/name` where there are several. */
export interface PipelineConfig {
  /** Where the pipeline gets its data from. @default [] */
  readonly receivers?: TextList | null;
  /** What is done to it, in this order. @default [] */
  readonly processors?: TextList | null;
  /** Where it goes; each gets all of it. @default [] */
  readonly exporters?: TextList | null;
}

/** The agent's own metrics and log. */
export interface TelemetryConfig {
  /** The agent's own metrics, under the names of the Collector. */
  readonly metrics?: {
    /** none switches the metrics server off; the others are the same. @default normal */
    readonly level?: 'none' | 'basic' | 'normal' | 'detailed' | (string & {}) | null;
    /** Where metrics can be read. Without the key: prometheus on localhost:8888. */
    readonly readers?: readonly ({
      /** A reader that is scraped. @default off */
      readonly pull?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** prometheus is the only one. */
        readonly exporter?: {
          /** Serves /metrics. @default off */
          readonly prometheus?: {
            /** false switches the section off. */
            readonly enabled?: boolean | Reference;
            /** Address to listen on. @default localhost */
            readonly host?: string | null;
            /** Port to listen on. @default 8888 */
            readonly port?: number | bigint | Reference | null;
            /** No otel_scope_* labels. Without effect: metric names are those of the Collector with its defaults (true). @default true */
            readonly without_scope_info?: boolean | Reference | null;
            /** No units in names. Without effect: metric names are those of the Collector with its defaults (true). @default true */
            readonly without_units?: boolean | Reference | null;
            /** No _total in names. Without effect: metric names are those of the Collector with its defaults (true). @default true */
            readonly without_type_suffix?: boolean | Reference | null;
            /** Resource attributes as labels of every metric. Without effect: resource attributes are labels of target_info. @default off */
            readonly with_resource_constant_labels?: {
              /** false switches the section off. */
              readonly enabled?: boolean | Reference;
              /** Patterns. @default [] */
              readonly included?: TextList | null;
              /** Patterns. @default [] */
              readonly excluded?: TextList | null;
            } | null;
          } | null;
        } | null;
      } | null;
      /** A reader that sends. Not supported: only readers of kind pull with a prometheus exporter are supported; scrape the agent instead. */
      readonly periodic?: null;
      /** Further sources. Not supported: only readers of kind pull with a prometheus exporter are supported; scrape the agent instead. */
      readonly producers?: null;
    })[] | null;
    /** Views. Not supported: views are not supported; relabel while scraping. */
    readonly views?: null;
  } | null;
  /** The agent's own log. */
  readonly logs?: {
    /** Least level that is written; in any case. @default info */
    readonly level?: 'debug' | 'info' | 'warn' | 'warning' | 'error' | 'dpanic' | 'panic' | 'fatal' | (string & {}) | null;
    /** json, or console for people. Upstream has console. @default json */
    readonly encoding?: 'json' | 'console' | Reference | null;
    /** Stack traces. Without effect: log lines are few and go to standard output. @default false */
    readonly development?: boolean | Reference | null;
    /** No source lines. Without effect: log lines are few and go to standard output. @default false */
    readonly disable_caller?: boolean | Reference | null;
    /** No stack traces. Without effect: log lines are few and go to standard output. @default false */
    readonly disable_stacktrace?: boolean | Reference | null;
    /** No resource in lines. Without effect: log lines are few and go to standard output. @default false */
    readonly disable_zap_resource?: boolean | Reference | null;
    /** Drops repeated lines. Without effect: log lines are few and go to standard output. */
    readonly sampling?: {
      /** On. @default true */
      readonly enabled?: boolean | Reference | null;
      /** Per this time. @default 10s */
      readonly tick?: Duration | null;
      /** Lines that are always written. @default 10 */
      readonly initial?: number | bigint | Reference | null;
      /** Of the others every so manieth. @default 100 */
      readonly thereafter?: number | bigint | Reference | null;
    } | null;
    /** Files. Without effect: log lines are few and go to standard output. */
    readonly output_paths?: TextList | null;
    /** Files. Without effect: log lines are few and go to standard output. */
    readonly error_output_paths?: TextList | null;
    /** Fields of every line. Without effect: log lines are few and go to standard output. */
    readonly initial_fields?: NameMap | null;
    /** Sends log lines by OTLP. Not supported: sending the own log by OTLP is not supported; it is on standard output. */
    readonly processors?: null;
  } | null;
  /** The agent's own spans: none. Without effect: the agent makes no spans of its own. */
  readonly traces?: {
    /** The agent makes no spans of its own. @default basic */
    readonly level?: 'none' | 'basic' | 'normal' | 'detailed' | (string & {}) | null;
    /** Of own spans. @default [] */
    readonly propagators?: TextList | null;
    /** Sends own spans. Not supported: the agent makes no spans of its own; remove the key. */
    readonly processors?: null;
  } | null;
  /** Attributes of the process, as labels of target_info. An empty value removes one. @default {} */
  readonly resource?: NameMap | null;
}

/** The section that the Collector does not have. */
export interface ProcessConfig {
  /** Time from SIGTERM until what could not be delivered is counted as evicted. Keep it below terminationGracePeriodSeconds. A key of this agent alone. @default 25s */
  readonly drain_deadline?: Duration | null;
  /** How often the files of the configuration are looked at for a change; 0 reloads on SIGHUP only. A key of this agent alone. @default 2s */
  readonly reload_interval?: Duration | null;
  /** MiB that requests may hold in the whole process, also where no pipeline has a memory_limiter. A key of this agent alone. @default none */
  readonly memory_limit_mib?: number | bigint | Reference | null;
}

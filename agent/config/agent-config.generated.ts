/**
 * The configuration of the agent as types, in the Collector's grammar. Written by `npm run docs` from the schemas beside the components; do
 * not edit. `null` is a key that is there and empty.
 */

/** A reference that is the whole value: `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}`. */
export type Reference = `\${${string}}`;

/** Go's syntax, as `200ms`, `5s` or `1h30m`. A number is nanoseconds, as in the Collector. */
export type Duration = `${string}${'ns' | 'us' | 'µs' | 'μs' | 'ms' | 's' | 'm' | 'h'}` | Reference | number | bigint;

/** A list; one text with commas is a list of texts, too. */
export type List = readonly (string | number | bigint | boolean | null | { readonly [key: string]: unknown })[] | string;

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
          /** Sends GOAWAY to a connection of this age, with its next call or 1 s later, so that its client balances again; 0 is never. @default 0s */
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
          /** Whether a client may ping without a request in flight; otherwise it may once in 2 hours. @default false */
          readonly permit_without_stream?: boolean | Reference | null;
        } | null;
      } | null;
      /** Hands the metadata of a request to later stages: batches by metadata_keys, routing. @default false */
      readonly include_metadata?: boolean | Reference | null;
      /** Connections at a time. One more closes the oldest that has not said anything yet, else itself. An idle one takes about 22 KiB. A key of this agent alone. @default 4096 */
      readonly max_connections?: number | bigint | Reference | null;
      /** Gives a request up whose body brings no byte for so long. A key of this agent alone. @default 1m */
      readonly body_idle_timeout?: Duration | null;
      /** Bytes per second, on average, of a body that takes longer than body_idle_timeout; 0 is any. A key of this agent alone. @default 16384 */
      readonly min_body_rate?: number | bigint | Reference | null;
      /** Resets a call whose client does not take its answer. A key of this agent alone. @default 30s */
      readonly write_timeout?: Duration | null;
      /** Closes a connection whose client has not sent its HTTP/2 preface. A key of this agent alone. @default 20s */
      readonly handshake_timeout?: Duration | null;
      /** Who reads and writes HTTP/2: our codec, or that of Node.js, which costs more for each request. A key of this agent alone. @default own */
      readonly http2_codec?: 'own' | 'node' | Reference | null;
    } | null;
    /** OTLP/HTTP, protobuf and JSON, HTTP/1.1 and HTTP/2; an empty key switches it on with its defaults. @default off */
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
        readonly allowed_origins?: List | null;
        /** Request headers that a browser may send beside the simple ones. @default [] */
        readonly allowed_headers?: List | null;
        /** Response headers that a page may read. @default [] */
        readonly exposed_headers?: List | null;
        /** Seconds for which a browser keeps the answer to its preflight request. @default 0 */
        readonly max_age?: number | bigint | Reference | null;
      } | null;
      /** Bytes of one request, on the wire and after decompression. 64 MiB is the default of OTLP 1.11; upstream has 20 MiB. @default 67108864 */
      readonly max_request_body_size?: number | bigint | Reference | null;
      /** Hands the headers of a request to later stages: batches by metadata_keys, routing. @default false */
      readonly include_metadata?: boolean | Reference | null;
      /** Headers added to every response. @default {} */
      readonly response_headers?: NameMap | null;
      /** Content-Encodings that are accepted beside none. br is ours; the lz4 of upstream is not there. @default gzip, zstd, zlib, snappy, deflate, x-snappy-framed, br */
      readonly compression_algorithms?: List | null;
      /** Time for a whole request with its body; 0 leaves it to body_idle_timeout and min_body_rate, which are ours. @default 0s */
      readonly read_timeout?: Duration | null;
      /** Time for the headers of a request. @default 1m */
      readonly read_header_timeout?: Duration | null;
      /** Closes a connection whose client does not take its answer; 0 is 30s. @default 0s */
      readonly write_timeout?: Duration | null;
      /** Time that a connection may stay open between requests. @default 1m */
      readonly idle_timeout?: Duration | null;
      /** Keeps connections open between requests. @default true */
      readonly keep_alives_enabled?: boolean | Reference | null;
      /** Connections at a time. One more closes the oldest that has not said anything yet, else itself. An idle one takes about 22 KiB. A key of this agent alone. @default 4096 */
      readonly max_connections?: number | bigint | Reference | null;
      /** Gives a request up whose body brings no byte for so long. A key of this agent alone. @default 1m */
      readonly body_idle_timeout?: Duration | null;
      /** Bytes per second, on average, of a body that takes longer than body_idle_timeout; 0 is any. A key of this agent alone. @default 16384 */
      readonly min_body_rate?: number | bigint | Reference | null;
      /** URL path for traces. @default /v1/traces */
      readonly traces_url_path?: string | null;
      /** URL path for metrics. @default /v1/metrics */
      readonly metrics_url_path?: string | null;
      /** URL path for logs. @default /v1/logs */
      readonly logs_url_path?: string | null;
      /** Who reads HTTP/1.1: our codec, which leaves all but plain requests to that of Node.js, or that of Node.js for all. A key of this agent alone. @default own */
      readonly http1_codec?: 'own' | 'node' | Reference | null;
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
  /** Sets, removes, hashes, takes apart and converts attributes of spans, data points and log records, in place; with include or exclude what these name is read, too. */
  readonly attributes?: AttributesProcessorConfig | null;
  readonly [id: `attributes/${string}`]: AttributesProcessorConfig | null | undefined;
  /** Drops spans, span events, metrics, data points, log records, scopes and resources by OTTL conditions, and what is empty then. */
  readonly filter?: FilterProcessorConfig | null;
  readonly [id: `filter/${string}`]: FilterProcessorConfig | null | undefined;
  /** Keeps a share of spans or log records by their trace id, the same ones as a Collector with the same settings. */
  readonly probabilistic_sampler?: ProbabilisticSamplerProcessorConfig | null;
  readonly [id: `probabilistic_sampler/${string}`]: ProbabilisticSamplerProcessorConfig | null | undefined;
  /** Removes attributes that are not on a list, and masks values. Reads every attribute of resources, scopes and items, and log bodies. */
  readonly redaction?: RedactionProcessorConfig | null;
  readonly [id: `redaction/${string}`]: RedactionProcessorConfig | null | undefined;
  /** Sets resource attributes that say where the agent runs, found at start. */
  readonly resource_detection?: ResourceDetectionProcessorConfig | null;
  readonly [id: `resource_detection/${string}`]: ResourceDetectionProcessorConfig | null | undefined;
  /** Sets resource attributes that say where the agent runs, found at start. */
  readonly resourcedetection?: ResourceDetectionProcessorConfig | null;
  readonly [id: `resourcedetection/${string}`]: ResourceDetectionProcessorConfig | null | undefined;
  /** Sets, removes, hashes, takes apart and converts resource attributes, in place: only the resource is read. */
  readonly resource?: ResourceProcessorConfig | null;
  readonly [id: `resource/${string}`]: ResourceProcessorConfig | null | undefined;
  /** Runs statements of the OpenTelemetry Transformation Language (OTTL) on spans, metrics, log records and what surrounds them. */
  readonly transform?: TransformProcessorConfig | null;
  readonly [id: `transform/${string}`]: TransformProcessorConfig | null | undefined;
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
  /** Time between two forced collections while the process is above limit less spike limit. @default 10s */
  readonly min_gc_interval_when_soft_limited?: Duration | null;
  /** The same while it is above the limit; at least 1s. @default 0s */
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
  /** Headers by whose values batches are kept apart; the receiver needs include_metadata. @default [] */
  readonly metadata_keys?: List | null;
  /** Different batches at most. Without effect: nothing is kept for a value: batches of all values come out of one queue. @default 1000 */
  readonly metadata_cardinality_limit?: number | bigint | Reference | null;
}

/** Sets, removes, hashes, takes apart and converts attributes of spans, data points and log records, in place; with include or exclude what these name is read, too. */
export interface AttributesProcessorConfig {
  /** What is processed; all where it is absent. @default none */
  readonly include?: {
    /** strict (equal) or regexp (matches anywhere; Go syntax). */
    readonly match_type?: string | null;
    /** Of patterns. */
    readonly regexp?: {
      /** Keeps results. Without effect: patterns are matched in linear time, without a cache. @default false */
      readonly cacheenabled?: boolean | Reference | null;
      /** How many. Without effect: patterns are matched in linear time, without a cache. @default 0 */
      readonly cachemaxnumentries?: number | bigint | Reference | null;
    } | null;
    /** Spans: service.name of the resource is one of these. @default [] */
    readonly services?: List | null;
    /** Spans: the name is one of these. @default [] */
    readonly span_names?: List | null;
    /** Spans: the kind is one of these, as SPAN_KIND_SERVER. @default [] */
    readonly span_kinds?: List | null;
    /** Log records: the body as text is one of these. @default [] */
    readonly log_bodies?: List | null;
    /** Log records: the severity text is one of these. @default [] */
    readonly log_severity_texts?: List | null;
    /** Log records: by severity number. @default none */
    readonly log_severity_number?: {
      /** The least severity number, 1 to 24. @default 0 */
      readonly min?: number | bigint | Reference | null;
      /** Whether records without one match. @default false */
      readonly match_undefined?: boolean | Reference | null;
    } | null;
    /** Metrics: the name is one of these. @default [] */
    readonly metric_names?: List | null;
    /** Spans and log records: all of these attributes are there. */
    readonly attributes?: readonly ({
      /** The attribute. */
      readonly key?: string | null;
      /** Its value; any where it is absent. With match_type regexp a pattern. */
      readonly value?: unknown | null;
    })[] | null;
    /** Spans and log records: all of these resource attributes are there. */
    readonly resources?: readonly ({
      /** The attribute. */
      readonly key?: string | null;
      /** Its value; any where it is absent. With match_type regexp a pattern. */
      readonly value?: unknown | null;
    })[] | null;
    /** Spans and log records: the instrumentation scope is all of these. */
    readonly libraries?: readonly ({
      /** Of the instrumentation scope. */
      readonly name?: string | null;
      /** Any where it is absent; an empty one is that of scopes without version. */
      readonly version?: string | null;
    })[] | null;
  } | null;
  /** What of that is not processed. @default none */
  readonly exclude?: {
    /** strict (equal) or regexp (matches anywhere; Go syntax). */
    readonly match_type?: string | null;
    /** Of patterns. */
    readonly regexp?: {
      /** Keeps results. Without effect: patterns are matched in linear time, without a cache. @default false */
      readonly cacheenabled?: boolean | Reference | null;
      /** How many. Without effect: patterns are matched in linear time, without a cache. @default 0 */
      readonly cachemaxnumentries?: number | bigint | Reference | null;
    } | null;
    /** Spans: service.name of the resource is one of these. @default [] */
    readonly services?: List | null;
    /** Spans: the name is one of these. @default [] */
    readonly span_names?: List | null;
    /** Spans: the kind is one of these, as SPAN_KIND_SERVER. @default [] */
    readonly span_kinds?: List | null;
    /** Log records: the body as text is one of these. @default [] */
    readonly log_bodies?: List | null;
    /** Log records: the severity text is one of these. @default [] */
    readonly log_severity_texts?: List | null;
    /** Log records: by severity number. @default none */
    readonly log_severity_number?: {
      /** The least severity number, 1 to 24. @default 0 */
      readonly min?: number | bigint | Reference | null;
      /** Whether records without one match. @default false */
      readonly match_undefined?: boolean | Reference | null;
    } | null;
    /** Metrics: the name is one of these. @default [] */
    readonly metric_names?: List | null;
    /** Spans and log records: all of these attributes are there. */
    readonly attributes?: readonly ({
      /** The attribute. */
      readonly key?: string | null;
      /** Its value; any where it is absent. With match_type regexp a pattern. */
      readonly value?: unknown | null;
    })[] | null;
    /** Spans and log records: all of these resource attributes are there. */
    readonly resources?: readonly ({
      /** The attribute. */
      readonly key?: string | null;
      /** Its value; any where it is absent. With match_type regexp a pattern. */
      readonly value?: unknown | null;
    })[] | null;
    /** Spans and log records: the instrumentation scope is all of these. */
    readonly libraries?: readonly ({
      /** Of the instrumentation scope. */
      readonly name?: string | null;
      /** Any where it is absent; an empty one is that of scopes without version. */
      readonly version?: string | null;
    })[] | null;
  } | null;
  /** Actions, in order. */
  readonly actions?: readonly ({
    /** The attribute. */
    readonly key?: string | null;
    /** insert (only where absent), update (only where present), upsert (both), delete, hash, extract or convert; in any case. */
    readonly action?: string | null;
    /** Text, number, boolean, list or map to set. An environment variable that looks like a number is one. */
    readonly value?: unknown | null;
    /** Another attribute of the same place whose value is copied. */
    readonly from_attribute?: string | null;
    /** Request metadata whose values are copied, joined by ";": `metadata.x-tenant`. The receiver needs include_metadata. */
    readonly from_context?: string | null;
    /** Set where no other source gives a value. */
    readonly default_value?: unknown | null;
    /** delete, hash: every key that matches this regular expression (Go syntax). extract: named groups, whose texts become attributes. */
    readonly pattern?: string | null;
    /** convert: string, int or double. */
    readonly converted_type?: string | null;
  })[] | null;
}

/** Drops spans, span events, metrics, data points, log records, scopes and resources by OTTL conditions, and what is empty then. */
export interface FilterProcessorConfig {
  /** What becomes of a condition that fails: ignore goes on and says so in the log, silent goes on, propagate refuses the request. @default ignore */
  readonly error_mode?: 'ignore' | 'silent' | 'propagate' | (string & {}) | null;
  /** OTTL conditions, or groups of them; what meets one of them is dropped. */
  readonly trace_conditions?: readonly (string | {
    /** What it is about. Without it the paths have to say so, as in span.name. */
    readonly context?: 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log' | (string & {}) | null;
    /** Of this group. @default that of the processor */
    readonly error_mode?: 'ignore' | 'silent' | 'propagate' | (string & {}) | null;
    /** What meets one of them is dropped. @default [] */
    readonly conditions?: List | null;
  })[] | null;
  /** OTTL conditions, or groups of them; what meets one of them is dropped. */
  readonly metric_conditions?: readonly (string | {
    /** What it is about. Without it the paths have to say so, as in span.name. */
    readonly context?: 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log' | (string & {}) | null;
    /** Of this group. @default that of the processor */
    readonly error_mode?: 'ignore' | 'silent' | 'propagate' | (string & {}) | null;
    /** What meets one of them is dropped. @default [] */
    readonly conditions?: List | null;
  })[] | null;
  /** OTTL conditions, or groups of them; what meets one of them is dropped. */
  readonly log_conditions?: readonly (string | {
    /** What it is about. Without it the paths have to say so, as in span.name. */
    readonly context?: 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log' | (string & {}) | null;
    /** Of this group. @default that of the processor */
    readonly error_mode?: 'ignore' | 'silent' | 'propagate' | (string & {}) | null;
    /** What meets one of them is dropped. @default [] */
    readonly conditions?: List | null;
  })[] | null;
  /** OTTL conditions for profiles. Not supported: profiles are not supported by filter here; remove the key. */
  readonly profile_conditions?: null;
  /** By conditions, each about one thing; deprecated upstream for trace_conditions. */
  readonly traces?: {
    /** OTTL conditions about resources, whole with what is in them; what meets one of them is dropped. */
    readonly resource?: List | null;
    /** OTTL conditions about spans; what meets one of them is dropped. */
    readonly span?: List | null;
    /** OTTL conditions about span events; what meets one of them is dropped. */
    readonly spanevent?: List | null;
  } | null;
  /** The same for metrics. */
  readonly metrics?: {
    /** OTTL conditions about resources, whole with what is in them; what meets one of them is dropped. */
    readonly resource?: List | null;
    /** OTTL conditions about metrics; what meets one of them is dropped. */
    readonly metric?: List | null;
    /** OTTL conditions about data points; what meets one of them is dropped. */
    readonly datapoint?: List | null;
    /** Metrics that are kept; the older way. @default off */
    readonly include?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** strict (the whole text) or regexp (Go syntax, anywhere in it). */
      readonly match_type?: string | null;
      /** Of match_type regexp. @default off */
      readonly regexp?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Keeps results of regular expressions. Without effect: matching is fast enough without a cache. @default false */
        readonly cacheenabled?: boolean | Reference | null;
        /** Results kept at most. Without effect: matching is fast enough without a cache. @default 0 */
        readonly cachemaxnumentries?: number | bigint | Reference | null;
      } | null;
      /** Names of metrics. @default [] */
      readonly metric_names?: List | null;
      /** Of match_type expr, which this agent has not. @default [] */
      readonly expressions?: List | null;
      /** Attributes of the resource, all of them. */
      readonly resource_attributes?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
    } | null;
    /** Metrics that are dropped; the older way. @default off */
    readonly exclude?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** strict (the whole text) or regexp (Go syntax, anywhere in it). */
      readonly match_type?: string | null;
      /** Of match_type regexp. @default off */
      readonly regexp?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Keeps results of regular expressions. Without effect: matching is fast enough without a cache. @default false */
        readonly cacheenabled?: boolean | Reference | null;
        /** Results kept at most. Without effect: matching is fast enough without a cache. @default 0 */
        readonly cachemaxnumentries?: number | bigint | Reference | null;
      } | null;
      /** Names of metrics. @default [] */
      readonly metric_names?: List | null;
      /** Of match_type expr, which this agent has not. @default [] */
      readonly expressions?: List | null;
      /** Attributes of the resource, all of them. */
      readonly resource_attributes?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
    } | null;
    /** Of match_type regexp. @default off */
    readonly regexp?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Keeps results of regular expressions. Without effect: matching is fast enough without a cache. @default false */
      readonly cacheenabled?: boolean | Reference | null;
      /** Results kept at most. Without effect: matching is fast enough without a cache. @default 0 */
      readonly cachemaxnumentries?: number | bigint | Reference | null;
    } | null;
  } | null;
  /** The same for logs. */
  readonly logs?: {
    /** OTTL conditions about resources, whole with what is in them; what meets one of them is dropped. */
    readonly resource?: List | null;
    /** OTTL conditions about log records; what meets one of them is dropped. */
    readonly log_record?: List | null;
    /** Log records that are kept; the older way. @default off */
    readonly include?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** strict (the whole text) or regexp (Go syntax, anywhere in it). */
      readonly match_type?: string | null;
      /** Attributes of the resource, all of them. */
      readonly resource_attributes?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
      /** Attributes of the record, all of them. */
      readonly record_attributes?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
      /** Severity texts. @default [] */
      readonly severity_texts?: List | null;
      /** By severity number. @default off */
      readonly severity_number?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Least severity: INFO, WARN2, 17; in any case. */
        readonly min?: string | null;
        /** Whether records without a severity match. @default false */
        readonly match_undefined?: boolean | Reference | null;
      } | null;
      /** Bodies, as text. @default [] */
      readonly bodies?: List | null;
    } | null;
    /** Log records that are dropped; the older way. @default off */
    readonly exclude?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** strict (the whole text) or regexp (Go syntax, anywhere in it). */
      readonly match_type?: string | null;
      /** Attributes of the resource, all of them. */
      readonly resource_attributes?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
      /** Attributes of the record, all of them. */
      readonly record_attributes?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
      /** Severity texts. @default [] */
      readonly severity_texts?: List | null;
      /** By severity number. @default off */
      readonly severity_number?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Least severity: INFO, WARN2, 17; in any case. */
        readonly min?: string | null;
        /** Whether records without a severity match. @default false */
        readonly match_undefined?: boolean | Reference | null;
      } | null;
      /** Bodies, as text. @default [] */
      readonly bodies?: List | null;
    } | null;
  } | null;
  /** The older way. */
  readonly spans?: {
    /** Spans that are kept; the older way. @default off */
    readonly include?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** strict (the whole text) or regexp (Go syntax, anywhere in it). */
      readonly match_type?: string | null;
      /** Of match_type regexp. @default off */
      readonly regexp?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Keeps results of regular expressions. Without effect: matching is fast enough without a cache. @default false */
        readonly cacheenabled?: boolean | Reference | null;
        /** Results kept at most. Without effect: matching is fast enough without a cache. @default 0 */
        readonly cachemaxnumentries?: number | bigint | Reference | null;
      } | null;
      /** Values of service.name. @default [] */
      readonly services?: List | null;
      /** Names of spans. @default [] */
      readonly span_names?: List | null;
      /** SPAN_KIND_SERVER and so on. @default [] */
      readonly span_kinds?: List | null;
      /** Attributes of the span, all of them. */
      readonly attributes?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
      /** Attributes of the resource, all of them. */
      readonly resources?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
      /** Instrumentation scopes. */
      readonly libraries?: readonly ({
        /** Name of the scope. */
        readonly name?: string | null;
        /** Its version; absent, any. */
        readonly version?: string | null;
      })[] | null;
      /** Not for spans. @default [] */
      readonly log_bodies?: List | null;
      /** Not for spans. @default [] */
      readonly log_severity_texts?: List | null;
      /** Not for spans. @default off */
      readonly log_severity_number?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Not for spans. @default 0 */
        readonly min?: number | bigint | Reference | null;
        /** Not for spans. @default false */
        readonly match_undefined?: boolean | Reference | null;
      } | null;
      /** Not for spans. @default [] */
      readonly metric_names?: List | null;
    } | null;
    /** Spans that are dropped; the older way. @default off */
    readonly exclude?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** strict (the whole text) or regexp (Go syntax, anywhere in it). */
      readonly match_type?: string | null;
      /** Of match_type regexp. @default off */
      readonly regexp?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Keeps results of regular expressions. Without effect: matching is fast enough without a cache. @default false */
        readonly cacheenabled?: boolean | Reference | null;
        /** Results kept at most. Without effect: matching is fast enough without a cache. @default 0 */
        readonly cachemaxnumentries?: number | bigint | Reference | null;
      } | null;
      /** Values of service.name. @default [] */
      readonly services?: List | null;
      /** Names of spans. @default [] */
      readonly span_names?: List | null;
      /** SPAN_KIND_SERVER and so on. @default [] */
      readonly span_kinds?: List | null;
      /** Attributes of the span, all of them. */
      readonly attributes?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
      /** Attributes of the resource, all of them. */
      readonly resources?: readonly ({
        /** The attribute. */
        readonly key?: string | null;
        /** What the attribute has to be; absent, it only has to be there. */
        readonly value?: unknown | null;
      })[] | null;
      /** Instrumentation scopes. */
      readonly libraries?: readonly ({
        /** Name of the scope. */
        readonly name?: string | null;
        /** Its version; absent, any. */
        readonly version?: string | null;
      })[] | null;
      /** Not for spans. @default [] */
      readonly log_bodies?: List | null;
      /** Not for spans. @default [] */
      readonly log_severity_texts?: List | null;
      /** Not for spans. @default off */
      readonly log_severity_number?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Not for spans. @default 0 */
        readonly min?: number | bigint | Reference | null;
        /** Not for spans. @default false */
        readonly match_undefined?: boolean | Reference | null;
      } | null;
      /** Not for spans. @default [] */
      readonly metric_names?: List | null;
    } | null;
  } | null;
  /** Conditions for profiles. Not supported: profiles are not supported by filter here; remove the key. */
  readonly profiles?: null;
}

/** Keeps a share of spans or log records by their trace id, the same ones as a Collector with the same settings. */
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

/** Removes attributes that are not on a list, and masks values. Reads every attribute of resources, scopes and items, and log bodies. */
export interface RedactionProcessorConfig {
  /** Keeps all attributes; allowed_keys has no effect then. @default false */
  readonly allow_all_keys?: boolean | Reference | null;
  /** Attributes that stay; all others are removed, also where the list is empty. @default [] */
  readonly allowed_keys?: List | null;
  /** Attributes that are neither removed nor masked. @default [] */
  readonly ignored_keys?: List | null;
  /** The same by pattern (Go syntax). @default [] */
  readonly ignored_key_patterns?: List | null;
  /** Attributes whose whole value is masked. @default [] */
  readonly blocked_key_patterns?: List | null;
  /** Patterns; what they match in a value is masked. @default [] */
  readonly blocked_values?: List | null;
  /** Patterns; a value in which one matches is not masked. @default [] */
  readonly allowed_values?: List | null;
  /** Masks with the hash of what is masked instead of ****: sha1, sha3, md5, hmac-sha256 or hmac-sha512. */
  readonly hash_function?: string | null;
  /** Of hmac-sha256 (32 bytes or more) and hmac-sha512 (64 bytes or more). */
  readonly hmac_key?: string | null;
  /** Also values that are no text, as texts. @default false */
  readonly redact_all_types?: boolean | Reference | null;
  /** debug adds attributes with the keys and counts of what was removed, masked, allowed and ignored; info only the counts; anything else nothing. */
  readonly summary?: string | null;
  /** Of URLs. */
  readonly url_sanitizer?: {
    /** Switches it on; not supported, use blocked_values. @default false */
    readonly enabled?: boolean | Reference | null;
    /** Where. @default [] */
    readonly attributes?: List | null;
    /** Span names, too. */
    readonly sanitize_span_name?: boolean | Reference | null;
  } | null;
  /** Of database queries. */
  readonly db_sanitizer?: {
    /** Of queries of sql. */
    readonly sql?: {
      /** Switches it on; not supported, use blocked_values. @default false */
      readonly enabled?: boolean | Reference | null;
      /** Where. @default [] */
      readonly attributes?: List | null;
    } | null;
    /** Of queries of redis. */
    readonly redis?: {
      /** Switches it on; not supported, use blocked_values. @default false */
      readonly enabled?: boolean | Reference | null;
      /** Where. @default [] */
      readonly attributes?: List | null;
    } | null;
    /** Of queries of valkey. */
    readonly valkey?: {
      /** Switches it on; not supported, use blocked_values. @default false */
      readonly enabled?: boolean | Reference | null;
      /** Where. @default [] */
      readonly attributes?: List | null;
    } | null;
    /** Of queries of memcached. */
    readonly memcached?: {
      /** Switches it on; not supported, use blocked_values. @default false */
      readonly enabled?: boolean | Reference | null;
      /** Where. @default [] */
      readonly attributes?: List | null;
    } | null;
    /** Of queries of mongo. */
    readonly mongo?: {
      /** Switches it on; not supported, use blocked_values. @default false */
      readonly enabled?: boolean | Reference | null;
      /** Where. @default [] */
      readonly attributes?: List | null;
    } | null;
    /** Of queries of opensearch. */
    readonly opensearch?: {
      /** Switches it on; not supported, use blocked_values. @default false */
      readonly enabled?: boolean | Reference | null;
      /** Where. @default [] */
      readonly attributes?: List | null;
    } | null;
    /** Of queries of es. */
    readonly es?: {
      /** Switches it on; not supported, use blocked_values. @default false */
      readonly enabled?: boolean | Reference | null;
      /** Where. @default [] */
      readonly attributes?: List | null;
    } | null;
    /** Span names, too. */
    readonly sanitize_span_name?: boolean | Reference | null;
  } | null;
}

/** Sets resource attributes that say where the agent runs, found at start. */
export interface ResourceDetectionProcessorConfig {
  /** Of env, system, kubernetes_downward; the first that says something wins. @default ["env"] */
  readonly detectors?: List | null;
  /** Replaces attributes that the resource has already. @default true */
  readonly override?: boolean | Reference | null;
  /** For all detectors together at start; 0 waits without end. @default 5s */
  readonly timeout?: Duration | null;
  /** Detects again after this time; 0 is never. @default never */
  readonly refresh_interval?: Duration | null;
  /** Whether a detector that finds nothing fails the start. @default false */
  readonly fail_on_missing_metadata?: boolean | Reference | null;
  /** When a detector that failed is asked again. */
  readonly retry?: {
    /** Whether a detector that failed is asked again. @default true */
    readonly enabled?: boolean | Reference | null;
    /** Wait before the first retry. @default 1s */
    readonly initial_interval?: Duration | null;
    /** Each wait is the interval times 1 - factor to 1 + factor, at random. @default 0.5 */
    readonly randomization_factor?: number | bigint | Reference | null;
    /** Each interval is the one before times this. @default 2 */
    readonly multiplier?: number | bigint | Reference | null;
    /** The longest interval. @default 30s */
    readonly max_interval?: Duration | null;
    /** After this time it is given up; 0 leaves it to timeout. @default 0s */
    readonly max_elapsed_time?: Duration | null;
  } | null;
  /** The detector system: host and operating system. */
  readonly system?: {
    /** Of dns, os, cname, lookup; asked one after the other. @default [] */
    readonly hostname_sources?: List | null;
    /** Which attributes are set. */
    readonly resource_attributes?: {
      /** The attribute host.name. */
      readonly "host.name"?: {
        /** Whether host.name is set. @default true */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.id. */
      readonly "host.id"?: {
        /** Whether host.id is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.arch. */
      readonly "host.arch"?: {
        /** Whether host.arch is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.ip. */
      readonly "host.ip"?: {
        /** Whether host.ip is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.mac. */
      readonly "host.mac"?: {
        /** Whether host.mac is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.interface. */
      readonly "host.interface"?: {
        /** Whether host.interface is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.cpu.vendor.id. */
      readonly "host.cpu.vendor.id"?: {
        /** Whether host.cpu.vendor.id is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.cpu.family. */
      readonly "host.cpu.family"?: {
        /** Whether host.cpu.family is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.cpu.model.id. */
      readonly "host.cpu.model.id"?: {
        /** Whether host.cpu.model.id is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.cpu.model.name. */
      readonly "host.cpu.model.name"?: {
        /** Whether host.cpu.model.name is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.cpu.stepping. */
      readonly "host.cpu.stepping"?: {
        /** Whether host.cpu.stepping is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute host.cpu.cache.l2.size. */
      readonly "host.cpu.cache.l2.size"?: {
        /** Whether host.cpu.cache.l2.size is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute os.type. */
      readonly "os.type"?: {
        /** Whether os.type is set. @default true */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute os.description. */
      readonly "os.description"?: {
        /** Whether os.description is set. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute os.build.id. */
      readonly "os.build.id"?: {
        /** Whether os.build.id is set; not supported. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute os.name. */
      readonly "os.name"?: {
        /** Whether os.name is set; not supported. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
      /** The attribute os.version. */
      readonly "os.version"?: {
        /** Whether os.version is set; not supported. @default false */
        readonly enabled?: boolean | Reference | null;
      } | null;
    } | null;
  } | null;
  /** The detector kubernetes_downward: what the downward API tells a pod about itself. A key of this agent alone. */
  readonly kubernetes_downward?: {
    /** Variable of k8s.pod.name (metadata.name). @default K8S_POD_NAME */
    readonly pod_name?: string | null;
    /** Variable of k8s.namespace.name (metadata.namespace). @default K8S_NAMESPACE_NAME */
    readonly namespace?: string | null;
    /** Variable of k8s.pod.uid (metadata.uid). @default K8S_POD_UID */
    readonly pod_uid?: string | null;
    /** Variable of k8s.pod.ip (status.podIP). @default K8S_POD_IP */
    readonly pod_ip?: string | null;
    /** Variable of k8s.node.name (spec.nodeName). @default K8S_NODE_NAME */
    readonly node_name?: string | null;
    /** File of a downwardAPI volume with metadata.labels: each becomes k8s.pod.label.<key>. */
    readonly labels_file?: string | null;
    /** Only these labels. @default all */
    readonly labels?: List | null;
    /** The same with metadata.annotations: k8s.pod.annotation.<key>. */
    readonly annotations_file?: string | null;
    /** Only these annotations. @default all */
    readonly annotations?: List | null;
  } | null;
}

/** Sets, removes, hashes, takes apart and converts resource attributes, in place: only the resource is read. */
export interface ResourceProcessorConfig {
  /** Actions, in order. */
  readonly attributes?: readonly ({
    /** The attribute. */
    readonly key?: string | null;
    /** insert (only where absent), update (only where present), upsert (both), delete, hash, extract or convert; in any case. */
    readonly action?: string | null;
    /** Text, number, boolean, list or map to set. An environment variable that looks like a number is one. */
    readonly value?: unknown | null;
    /** Another attribute of the same place whose value is copied. */
    readonly from_attribute?: string | null;
    /** Request metadata whose values are copied, joined by ";": `metadata.x-tenant`. The receiver needs include_metadata. */
    readonly from_context?: string | null;
    /** Set where no other source gives a value. */
    readonly default_value?: unknown | null;
    /** delete, hash: every key that matches this regular expression (Go syntax). extract: named groups, whose texts become attributes. */
    readonly pattern?: string | null;
    /** convert: string, int or double. */
    readonly converted_type?: string | null;
  })[] | null;
}

/** Runs statements of the OpenTelemetry Transformation Language (OTTL) on spans, metrics, log records and what surrounds them. */
export interface TransformProcessorConfig {
  /** What becomes of a failure: ignore goes on and says so in the log, silent goes on, propagate refuses the request. @default ignore */
  readonly error_mode?: 'ignore' | 'silent' | 'propagate' | (string & {}) | null;
  /** OTTL statements, or groups of them, in order. */
  readonly trace_statements?: readonly (string | {
    /** What it is about. Without it the paths have to say so, as in span.name. */
    readonly context?: 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log' | (string & {}) | null;
    /** Of this group. @default that of the processor */
    readonly error_mode?: 'ignore' | 'silent' | 'propagate' | (string & {}) | null;
    /** The statements are run where one of them is met. @default [] */
    readonly conditions?: List | null;
    /** OTTL statements, in order. @default [] */
    readonly statements?: List | null;
  })[] | null;
  /** OTTL statements, or groups of them, in order. */
  readonly metric_statements?: readonly (string | {
    /** What it is about. Without it the paths have to say so, as in span.name. */
    readonly context?: 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log' | (string & {}) | null;
    /** Of this group. @default that of the processor */
    readonly error_mode?: 'ignore' | 'silent' | 'propagate' | (string & {}) | null;
    /** The statements are run where one of them is met. @default [] */
    readonly conditions?: List | null;
    /** OTTL statements, in order. @default [] */
    readonly statements?: List | null;
  })[] | null;
  /** OTTL statements, or groups of them, in order. */
  readonly log_statements?: readonly (string | {
    /** What it is about. Without it the paths have to say so, as in span.name. */
    readonly context?: 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log' | (string & {}) | null;
    /** Of this group. @default that of the processor */
    readonly error_mode?: 'ignore' | 'silent' | 'propagate' | (string & {}) | null;
    /** The statements are run where one of them is met. @default [] */
    readonly conditions?: List | null;
    /** OTTL statements, in order. @default [] */
    readonly statements?: List | null;
  })[] | null;
  /** OTTL statements for profiles. Not supported: profiles are not supported by transform here; remove the key. */
  readonly profile_statements?: null;
  /** Behind a feature gate upstream. Only false is accepted. @default false */
  readonly flatten_data?: boolean | Reference | null;
}

/** `exporters`: by id, `type` or `type/name`. */
export interface ExportersConfig {
  /** Sends OTLP over gRPC. */
  readonly otlp_grpc?: OtlpGrpcExporterConfig | null;
  readonly [id: `otlp_grpc/${string}`]: OtlpGrpcExporterConfig | null | undefined;
  /** Sends OTLP over gRPC. */
  readonly otlp?: OtlpGrpcExporterConfig | null;
  readonly [id: `otlp/${string}`]: OtlpGrpcExporterConfig | null | undefined;
  /** Sends OTLP over HTTP, as protobuf or JSON. */
  readonly otlp_http?: OtlpHttpExporterConfig | null;
  readonly [id: `otlp_http/${string}`]: OtlpHttpExporterConfig | null | undefined;
  /** Sends OTLP over HTTP, as protobuf or JSON. */
  readonly otlphttp?: OtlpHttpExporterConfig | null;
  readonly [id: `otlphttp/${string}`]: OtlpHttpExporterConfig | null | undefined;
  /** Writes what it gets to the log. For looking, never a destination in production. */
  readonly debug?: DebugExporterConfig | null;
  readonly [id: `debug/${string}`]: DebugExporterConfig | null | undefined;
  /** Writes requests into a file: OTLP/JSON lines, or protobuf behind its length. The sender gets its answer when the record is written; a full disk is told to it, and no part of a record stays. format proto decodes nothing, json decodes. */
  readonly file?: FileExporterConfig | null;
  readonly [id: `file/${string}`]: FileExporterConfig | null | undefined;
  /** Spreads data over many upstreams by key: what belongs together goes to the same one. */
  readonly loadbalancing?: LoadbalancingExporterConfig | null;
  readonly [id: `loadbalancing/${string}`]: LoadbalancingExporterConfig | null | undefined;
  /** Spreads data over many upstreams by key: what belongs together goes to the same one. */
  readonly load_balancing?: LoadbalancingExporterConfig | null;
  readonly [id: `load_balancing/${string}`]: LoadbalancingExporterConfig | null | undefined;
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
  /** gzip, zstd, snappy or none; otlp_http also has deflate, zlib and x-snappy-framed. @default gzip */
  readonly compression?: 'gzip' | 'zstd' | 'deflate' | 'none' | 'zlib' | 'snappy' | 'x-snappy-framed' | 'lz4' | Reference | null;
  /** Time for one attempt; 0 waits without end. @default 5s */
  readonly timeout?: Duration | null;
  /** Metadata sent with every request. @default {} */
  readonly headers?: NameMap | null;
  /** The user-agent header. @default otlp-agent/<version> */
  readonly user_agent?: string | null;
  /** The :authority header, where it is not the endpoint. */
  readonly authority?: string | null;
  /** How requests are spread over the addresses of the endpoint: round_robin or pick_first, and of this agent alone weighted_round_robin (by the weights of SRV records) and least_connections. @default round_robin */
  readonly balancer_name?: 'round_robin' | 'pick_first' | 'weighted_round_robin' | 'least_connections' | Reference | null;
  /** Who reads and writes HTTP/2: our codec, or that of Node.js, which costs more for each call. A key of this agent alone. @default own */
  readonly http2_codec?: 'own' | 'node' | Reference | null;
  /** How many connections there are to one address. A key of this agent alone. */
  readonly connections?: {
    /** Connections to one address at most. A further one is opened when the streams that the peer allows are used up. A key of this agent alone. @default 100 */
    readonly max?: number | bigint | Reference | null;
    /** A connection without requests is closed after this time; 0 never. A key of this agent alone. @default 30s */
    readonly idle_timeout?: Duration | null;
  } | null;
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
        /** Headers by whose values batches are kept apart; the receiver needs include_metadata. @default [] */
        readonly metadata_keys?: List | null;
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
  /** When an upstream is left out, and how it comes back; nothing of it with a single upstream. A key of this agent alone. */
  readonly health?: {
    /** How upstreams are checked: grpc asks grpc.health.v1 (who has no such service and answers is well), connect opens a connection, none does not. A key of this agent alone. @default grpc */
    readonly type?: 'grpc' | 'connect' | 'none' | Reference | null;
    /** Time between two checks of one upstream. A key of this agent alone. @default 10s */
    readonly interval?: Duration | null;
    /** Time for one check. A key of this agent alone. @default 5s */
    readonly timeout?: Duration | null;
    /** Requests in a row without an answer after which an upstream is left out at once; 0 never. A key of this agent alone. @default 3 */
    readonly eject_after?: number | bigint | Reference | null;
    /** Without checks: after this time one that was left out is tried again. A key of this agent alone. @default 30s */
    readonly return_after?: Duration | null;
    /** Time in which the share of one that is back grows from a tenth to the whole. A key of this agent alone. @default 30s */
    readonly slow_start?: Duration | null;
  } | null;
  /** Sends requests that came as gzip, and that nothing in their pipelines reads or changes, as they came: several make one gzip body of several members (RFC 1952, 2.2). Only for receivers that read all members, as the Collector, other Go programs, Java and this agent do. The GzDecoder of Rust ends after the first and loses the rest in silence; gRPC of C++, Python, Ruby and PHP refuses the request. Sizes of queue and batch count bytes after inflating, as without the key. A key of this agent alone. @default false */
  readonly gzip_members?: boolean | Reference | null;
}

/** Sends OTLP over HTTP, as protobuf or JSON. */
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
  /** proto, or json, which costs several times the CPU and twice the bytes, and cannot carry protobuf fields that the agent does not know. @default proto */
  readonly encoding?: 'proto' | 'json' | Reference | null;
  /** HTTP proxy, http://user:password@host:port; without it HTTP_PROXY and NO_PROXY count. @default  */
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
  /** gzip, zstd, snappy or none; otlp_http also has deflate, zlib and x-snappy-framed. @default gzip */
  readonly compression?: 'gzip' | 'zstd' | 'deflate' | 'none' | 'zlib' | 'snappy' | 'x-snappy-framed' | 'lz4' | Reference | null;
  /** How hard to compress. */
  readonly compression_params?: {
    /** Level of the algorithm: -1 to 9 for gzip, zlib and deflate, 1 to 11 for zstd (above is 11); 0 is our default, 1. @default 0 */
    readonly level?: number | bigint | Reference | null;
  } | null;
  /** Sends requests that came as gzip, and that nothing in their pipelines reads or changes, as they came: several make one gzip body of several members (RFC 1952, 2.2). Only for receivers that read all members, as the Collector, other Go programs, Java and this agent do. The GzDecoder of Rust ends after the first and loses the rest in silence; gRPC of C++, Python, Ruby and PHP refuses the request. Sizes of queue and batch count bytes after inflating, as without the key. A key of this agent alone. @default false */
  readonly gzip_members?: boolean | Reference | null;
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
  /** One connection for each request. @default false */
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
  /** Who sends HTTP/1.1: our client, or undici, which costs more for each request, takes answers that ours refuses for their form, and is seen by instrumentation of undici. A key of this agent alone. @default own */
  readonly http1_codec?: 'own' | 'undici' | Reference | null;
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
        /** Headers by whose values batches are kept apart; the receiver needs include_metadata. @default [] */
        readonly metadata_keys?: List | null;
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
  readonly output_paths?: List | null;
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
        /** Headers by whose values batches are kept apart; the receiver needs include_metadata. @default [] */
        readonly metadata_keys?: List | null;
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
    /** Level of zstd, 1 to 22; 0 is 1. @default 0 */
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
  /** Makes the folder of the file at start; with rotation it is made anyway. @default false */
  readonly create_directory?: boolean | Reference | null;
  /** Mode of the folder, octal, as text. Only with create_directory. @default 0755 */
  readonly directory_permissions?: string | null;
}

/** Spreads data over many upstreams by key: what belongs together goes to the same one. */
export interface LoadbalancingExporterConfig {
  /** How upstreams are spoken to. */
  readonly protocol?: {
    /** The keys of otlp_grpc, for the line to each upstream. */
    readonly otlp?: {
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
      /** gzip, zstd, snappy or none; otlp_http also has deflate, zlib and x-snappy-framed. @default gzip */
      readonly compression?: 'gzip' | 'zstd' | 'deflate' | 'none' | 'zlib' | 'snappy' | 'x-snappy-framed' | 'lz4' | Reference | null;
      /** Time for one attempt; 0 waits without end. @default 5s */
      readonly timeout?: Duration | null;
      /** Metadata sent with every request. @default {} */
      readonly headers?: NameMap | null;
      /** The user-agent header. @default otlp-agent/<version> */
      readonly user_agent?: string | null;
      /** The :authority header, where it is not the endpoint. */
      readonly authority?: string | null;
      /** How requests are spread over the addresses of the endpoint: round_robin or pick_first, and of this agent alone weighted_round_robin (by the weights of SRV records) and least_connections. @default round_robin */
      readonly balancer_name?: 'round_robin' | 'pick_first' | 'weighted_round_robin' | 'least_connections' | Reference | null;
      /** Who reads and writes HTTP/2: our codec, or that of Node.js, which costs more for each call. A key of this agent alone. @default own */
      readonly http2_codec?: 'own' | 'node' | Reference | null;
      /** How many connections there are to one address. A key of this agent alone. */
      readonly connections?: {
        /** Connections to one address at most. A further one is opened when the streams that the peer allows are used up. A key of this agent alone. @default 100 */
        readonly max?: number | bigint | Reference | null;
        /** A connection without requests is closed after this time; 0 never. A key of this agent alone. @default 30s */
        readonly idle_timeout?: Duration | null;
      } | null;
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
            /** Headers by whose values batches are kept apart; the receiver needs include_metadata. @default [] */
            readonly metadata_keys?: List | null;
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
      /** Not here. Not supported: upstreams are checked by `health` of the exporter itself; write it beside `protocol`. */
      readonly health?: null;
    } | null;
  } | null;
  /** Where the upstreams are found; exactly one of its keys. */
  readonly resolver?: {
    /** A fixed list. @default off */
    readonly static?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Endpoints, host or host:port; 4317 where no port is written. @default [] */
      readonly hostnames?: List | null;
      /** Shares of the traffic, from 1, by hostname as it is written above; 1 where it is not named. A key of this agent alone. @default {} */
      readonly weights?: NameMap | null;
    } | null;
    /** The addresses of a name, looked up again and again. @default off */
    readonly dns?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Name to look up. */
      readonly hostname?: string | null;
      /** Port of each address that is found. @default 4317 */
      readonly port?: string | null;
      /** Time between two lookups. @default 5s */
      readonly interval?: Duration | null;
      /** Time for one lookup. @default 1s */
      readonly timeout?: Duration | null;
      /** a: addresses, A and AAAA. srv: SRV records; those of the lowest priority are used, with their ports and weights. A key of this agent alone. @default a */
      readonly type?: 'a' | 'srv' | Reference | null;
      /** Name servers, ip or ip:port, instead of those of the machine. A key of this agent alone. @default [] */
      readonly servers?: List | null;
    } | null;
    /** The ready pods of a Kubernetes Service, by a watch on its EndpointSlices. @default off */
    readonly k8s?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Service to watch: name, name.namespace or name.namespace.svc.cluster.local. */
      readonly service?: string | null;
      /** Ports of each address; a name (of this agent alone) is looked up in the EndpointSlice. @default 4317 */
      readonly ports?: List | null;
      /** Time for a list, and how long the API server keeps one watch open. @default 1m */
      readonly timeout?: Duration | null;
      /** Gives hostname.service.namespace instead of addresses, for StatefulSets. @default false */
      readonly return_hostnames?: boolean | Reference | null;
      /** EndpointSlices of these types; a dual stack Service has each pod in an IPv4 and an IPv6 one. A key of this agent alone. @default ["IPv4","IPv6","FQDN"] */
      readonly address_types?: List | null;
      /** URL of the API server, for use outside of a cluster. A key of this agent alone. */
      readonly api_server?: string | null;
      /** Token of the ServiceAccount; read again for each request. A key of this agent alone. @default /var/run/secrets/kubernetes.io/serviceaccount/token */
      readonly token_file?: string | null;
      /** Certificates that sign the API server; read again for each request. A key of this agent alone. @default /var/run/secrets/kubernetes.io/serviceaccount/ca.crt */
      readonly ca_file?: string | null;
    } | null;
    /** AWS Cloud Map. Not supported: this agent has no aws_cloud_map resolver; use static, dns, k8s, consul or etcd. */
    readonly aws_cloud_map?: null;
    /** The healthy instances of a Consul service, by blocking queries. A key of this agent alone. @default off */
    readonly consul?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** The Consul agent, http://host:port. A key of this agent alone. @default http://127.0.0.1:8500 */
      readonly address?: string | null;
      /** Datacenter to ask, where it is not that of the Consul agent. A key of this agent alone. */
      readonly datacenter?: string | null;
      /** ACL token; better from ${env:NAME}, or in token_file. A key of this agent alone. */
      readonly token?: string | null;
      /** File with the ACL token; read again for each request. A key of this agent alone. */
      readonly token_file?: string | null;
      /** Name of the service in the catalogue. A key of this agent alone. */
      readonly service?: string | null;
      /** Only instances with this tag. A key of this agent alone. */
      readonly tag?: string | null;
      /** How long Consul may hold a query until something changes. A key of this agent alone. @default 1m */
      readonly wait?: Duration | null;
    } | null;
    /** The keys below a prefix of an etcd v3, by a watch. A key of this agent alone. @default off */
    readonly etcd?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Members of the etcd cluster, http://host:port; tried in turn. A key of this agent alone. @default ["http://127.0.0.1:2379"] */
      readonly endpoints?: List | null;
      /** Time for one request, and for the first answer of a watch. A key of this agent alone. @default 5s */
      readonly timeout?: Duration | null;
      /** Keys below it are upstreams; a value is host:port, or JSON {"host", "port", "weight"}. A key of this agent alone. */
      readonly prefix?: string | null;
    } | null;
  } | null;
  /** What stays together. traces: traceID, service, attributes. logs: service, traceID, resource, attributes. metrics: service, resource, metric, streamID, attributes. */
  readonly routing_key?: string | null;
  /** Attributes that make the key, for routing_key attributes. @default [] */
  readonly routing_attributes?: List | null;
  /** How requests are spread. All but consistent_hash send whole requests and know no routing_key. A key of this agent alone. @default consistent_hash */
  readonly balancer?: 'consistent_hash' | 'round_robin' | 'pick_first' | 'weighted_round_robin' | 'least_connections' | Reference | null;
  /** Whose ring it is, where Collectors feed the same upstreams: up to 0.155 100 virtual nodes, from 0.157 on 200. A key of this agent alone. @default collector_0.155 */
  readonly ring?: 'collector_0.155' | 'collector_0.157' | Reference | null;
  /** When an upstream is left out, and how it comes back; nothing of it with a single upstream. A key of this agent alone. */
  readonly health?: {
    /** How upstreams are checked: grpc asks grpc.health.v1 (who has no such service and answers is well), connect opens a connection, none does not. A key of this agent alone. @default grpc */
    readonly type?: 'grpc' | 'connect' | 'none' | Reference | null;
    /** Time between two checks of one upstream. A key of this agent alone. @default 10s */
    readonly interval?: Duration | null;
    /** Time for one check. A key of this agent alone. @default 5s */
    readonly timeout?: Duration | null;
    /** Requests in a row without an answer after which an upstream is left out at once; 0 never. A key of this agent alone. @default 3 */
    readonly eject_after?: number | bigint | Reference | null;
    /** Without checks: after this time one that was left out is tried again. A key of this agent alone. @default 30s */
    readonly return_after?: Duration | null;
    /** Time in which the share of one that is back grows from a tenth to the whole. A key of this agent alone. @default 30s */
    readonly slow_start?: Duration | null;
  } | null;
  /** Time for one request. Without effect: each attempt has the timeout of protocol.otlp. @default 0s */
  readonly timeout?: Duration | null;
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
        /** Headers by whose values batches are kept apart; the receiver needs include_metadata. @default [] */
        readonly metadata_keys?: List | null;
      } | null;
    } | null;
  } | null;
  /** Routes what an upstream gave up again, to another one. */
  readonly retry_on_failure?: {
    /** Whether a request that an upstream gave up is routed again. @default false */
    readonly enabled?: boolean | Reference | null;
    /** Wait before the first retry. Without effect: a request that an upstream gave up goes to the next one at once; protocol.otlp.retry_on_failure does the waiting. @default 0s */
    readonly initial_interval?: Duration | null;
    /** Spread of each wait. Without effect: a request that an upstream gave up goes to the next one at once; protocol.otlp.retry_on_failure does the waiting. @default 0 */
    readonly randomization_factor?: number | bigint | Reference | null;
    /** Growth of the waits. Without effect: a request that an upstream gave up goes to the next one at once; protocol.otlp.retry_on_failure does the waiting. @default 0 */
    readonly multiplier?: number | bigint | Reference | null;
    /** The longest wait. Without effect: a request that an upstream gave up goes to the next one at once; protocol.otlp.retry_on_failure does the waiting. @default 0s */
    readonly max_interval?: Duration | null;
    /** After this time since it was received a request is not routed again; 0 is without end. @default 0s */
    readonly max_elapsed_time?: Duration | null;
  } | null;
}

/** Takes everything and keeps nothing: for pipelines that only feed a connector, and for measuring. Decodes nothing. */
export interface NopExporterConfig {}

/** `connectors`: by id, `type` or `type/name`. */
export interface ConnectorsConfig {
  /** Counts spans, span events, metrics, data points or log records by resource and hands the counts as delta sums to pipelines of metrics. */
  readonly count?: CountConnectorConfig | null;
  readonly [id: `count/${string}`]: CountConnectorConfig | null | undefined;
  /** Hands what one pipeline made of its data to further pipelines of the same signal. */
  readonly forward?: ForwardConnectorConfig | null;
  readonly [id: `forward/${string}`]: ForwardConnectorConfig | null | undefined;
}

/** Counts spans, span events, metrics, data points or log records by resource and hands the counts as delta sums to pipelines of metrics. */
export interface CountConnectorConfig {
  /** Metrics of spans by name, each with `description`, `conditions` (OTTL; one suffices) and `attributes` (list of `key` and `default_value`). @default trace.span.count */
  readonly spans?: NameMap | null;
  /** Metrics of spanevents by name, each with `description`, `conditions` (OTTL; one suffices) and `attributes` (list of `key` and `default_value`). @default trace.span.event.count */
  readonly spanevents?: NameMap | null;
  /** Metrics of metrics by name, each with `description`, `conditions` (OTTL; one suffices) and `attributes` (list of `key` and `default_value`). @default metric.count */
  readonly metrics?: NameMap | null;
  /** Metrics of datapoints by name, each with `description`, `conditions` (OTTL; one suffices) and `attributes` (list of `key` and `default_value`). @default metric.datapoint.count */
  readonly datapoints?: NameMap | null;
  /** Metrics of logs by name, each with `description`, `conditions` (OTTL; one suffices) and `attributes` (list of `key` and `default_value`). @default log.record.count */
  readonly logs?: NameMap | null;
  /** Metrics of profiles by name. Not supported: profiles are not counted yet; remove the key. */
  readonly profiles?: null;
}

/** Hands what one pipeline made of its data to further pipelines of the same signal. */
export interface ForwardConnectorConfig {}

/** `extensions`: by id, `type` or `type/name`. */
export interface ExtensionsConfig {
  /** Answers liveness and readiness probes over HTTP. */
  readonly health_check?: HealthCheckExtensionConfig | null;
  readonly [id: `health_check/${string}`]: HealthCheckExtensionConfig | null | undefined;
  /** Registers the agent in Consul or etcd for as long as it is ready. */
  readonly registration?: RegistrationExtensionConfig | null;
  readonly [id: `registration/${string}`]: RegistrationExtensionConfig | null | undefined;
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
    readonly allowed_origins?: List | null;
    /** Request headers that a browser may send beside the simple ones. @default [] */
    readonly allowed_headers?: List | null;
    /** Response headers that a page may read. @default [] */
    readonly exposed_headers?: List | null;
    /** Seconds for which a browser keeps the answer to its preflight request. @default 0 */
    readonly max_age?: number | bigint | Reference | null;
  } | null;
  /** Bytes of one request, on the wire and after decompression. 64 MiB is the default of OTLP 1.11; upstream has 20 MiB. @default 67108864 */
  readonly max_request_body_size?: number | bigint | Reference | null;
  /** Hands the headers of a request to later stages: batches by metadata_keys, routing. Without effect: probes have no bodies and tiny answers. @default false */
  readonly include_metadata?: boolean | Reference | null;
  /** Headers added to every response. @default {} */
  readonly response_headers?: NameMap | null;
  /** Content-Encodings that are accepted beside none. br is ours; the lz4 of upstream is not there. Without effect: probes have no bodies and tiny answers. @default gzip, zstd, zlib, snappy, deflate, x-snappy-framed, br */
  readonly compression_algorithms?: List | null;
  /** Time for a whole request with its body; 0 leaves it to body_idle_timeout and min_body_rate, which are ours. @default 0s */
  readonly read_timeout?: Duration | null;
  /** Time for the headers of a request. @default 1m */
  readonly read_header_timeout?: Duration | null;
  /** Closes a connection whose client does not take its answer; 0 is 30s. Without effect: probes have no bodies and tiny answers. @default 0s */
  readonly write_timeout?: Duration | null;
  /** Time that a connection may stay open between requests. @default 1m */
  readonly idle_timeout?: Duration | null;
  /** Keeps connections open between requests. Without effect: probes have no bodies and tiny answers. @default true */
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

/** Registers the agent in Consul or etcd for as long as it is ready. */
export interface RegistrationExtensionConfig {
  /** What others are to dial, host:port, as ${env:POD_IP}:4317. A key of this agent alone. */
  readonly endpoint?: string | null;
  /** Share of the traffic against the others. A key of this agent alone. @default 1 */
  readonly weight?: number | bigint | Reference | null;
  /** Tells this instance from the others. A key of this agent alone. @default <host name>-<port> */
  readonly name?: string | null;
  /** After this time without a sign of life it is not registered any more. A key of this agent alone. @default 15s */
  readonly ttl?: Duration | null;
  /** Registers at a Consul agent, with a TTL check. A key of this agent alone. @default off */
  readonly consul?: {
    /** false switches the section off. */
    readonly enabled?: boolean | Reference;
    /** The Consul agent, http://host:port. A key of this agent alone. @default http://127.0.0.1:8500 */
    readonly address?: string | null;
    /** ACL token; better from ${env:NAME}, or in token_file. A key of this agent alone. */
    readonly token?: string | null;
    /** File with the ACL token; read again for each request. A key of this agent alone. */
    readonly token_file?: string | null;
    /** Name of the service to register under. A key of this agent alone. */
    readonly service?: string | null;
    /** Tags of this instance. A key of this agent alone. @default [] */
    readonly tags?: List | null;
    /** Consul removes an instance that gave no sign of life, or was not ready, for this long; at least a minute. A key of this agent alone. @default 1m */
    readonly deregister_after?: Duration | null;
  } | null;
  /** Registers in an etcd v3, under a lease. A key of this agent alone. @default off */
  readonly etcd?: {
    /** false switches the section off. */
    readonly enabled?: boolean | Reference;
    /** Members of the etcd cluster, http://host:port; tried in turn. A key of this agent alone. @default ["http://127.0.0.1:2379"] */
    readonly endpoints?: List | null;
    /** Time for one request, and for the first answer of a watch. A key of this agent alone. @default 5s */
    readonly timeout?: Duration | null;
    /** Begin of the key, to which the name is added; what resolvers have as prefix. A key of this agent alone. */
    readonly prefix?: string | null;
  } | null;
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
  readonly receivers?: List | null;
  /** What is done to it, in this order. @default [] */
  readonly processors?: List | null;
  /** Where it goes; each gets all of it. @default [] */
  readonly exporters?: List | null;
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
              readonly included?: List | null;
              /** Patterns. @default [] */
              readonly excluded?: List | null;
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
    readonly output_paths?: List | null;
    /** Files. Without effect: log lines are few and go to standard output. */
    readonly error_output_paths?: List | null;
    /** Fields of every line. Without effect: log lines are few and go to standard output. */
    readonly initial_fields?: NameMap | null;
    /** Where it is sent; at most one processor `batch` with an exporter `otlp`. */
    readonly processors?: readonly ({
      /** Sends at intervals. @default off */
      readonly batch?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Milliseconds between two sendings. @default 5000 */
        readonly schedule_delay?: number | bigint | Reference | null;
        /** Milliseconds. Without effect: exporter.otlp.timeout holds for one attempt. @default 30000 */
        readonly export_timeout?: number | bigint | Reference | null;
        /** What is kept between two sendings; more is dropped. @default 2048 */
        readonly max_queue_size?: number | bigint | Reference | null;
        /** Of one request. Without effect: what is there goes out in one request. @default 512 */
        readonly max_export_batch_size?: number | bigint | Reference | null;
        /** Where to. */
        readonly exporter?: {
          /** OTLP. @default off */
          readonly otlp?: {
            /** false switches the section off. */
            readonly enabled?: boolean | Reference;
            /** grpc, http/protobuf or http/json. @default http/protobuf */
            readonly protocol?: 'http/protobuf' | 'http/json' | 'grpc' | Reference | null;
            /** http://host:port; over HTTP `/v1/<signal>` is added where there is no path. */
            readonly endpoint?: string | null;
            /** Headers sent with every request. @default {} */
            readonly headers?: NameMap | null;
            /** gzip or none. @default none */
            readonly compression?: 'gzip' | 'none' | Reference | null;
            /** Milliseconds for one attempt. @default 10000 */
            readonly timeout?: number | bigint | Reference | null;
            /** Sends without TLS; so does an endpoint that begins with http://. @default false */
            readonly insecure?: boolean | Reference | null;
            /** Part of TLS. Not supported: TLS is not supported yet; remove the key and send in plain text. */
            readonly certificate?: null;
            /** Part of TLS. Not supported: TLS is not supported yet; remove the key and send in plain text. */
            readonly client_certificate?: null;
            /** Part of TLS. Not supported: TLS is not supported yet; remove the key and send in plain text. */
            readonly client_key?: null;
          } | null;
          /** Standard output. Not supported: only the exporter otlp is supported. */
          readonly console?: null;
          /** Zipkin. Not supported: only the exporter otlp is supported. */
          readonly zipkin?: null;
        } | null;
      } | null;
      /** Sends each by itself. Not supported: only the processor batch is supported. */
      readonly simple?: null;
    })[] | null;
  } | null;
  /** The agent's own spans: one for a delivery, one below it for each attempt. */
  readonly traces?: {
    /** none makes no spans; the others are the same. @default basic */
    readonly level?: 'none' | 'basic' | 'normal' | 'detailed' | (string & {}) | null;
    /** Of own spans. Without effect: deliveries have no parent and hand no context on. @default [] */
    readonly propagators?: List | null;
    /** Where it is sent; at most one processor `batch` with an exporter `otlp`. */
    readonly processors?: readonly ({
      /** Sends at intervals. @default off */
      readonly batch?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Milliseconds between two sendings. @default 5000 */
        readonly schedule_delay?: number | bigint | Reference | null;
        /** Milliseconds. Without effect: exporter.otlp.timeout holds for one attempt. @default 30000 */
        readonly export_timeout?: number | bigint | Reference | null;
        /** What is kept between two sendings; more is dropped. @default 2048 */
        readonly max_queue_size?: number | bigint | Reference | null;
        /** Of one request. Without effect: what is there goes out in one request. @default 512 */
        readonly max_export_batch_size?: number | bigint | Reference | null;
        /** Where to. */
        readonly exporter?: {
          /** OTLP. @default off */
          readonly otlp?: {
            /** false switches the section off. */
            readonly enabled?: boolean | Reference;
            /** grpc, http/protobuf or http/json. @default http/protobuf */
            readonly protocol?: 'http/protobuf' | 'http/json' | 'grpc' | Reference | null;
            /** http://host:port; over HTTP `/v1/<signal>` is added where there is no path. */
            readonly endpoint?: string | null;
            /** Headers sent with every request. @default {} */
            readonly headers?: NameMap | null;
            /** gzip or none. @default none */
            readonly compression?: 'gzip' | 'none' | Reference | null;
            /** Milliseconds for one attempt. @default 10000 */
            readonly timeout?: number | bigint | Reference | null;
            /** Sends without TLS; so does an endpoint that begins with http://. @default false */
            readonly insecure?: boolean | Reference | null;
            /** Part of TLS. Not supported: TLS is not supported yet; remove the key and send in plain text. */
            readonly certificate?: null;
            /** Part of TLS. Not supported: TLS is not supported yet; remove the key and send in plain text. */
            readonly client_certificate?: null;
            /** Part of TLS. Not supported: TLS is not supported yet; remove the key and send in plain text. */
            readonly client_key?: null;
          } | null;
          /** Standard output. Not supported: only the exporter otlp is supported. */
          readonly console?: null;
          /** Zipkin. Not supported: only the exporter otlp is supported. */
          readonly zipkin?: null;
        } | null;
      } | null;
      /** Sends each by itself. Not supported: only the processor batch is supported. */
      readonly simple?: null;
    })[] | null;
    /** Which deliveries are recorded. @default off */
    readonly sampler?: {
      /** false switches the section off. */
      readonly enabled?: boolean | Reference;
      /** Every delivery. @default off */
      readonly always_on?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
      } | null;
      /** None. @default off */
      readonly always_off?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
      } | null;
      /** A share of the deliveries. @default off */
      readonly trace_id_ratio_based?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Share from 0 to 1. @default 1 */
        readonly ratio?: number | bigint | Reference | null;
      } | null;
      /** As its root. @default off */
      readonly parent_based?: {
        /** false switches the section off. */
        readonly enabled?: boolean | Reference;
        /** Deliveries have no parent: this one decides. */
        readonly root?: {
          /** Every delivery. @default off */
          readonly always_on?: {
            /** false switches the section off. */
            readonly enabled?: boolean | Reference;
          } | null;
          /** None. @default off */
          readonly always_off?: {
            /** false switches the section off. */
            readonly enabled?: boolean | Reference;
          } | null;
          /** A share of the deliveries. @default off */
          readonly trace_id_ratio_based?: {
            /** false switches the section off. */
            readonly enabled?: boolean | Reference;
            /** Share from 0 to 1. @default 1 */
            readonly ratio?: number | bigint | Reference | null;
          } | null;
        } | null;
        /** Of parents. Not supported: only always_on, always_off, trace_id_ratio_based and parent_based with one of them as its root are supported. */
        readonly remote_parent_sampled?: null;
      } | null;
    } | null;
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
  /** Loads that are reported when they are crossed: in the log, in /status and as metrics. Nothing is refused because of them. A key of this agent alone. */
  readonly thresholds?: {
    /** Percent of CPU time, of the CPUs of the cgroup or of the machine. A key of this agent alone. @default 80 */
    readonly cpu?: number | bigint | Reference | null;
    /** Percent of resident memory, of the limit of the cgroup or of the machine. A key of this agent alone. @default 85 */
    readonly memory?: number | bigint | Reference | null;
    /** Percent of time for which the thread that reads and writes, the busiest of several workers, is busy. A key of this agent alone. @default 90 */
    readonly io?: number | bigint | Reference | null;
  } | null;
  /** Threads that receive, process and send, each a core at most. The kernel spreads connections over them, so they help where there are many. Limits and queues are those of all workers together. A key of this agent alone. @default 1 */
  readonly workers?: number | bigint | Reference | null;
  /** MiB that requests may hold in the whole process, also where no pipeline has a memory_limiter. A key of this agent alone. @default none */
  readonly memory_limit_mib?: number | bigint | Reference | null;
}

import { listenAddress } from '../config/address.ts';
import type { BuildContext } from '../config/component.ts';
import { component } from '../config/component.ts';
import { bool, choice, duration, type Field, type FieldOptions, integer, leaf, unsigned, unsupported } from '../config/fields.ts';
import { timerMs } from '../config/go-duration.ts';
import { NO_AUTH, NO_MIDDLEWARES, NO_SERVER_TLS } from '../config/later.ts';
import type { Output, Report } from '../config/section.ts';
import { optionalSection, section } from '../config/section.ts';
import type {
  CorsSettings,
  GrpcServerSettings,
  Http2Codec,
  HttpCodec,
  HttpServerSettings,
  OtlpReceiverSettings,
  StallLimits,
} from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { CONTENT_ENCODINGS } from './content-encoding.ts';
import { addressFields, bufferFields, DEFAULT_BODY_IDLE_MS, DEFAULT_CONNECTIONS, httpServerFields, stallFields } from './server-fields.ts';

const MIB = 1024 * 1024;

/** OTLP 1.11: "The default MUST be 64 MiB", on the wire and inflated; the Collector has 4 and 20. */
const DEFAULT_MESSAGE_BYTES = 64 * MIB;

/** configgrpc's bound: larger ones would not fit an int64 of bytes. */
const MAX_MESSAGE_MIB = 8_796_093_022_207;

/** As grpc-go has none; enough for every client seen, and a bound for one that opens streams and never ends them. */
const DEFAULT_CONCURRENT_STREAMS = 1000;

/** grpc-go's keepalive.ServerParameters and EnforcementPolicy. */
const DEFAULT_PING_AFTER_MS = 7_200_000;
const DEFAULT_PING_TIMEOUT_MS = 20_000;
const DEFAULT_MIN_PING_INTERVAL_MS = 300_000;

/** Of an answer; grpc-go and Go's net/http wait without end. */
const DEFAULT_WRITE_TIMEOUT_MS = 30_000;

/** grpc-go gives a connection 120 s to begin; who has not said a word after 20 is not going to. */
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 20_000;

const HTTP2_CODECS: readonly Http2Codec[] = ['own', 'node'];
const HTTP1_CODECS: readonly HttpCodec[] = ['own', 'node'];

const serverParameters = optionalSection(
  {
    max_connection_idle: duration({
      describe: 'Closes a connection without requests after this time; 0 is never.',
      default: 0,
      shows: '0s',
    }),
    max_connection_age: duration({
      describe: 'Sends GOAWAY to a connection of this age, with its next call or 1 s later, so that its client balances again; 0 is never.',
      default: 0,
      shows: '0s',
    }),
    max_connection_age_grace: duration({ describe: 'Time for what is in flight after that GOAWAY; 0 waits.', default: 0, shows: '0s' }),
    time: duration({ describe: 'Pings a client after so much silence; 0 is 2h.', default: DEFAULT_PING_AFTER_MS, shows: '2h' }),
    timeout: duration({
      describe: 'Closes the connection when the ping has no answer in this time; 0 is 20s.',
      default: DEFAULT_PING_TIMEOUT_MS,
      shows: '20s',
    }),
  },
  { describe: 'Life of a connection.', absent: 'on' },
);

const enforcementPolicy = optionalSection(
  {
    min_time: duration({
      describe: 'A client that pings more often gets GOAWAY; 0 is 5m.',
      default: DEFAULT_MIN_PING_INTERVAL_MS,
      shows: '5m',
    }),
    permit_without_stream: bool({
      describe: 'Whether a client may ping without a request in flight; otherwise it may once in 2 hours.',
      default: false,
    }),
  },
  { describe: 'What pings of clients are allowed.', absent: 'on' },
);

const grpcShape = {
  ...addressFields('localhost:4317'),
  tls: unsupported('TLS of the listener.', NO_SERVER_TLS),
  auth: unsupported('Authenticator extension.', NO_AUTH),
  middlewares: unsupported('Middleware extensions.', NO_MIDDLEWARES),
  max_recv_msg_size_mib: integer({
    describe: 'MiB of one message, on the wire and after decompression. 64 is the default of OTLP 1.11; upstream has 4.',
    default: DEFAULT_MESSAGE_BYTES / MIB,
  }),
  max_concurrent_streams: unsigned({ describe: 'Requests in flight on one connection; 0 is 1000.', default: DEFAULT_CONCURRENT_STREAMS }),
  ...bufferFields(),
  keepalive: optionalSection(
    { server_parameters: serverParameters, enforcement_policy: enforcementPolicy },
    { describe: 'Pings and the life of connections.', absent: 'on' },
  ),
  include_metadata: bool({
    describe: 'Hands the metadata of a request to later stages: batches by metadata_keys, routing.',
    default: false,
  }),
  ...stallFields(),
  write_timeout: duration({
    describe: 'Resets a call whose client does not take its answer.',
    default: DEFAULT_WRITE_TIMEOUT_MS,
    shows: '30s',
    ours: true,
  }),
  handshake_timeout: duration({
    describe: 'Closes a connection whose client has not sent its HTTP/2 preface.',
    default: DEFAULT_HANDSHAKE_TIMEOUT_MS,
    shows: '20s',
    ours: true,
  }),
  http2_codec: choice(HTTP2_CODECS, {
    describe: 'Who reads and writes HTTP/2: our codec, or that of Node.js, which costs more for each request.',
    default: 'own',
    ours: true,
  }),
};

/** A path that begins with a slash, also where it was written without. */
function urlPath(options: FieldOptions<string>): Field<string> {
  return leaf<string>('text', options, '/', (value) =>
    typeof value === 'string' ? { value: value.startsWith('/') ? value : `/${value}` } : { wrong: 'wants text; put the value in quotes' },
  );
}

const httpShape = {
  ...httpServerFields('localhost:4318'),
  ...stallFields(),
  traces_url_path: urlPath({ describe: 'URL path for traces.', default: SIGNAL_FACTS.traces.httpPath }),
  metrics_url_path: urlPath({ describe: 'URL path for metrics.', default: SIGNAL_FACTS.metrics.httpPath }),
  logs_url_path: urlPath({ describe: 'URL path for logs.', default: SIGNAL_FACTS.logs.httpPath }),
  http1_codec: choice(HTTP1_CODECS, {
    describe: 'Who reads HTTP/1.1: our codec, which leaves all but plain requests to that of Node.js, or that of Node.js for all.',
    default: 'own',
    ours: true,
  }),
};

const receiverShape = {
  protocols: section(
    {
      grpc: optionalSection(grpcShape, {
        describe: 'OTLP/gRPC; an empty key switches it on with its defaults.',
        absent: 'off',
        check: checkGrpc,
      }),
      http: optionalSection(httpShape, {
        describe: 'OTLP/HTTP, protobuf and JSON, HTTP/1.1 and HTTP/2; an empty key switches it on with its defaults.',
        absent: 'off',
      }),
    },
    { describe: 'At least one of grpc and http.' },
  ),
};

/** The rules of configgrpc.ServerConfig upstream. */
function checkGrpc(config: Output<typeof grpcShape>, report: Report): void {
  const size = config.max_recv_msg_size_mib;
  if (size < 0 || size > MAX_MESSAGE_MIB) report('max_recv_msg_size_mib', `(${size}) must be between 1 and ${MAX_MESSAGE_MIB}`);
  for (const key of ['read_buffer_size', 'write_buffer_size'] as const) {
    const bytes = config[key] ?? 0;
    if (bytes < 0) report(key, `(${bytes}) must not be negative`);
  }
}

/** Receiver `otlp`. */
export const otlpReceiver = component<Output<typeof receiverShape>, OtlpReceiverSettings>({
  type: 'otlp',
  signals: SIGNALS,
  describe: 'Receives OTLP over gRPC and HTTP.',
  config: section(receiverShape, {
    describe: 'Receives OTLP over gRPC and HTTP.',
    check: ({ protocols }, report) => {
      if (protocols.grpc === undefined && protocols.http === undefined)
        report('protocols', 'needs at least one of grpc and http', 'OTLP_CONFIG_MISSING');
    },
  }),
  build: ({ protocols }, context) => {
    const grpc = protocols.grpc && grpcSettings(protocols.grpc, context);
    const http = protocols.http && httpSettings(protocols.http, context);
    return { id: context.id, ...(grpc === undefined ? {} : { grpc }), ...(http === undefined ? {} : { http }) };
  },
});

function grpcSettings(config: Output<typeof grpcShape>, context: BuildContext): GrpcServerSettings | undefined {
  const address = listenAddress(config.endpoint, config.transport);
  if (typeof address === 'string') {
    context.report('OTLP_CONFIG_VALUE', ['protocols', 'grpc', 'endpoint'], address);
    return undefined;
  }
  const server = config.keepalive?.server_parameters;
  return {
    address,
    maxMessageBytes: config.max_recv_msg_size_mib > 0 ? config.max_recv_msg_size_mib * MIB : DEFAULT_MESSAGE_BYTES,
    maxConcurrentStreams: config.max_concurrent_streams > 0 ? config.max_concurrent_streams : DEFAULT_CONCURRENT_STREAMS,
    keepalive: {
      maxConnectionIdleMs: positive(server?.max_connection_idle, 0),
      maxConnectionAgeMs: positive(server?.max_connection_age, 0),
      maxConnectionAgeGraceMs: positive(server?.max_connection_age_grace, 0),
      timeMs: positive(server?.time, DEFAULT_PING_AFTER_MS),
      timeoutMs: positive(server?.timeout, DEFAULT_PING_TIMEOUT_MS),
      minPingIntervalMs: positive(config.keepalive?.enforcement_policy?.min_time, DEFAULT_MIN_PING_INTERVAL_MS),
      permitWithoutStream: config.keepalive?.enforcement_policy?.permit_without_stream ?? false,
    },
    includeMetadata: config.include_metadata,
    codec: config.http2_codec,
    handshakeTimeoutMs: positive(config.handshake_timeout, DEFAULT_HANDSHAKE_TIMEOUT_MS),
    limits: stallLimits(config),
  };
}

function httpSettings(config: Output<typeof httpShape>, context: BuildContext): HttpServerSettings | undefined {
  const address = listenAddress(config.endpoint, config.transport);
  if (typeof address === 'string') {
    context.report('OTLP_CONFIG_VALUE', ['protocols', 'http', 'endpoint'], address);
    return undefined;
  }
  const algorithms = (config.compression_algorithms ?? CONTENT_ENCODINGS).filter((name) => name !== '');
  for (const name of algorithms) {
    if (CONTENT_ENCODINGS.includes(name)) continue;
    context.report(
      'OTLP_CONFIG_UNSUPPORTED',
      ['protocols', 'http', 'compression_algorithms'],
      `"${name}" is not among ${CONTENT_ENCODINGS.join(', ')}`,
    );
  }
  return {
    address,
    maxBodyBytes: config.max_request_body_size > 0 ? config.max_request_body_size : DEFAULT_MESSAGE_BYTES,
    // Go's net/http reads zero as read_timeout.
    readHeaderTimeoutMs: positive(config.read_header_timeout, positive(config.read_timeout, 0)),
    readTimeoutMs: positive(config.read_timeout, 0),
    idleTimeoutMs: positive(config.idle_timeout, positive(config.read_timeout, 0)),
    paths: {
      traces: config.traces_url_path,
      metrics: config.metrics_url_path,
      logs: config.logs_url_path,
      profiles: SIGNAL_FACTS.profiles.httpPath,
    },
    compressionAlgorithms: algorithms,
    responseHeaders: config.response_headers,
    keepAlives: config.keep_alives_enabled,
    http1Codec: config.http1_codec,
    includeMetadata: config.include_metadata,
    limits: stallLimits(config),
    ...(config.cors === undefined ? {} : { cors: corsSettings(config.cors) }),
  };
}

/** Zero, and what is below, is the default: no limit would be an invitation. Only min_body_rate can be 0. */
function stallLimits(config: {
  max_connections: number;
  body_idle_timeout: number;
  min_body_rate: number;
  write_timeout: number;
}): StallLimits {
  return {
    maxConnections: config.max_connections > 0 ? config.max_connections : DEFAULT_CONNECTIONS,
    bodyIdleMs: positive(config.body_idle_timeout, DEFAULT_BODY_IDLE_MS),
    minBodyRate: Math.max(0, config.min_body_rate),
    writeTimeoutMs: positive(config.write_timeout, DEFAULT_WRITE_TIMEOUT_MS),
  };
}

function corsSettings(config: {
  allowed_origins: readonly string[];
  allowed_headers: readonly string[];
  exposed_headers: readonly string[];
  max_age: number;
}): CorsSettings {
  return {
    allowedOrigins: config.allowed_origins,
    allowedHeaders: config.allowed_headers,
    exposedHeaders: config.exposed_headers,
    maxAgeSeconds: config.max_age,
  };
}

/** Upstream reads zero, and what is below, as its default. */
function positive(value: number | undefined, otherwise: number): number {
  return value !== undefined && value > 0 ? timerMs(value) : otherwise;
}

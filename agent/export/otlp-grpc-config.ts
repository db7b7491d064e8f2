import { isIP } from 'node:net';
import { BALANCERS, connectionField, connectionSettings, healthField, healthSettings } from '../balance/health-config.ts';
import type { BalanceSettings } from '../balance/settings.ts';
import { parsePort, splitHostPort } from '../config/address.ts';
import { type BuildContext, component } from '../config/component.ts';
import { bool, choice, duration, headers, optionalInteger, optionalText, text, unsupported } from '../config/fields.ts';
import { timeoutMs, timerMs } from '../config/go-duration.ts';
import { GO_BUFFERS, NO_AUTH, NO_MIDDLEWARES } from '../config/later.ts';
import type { Output } from '../config/section.ts';
import { optionalSection, type Report, section } from '../config/section.ts';
import type { Http2Codec, OtlpGrpcExporterSettings, SocketAddress } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { queueSettings, sendingQueue } from '../queue/config.ts';
import { clientTls, compression, compressionSetting, gzipMembers, lowerCaseNames, membersProblem, reportTls } from './client-fields.ts';
import { retryOnFailure, retrySettings } from './retry-config.ts';

const HTTP2_CODECS: readonly Http2Codec[] = ['own', 'node'];

/** The keys of otlp_grpc that loadbalancing has below protocol.otlp, too. */
export const otlpGrpcShape = {
  endpoint: text({ describe: 'host:port of the next hop; http://host:port, dns:///host:port and unix:///path too.', default: '' }),
  tls: clientTls(),
  auth: unsupported('Authenticator extension.', NO_AUTH),
  middlewares: unsupported('Middleware extensions.', NO_MIDDLEWARES),
  compression: compression(),
  timeout: duration({ describe: 'Time for one attempt; 0 waits without end.', default: 5000, shows: '5s' }),
  headers: headers({ describe: 'Metadata sent with every request.', default: {} }),
  user_agent: optionalText({ describe: 'The user-agent header.', shows: 'otlp-agent/<version>' }),
  authority: text({ describe: 'The :authority header, where it is not the endpoint.', default: '' }),
  balancer_name: choice([...BALANCERS, ''], {
    describe:
      'How requests are spread over the addresses of the endpoint: round_robin or pick_first, and of this agent alone weighted_round_robin (by the weights of SRV records) and least_connections.',
    default: 'round_robin',
  }),
  http2_codec: choice(HTTP2_CODECS, {
    describe: 'Who reads and writes HTTP/2: our codec, or that of Node.js, which costs more for each call.',
    default: 'own',
    ours: true,
  }),
  connections: connectionField(),
  keepalive: optionalSection(
    {
      time: duration({ describe: 'Pings the next hop after so much silence.', default: 0, shows: '10s' }),
      timeout: duration({ describe: 'Connects again when the ping has no answer in this time.', default: 0, shows: '20s' }),
      permit_without_stream: bool({ describe: 'Pings also without a request in flight.', default: false }),
    },
    { describe: 'Pings to the next hop.', absent: 'off', empty: 'off' },
  ),
  read_buffer_size: optionalInteger({ describe: 'Bytes.', inert: GO_BUFFERS }),
  write_buffer_size: optionalInteger({ describe: 'Bytes.', inert: GO_BUFFERS }),
  wait_for_ready: bool({
    describe: 'Waits for a connection instead of failing at once.',
    default: false,
    inert: 'an attempt always waits for its connection until its timeout',
  }),
  sending_queue: sendingQueue('on'),
  retry_on_failure: retryOnFailure(),
};

export type OtlpGrpcConfig = Output<typeof otlpGrpcShape>;

/** A balancer cuts requests, so that it has no use for gzip_members, and checks all of its upstreams by a `health` of its own. */
const shape = { ...otlpGrpcShape, health: healthField(), gzip_members: gzipMembers() };
type Config = Output<typeof shape>;

/** grpc-go never pings more often than this, whatever is written. */
const MIN_PING_AFTER_MS = 10_000;
const DEFAULT_PING_TIMEOUT_MS = 20_000;
/** grpc-go looks a name up again when a connection fails; a new pod is found only by asking. */
const DNS_INTERVAL_MS = 4_000;
const DNS_TIMEOUT_MS = 2_000;
/** `_service._proto.name` is looked up as SRV records, which have weights (RFC 2782). */
const SRV_NAME = /^_[^.]+\._(?:tcp|udp)\./u;

/** Exporter `otlp_grpc`, formerly `otlp`. */
export const otlpGrpcExporter = component<Config, OtlpGrpcExporterSettings>({
  type: 'otlp_grpc',
  aliases: ['otlp'],
  signals: SIGNALS,
  describe: 'Sends OTLP over gRPC.',
  config: section(shape, {
    describe: 'Sends OTLP over gRPC.',
    check: (config, report) => {
      const wrong = endpointProblem(config.endpoint);
      if (wrong !== undefined) report('endpoint', wrong, config.endpoint === '' ? 'OTLP_CONFIG_MISSING' : 'OTLP_CONFIG_VALUE');
      checkOtlpGrpc(config, report);
      const members = membersProblem(config.gzip_members, config.compression);
      if (members !== undefined) report('gzip_members', members);
    },
  }),
  build: (config, context) => {
    const address = dialAddress(config, context);
    if (address === undefined) return undefined;
    const settings = { ...otlpGrpcSettings(config, context, address), ...(config.gzip_members ? { gzipMembers: true } : {}) };
    const balance = balanceOf(config, address);
    return balance === undefined ? settings : { ...settings, balance };
  },
});

/** Rules that hold wherever these keys are written. */
export function checkOtlpGrpc(config: OtlpGrpcConfig, report: Report): void {
  if (config.timeout < 0) report('timeout', 'must not be negative');
}

/** Settings of a client of one address. */
export function otlpGrpcSettings(config: OtlpGrpcConfig, context: BuildContext, address: SocketAddress): OtlpGrpcExporterSettings {
  return {
    kind: 'otlp_grpc',
    id: context.id,
    address,
    authority: config.authority === '' ? (address.kind === 'unix' ? 'localhost' : target(config.endpoint)) : config.authority,
    // Over gRPC snappy is the framed form.
    compression:
      config.compression === 'snappy' ? 'x-snappy-framed' : compressionSetting(config.compression, ['gzip', 'zstd', 'none'], context),
    headers: lowerCaseNames(config.headers),
    ...(config.keepalive === undefined
      ? {}
      : {
          keepalive: {
            timeMs: timerMs(Math.max(config.keepalive.time, MIN_PING_AFTER_MS)),
            timeoutMs: config.keepalive.timeout > 0 ? timerMs(config.keepalive.timeout) : DEFAULT_PING_TIMEOUT_MS,
            permitWithoutStream: config.keepalive.permit_without_stream,
          },
        }),
    http2Codec: config.http2_codec,
    connections: connectionSettings(config.connections),
    ...(config.user_agent === undefined || config.user_agent === '' ? {} : { userAgent: config.user_agent }),
    timeoutMs: timeoutMs(config.timeout),
    queue: queueSettings(config.sending_queue, context),
    retry: retrySettings(config.retry_on_failure),
  };
}

/**
 * A name may have several addresses, which grpc-go resolves and balances unless the scheme is passthrough; so does the agent. An address
 * has itself, and localhost is one place, whatever families it has.
 */
function balanceOf(config: Config, address: SocketAddress): BalanceSettings | undefined {
  if (address.kind !== 'tcp' || isIP(address.host) !== 0 || address.host === 'localhost') return undefined;
  if (config.endpoint.startsWith('passthrough:')) return undefined;
  const srv = SRV_NAME.test(address.host);
  return {
    balancer: config.balancer_name === '' ? 'pick_first' : config.balancer_name,
    health: healthSettings(config.health),
    resolver: {
      kind: 'dns',
      hostname: address.host,
      port: srv ? undefined : address.port,
      intervalMs: DNS_INTERVAL_MS,
      timeoutMs: DNS_TIMEOUT_MS,
      type: srv ? 'srv' : 'a',
      servers: [],
    },
  };
}

/** The rules of otlpexporter and configgrpc upstream, which hold for unused exporters too. */
function endpointProblem(endpoint: string): string | undefined {
  const unixPath = /^unix:\/\/(.*)$/su.exec(endpoint)?.[1];
  if (unixPath !== undefined) return unixPath === '' ? 'a unix socket needs its path: unix:///path' : undefined;
  const address = target(endpoint);
  if (address === '') return 'is missing; write host:port of the next hop';
  const parts = splitHostPort(address);
  if (typeof parts === 'string') return parts;
  return /^[+-]?\d+$/u.test(parts.port) ? undefined : `"${parts.port}" is no port`;
}

/** host:port of an endpoint without its scheme. */
export function target(endpoint: string): string {
  return endpoint.replace(/^(?:https?:\/\/|[a-z][a-z\d+.-]*:\/\/[^/]*\/)/u, '');
}

function dialAddress(config: OtlpGrpcConfig, context: BuildContext): SocketAddress | undefined {
  const { endpoint } = config;
  if (endpoint.startsWith('https://')) {
    reportTls(context, ['endpoint'], `"${endpoint}" begins with https://`);
    return undefined;
  }
  if (!config.tls.insecure && !endpoint.startsWith('http://')) {
    reportTls(context, ['tls'], 'without tls.insecure: true the Collector sends over TLS');
    return undefined;
  }
  if (endpoint.startsWith('unix://')) return { kind: 'unix', path: endpoint.slice('unix://'.length) };
  const scheme = /^([a-z][a-z\d+.-]*):\/\//u.exec(endpoint)?.[1];
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'dns' && scheme !== 'passthrough') {
    context.report(
      'OTLP_CONFIG_UNSUPPORTED',
      ['endpoint'],
      `the scheme "${scheme}" is not supported, only http, dns, passthrough and unix`,
    );
    return undefined;
  }
  const parts = splitHostPort(target(endpoint));
  const port = typeof parts === 'string' ? undefined : parsePort(parts.port);
  if (typeof parts === 'string' || port === undefined || port === 0 || parts.host === '') {
    context.report('OTLP_CONFIG_VALUE', ['endpoint'], `"${endpoint}" is no host:port that can be dialled`);
    return undefined;
  }
  return { kind: 'tcp', host: parts.host, port };
}

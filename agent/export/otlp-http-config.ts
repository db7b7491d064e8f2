import { type BuildContext, component } from '../config/component.ts';
import { bool, choice, duration, headers, integer, optionalInteger, text, unsupported } from '../config/fields.ts';
import { timeoutMs } from '../config/go-duration.ts';
import { GO_BUFFERS, NO_AUTH, NO_MIDDLEWARES } from '../config/later.ts';
import type { Output } from '../config/section.ts';
import { section } from '../config/section.ts';
import type { HttpClientCodec, OtlpHttpExporterSettings, Signal } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { queueSettings, sendingQueue } from '../queue/config.ts';
import {
  clientTls,
  compression,
  compressionSetting,
  gzipMembers,
  lowerCaseNames,
  membersProblem,
  reportHeaders,
  reportTls,
} from './client-fields.ts';
import { parseProxy } from './http-proxy.ts';
import { retryOnFailure, retrySettings } from './retry-config.ts';

const COMPRESSIONS = ['gzip', 'zstd', 'deflate', 'zlib', 'snappy', 'x-snappy-framed', 'none'] as const;
const HTTP1_CODECS: readonly HttpClientCodec[] = ['own', 'undici'];
/** klauspost's "best", to which the Collector maps all from 10 on. */
const MAX_ZSTD_LEVEL = 11;

const GO_POOL = 'connections are pooled by max_conns_per_host and idle_conn_timeout';

const shape = {
  endpoint: text({ describe: 'Base URL, http://host:port; `/v1/<signal>` is added.', default: '' }),
  traces_endpoint: text({ describe: 'Whole URL for traces.', default: '', shows: '<endpoint>/v1/traces' }),
  metrics_endpoint: text({ describe: 'Whole URL for metrics.', default: '', shows: '<endpoint>/v1/metrics' }),
  logs_endpoint: text({ describe: 'Whole URL for logs.', default: '', shows: '<endpoint>/v1/logs' }),
  profiles_endpoint: text({ describe: 'Whole URL for profiles.', default: '', shows: '<endpoint>/v1development/profiles' }),
  encoding: choice(['proto', 'json'], {
    describe:
      'proto, or json, which costs several times the CPU and twice the bytes, and cannot carry protobuf fields that the agent does not know.',
    default: 'proto',
  }),
  proxy_url: text({
    describe: 'HTTP proxy, http://user:password@host:port; without it HTTP_PROXY and NO_PROXY count.',
    default: '',
    shows: '',
  }),
  tls: clientTls(),
  auth: unsupported('Authenticator extension.', NO_AUTH),
  middlewares: unsupported('Middleware extensions.', NO_MIDDLEWARES),
  cookies: unsupported('Cookies of the server.', 'cookies are not supported; remove the key'),
  compression: compression(),
  compression_params: section(
    {
      level: integer({
        describe: 'Level of the algorithm: -1 to 9 for gzip, zlib and deflate, 1 to 11 for zstd (above is 11); 0 is our default, 1.',
        default: 0,
      }),
    },
    { describe: 'How hard to compress.' },
  ),
  gzip_members: gzipMembers(),
  timeout: duration({ describe: 'Time for one attempt; 0 waits without end.', default: 30_000, shows: '30s' }),
  headers: headers({ describe: 'Headers sent with every request.', default: {} }),
  max_conns_per_host: integer({ describe: 'Connections at most; 0 is as many as there are consumers.', default: 0 }),
  idle_conn_timeout: duration({ describe: 'Closes a connection without requests after this time.', default: 90_000, shows: '1m30s' }),
  max_idle_conns: integer({ describe: 'Idle connections at most.', default: 100, inert: GO_POOL }),
  max_idle_conns_per_host: integer({ describe: 'Idle connections to one host at most.', default: 0, inert: GO_POOL }),
  disable_keep_alives: bool({ describe: 'One connection for each request.', default: false }),
  http2_read_idle_timeout: duration({ describe: 'HTTP/2 pings.', default: 0, shows: '0s', inert: 'requests go over HTTP/1.1' }),
  http2_ping_timeout: duration({ describe: 'HTTP/2 pings.', default: 0, shows: '0s', inert: 'requests go over HTTP/1.1' }),
  force_attempt_http2: bool({ describe: 'Tries HTTP/2.', default: true, inert: 'requests go over HTTP/1.1' }),
  read_buffer_size: optionalInteger({ describe: 'Bytes.', inert: GO_BUFFERS }),
  write_buffer_size: optionalInteger({ describe: 'Bytes.', inert: GO_BUFFERS }),
  http1_codec: choice(HTTP1_CODECS, {
    describe:
      'Who sends HTTP/1.1: our client, or undici, which costs more for each request, takes answers that ours refuses for their form, and is seen by instrumentation of undici.',
    default: 'own',
    ours: true,
  }),
  sending_queue: sendingQueue('on'),
  retry_on_failure: retryOnFailure(),
};

type Config = Output<typeof shape>;

/** Exporter `otlp_http`, formerly `otlphttp`. */
export const otlpHttpExporter = component<Config, OtlpHttpExporterSettings>({
  type: 'otlp_http',
  aliases: ['otlphttp'],
  signals: SIGNALS,
  describe: 'Sends OTLP over HTTP, as protobuf or JSON.',
  config: section(shape, {
    describe: 'Sends OTLP over HTTP, as protobuf or JSON.',
    check: (config, report) => {
      if (config.endpoint === '' && SIGNALS.every((signal) => ownEndpoint(config, signal) === '')) {
        report('endpoint', 'is missing; write the base URL, http://host:port, or <signal>_endpoint', 'OTLP_CONFIG_MISSING');
      }
      const wrong = levelProblem(config);
      if (wrong !== undefined) report('compression_params', wrong);
      const members = membersProblem(config.gzip_members, config.compression, config.encoding);
      if (members !== undefined) report('gzip_members', members);
    },
  }),
  build: (config, context) => {
    const proxy = config.proxy_url === '' ? undefined : parseProxy(config.proxy_url);
    if (typeof proxy === 'string') context.report('OTLP_CONFIG_VALUE', ['proxy_url'], proxy);
    reportHeaders(config.headers, context);
    const { level } = config.compression_params;
    return {
      kind: 'otlp_http',
      id: context.id,
      urls: {
        traces: url(config, 'traces', context),
        metrics: url(config, 'metrics', context),
        logs: url(config, 'logs', context),
        profiles: url(config, 'profiles', context),
      },
      compression: compressionSetting(config.compression, COMPRESSIONS, context),
      encoding: config.encoding,
      ...(config.proxy_url === '' ? {} : { proxyUrl: config.proxy_url }),
      ...levelSetting(config.compression, level),
      ...(config.gzip_members ? { gzipMembers: true } : {}),
      keepAlives: !config.disable_keep_alives,
      http1Codec: config.http1_codec,
      headers: lowerCaseNames(config.headers),
      maxConnections: Math.max(config.max_conns_per_host, 0),
      idleConnectionTimeoutMs: timeoutMs(config.idle_conn_timeout),
      timeoutMs: timeoutMs(config.timeout),
      queue: queueSettings(config.sending_queue, context),
      retry: retrySettings(config.retry_on_failure),
    };
  },
});

/**
 * 0 and zlib's -1 are the default; -2, Go's "Huffman only", has 1 as the nearest. zstd takes any number upstream, where four speeds stand
 * behind it: level 22 would want 700 MB for each request.
 */
function levelSetting(name: Config['compression'], level: number): { readonly compressionLevel?: number } {
  if (level === 0 || level === -1) return {};
  if (name === 'zstd') return { compressionLevel: Math.min(Math.max(level, 1), MAX_ZSTD_LEVEL) };
  return { compressionLevel: level === -2 ? 1 : level };
}

function ownEndpoint(config: Config, signal: Signal): string {
  return config[`${signal}_endpoint`];
}

/** The URL of a signal; mistakes are reported for signals that a pipeline sends, others may have none. */
function url(config: Config, signal: Signal, context: BuildContext): string {
  const own = ownEndpoint(config, signal);
  if (own === '' && config.endpoint === '') {
    if (context.signals.has(signal))
      context.report(
        'OTLP_CONFIG_MISSING',
        [`${signal}_endpoint`],
        `a pipeline sends ${signal}; endpoint or ${signal}_endpoint must be written`,
      );
    return '';
  }
  const key = own === '' ? 'endpoint' : `${signal}_endpoint`;
  const whole = own === '' ? `${config.endpoint.replace(/\/$/u, '')}${SIGNAL_FACTS[signal].httpPath}` : own;
  if (!context.signals.has(signal)) return whole;
  const parsed = URL.canParse(whole) ? new URL(whole) : undefined;
  if (parsed?.protocol === 'https:') reportTls(context, [key], `"${own === '' ? config.endpoint : own}" begins with https://`);
  else if (parsed?.protocol !== 'http:')
    context.report('OTLP_CONFIG_VALUE', [key], `"${own === '' ? config.endpoint : own}" is no URL; write http://host:port`);
  return whole;
}

/** The rules of configcompression upstream. */
function levelProblem({ compression: name, compression_params: { level } }: Config): string | undefined {
  if (name === '' || name === 'none' || name === 'zstd') return undefined;
  if (name === 'gzip' || name === 'zlib' || name === 'deflate')
    return level >= -2 && level <= 9 ? undefined : `level (${level}) must be within -1 and 9 for ${name}`;
  return level === 0 ? undefined : `${name} has no levels`;
}

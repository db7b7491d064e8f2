import { transport } from '../config/address.ts';
import { bool, duration, headers, integer, optionalInteger, optionalTextList, text, textList, unsupported } from '../config/fields.ts';
import { GO_BUFFERS, NO_AUTH, NO_MIDDLEWARES, NO_SERVER_TLS } from '../config/later.ts';
import { optionalSection, section } from '../config/section.ts';

/** Keys of a listening address, as confignet has them. */
export function addressFields(endpoint: string) {
  return {
    endpoint: text({ describe: 'Address to listen on, `host:port`; the path of the socket where `transport` is unix.', default: endpoint }),
    transport: transport(),
    dialer: section(
      { timeout: duration({ describe: 'Time to connect.', default: 0, shows: '0s' }) },
      { describe: 'Of outgoing connections.', inert: 'a listener does not dial' },
    ),
  };
}

export function bufferFields() {
  return {
    read_buffer_size: optionalInteger({ describe: 'Bytes.', inert: GO_BUFFERS }),
    write_buffer_size: optionalInteger({ describe: 'Bytes.', inert: GO_BUFFERS }),
  };
}

/** Connections of one listener: some 90 MiB where all are idle. */
export const DEFAULT_CONNECTIONS = 4096;
export const DEFAULT_BODY_IDLE_MS = 60_000;

/** What both listeners of the receiver have against clients that stall; see stall.ts. */
export function stallFields() {
  return {
    max_connections: integer({
      describe:
        'Connections at a time. One more closes the oldest that has not said anything yet, else itself. An idle one takes about 22 KiB.',
      default: DEFAULT_CONNECTIONS,
      ours: true,
    }),
    body_idle_timeout: duration({
      describe: 'Gives a request up whose body brings no byte for so long.',
      default: DEFAULT_BODY_IDLE_MS,
      shows: '1m',
      ours: true,
    }),
    min_body_rate: integer({
      describe: 'Bytes per second, on average, of a body that takes longer than body_idle_timeout; 0 is any.',
      default: 16 * 1024,
      ours: true,
    }),
  };
}

/**
 * Keys of an HTTP server, as confighttp has them; shared by the otlp receiver and the health_check extension, where some have no effect
 * for the reason given.
 */
export function httpServerFields(endpoint: string, inert?: string) {
  const without = inert === undefined ? {} : { inert };
  return {
    ...addressFields(endpoint),
    tls: unsupported('TLS of the listener.', NO_SERVER_TLS),
    auth: unsupported('Authenticator extension.', NO_AUTH),
    middlewares: unsupported('Middleware extensions.', NO_MIDDLEWARES),
    cors: optionalSection(
      {
        allowed_origins: textList({
          describe: 'Values of Origin that a browser may send from; `*` stands for any characters.',
          default: [],
        }),
        allowed_headers: textList({ describe: 'Request headers that a browser may send beside the simple ones.', default: [] }),
        exposed_headers: textList({ describe: 'Response headers that a page may read.', default: [] }),
        max_age: integer({ describe: 'Seconds for which a browser keeps the answer to its preflight request.', default: 0 }),
      },
      { describe: 'Cross-origin requests of browsers.', absent: 'off', empty: 'off' },
    ),
    max_request_body_size: integer({
      describe: 'Bytes of one request, on the wire and after decompression. 64 MiB is the default of OTLP 1.11; upstream has 20 MiB.',
      default: 64 * 1024 * 1024,
    }),
    include_metadata: bool({
      describe: 'Hands the headers of a request to later stages: batches by metadata_keys, routing.',
      default: false,
      ...without,
    }),
    response_headers: headers({ describe: 'Headers added to every response.', default: {} }),
    compression_algorithms: optionalTextList({
      describe: 'Content-Encodings that are accepted beside none. br is ours; the lz4 of upstream is not there.',
      ...without,
      shows: 'gzip, zstd, zlib, snappy, deflate, x-snappy-framed, br',
    }),
    read_timeout: duration({
      describe: 'Time for a whole request with its body; 0 leaves it to body_idle_timeout and min_body_rate, which are ours.',
      default: 0,
      shows: '0s',
    }),
    read_header_timeout: duration({ describe: 'Time for the headers of a request.', default: 60_000, shows: '1m' }),
    write_timeout: duration({
      describe: 'Closes a connection whose client does not take its answer; 0 is 30s.',
      default: 0,
      shows: '0s',
      ...without,
    }),
    idle_timeout: duration({ describe: 'Time that a connection may stay open between requests.', default: 60_000, shows: '1m' }),
    keep_alives_enabled: bool({ describe: 'Keeps connections open between requests.', default: true, ...without }),
  };
}

import { DEFAULT_CONNECTIONS } from '../balance/settings.ts';
import type { OtlpGrpcExporterSettings, Signal, SocketAddress } from '../config/settings.ts';
import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { USER_AGENT } from '../runtime/version.ts';
import type { Encoding } from './compress.ts';
import { type Done, GrpcCall, unavailable } from './grpc-call.ts';
import { framed, PREFIX_BYTES } from './grpc-frame.ts';
import { GrpcPool } from './grpc-pool.ts';
import type { GrpcSession } from './grpc-session.ts';
import type { Encoded } from './transport.ts';

/** A request that a peer refused unseen (GOAWAY) goes out on another connection at once, so often at most. */
const RESENDS = 3;

const ENCODING_HEADER: Readonly<Record<Encoding, Readonly<Record<string, string>>>> = {
  identity: {},
  gzip: { 'grpc-encoding': 'gzip' },
  zstd: { 'grpc-encoding': 'zstd' },
  deflate: { 'grpc-encoding': 'deflate' },
  zlib: { 'grpc-encoding': 'deflate' },
  // gRPC's snappy is the framed form: grpc-go's compressors write nothing else.
  'x-snappy-framed': { 'grpc-encoding': 'snappy' },
  snappy: { 'grpc-encoding': 'snappy' },
};

/**
 * Unary gRPC calls to one address, framed here over HTTP/2:
 *
 *   HEADERS :path /...Service/Export | DATA [flag 0|1][length, 4 bytes, big endian][request] | END_STREAM
 */
export class GrpcChannel {
  readonly #timeoutMs: number;
  readonly #headers: Readonly<Record<string, string>>;
  /** By path and encoding: codecs encode the same object once. */
  readonly #headersOf = new Map<string, Readonly<Record<string, string>>>();
  readonly #ownCodec: boolean;
  readonly #pool: GrpcPool;

  constructor(settings: OtlpGrpcExporterSettings, address: SocketAddress) {
    this.#timeoutMs = settings.timeoutMs;
    const { authority, keepalive, timeoutMs, connections, http2Codec: codec = 'own' } = settings;
    this.#ownCodec = codec === 'own';
    this.#headers = {
      ':authority': authority,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': settings.userAgent ?? USER_AGENT,
      'grpc-timeout': `${Math.max(1, Math.min(99_999_999, Math.ceil(settings.timeoutMs)))}m`,
      ...settings.headers,
    };
    this.#pool = new GrpcPool({ address, keepalive, timeoutMs, codec }, connections ?? DEFAULT_CONNECTIONS);
  }

  /** Connections that take calls now. */
  get connections(): number {
    return this.#pool.size;
  }

  /** After retire(): the last call has ended. */
  get gone(): boolean {
    return this.#pool.gone;
  }

  /** One attempt; `done` is called once. */
  send(body: Encoded, done: Done): void {
    this.#send(body, done, RESENDS);
  }

  #send(body: Encoded, done: Done, resends: number): void {
    // node:http2 may be told the answer while it is still writing the request.
    if (!this.#ownCodec) body.stillRead = true;
    const session = this.#pool.acquire();
    if (session === undefined) {
      done(unavailable(this.#pool.problem), 'unsent');
      return;
    }
    const call = new GrpcCall((outcome, fate) => {
      this.#release(session, fate === 'silent');
      // What of it is in the socket goes on to whoever refused it.
      if (fate === 'refused') body.stillRead = true;
      if (fate === 'refused' && resends > 0) this.#send(body, done, resends - 1);
      else done(outcome, fate);
    }, session.suspect);
    try {
      call.began(session.request(this.#headersFor(body), framed(body), PREFIX_BYTES + body.bytes, call), this.#timeoutMs);
    } catch (error) {
      // The session went away between the look and the call (ERR_HTTP2_GOAWAY_SESSION, ERR_HTTP2_INVALID_SESSION).
      this.#pool.release(session);
      if (resends > 0) this.#send(body, done, resends - 1);
      else done(unavailable((error as Error).message), 'unsent');
    }
  }

  #headersFor({ signal, encoding }: { readonly signal: Signal; readonly encoding: Encoding }): Readonly<Record<string, string>> {
    const path = SIGNAL_FACTS[signal].grpcPath;
    const key = `${path} ${encoding}`;
    let headers = this.#headersOf.get(key);
    if (headers === undefined) {
      headers = { ':method': 'POST', ':scheme': 'http', ':path': path, ...this.#headers, ...ENCODING_HEADER[encoding] };
      this.#headersOf.set(key, headers);
    }
    return headers;
  }

  /** Ends all connections; calls under way end as retry. */
  close(): void {
    this.#pool.close();
  }

  /** No new calls; connections end when those under way have. */
  retire(): void {
    this.#pool.retire();
  }

  #release(session: GrpcSession, silent: boolean): void {
    this.#pool.release(session);
    if (silent) session.suspect();
  }
}

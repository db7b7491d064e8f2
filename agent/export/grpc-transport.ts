import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { OtlpGrpcExporterSettings, Signal } from '../config/settings.ts';
import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { decodePartialSuccess } from '../otlp/status.ts';
import { Backoff } from '../runtime/backoff.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import { USER_AGENT } from '../runtime/version.ts';
import { compress, type Encoding } from './compress.ts';
import { grpcOutcome, httpStatusToGrpc } from './grpc-outcome.ts';
import type { Encoded, Transport } from './transport.ts';

/** Our receive windows: responses are a few bytes, so the default of a stream is enough; the session's is raised against many streams. */
const SESSION_WINDOW_BYTES = 1024 * 1024;
/** Responses above are not read (spec 1.11: response size limit). */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
/**
 * node:http2 refuses a *response* (RST_STREAM ENHANCE_YOUR_CALM) while a session holds more than this, request bodies that are being
 * written included; its default of 10 MB makes duplicates of requests that the next hop has taken. Our memory is counted by admit. In MB.
 */
const MAX_SESSION_MEMORY_MB = 4096;
/** Waits between connection attempts: gRPC's connection backoff (grpc/doc/connection-backoff.md), with a lower end for a sidecar. */
const RECONNECT = { initialIntervalMs: 250, multiplier: 1.6, maxIntervalMs: 15_000, randomizationFactor: 0.2 };
/** Below it, slices are joined before they are written: a write costs about as much as copying so many bytes. */
const JOIN_BELOW_BYTES = 16 * 1024;

/**
 * Unary gRPC calls over one HTTP/2 session of node:http2, framed here:
 *
 *   HEADERS :path /...Service/Export | DATA [flag 0|1][length, 4 bytes, big endian][request] | END_STREAM
 *
 * The session is opened by the first call, replaced after GOAWAY (calls under way finish on the old one) and after it broke; every
 * connect resolves the name again.
 */
export class GrpcTransport implements Transport {
  readonly labels: Readonly<Record<string, string>>;
  readonly #settings: OtlpGrpcExporterSettings;
  readonly #backoff = new Backoff(RECONNECT);
  readonly #headers: Readonly<Record<string, string>>;
  #session: ClientHttp2Session | undefined;
  readonly #sessions = new Set<ClientHttp2Session>();
  #notBefore = 0;
  #lastError = '';
  #closed = false;
  /** Calls without an answer yet. */
  #active = 0;

  constructor(settings: OtlpGrpcExporterSettings) {
    this.#settings = settings;
    const { address } = settings;
    this.labels =
      address.kind === 'tcp' ? { server_address: address.host, server_port: String(address.port) } : { server_address: address.path };
    this.#headers = {
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': settings.userAgent ?? USER_AGENT,
      'grpc-timeout': `${Math.max(1, Math.min(99_999_999, Math.ceil(settings.timeoutMs)))}m`,
      ...settings.headers,
    };
  }

  encode(signal: Signal, slices: readonly Uint8Array[], bytes: number, items: number): Encoded | Promise<Encoded> {
    return compress(this.#settings.compression, undefined, signal, slices, bytes, items);
  }

  send(body: Encoded): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const session = this.#open();
    if (session === undefined) {
      resolve(unavailable(this.#closed ? 'the exporter is closed' : `no connection: ${this.#lastError}`));
      return promise;
    }
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({
        ':method': 'POST',
        ':path': SIGNAL_FACTS[body.signal].grpcPath,
        ...this.#headers,
        ...ENCODING_HEADER[body.encoding],
      });
    } catch (error) {
      // The session went away between the look and the call (ERR_HTTP2_GOAWAY_SESSION, ERR_HTTP2_INVALID_SESSION).
      resolve(unavailable((error as Error).message));
      return promise;
    }
    this.#active += 1;
    new Call(stream, body, this.#settings.timeoutMs, (outcome) => {
      this.#active -= 1;
      resolve(outcome);
    });
    return promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const session of this.#sessions) session.destroy();
    this.#sessions.clear();
  }

  #open(): ClientHttp2Session | undefined {
    const current = this.#session;
    if (current !== undefined && !current.closed && !current.destroyed) return current;
    if (this.#closed || performance.now() < this.#notBefore) return undefined;
    const { address, authority } = this.#settings;
    const session = connect(`http://${authority}`, {
      createConnection: () =>
        address.kind === 'tcp'
          ? connectSocket({ host: address.host, port: address.port, noDelay: true })
          : connectSocket({ path: address.path }),
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { enablePush: false },
    });
    this.#session = session;
    this.#sessions.add(session);
    session.on('connect', () => {
      this.#backoff.reset();
      session.setLocalWindowSize(SESSION_WINDOW_BYTES);
      this.#keepAlive(session);
    });
    session.on('goaway', () => this.#forget(session));
    session.on('error', (error) => {
      this.#lastError = error.message;
      this.#notBefore = performance.now() + this.#backoff.next();
      this.#forget(session);
    });
    session.on('close', () => {
      this.#sessions.delete(session);
      this.#forget(session);
    });
    return session;
  }

  #forget(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined;
  }

  #keepAlive(session: ClientHttp2Session): void {
    const { keepalive } = this.#settings;
    if (keepalive === undefined || keepalive.timeMs <= 0) return;
    let answered = true;
    const timer = setInterval(() => {
      if (!keepalive.permitWithoutStream && this.#active === 0) return;
      if (!answered) {
        session.destroy(new Error('keepalive ping was not answered'));
        return;
      }
      answered = false;
      session.ping(() => {
        answered = true;
      });
    }, keepalive.timeMs).unref();
    session.on('close', () => clearInterval(timer));
  }
}

const ENCODING_HEADER: Readonly<Record<Encoding, Readonly<Record<string, string>>>> = {
  identity: {},
  gzip: { 'grpc-encoding': 'gzip' },
  zstd: { 'grpc-encoding': 'zstd' },
  deflate: { 'grpc-encoding': 'deflate' },
};

/** One call: resolves once, whichever of response, error and timeout comes first. */
class Call {
  readonly #stream: ClientHttp2Stream;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #timer: NodeJS.Timeout;
  #status: IncomingHttpHeaders | undefined;
  #httpStatus = 200;
  #response: Buffer[] = [];
  #responseBytes = 0;
  #failure = '';
  #done = false;

  constructor(stream: ClientHttp2Stream, body: Encoded, timeoutMs: number, resolve: (outcome: Outcome) => void) {
    this.#stream = stream;
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.#timedOut(timeoutMs), timeoutMs);
    stream.on('response', (headers) => {
      this.#httpStatus = headers[':status'] ?? 0;
      if (headers['grpc-status'] !== undefined) this.#status = headers;
    });
    stream.on('trailers', (trailers) => {
      this.#status = trailers;
    });
    stream.on('data', (data: Buffer) => this.#onData(data));
    stream.on('error', (error) => {
      this.#failure = error.message;
    });
    stream.on('close', () => this.#finish(this.#outcome()));
    writeFrame(stream, body);
  }

  #onData(data: Buffer): void {
    this.#responseBytes += data.length;
    if (this.#responseBytes > MAX_RESPONSE_BYTES) {
      // The request has been taken by then; sending it again would be a duplicate (spec: over the limit is not retryable).
      this.#finish({
        kind: 'reject',
        code: GrpcStatus.RESOURCE_EXHAUSTED,
        message: `the response is larger than ${MAX_RESPONSE_BYTES} bytes`,
        taken: true,
      });
      this.#stream.close(constants.NGHTTP2_CANCEL);
      return;
    }
    this.#response.push(data);
  }

  #timedOut(timeoutMs: number): void {
    this.#finish({ kind: 'retry', afterMs: undefined, code: GrpcStatus.DEADLINE_EXCEEDED, message: `no answer within ${timeoutMs} ms` });
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #outcome(): Outcome {
    if (this.#status === undefined) {
      if (this.#httpStatus !== 200)
        return grpcOutcome(httpStatusToGrpc(this.#httpStatus), `HTTP status ${this.#httpStatus} instead of a gRPC status`, undefined);
      return unavailable(this.#failure || `the connection ended before the answer (RST_STREAM ${this.#stream.rstCode ?? 0})`);
    }
    // A status that is no number is UNKNOWN (grpc PROTOCOL-HTTP2.md); Number('') would make a success of it.
    const said = String(this.#status['grpc-status'] ?? '');
    const code = /^\d+$/.test(said) ? Number(said) : GrpcStatus.UNKNOWN;
    const details = this.#status['grpc-status-details-bin'];
    if (code !== GrpcStatus.OK)
      return grpcOutcome(
        code,
        percentDecode(String(this.#status['grpc-message'] ?? '')),
        typeof details === 'string' ? details : undefined,
      );
    const partial = decodePartialSuccess(Buffer.concat(this.#response).subarray(5));
    return partial === undefined ? OK : { kind: 'ok', rejected: partial.rejected, message: partial.message };
  }

  #finish(outcome: Outcome): void {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#timer);
    this.#resolve(outcome);
  }
}

function unavailable(message: string): Outcome {
  return { kind: 'retry', afterMs: undefined, code: GrpcStatus.UNAVAILABLE, message };
}

/** Prefix and slices in one corked burst: node:http2 hands them to nghttp2 with a single writev and copies nothing on our side. */
function writeFrame(stream: ClientHttp2Stream, body: Encoded): void {
  const prefix = Buffer.allocUnsafe(5);
  prefix[0] = body.encoding === 'identity' ? 0 : 1;
  prefix.writeUInt32BE(body.bytes, 1);
  stream.cork();
  let small: Uint8Array[] = [prefix];
  let smallBytes = 5;
  for (const slice of body.slices) {
    if (slice.length < JOIN_BELOW_BYTES) {
      small.push(slice);
      smallBytes += slice.length;
      if (smallBytes < 4 * JOIN_BELOW_BYTES) continue;
      stream.write(Buffer.concat(small, smallBytes));
      small = [];
      smallBytes = 0;
      continue;
    }
    if (smallBytes > 0) stream.write(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small, smallBytes));
    small = [];
    smallBytes = 0;
    stream.write(slice);
  }
  if (smallBytes > 0) stream.write(Buffer.concat(small, smallBytes));
  stream.end();
}

/** grpc-message is percent-encoded UTF-8; what does not decode is shown as it came. */
function percentDecode(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

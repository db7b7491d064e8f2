import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { REFUSALS, refuse } from '../admit/errors.ts';
import type { GrpcServerSettings, Signal, SocketAddress } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { aborted } from '../runtime/aborted.ts';
import type { Counters } from '../telemetry/counters.ts';
import { GrpcCall } from './grpc-call.ts';
import { HealthService } from './grpc-health.ts';
import { respondHttpError, respondRefusal } from './grpc-respond.ts';
import { type SessionFault, SessionGuard, sayGoodbye } from './grpc-session.ts';
import { readPreface } from './http-preface.ts';
import { Listener } from './listener.ts';
import type { Admissions, Receiver } from './receive.ts';
import { sweepIntervalMs } from './stall.ts';

/** Of one stream: a request of the usual size arrives without a single WINDOW_UPDATE round trip. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
/** Of one connection, for several such requests at a time. */
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024;
/** gRPC's own limit for metadata is 8 KiB. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Above it node:http2 refuses streams without asking us; what is held is counted by admit, so this only has to be out of the way. In MB. */
const MAX_SESSION_MEMORY_MB = 4096;

/** Of protobuf messages, which is what no suffix means; gRPC-Web and messages in JSON are something else. */
const CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/;

/** OTLP/gRPC over node:http2 with our own framing (grpc-call.ts): 3.5 times cheaper than grpc-js on both sides. */
export class GrpcReceiver implements Receiver {
  readonly #settings: GrpcServerSettings;
  readonly #counters: Counters;
  readonly #admissions: Admissions;
  readonly #signals = new Map<string, Signal>(SIGNALS.map((signal) => [SIGNAL_FACTS[signal].grpcPath, signal]));
  readonly #health = new HealthService((service) => {
    const signal = this.#signals.get(`/${service}/Export`);
    return signal !== undefined && this.#admissions[signal] !== undefined;
  });
  readonly #server: Http2Server;
  readonly #sessions = new Map<ServerHttp2Session, SessionGuard>();
  /** Connections that have not said anything yet, the oldest first. */
  readonly #silent = new Set<Socket>();
  /** The connection whose session is being made: node:http2 shows a session's socket to nobody. */
  #taking: Socket | undefined;
  readonly #calls = new Set<GrpcCall>();
  #listener: Listener;
  #sweeper: NodeJS.Timeout | undefined;
  #handedOver = false;
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(settings: GrpcServerSettings, key: string, admissions: Admissions, counters: Counters) {
    this.#settings = settings;
    this.#admissions = admissions;
    this.#counters = counters;
    this.#listener = new Listener(settings.address, key, { allowHalfOpen: false, onError: () => counters.connectionError('listener') });
    this.#server = createServer({
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: settings.maxConcurrentStreams,
        maxHeaderListSize: MAX_HEADER_BYTES,
        enablePush: false,
      },
    });
    this.#server.on('session', (session) => this.#onSession(session));
    this.#server.on('stream', (stream, headers) => this.#onStream(stream, headers));
    // Garbage on the port, a client that resets: theirs alone.
    this.#server.on('sessionError', (_error, session) => {
      // Only of those that never made a call: grpc-go says goodbye with a GOAWAY that nghttp2 finds a protocol error (last stream 2^31-1).
      if (this.#sessions.get(session)?.called !== true) this.#counters.connectionError('http2');
    });
    this.#server.on('clientError', () => this.#counters.connectionError('socket'));
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  bind(): Promise<void> {
    return this.#listener.open();
  }

  start(listener?: Listener): void {
    if (listener !== undefined) this.#listener = listener;
    const { limits } = this.#settings;
    this.#listener.handTo((socket) => this.#onConnection(socket));
    this.#sweeper = setInterval(() => this.#sweep(), sweepIntervalMs(limits.bodyIdleMs, limits.writeTimeoutMs)).unref();
  }

  handOver(): Listener {
    this.#handedOver = true;
    return this.#listener;
  }

  /** GOAWAY to every client; streams that are open go on, and the connection ends with the last of them. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#health.shutDown();
    if (!this.#handedOver) {
      this.#listener.close();
      for (const socket of this.#silent) socket.destroy();
    }
    for (const session of this.#sessions.keys()) sayGoodbye(session);
    await Promise.race([this.#empty(), aborted(deadline)]);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#health.shutDown();
    if (!this.#handedOver) this.#listener.close();
    for (const socket of this.#silent) socket.destroy();
    for (const guard of this.#sessions.values()) guard.hangUp();
    await this.#empty();
  }

  /** When the last connection has ended. */
  #empty(): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    this.#ended ??= Promise.withResolvers<void>();
    return this.#ended.promise;
  }

  /** A session is made when its client has spoken: one that is opened and left costs a socket, not the 22 KiB of a session. */
  #onConnection(socket: Socket): void {
    if (this.#sessions.size + this.#silent.size >= this.#settings.limits.maxConnections) {
      // Who has said nothing yet makes room for who comes: connections that are opened and left keep nobody out.
      const [silent] = this.#silent;
      this.#counters.connectionError('too_many_connections');
      (silent ?? socket).destroy();
      if (silent === undefined) return;
      this.#silent.delete(silent);
    }
    this.#silent.add(socket);
    socket.on('error', () => {}); // of a socket that no session has taken yet
    socket.on('close', () => this.#silent.delete(socket));
    readPreface(socket, this.#settings.handshakeTimeoutMs, (version) => {
      this.#silent.delete(socket);
      if (version === 2) {
        this.#taking = socket;
        this.#server.emit('connection', socket);
        this.#taking = undefined;
        return;
      }
      this.#counters.connectionError(version === undefined ? 'handshake_timeout' : 'http2');
      socket.destroy();
    });
  }

  #onSession(session: ServerHttp2Session): void {
    const { keepalive, handshakeTimeoutMs } = this.#settings;
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.on('error', () => {}); // counted once, by the server's sessionError
    const count = (fault: SessionFault): void => this.#counters.connectionError(fault);
    const guard = new SessionGuard(session, this.#taking as Socket, keepalive, handshakeTimeoutMs, count);
    this.#sessions.set(session, guard);
    session.on('close', () => {
      this.#sessions.delete(session);
      if (this.#sessions.size === 0) this.#ended?.resolve();
    });
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // A stream that the client resets emits 'error'; without a listener that would end the process.
    stream.on('error', () => {});
    if (headers[':method'] !== 'POST') {
      respondHttpError(stream, 405, 'only POST is allowed');
      return;
    }
    if (!CONTENT_TYPE.test(headers['content-type'] ?? '')) {
      respondHttpError(stream, 415, 'the content-type is application/grpc, with protobuf messages');
      return;
    }
    const path = headers[':path'] ?? '';
    const signal = this.#signals.get(path);
    if (signal === undefined) {
      if (this.#health.serves(path)) {
        this.#health.handle(path, stream);
        return;
      }
      respondRefusal(stream, refuse(REFUSALS.UNKNOWN_PATH, path));
      return;
    }
    const admission = this.#admissions[signal];
    if (admission === undefined) {
      respondRefusal(stream, refuse(REFUSALS.NO_PIPELINE, signal));
      return;
    }
    const call = new GrpcCall(stream, headers, admission, this.#settings);
    this.#calls.add(call);
    stream.on('close', () => this.#calls.delete(call));
  }

  #sweep(): void {
    const now = performance.now();
    for (const call of this.#calls) {
      if (!call.sweep(now)) continue;
      this.#calls.delete(call);
      this.#counters.connectionError('response_unread');
      call.abandon();
    }
  }
}

import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { HttpServerSettings } from '../config/settings.ts';
import { NodeSession } from '../http2/node-session.ts';
import type { Counters } from '../telemetry/counters.ts';
import { SessionGuard } from './grpc-session.ts';
import { NodeExchange } from './http-exchange.ts';

/** As gRPC's: a request of the usual size arrives without a WINDOW_UPDATE round trip. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024;
/** Go's net/http, which the Collector would use, has 250. */
const MAX_CONCURRENT_STREAMS = 250;
/** See grpc.ts. */
const MAX_SESSION_MEMORY_MB = 4096;
/** HTTP has no rule for pings as gRPC has; more than one in a second, time after time, is an attack. */
const MIN_PING_INTERVAL_MS = 1000;

/**
 * OTLP/HTTP over HTTP/2 without TLS, on connections that http.ts has found to speak it. node:http2's compatible face gives requests the
 * shape of HTTP/1.1's, so that all behind is one code.
 */
export class Http2Connections {
  readonly #server: Http2Server;
  readonly #sessions = new Map<ServerHttp2Session, { readonly control: NodeSession; readonly guard: SessionGuard }>();
  /** Those on which a request has come. */
  readonly #called = new WeakSet<ServerHttp2Session>();
  /** The connection whose session is being made: node:http2 shows a session's socket to nobody. */
  #taking: Socket | undefined;
  #draining = false;

  constructor(settings: HttpServerSettings, maxHeaderBytes: number, counters: Counters, handle: (exchange: NodeExchange) => void) {
    this.#server = createServer({
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
        maxHeaderListSize: maxHeaderBytes,
        enablePush: false,
      },
    });
    const keepalive = {
      maxConnectionIdleMs: settings.idleTimeoutMs,
      maxConnectionAgeMs: 0,
      maxConnectionAgeGraceMs: 0,
      timeMs: 0,
      timeoutMs: 0,
      minPingIntervalMs: MIN_PING_INTERVAL_MS,
      permitWithoutStream: true,
    };
    this.#server.on('session', (session) => {
      session.setLocalWindowSize(SESSION_WINDOW_BYTES);
      session.on('error', () => {}); // counted once, by the server's sessionError
      const control = new NodeSession(session, this.#taking as Socket);
      const guard = new SessionGuard(control, keepalive, settings.readHeaderTimeoutMs, (fault) => counters.connectionError(fault));
      this.#sessions.set(session, { control, guard });
      // Accepted before a reload, and only now known to speak HTTP/2.
      if (this.#draining) guard.goodbye();
      session.once('remoteSettings', () => guard.ready());
      session.on('ping', () => guard.pinged());
      session.on('stream', () => {
        this.#called.add(session);
        guard.streamOpened();
      });
      session.on('close', () => {
        guard.closed();
        this.#sessions.delete(session);
      });
    });
    this.#server.on('stream', (stream) => {
      // A stream that the client resets emits 'error'; without a listener that would end the process.
      stream.on('error', () => {});
    });
    this.#server.on('request', (request, response) => handle(new NodeExchange(request, response, false)));
    this.#server.on('checkContinue', (request, response) => handle(new NodeExchange(request, response, true)));
    this.#server.on('sessionError', (_error, session) => {
      if (!this.#called.has(session)) counters.connectionError('http2');
    });
    this.#server.on('clientError', () => counters.connectionError('socket'));
  }

  take(socket: Socket): void {
    socket.allowHalfOpen = false; // the listener's is for HTTP/1.1; an HTTP/2 client that ends its side has gone
    this.#taking = socket;
    this.#server.emit('connection', socket);
    this.#taking = undefined;
  }

  /** GOAWAY to all, at once with `now`; what is open goes on, and each connection ends with the last of it. */
  drain(now: boolean): void {
    this.#draining = true;
    for (const { guard } of this.#sessions.values()) {
      if (now) guard.goodbyeNow();
      else guard.goodbye();
    }
  }

  close(): void {
    for (const { control } of this.#sessions.values()) control.destroy();
  }
}

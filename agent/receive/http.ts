import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { REFUSALS, refuse } from '../admit/errors.ts';
import { type HttpServerSettings, SIGNALS, type Signal, type SocketAddress } from '../config/settings.ts';
import type { HttpExchange } from '../http1/exchange.ts';
import { aborted } from '../runtime/aborted.ts';
import { onceRead } from '../runtime/once-read.ts';
import type { Counters } from '../telemetry/counters.ts';
import { HttpCall } from './http-call.ts';
import { respondCors } from './http-cors.ts';
import { NodeExchange } from './http-exchange.ts';
import { readPreface } from './http-preface.ts';
import { respondHttpRefusal } from './http-respond.ts';
import { Http1Connections } from './http1-server.ts';
import { Http2Connections } from './http2-server.ts';
import { Listener } from './listener.ts';
import type { Admissions, Receiver } from './receive.ts';
import { sweepIntervalMs } from './stall.ts';
import { UnreadSockets } from './unread.ts';

/** Of one request: node:http has 16 KiB, Go 1 MiB; room for a long token and a long trace context. */
const MAX_HEADER_BYTES = 32 * 1024;

const REFUSED_BY_PARSER: Readonly<Record<string, readonly [status: string, fault: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'header_timeout'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'header_size'],
};

/**
 * OTLP/HTTP, protobuf and JSON, over HTTP/1.1 and HTTP/2 on one port: the first bytes of a connection say which.
 *
 *   connection -> Http1Connections (ours) -- a plain POST -----------------------------> HttpCall
 *                     | anything else, from that request on                                ^
 *                     +-> node:http, or node:http2 behind its preface -> #onRequest -------+
 *
 * With `http1_codec: node` every connection goes to node's servers at once.
 */
export class HttpReceiver implements Receiver {
  readonly #settings: HttpServerSettings;
  readonly #admissions: Admissions;
  readonly #counters: Counters;
  readonly #signals: ReadonlyMap<string, Signal>;
  readonly #server: Server;
  /** Made with the first connection that speaks it: node:http2 is 2 MiB and a tenth of the agent's start. */
  #http2: Http2Connections | undefined;
  /** Our own codec; undefined where node:http reads everything. */
  readonly #http1: Http1Connections | undefined;
  /** Connections that node's servers have. */
  readonly #sockets = new Set<Socket>();
  /** Of these, those that have not said yet which HTTP they speak. */
  readonly #silent = new Set<Socket>();
  /** Of requests that node's servers have read. */
  readonly #calls = new Map<HttpCall, NodeExchange>();
  readonly #unread: UnreadSockets;
  #listener: Listener;
  #sweeper: NodeJS.Timeout | undefined;
  #draining = false;
  #handedOver = false;
  /** Nothing is waited for but requests under way. */
  #ending = false;
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(settings: HttpServerSettings, key: string, admissions: Admissions, counters: Counters) {
    this.#settings = settings;
    this.#admissions = admissions;
    this.#counters = counters;
    this.#listener = new Listener(settings.address, key, { allowHalfOpen: true, onError: () => counters.connectionError('listener') });
    this.#signals = new Map(SIGNALS.map((signal) => [settings.paths[signal], signal]));
    this.#unread = new UnreadSockets(settings.limits.writeTimeoutMs);
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: settings.readHeaderTimeoutMs,
      requestTimeout: 0, // bodies are watched by #sweep, which can answer with a Status
      keepAliveTimeout: settings.idleTimeoutMs,
      connectionsCheckingInterval: sweepIntervalMs(settings.readHeaderTimeoutMs),
      noDelay: true,
    });
    this.#server.on('request', (request, response) => this.#onRequest(new NodeExchange(request, response, false)));
    // "Expect: 100-continue": the body is asked for only when it may come.
    this.#server.on('checkContinue', (request, response) => this.#onRequest(new NodeExchange(request, response, true)));
    // Garbage on the port: node answers 400 (or 408, 431) when a listener does not; theirs alone in any case.
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const [status, fault] = REFUSED_BY_PARSER[error.code ?? ''] ?? ['400 Bad Request', 'http1'];
      this.#counters.connectionError(fault);
      if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
      else socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    });
    if (Http1Connections.serves(settings)) {
      this.#http1 = new Http1Connections(settings, this.#signals, counters, {
        request: (exchange, signal) => void this.#call(exchange, signal),
        handOn: (stream, version) => this.#handOn(stream, version),
        ended: () => this.#onEnded(),
      });
    }
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  connections(): Promise<number> {
    return this.#listener.connections();
  }

  bind(): Promise<void> {
    return this.#listener.open();
  }

  start(listener?: Listener): void {
    if (listener !== undefined) this.#listener = listener;
    // The listener is ours, so node:http hears of it by this event only: it starts the timer of headersTimeout.
    this.#server.emit('listening');
    const { readTimeoutMs, readHeaderTimeoutMs, idleTimeoutMs, limits } = this.#settings;
    const every = sweepIntervalMs(readTimeoutMs, readHeaderTimeoutMs, idleTimeoutMs, limits.bodyIdleMs, limits.writeTimeoutMs);
    this.#sweeper = setInterval(onceRead, every, () => this.#sweep(), undefined).unref();
    this.#listener.handTo((socket) => this.#onConnection(socket));
  }

  handOver(): Listener {
    this.#handedOver = true;
    return this.#listener;
  }

  /** Idle connections end now, the others with their answer, which says `Connection: close`. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true;
    this.#http2?.drain(false);
    this.#http1?.drain(false);
    for (const exchange of this.#calls.values()) if (exchange.request.httpVersionMajor === 1) exchange.closeAfter();
    if (!this.#handedOver) {
      this.#listener.close();
      this.endIdle();
    }
    // After a reload there is time: a client that is just sending on an idle connection would see a reset. Its next answer ends it.
    await Promise.race([this.#empty(), aborted(deadline)]);
  }

  endIdle(): void {
    this.#ending = true;
    this.#http2?.drain(true);
    this.#http1?.drain(true);
    this.#server.closeIdleConnections();
    for (const socket of this.#silent) socket.destroy();
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    if (!this.#handedOver) this.#listener.close();
    this.#server.closeAllConnections();
    this.#http2?.close();
    this.#http1?.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#empty();
    this.#server.close(); // ends its timer; it was never bound itself
  }

  get #connections(): number {
    return this.#sockets.size + (this.#http1?.size ?? 0);
  }

  #onConnection(socket: Socket): void {
    if (this.#connections >= this.#settings.limits.maxConnections) {
      this.#counters.connectionError('too_many_connections');
      // Who has said nothing yet makes room for who comes: connections that are opened and left keep nobody out.
      if (!(this.#http1?.endSilent() ?? this.#endSilent())) {
        socket.destroy();
        return;
      }
    }
    if (this.#http1 !== undefined) {
      this.#http1.take(socket);
      return;
    }
    this.#watch(socket);
    this.#silent.add(socket);
    socket.on('close', () => this.#silent.delete(socket));
    readPreface(socket, this.#settings.readHeaderTimeoutMs, (version) => {
      this.#silent.delete(socket);
      if (version === 1) this.#server.emit('connection', socket);
      else if (version === 2) this.#overHttp2().take(socket);
      else {
        this.#counters.connectionError('handshake_timeout');
        socket.destroy();
      }
    });
  }

  #endSilent(): boolean {
    const [silent] = this.#silent;
    if (silent === undefined) return false;
    this.#silent.delete(silent);
    silent.destroy();
    return true;
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}); // before a server takes it, and after
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#onEnded();
    });
  }

  /** From our codec to node's, which reads first what was put back. */
  #handOn(stream: Duplex, version: 1 | 2): void {
    const socket = stream as Socket;
    this.#watch(socket);
    if (version === 1) {
      this.#server.emit('connection', socket);
      socket.resume();
    } else {
      this.#overHttp2().take(socket);
      // Not resume(): node:http2 reads what was put back by itself on the next tick, and by then it would have flowed away.
      socket.read(0);
    }
  }

  #onEnded(): void {
    if (this.#connections === 0) this.#ended?.resolve();
  }

  #overHttp2(): Http2Connections {
    if (this.#http2 === undefined) {
      this.#http2 = new Http2Connections(this.#settings, MAX_HEADER_BYTES, this.#counters, (exchange) => this.#onRequest(exchange));
      if (this.#draining) this.#http2.drain(this.#ending);
    }
    return this.#http2;
  }

  /** When the last connection has ended. */
  #empty(): Promise<void> {
    if (this.#connections === 0) return Promise.resolve();
    this.#ended ??= Promise.withResolvers<void>();
    return this.#ended.promise;
  }

  #sweep(): void {
    const now = performance.now();
    this.#http1?.sweep(now);
    for (const call of this.#calls.keys()) {
      if (!call.sweep(now)) continue;
      this.#calls.delete(call);
      this.#counters.connectionError('response_unread');
      call.abandon();
    }
    for (const socket of this.#unread.stuck(this.#sockets, now)) {
      this.#counters.connectionError('response_unread');
      socket.destroy();
    }
  }

  /** A request that node's servers have read: any. */
  #onRequest(exchange: NodeExchange): void {
    const { request, response } = exchange;
    // HTTP/2 has its goodbye already: a second GOAWAY right behind this answer would refuse what its client has on its way.
    if ((this.#draining && request.httpVersionMajor === 1) || !this.#settings.keepAlives) exchange.closeAfter();
    for (const [name, value] of Object.entries(this.#settings.responseHeaders)) response.setHeader(name, value);
    if (this.#settings.cors !== undefined && respondCors(this.#settings.cors, request, response)) return;
    const path = (request.url ?? '').split('?', 1)[0] as string;
    const signal = this.#signals.get(path);
    if (signal === undefined) {
      respondHttpRefusal(exchange, refuse(REFUSALS.UNKNOWN_PATH, path));
      return;
    }
    if (request.method !== 'POST' && this.#admissions[signal] !== undefined) {
      respondHttpRefusal(exchange, refuse(REFUSALS.BAD_METHOD, request.method ?? ''), { allow: 'POST' });
      return;
    }
    const call = this.#call(exchange, signal);
    if (call === undefined) return;
    this.#calls.set(call, exchange);
    response.on('close', () => this.#calls.delete(call));
  }

  /** A POST to the path of a signal, whoever has read it. */
  #call(exchange: HttpExchange, signal: Signal): HttpCall | undefined {
    const admission = this.#admissions[signal];
    if (admission === undefined) {
      respondHttpRefusal(exchange, refuse(REFUSALS.NO_PIPELINE, signal));
      return undefined;
    }
    const call = new HttpCall(exchange, admission, this.#settings);
    call.start();
    return call;
  }
}

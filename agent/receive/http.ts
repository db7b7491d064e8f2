import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { REFUSALS, refuse } from '../admit/errors.ts';
import { type HttpServerSettings, SIGNALS, type Signal, type SocketAddress } from '../config/settings.ts';
import { aborted } from '../runtime/aborted.ts';
import type { Counters } from '../telemetry/counters.ts';
import { HttpCall } from './http-call.ts';
import { respondCors, respondHttpRefusal } from './http-respond.ts';
import { Listener } from './listener.ts';
import type { Admissions, Receiver } from './receive.ts';

/** A whole request where `read_timeout` is 0 (without end): a client that stalls must not hold memory for ever. */
const DEFAULT_READ_TIMEOUT_MS = 60_000;
/** How often node:http looks for connections over their time. */
const CHECK_CONNECTIONS_MS = 5_000;

/** OTLP/HTTP with protobuf bodies over node:http: the cheapest way in, 1.6 times cheaper than HTTP/2. */
export class HttpReceiver implements Receiver {
  readonly #settings: HttpServerSettings;
  readonly #admissions: Admissions;
  readonly #counters: Counters;
  readonly #signals: ReadonlyMap<string, Signal>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #listener: Listener;
  #draining = false;
  #handedOver = false;
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(settings: HttpServerSettings, key: string, admissions: Admissions, counters: Counters) {
    this.#settings = settings;
    this.#admissions = admissions;
    this.#counters = counters;
    this.#listener = new Listener(settings.address, key, { allowHalfOpen: true, onError: () => counters.connectionError('listener') });
    this.#signals = new Map(SIGNALS.map((signal) => [settings.paths[signal], signal]));
    this.#server = createServer({
      headersTimeout: settings.readHeaderTimeoutMs,
      requestTimeout: settings.readTimeoutMs > 0 ? settings.readTimeoutMs : DEFAULT_READ_TIMEOUT_MS,
      keepAliveTimeout: settings.idleTimeoutMs,
      connectionsCheckingInterval: CHECK_CONNECTIONS_MS,
      noDelay: true,
    });
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
    // "Expect: 100-continue": the body is asked for only when it may come.
    this.#server.on('checkContinue', (request, response) => this.#onRequest(request, response, true));
    // Garbage on the port: node answers 400 (or 408, 431) when a listener does not; theirs alone in any case.
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.#counters.connectionError('http1');
      if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
      else
        socket.end(
          `HTTP/1.1 ${error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'}\r\nConnection: close\r\n\r\n`,
        );
    });
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  bind(): Promise<void> {
    return this.#listener.open();
  }

  start(listener?: Listener): void {
    if (listener !== undefined) this.#listener = listener;
    // The listener is ours, so node:http hears of it by this event only: it starts the timer of headersTimeout and requestTimeout.
    this.#server.emit('listening');
    this.#listener.handTo((socket) => this.#onConnection(socket));
  }

  handOver(): Listener {
    this.#handedOver = true;
    return this.#listener;
  }

  /** Idle connections end now, the others with their answer, which says `Connection: close`. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true;
    if (!this.#handedOver) {
      this.#listener.close();
      this.#server.closeIdleConnections();
    }
    // After a reload there is time: a client that is just sending on an idle connection would see a reset. Its next answer ends it.
    await Promise.race([this.#empty(), aborted(deadline)]);
  }

  async close(): Promise<void> {
    if (!this.#handedOver) this.#listener.close();
    this.#server.closeAllConnections();
    await this.#empty();
    this.#server.close(); // ends its timer; it was never bound itself
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#ended?.resolve();
    });
    this.#server.emit('connection', socket);
  }

  /** When the last connection has ended. */
  #empty(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    this.#ended ??= Promise.withResolvers<void>();
    return this.#ended.promise;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue = false): void {
    if (this.#draining) response.shouldKeepAlive = false;
    for (const [name, value] of Object.entries(this.#settings.responseHeaders)) response.setHeader(name, value);
    if (this.#settings.cors !== undefined && respondCors(this.#settings.cors, request, response)) return;
    const path = (request.url ?? '').split('?', 1)[0] as string;
    const signal = this.#signals.get(path);
    if (signal === undefined) {
      respondHttpRefusal(request, response, refuse(REFUSALS.UNKNOWN_PATH, path));
      return;
    }
    const admission = this.#admissions[signal];
    if (admission === undefined) {
      respondHttpRefusal(request, response, refuse(REFUSALS.NO_PIPELINE, signal));
      return;
    }
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      respondHttpRefusal(request, response, refuse(REFUSALS.BAD_METHOD, request.method ?? ''));
      return;
    }
    new HttpCall(request, response, admission, this.#settings).start(expectsContinue);
  }
}

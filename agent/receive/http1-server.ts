import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HttpServerSettings, Signal } from '../config/settings.ts';
import { Answers, fixedHeaders } from '../http1/answer.ts';
import { Http1Connection, type Http1Events, type Http1Shared } from '../http1/connection.ts';
import type { HttpExchange } from '../http1/exchange.ts';
import { socketWire } from '../runtime/wire.ts';
import type { Counters } from '../telemetry/counters.ts';

/** Of heads that are cut and of requests behind one that is being answered, on all connections of a listener together. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** What a target may be made of here, so that it is a target at all and a query is none of it. */
const TARGET = /^\/[!"$-;=@-~]*$/;

/** Where requests and connections go that our codec has taken the first look at. */
export interface Http1Handler {
  request(exchange: HttpExchange, signal: Signal): void;
  /** A connection for node's server of this version, from its next byte on. */
  handOn(stream: Duplex, version: 1 | 2): void;
  /** The last connection may have ended. */
  ended(): void;
}

/**
 * Connections of OTLP/HTTP that our own codec reads (agent/http1): a plain POST costs it a fifth of what node:http takes. What is not
 * plain goes on to node's servers, with its whole connection.
 */
export class Http1Connections implements Http1Events {
  readonly #shared: Http1Shared;
  readonly #signals: readonly Signal[];
  readonly #counters: Counters;
  readonly #handler: Http1Handler;
  readonly #connections = new Set<Http1Connection>();
  /** Of these, those that have not said yet which HTTP they speak, the oldest first. */
  readonly #silent = new Set<Http1Connection>();

  /** Whether the codec can give what is configured: it writes no headers that say how an answer is to be read. */
  static serves(settings: HttpServerSettings): boolean {
    return settings.http1Codec === 'own' && fixedHeaders(settings.responseHeaders);
  }

  constructor(settings: HttpServerSettings, signals: ReadonlyMap<string, Signal>, counters: Counters, handler: Http1Handler) {
    const served = [...signals].filter(([path]) => TARGET.test(path));
    // Every answer says so where CORS is on (http-cors.ts); requests that have an Origin are not ours.
    const vary: Readonly<Record<string, string>> =
      settings.cors !== undefined && settings.cors.allowedOrigins.length > 0 ? { vary: 'Origin' } : {};
    this.#signals = served.map(([, signal]) => signal);
    this.#counters = counters;
    this.#handler = handler;
    this.#shared = {
      targets: served.map(([path]) => Buffer.from(path, 'latin1')),
      collect: settings.includeMetadata,
      answers: new Answers({ ...settings.responseHeaders, ...vary }, settings.idleTimeoutMs),
      headerTimeoutMs: settings.readHeaderTimeoutMs,
      idleTimeoutMs: settings.idleTimeoutMs,
      writeTimeoutMs: settings.limits.writeTimeoutMs,
      closing: !settings.keepAlives,
      heldBytes: 0,
      maxHeldBytes: MAX_HELD_BYTES,
    };
  }

  get size(): number {
    return this.#connections.size;
  }

  take(socket: Socket): void {
    const connection = new Http1Connection(socketWire(socket), this.#shared, this);
    this.#connections.add(connection);
    this.#silent.add(connection);
    connection.start();
  }

  /** Ends the oldest connection that has not said anything; false where there is none. */
  endSilent(): boolean {
    const [silent] = this.#silent;
    if (silent === undefined) return false;
    this.#silent.delete(silent);
    silent.destroy();
    return true;
  }

  sweep(now: number): void {
    for (const connection of this.#connections) connection.sweep(now);
  }

  /** Every answer ends its connection from now on; with `now`, connections without a request end at once. */
  drain(now: boolean): void {
    this.#shared.closing = true;
    if (now) for (const connection of this.#connections) connection.endIfIdle();
  }

  close(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  request(exchange: HttpExchange, target: number): void {
    this.#handler.request(exchange, this.#signals[target] as Signal);
  }

  spoke(connection: Http1Connection): void {
    this.#silent.delete(connection);
  }

  handOn(connection: Http1Connection, stream: Duplex, version: 1 | 2): void {
    this.#connections.delete(connection);
    this.#handler.handOn(stream, version);
  }

  fault(name: string): void {
    this.#counters.connectionError(name);
  }

  closed(connection: Http1Connection): void {
    this.#connections.delete(connection);
    this.#silent.delete(connection);
    this.#handler.ended();
  }
}

import { connect as connectSocket, type Socket } from 'node:net';
import type { ClientKeepaliveSettings, Http2Codec, SocketAddress } from '../config/settings.ts';
import type { CallEvents, ClientCall, ClientSession, CreateClient } from '../http2/client.ts';
import { createClientSession } from '../http2/client-session.ts';
import { createNodeClient } from '../http2/node-client.ts';
import type { ResponseHeaders } from '../http2/server.ts';
import { onceRead } from '../runtime/once-read.ts';

/** Our receive windows: responses are a few bytes, so the default of a stream is enough; the session's is raised against many streams. */
const SESSION_WINDOW_BYTES = 1024 * 1024;
const CODECS: Readonly<Record<Http2Codec, CreateClient>> = { own: createClientSession, node: createNodeClient };
/** A ping after a call had no answer: a peer that lives says so in a round trip, however busy it is. */
const PROBE_TIMEOUT_MS = 5_000;
/** gRPC's connection backoff gives a connection 20 s; a shorter call timeout would only meet the same dead connection again. */
const LONGEST_CONNECT_MS = 20_000;
const SHORTEST_CONNECT_MS = 1_000;

export interface SessionOptions {
  readonly address: SocketAddress;
  readonly keepalive: ClientKeepaliveSettings | undefined;
  /** Of one call. */
  readonly timeoutMs: number;
  readonly codec: Http2Codec;
}

/** What its pool hears. */
export interface SessionEvents {
  /** The peer speaks HTTP/2. */
  ready(): void;
  failed(message: string): void;
  /** No new calls any more: GOAWAY, or it is over. Those under way go on where they can. */
  left(session: GrpcSession): void;
}

/**
 * One HTTP/2 connection to one address:
 *
 *   connecting --SETTINGS--> open --GOAWAY, idle--> leaving --last call ended--> gone
 *                             |  ^
 *           a call unanswered v  | ping answered
 *                            suspect --no answer--> gone, its calls are tried again elsewhere
 */
export class GrpcSession {
  /** Calls without an answer. */
  active = 0;
  /** Calls that the peer allows at a time (MAX_CONCURRENT_STREAMS); unknown ones are allowed. */
  limit = Number.POSITIVE_INFINITY;
  /** When the last call ended (`performance.now()`). */
  idleSince = performance.now();
  readonly #session: ClientSession;
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  #ready = false;
  #leaving = false;
  #suspect = false;
  #pinging = false;
  #keepalive: NodeJS.Timeout | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #heard = 0;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = dial(options.address);
    this.#session = CODECS[options.codec](
      this.#socket,
      { sessionWindowBytes: SESSION_WINDOW_BYTES },
      {
        settings: (maxConcurrentStreams) => this.#settled(maxConcurrentStreams),
        goaway: () => this.#leave(),
        failed: (message) => {
          events.failed(message);
          this.#leave();
        },
        closed: () => this.#closed(),
      },
    );
    const wait = Math.min(Math.max(options.timeoutMs, SHORTEST_CONNECT_MS), LONGEST_CONNECT_MS);
    const unconnected = (): void => {
      if (!this.#ready) this.destroy(`no connection within ${wait} ms`);
    };
    this.#connectTimer = setTimeout(onceRead, wait, unconnected, undefined).unref();
  }

  /** Whether new calls may begin here. */
  get usable(): boolean {
    return !this.#leaving && !this.#suspect && !this.#session.closing && !this.#session.destroyed;
  }

  get gone(): boolean {
    return this.#session.destroyed;
  }

  /** Whether it keeps the process alive: with calls it does, idle it does not, so that a program which embeds the agent may end. */
  keepProcess(alive: boolean): void {
    this.#session.keepProcess(alive);
  }

  /** Throws where the session went away between the look and the call. */
  request(headers: ResponseHeaders, body: readonly Uint8Array[], bytes: number, events: CallEvents): ClientCall {
    return this.#session.request(headers, body, bytes, events);
  }

  /**
   * A call had no answer in time, or its request was not taken in time. That may be the server's affair, or the peer is gone and nobody
   * said so: a ping tells.
   */
  readonly suspect = (): void => {
    if (this.#suspect || this.#session.destroyed || !this.#ready) return;
    this.#suspect = true;
    this.#ping(PROBE_TIMEOUT_MS, 'after a call had no answer');
  };

  /** Ends when its calls have ended. */
  retire(): void {
    this.#leave();
    this.#session.close();
  }

  destroy(why?: string): void {
    if (this.#session.destroyed) return;
    this.#leave(); // before its calls hear of it: what they send again must not end up here
    this.#session.destroy(why);
  }

  #closed(): void {
    clearTimeout(this.#connectTimer);
    clearInterval(this.#keepalive);
    // Closed without a word before SETTINGS: something that accepts connections and speaks no HTTP/2.
    if (!this.#ready) this.#events.failed('the connection ended before HTTP/2 began');
    this.#leave();
  }

  #settled(maxConcurrentStreams: number | undefined): void {
    // 0 would be a peer that takes nothing (yet): one call at a time waits in nghttp2 until it does.
    this.limit = Math.max(maxConcurrentStreams ?? Number.POSITIVE_INFINITY, 1);
    if (this.#ready) return;
    this.#ready = true;
    clearTimeout(this.#connectTimer);
    this.#keepAlive();
    this.#events.ready();
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#events.left(this);
  }

  /** gRPC's keepalive: a ping after `time` without a byte from the peer, and the end after `timeout` without its answer. */
  #keepAlive(): void {
    const { keepalive } = this.#options;
    if (keepalive === undefined || keepalive.timeMs <= 0) return;
    this.#keepalive = setInterval(() => {
      const bytes = this.#socket.bytesRead;
      const silent = bytes === this.#heard;
      this.#heard = bytes;
      if (silent && (keepalive.permitWithoutStream || this.active > 0)) this.#ping(keepalive.timeoutMs, 'of keepalive');
    }, keepalive.timeMs).unref();
  }

  #ping(timeoutMs: number, which: string): void {
    if (this.#pinging || this.#session.destroyed) return;
    this.#pinging = true;
    let answered = false;
    const silent = (): void => {
      if (!answered) this.destroy(`the peer is silent: a ping ${which} had no answer within ${timeoutMs} ms`);
    };
    const timer = setTimeout(onceRead, timeoutMs, silent, undefined).unref();
    this.#session.ping((alive) => {
      answered = true;
      clearTimeout(timer);
      this.#pinging = false;
      if (alive) this.#suspect = false;
    });
  }
}

function dial(address: SocketAddress): Socket {
  return address.kind === 'tcp'
    ? connectSocket({ host: address.host, port: address.port, noDelay: true })
    : connectSocket({ path: address.path });
}

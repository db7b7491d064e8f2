import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { ClientKeepaliveSettings, SocketAddress } from '../config/settings.ts';

/** Our receive windows: responses are a few bytes, so the default of a stream is enough; the session's is raised against many streams. */
const SESSION_WINDOW_BYTES = 1024 * 1024;
/**
 * node:http2 refuses a *response* (RST_STREAM ENHANCE_YOUR_CALM) while a session holds more than this, request bodies that are being
 * written included; its default of 10 MB makes duplicates of requests that the next hop has taken. Our memory is counted by admit. In MB.
 */
const MAX_SESSION_MEMORY_MB = 4096;
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
  readonly #session: ClientHttp2Session;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  #ready = false;
  #leaving = false;
  #suspect = false;
  #pinging = false;
  #keepalive: NodeJS.Timeout | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #heard = 0;
  #socketBytes: () => number = () => 0;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    const { address } = options;
    // The calls say :authority themselves: what is configured or resolved need not be part of a URL, and a URL that is none throws.
    const session = connect('http://upstream', {
      createConnection: () => {
        const socket =
          address.kind === 'tcp'
            ? connectSocket({ host: address.host, port: address.port, noDelay: true })
            : connectSocket({ path: address.path });
        this.#socketBytes = () => socket.bytesRead;
        return socket;
      },
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { enablePush: false },
    });
    this.#session = session;
    const wait = Math.min(Math.max(options.timeoutMs, SHORTEST_CONNECT_MS), LONGEST_CONNECT_MS);
    this.#connectTimer = setTimeout(() => this.destroy(`no connection within ${wait} ms`), wait).unref();
    session.on('connect', () => {
      // Destroyed while the socket was connecting: the event comes all the same, and the call would throw out of it.
      if (!session.destroyed) session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    });
    session.on('remoteSettings', (settings) => this.#settled(settings.maxConcurrentStreams));
    session.on('goaway', () => this.#leave());
    session.on('error', (error) => {
      events.failed(error.message);
      this.#leave();
    });
    session.on('close', () => {
      clearTimeout(this.#connectTimer);
      clearInterval(this.#keepalive);
      // Closed without a word before SETTINGS: something that accepts connections and speaks no HTTP/2.
      if (!this.#ready) events.failed('the connection ended before HTTP/2 began');
      this.#leave();
    });
  }

  /** Whether new calls may begin here. */
  get usable(): boolean {
    return !this.#leaving && !this.#suspect && !this.#session.closed && !this.#session.destroyed;
  }

  get gone(): boolean {
    return this.#session.destroyed;
  }

  /** Whether it keeps the process alive: with calls it does, idle it does not, so that a program which embeds the agent may end. */
  keepProcess(alive: boolean): void {
    if (alive) this.#session.ref();
    else this.#session.unref();
  }

  /** Throws where the session went away between the look and the call. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    return this.#session.request(headers);
  }

  /** A call had no answer in time. That may be the server's affair, or the peer is gone and nobody said so: a ping tells. */
  suspect(): void {
    if (this.#suspect || this.#session.destroyed || !this.#ready) return;
    this.#suspect = true;
    this.#ping(PROBE_TIMEOUT_MS, 'after a call had no answer');
  }

  /** Ends when its calls have ended. */
  retire(): void {
    this.#leave();
    this.#session.close();
  }

  destroy(why?: string): void {
    if (this.#session.destroyed) return;
    this.#leave(); // before its calls hear of it: what they send again must not end up here
    if (why === undefined) this.#session.destroy();
    else this.#session.destroy(new Error(why));
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
      const bytes = this.#socketBytes();
      const silent = bytes === this.#heard;
      this.#heard = bytes;
      if (silent && (keepalive.permitWithoutStream || this.active > 0)) this.#ping(keepalive.timeoutMs, 'of keepalive');
    }, keepalive.timeMs).unref();
  }

  #ping(timeoutMs: number, which: string): void {
    if (this.#pinging || this.#session.destroyed) return;
    this.#pinging = true;
    const timer = setTimeout(
      () => this.destroy(`the peer is silent: a ping ${which} had no answer within ${timeoutMs} ms`),
      timeoutMs,
    ).unref();
    const answered = (error: Error | null): void => {
      clearTimeout(timer);
      this.#pinging = false;
      if (error === null) this.#suspect = false;
    };
    try {
      this.#session.ping(answered);
    } catch (error) {
      answered(error as Error);
    }
  }
}

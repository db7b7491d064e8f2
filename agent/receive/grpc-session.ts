import { constants, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { ServerKeepaliveSettings } from '../config/settings.ts';

/** grpc-go closes at the third ping that comes too early (grpc/doc/keepalive.md, "too_many_pings"). */
const MAX_PING_STRIKES = 2;
/** How often a client without a call in flight may ping where permit_without_stream is off (grpc-go's defaultPingTimeout). */
const IDLE_PING_INTERVAL_MS = 2 * 3600 * 1000;
/** Ages differ by a tenth, so that clients which connected together do not reconnect together. */
const AGE_JITTER = 0.1;

/** A client that does not answer the ping of a goodbye within this time has nothing under way that we could wait for. */
const GOODBYE_PING_MS = 1000;
/** How long a client has to hang up, too, once we have. */
const FAREWELL_MS = 2000;
/** "No stream was refused": the first of the two GOAWAYs (RFC 9113, 6.8). */
const EVERY_STREAM = 2 ** 31 - 1;

/**
 * Ends a connection without refusing a call that its client has just begun: GOAWAY that names no last stream, a ping, which brings back
 * what was on its way, then the GOAWAY that counts (RFC 9113, 6.8). Streams that are open go on. Two pings, one after the other: nghttp2
 * sends the answer to the first ahead of calls that its client has already queued.
 */
export function sayGoodbye(session: ServerHttp2Session): void {
  if (session.closed || session.destroyed) return;
  const close = (): void => {
    clearTimeout(timer);
    if (!session.destroyed) session.close();
  };
  const timer = setTimeout(close, GOODBYE_PING_MS).unref();
  session.goaway(constants.NGHTTP2_NO_ERROR, EVERY_STREAM);
  session.ping(() => {
    if (session.destroyed || !session.ping(close)) close();
  });
}

/** What a connection did wrong, as otlp_agent_connection_errors names it. */
export type SessionFault = 'ping_flood' | 'handshake_timeout';

/**
 * Watches one connection: that its client speaks at all, its age (GOAWAY, so that clients spread over new instances), idleness, whether
 * the other end still lives, and floods of pings.
 */
export class SessionGuard {
  /** At least one stream was opened. */
  called = false;
  readonly #session: ServerHttp2Session;
  readonly #settings: ServerKeepaliveSettings;
  readonly #socket: Socket;
  readonly #onFault: (fault: SessionFault) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Streams that are open. */
  #open = 0;
  #strikes = 0;
  #lastPingAt = Number.NEGATIVE_INFINITY;
  #lastStreamAt = performance.now();

  constructor(
    session: ServerHttp2Session,
    socket: Socket,
    settings: ServerKeepaliveSettings,
    handshakeTimeoutMs: number,
    onFault: (fault: SessionFault) => void,
  ) {
    this.#session = session;
    this.#socket = socket;
    this.#settings = settings;
    this.#onFault = onFault;
    // One function for all streams: a closure each would be an allocation per call.
    const closed = (): void => {
      this.#open -= 1;
      this.#lastStreamAt = performance.now();
    };
    session.on('ping', () => this.#onPing());
    session.on('stream', (stream) => {
      stream.on('close', closed);
      this.#onStream();
    });
    session.on('close', () => this.#clear());
    socket.once('finish', () => this.#later(FAREWELL_MS, () => this.hangUp()));
    this.#watchHandshake(handshakeTimeoutMs);
    this.#watchAge();
    this.#watchIdle();
    this.#watchPeer();
  }

  /** Ends the connection now. A session that was closed before would wait for its client to hang up, and with some that is for ever. */
  hangUp(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  #onStream(): void {
    this.called = true;
    this.#open += 1;
    this.#strikes = 0;
    this.#lastStreamAt = performance.now();
  }

  /** As grpc-go counts: too early is within min_time, or within two hours where nothing is in flight and that is not permitted. */
  #onPing(): void {
    const now = performance.now();
    const { minPingIntervalMs, permitWithoutStream } = this.#settings;
    const interval = this.#open === 0 && !permitWithoutStream ? IDLE_PING_INTERVAL_MS : minPingIntervalMs;
    if (now - this.#lastPingAt < interval) this.#strikes += 1;
    this.#lastPingAt = now;
    if (this.#strikes <= MAX_PING_STRIKES || this.#session.destroyed) return;
    this.#onFault('ping_flood');
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'));
    this.#session.close();
    this.#later(1000, () => this.hangUp());
  }

  /** Its SETTINGS are the first frame of a client; who sends none holds a connection for nothing. */
  #watchHandshake(timeoutMs: number): void {
    if (timeoutMs <= 0) return;
    const timer = setTimeout(() => {
      this.#onFault('handshake_timeout');
      this.hangUp();
    }, timeoutMs).unref();
    this.#timers.push(timer);
    this.#session.once('remoteSettings', () => clearTimeout(timer));
  }

  #watchAge(): void {
    const { maxConnectionAgeMs, maxConnectionAgeGraceMs } = this.#settings;
    if (maxConnectionAgeMs <= 0) return;
    this.#later(maxConnectionAgeMs * (1 + AGE_JITTER * (2 * Math.random() - 1)), () => {
      sayGoodbye(this.#session);
      if (maxConnectionAgeGraceMs > 0) this.#later(maxConnectionAgeGraceMs, () => this.hangUp());
    });
  }

  #watchIdle(): void {
    const { maxConnectionIdleMs } = this.#settings;
    if (maxConnectionIdleMs <= 0) return;
    const timer = setInterval(() => {
      if (this.#open === 0 && performance.now() - this.#lastStreamAt >= maxConnectionIdleMs) sayGoodbye(this.#session);
    }, maxConnectionIdleMs).unref();
    this.#timers.push(timer);
  }

  #watchPeer(): void {
    const { timeMs, timeoutMs } = this.#settings;
    if (timeMs <= 0) return;
    const timer = setInterval(() => {
      if (this.#session.destroyed) return;
      const dead = setTimeout(() => this.hangUp(), timeoutMs).unref();
      this.#session.ping(() => clearTimeout(dead));
    }, timeMs).unref();
    this.#timers.push(timer);
  }

  #later(ms: number, run: () => void): void {
    this.#timers.push(setTimeout(run, ms).unref());
  }

  #clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

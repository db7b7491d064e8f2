import type { ServerKeepaliveSettings } from '../config/settings.ts';
import { ErrorCode, EVERY_STREAM, type ServerSession } from '../http2/server.ts';
import { onceRead } from '../runtime/once-read.ts';

/** grpc-go closes at the third ping that comes too early (grpc/doc/keepalive.md, "too_many_pings"). */
const MAX_PING_STRIKES = 2;
/** How often a client without a call in flight may ping where permit_without_stream is off (grpc-go's defaultPingTimeout). */
const IDLE_PING_INTERVAL_MS = 2 * 3600 * 1000;
/** How late an idle connection may be found, as a part of the time that it may be idle. */
const LOOKS_PER_IDLE = 4;
/** Ages differ by a tenth, so that clients which connected together do not reconnect together. */
const AGE_JITTER = 0.1;

/** A client that does not answer the ping of a goodbye within this time has nothing under way that we could wait for. */
const GOODBYE_PING_MS = 1000;
/**
 * How long a goodbye that is not urgent waits for a call. A client whose call is open waits for the answer, so that no other one is queued
 * in its HTTP/2 library, which refuses what it has queued when a GOAWAY comes: grpc-js sends such a call again, but only once. Worst is a
 * GOAWAY right behind our SETTINGS: it meets the very call that the connection was opened for. Who makes none for so long has none queued.
 */
const GOODBYE_WAIT_MS = 1000;

/**
 * Ends a connection without refusing a call that its client has just begun: GOAWAY that names no last stream, a ping, which brings back
 * what was on its way, then the GOAWAY that counts (RFC 9113, 6.8). Streams that are open go on. Two pings, one after the other: nghttp2
 * sends the answer to the first ahead of calls that its client has already queued.
 */
function sayGoodbye(session: ServerSession): void {
  if (session.closing || session.destroyed) return;
  const close = (): void => session.close();
  session.goaway(ErrorCode.NO_ERROR, EVERY_STREAM);
  ping(session, () => ping(session, close, close), close);
}

/** One of `answered` and `silent`, once. */
function ping(session: ServerSession, answered: () => void, silent: () => void): void {
  let over = false;
  const end = (run: () => void): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    run();
  };
  // Where we have stood still ourselves, the answer and calls behind it lie in the socket.
  const timer = setTimeout(onceRead, GOODBYE_PING_MS, () => end(silent), undefined).unref();
  if (!session.ping(() => end(answered))) end(silent);
}

/** What a connection did wrong, as otlp_agent_connection_errors names it. */
export type SessionFault = 'ping_flood' | 'handshake_timeout';

/**
 * Watches one connection: that its client speaks at all, its age (GOAWAY, so that clients spread over new instances), idleness, whether
 * the other end still lives, floods of pings, and when to say goodbye. Whoever has the session tells what happens on it.
 */
export class SessionGuard {
  readonly #session: ServerSession;
  readonly #settings: ServerKeepaliveSettings;
  readonly #onFault: (fault: SessionFault) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #handshake: NodeJS.Timeout | undefined;
  #spoken = false;
  #leaving: 'not' | 'soon' | 'said' = 'not';
  /** From the goodbye on; 0 is for ever. */
  #graceMs = 0;
  #strikes = 0;
  #lastPingAt = Number.NEGATIVE_INFINITY;
  /** Streams that were open at the last ping, and those that came since: where fewer are open now, answers have gone out. */
  #openAtPing = 0;
  #openedSincePing = 0;
  /** A stream was opened since it was last looked whether the connection is idle. */
  #used = false;
  #idleSince = performance.now();

  constructor(
    session: ServerSession,
    settings: ServerKeepaliveSettings,
    handshakeTimeoutMs: number,
    onFault: (fault: SessionFault) => void,
  ) {
    this.#session = session;
    this.#settings = settings;
    this.#onFault = onFault;
    // The SETTINGS of a client are its first frame; who sends none holds a connection for nothing.
    if (handshakeTimeoutMs > 0) this.#handshake = setTimeout(onceRead, handshakeTimeoutMs, () => this.#silent(), undefined).unref();
    this.#watchAge();
    this.#watchIdle();
    this.#watchPeer();
  }

  /** The client's SETTINGS have come. */
  ready(): void {
    this.#spoken = true;
    clearTimeout(this.#handshake);
    if (this.#leaving === 'soon') this.#awaitCall();
  }

  /** Its goodbye, if one is due, overtakes the answer. */
  streamOpened(): void {
    if (this.#leaving === 'soon') this.goodbyeNow();
    this.#used = true;
    this.#strikes = 0;
    this.#openedSincePing += 1;
  }

  /** The connection is over. */
  closed(): void {
    clearTimeout(this.#handshake);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.length = 0;
  }

  /**
   * Ends the connection at a moment that costs its client no call: while one is open, or when none has come for a while. A client that has
   * not spoken yet has the time of its handshake to do so. `graceMs` after the goodbye the connection is closed, whatever is open.
   */
  goodbye(graceMs = 0): void {
    if (this.#leaving !== 'not') return;
    this.#leaving = 'soon';
    this.#graceMs = graceMs;
    if (this.#session.open > 0) this.goodbyeNow();
    else if (this.#spoken) this.#awaitCall();
  }

  /** Ends the connection without waiting for a call. */
  goodbyeNow(): void {
    if (this.#leaving === 'said') return;
    this.#leaving = 'said';
    sayGoodbye(this.#session);
    if (this.#graceMs > 0) this.#later(this.#graceMs, () => this.#session.destroy());
  }

  /**
   * As grpc-go counts: too early is within min_time, or within two hours where nothing is in flight and that is not permitted. A ping after
   * an answer is never too early: grpc-go's client sends one for each round trip that brought DATA, to estimate the bandwidth.
   */
  pinged(): void {
    const now = performance.now();
    const { minPingIntervalMs, permitWithoutStream } = this.#settings;
    const { open } = this.#session;
    const interval = open === 0 && !permitWithoutStream ? IDLE_PING_INTERVAL_MS : minPingIntervalMs;
    if (this.#openAtPing + this.#openedSincePing > open) this.#strikes = 0;
    else if (now - this.#lastPingAt < interval) this.#strikes += 1;
    this.#lastPingAt = now;
    this.#openAtPing = open;
    this.#openedSincePing = 0;
    if (this.#strikes <= MAX_PING_STRIKES || this.#session.destroyed) return;
    this.#onFault('ping_flood');
    this.#session.goaway(ErrorCode.ENHANCE_YOUR_CALM, 0, 'too_many_pings');
    this.#session.close();
    this.#later(1000, () => this.#session.destroy());
  }

  #silent(): void {
    if (this.#spoken || this.#session.destroyed) return;
    this.#onFault('handshake_timeout');
    this.#session.destroy();
  }

  #watchAge(): void {
    const { maxConnectionAgeMs, maxConnectionAgeGraceMs } = this.#settings;
    if (maxConnectionAgeMs <= 0) return;
    this.#later(maxConnectionAgeMs * (1 + AGE_JITTER * (2 * Math.random() - 1)), () => this.goodbye(maxConnectionAgeGraceMs));
  }

  #watchIdle(): void {
    const { maxConnectionIdleMs } = this.#settings;
    if (maxConnectionIdleMs <= 0) return;
    const look = (): void => {
      const now = performance.now();
      if (this.#used || this.#session.open > 0) this.#idleSince = now;
      else if (now - this.#idleSince >= maxConnectionIdleMs) this.goodbyeNow();
      this.#used = false;
    };
    this.#timers.push(setInterval(look, maxConnectionIdleMs / LOOKS_PER_IDLE).unref());
  }

  #watchPeer(): void {
    const { timeMs, timeoutMs } = this.#settings;
    if (timeMs <= 0) return;
    const timer = setInterval(() => {
      let alive = false;
      const silent = (): void => {
        if (!alive) this.#session.destroy();
      };
      const dead = setTimeout(onceRead, timeoutMs, silent, undefined).unref();
      const answered = (): void => {
        alive = true;
        clearTimeout(dead);
      };
      if (!this.#session.ping(answered)) answered();
    }, timeMs).unref();
    this.#timers.push(timer);
  }

  #awaitCall(): void {
    this.#later(GOODBYE_WAIT_MS, () => this.goodbyeNow());
  }

  #later(ms: number, run: () => void): void {
    this.#timers.push(setTimeout(run, ms).unref());
  }
}

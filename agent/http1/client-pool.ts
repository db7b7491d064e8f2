import { onceRead } from '../runtime/once-read.ts';
import { CLOSED, type HttpBody, type HttpClient, type HttpClientOptions, type HttpEnd, type HttpTarget, LATE } from './client.ts';
import { Call, ClientConnection, type ConnectionOwner, type Dial, dialTcp } from './client-connection.ts';
import { RequestHeads } from './client-request.ts';

/** Below it a slice is cheaper to copy than to be a piece of a writev. */
const JOIN_BELOW_BYTES = 2 * 1024;

/** Our client over TCP. */
export function createHttpClient(target: HttpTarget, options: HttpClientOptions): HttpClient {
  return new HttpPool(target, options, dialTcp(target.host, target.port));
}

/**
 * Our client: requests, and the connections that carry them.
 *
 *   post -> an idle connection, the one that was used last -> answer -> idle, or the next that waits
 *        -> waiting -> a connection that has just connected, or has just become free, whichever is first
 *
 * As many connections are begun as requests wait, up to the limit; one that fails takes the request with it that has waited longest, if
 * that was there when it began: for a younger one another is begun.
 */
export class HttpPool implements HttpClient, ConnectionOwner {
  readonly joinBelowBytes = JOIN_BELOW_BYTES;
  readonly readsOn = false;
  readonly heads: RequestHeads;
  readonly keepAlives: boolean;
  readonly maxAnswerBytes: number;
  readonly idleTimeoutMs: number;
  readonly #maxConnections: number;
  readonly #timeoutMs: number;
  readonly #dial: Dial;
  /** The one that was used last at the end: those at the front fall idle for good. */
  readonly #idle: ClientConnection[] = [];
  /** All that are open, those that are connecting included. */
  readonly #open = new Set<ClientConnection>();
  #connecting = 0;
  /** In the order of their arrival. */
  readonly #waiting = new Set<Call>();
  #idleTimer: NodeJS.Timeout | undefined;
  #nextExpiry = 0;
  /** Requests and connections in the order in which they began. */
  #begun = 0;
  #closed = false;
  #onGone: (() => void) | undefined;
  readonly #late = (call: Call): void => {
    if (call.ended) return;
    this.#waiting.delete(call);
    call.connection?.abandon();
    call.end(LATE);
  };
  readonly #timeOver = (call: Call): void => onceRead(this.#late, call);

  constructor(target: HttpTarget, options: HttpClientOptions, dial: Dial) {
    this.heads = new RequestHeads(target, options.keepAlives);
    this.keepAlives = options.keepAlives;
    this.maxAnswerBytes = options.maxAnswerBytes;
    this.idleTimeoutMs = options.idleTimeoutMs;
    this.#maxConnections = options.maxConnections > 0 ? options.maxConnections : Number.POSITIVE_INFINITY;
    this.#timeoutMs = options.timeoutMs;
    this.#dial = dial;
  }
  post(body: HttpBody, done: (end: HttpEnd) => void): void {
    if (this.#closed) {
      done(CLOSED);
      return;
    }
    this.#begun += 1;
    const call = new Call(body, done, this.#begun);
    call.timer = setTimeout(this.#timeOver, this.#timeoutMs, call);
    const connection = this.#takeIdle();
    if (connection !== undefined) connection.send(call);
    else {
      this.#waiting.add(call);
      this.#connect();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    for (const call of this.#waiting) call.end(CLOSED);
    this.#waiting.clear();
    for (const connection of this.#open) connection.destroy(CLOSED.message);
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onGone = resolve;
    await promise;
  }

  ready(connection: ClientConnection): void {
    this.#connecting -= 1;
    connection.expiresAt = performance.now() + this.idleTimeoutMs;
    this.free(connection);
  }

  free(connection: ClientConnection): void {
    const call = this.#takeWaiting();
    if (call !== undefined) connection.send(call);
    else {
      this.#idle.push(connection);
      this.#watchIdle(connection.expiresAt);
    }
  }

  gone(connection: ClientConnection, connected: boolean, message: string): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (!connected) {
      this.#connecting -= 1;
      this.#takeWaiting(connection.order)?.end({ kind: 'failed', message });
    }
    this.#connect();
    if (this.#open.size === 0) this.#onGone?.();
  }

  #takeIdle(): ClientConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.destroyed) continue;
      if (connection.expiresAt > performance.now()) return connection;
      connection.abandon();
    }
    return undefined;
  }

  #takeWaiting(before = Number.POSITIVE_INFINITY): Call | undefined {
    for (const call of this.#waiting) {
      if (call.order > before) return undefined;
      this.#waiting.delete(call);
      return call;
    }
    return undefined;
  }

  #connect(): void {
    while (!this.#closed && this.#connecting < this.#waiting.size && this.#open.size < this.#maxConnections) {
      this.#connecting += 1;
      this.#begun += 1;
      try {
        this.#open.add(new ClientConnection(this.#dial, this.#timeoutMs, this.#begun, this));
      } catch (error) {
        this.#connecting -= 1;
        this.#takeWaiting()?.end({ kind: 'failed', message: (error as Error).message });
      }
    }
  }

  /** One timer for all that are idle, at the time of the first of them. */
  #watchIdle(until: number): void {
    if (this.#idleTimer !== undefined && until >= this.#nextExpiry) return;
    clearTimeout(this.#idleTimer);
    this.#nextExpiry = until;
    this.#idleTimer = setTimeout(() => this.#closeExpired(), Math.max(until - performance.now(), 0)).unref();
  }

  #closeExpired(): void {
    this.#idleTimer = undefined;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const connection of [...this.#idle]) {
      if (connection.expiresAt > now) next = Math.min(next, connection.expiresAt);
      else {
        this.#idle.splice(this.#idle.indexOf(connection), 1);
        connection.abandon();
      }
    }
    if (next !== Number.POSITIVE_INFINITY) this.#watchIdle(next);
  }
}

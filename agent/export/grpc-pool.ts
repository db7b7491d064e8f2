import type { ConnectionSettings } from '../balance/settings.ts';
import { Backoff } from '../runtime/backoff.ts';
import { GrpcSession, type SessionOptions } from './grpc-session.ts';

/** Waits between connection attempts: gRPC's connection backoff (grpc/doc/connection-backoff.md), with a lower end for a sidecar. */
const RECONNECT = { initialIntervalMs: 250, multiplier: 1.6, maxIntervalMs: 15_000, randomizationFactor: 0.2 };

/**
 * The connections to one address. One carries everything until the streams that its peer allows are used up; only then comes a second,
 * and so on to `max`. Calls go to the first with room, so that later ones fall idle and are closed. Every connect resolves the name
 * again; after a failed one the next waits.
 */
export class GrpcPool {
  readonly #options: SessionOptions;
  readonly #connections: ConnectionSettings;
  readonly #backoff = new Backoff(RECONNECT);
  readonly #sessions: GrpcSession[] = [];
  /** GOAWAY came, or they are silent: they end when their calls do. */
  readonly #leaving = new Set<GrpcSession>();
  #notBefore = 0;
  #lastError = '';
  #idleTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SessionOptions, connections: ConnectionSettings) {
    this.#options = options;
    this.#connections = connections;
  }

  /** Connections that take calls. */
  get size(): number {
    return this.#sessions.length;
  }

  /** No connection is left, those that end included. */
  get gone(): boolean {
    for (const old of this.#leaving) if (old.gone) this.#leaving.delete(old);
    return this.#sessions.length === 0 && this.#leaving.size === 0;
  }

  /** Why there is none. */
  get problem(): string {
    return this.#closed ? 'the exporter is closed' : `no connection: ${this.#lastError}`;
  }

  /** A connection for one call, to be given back by `release`; undefined while none can be had. */
  acquire(): GrpcSession | undefined {
    let leastBusy: GrpcSession | undefined;
    for (const session of this.#sessions) {
      if (!session.usable) continue;
      if (session.active < session.limit) return take(session);
      if (leastBusy === undefined || session.active < leastBusy.active) leastBusy = session;
    }
    if (this.#closed) return undefined;
    const mayOpen = this.#sessions.length < this.#connections.max && performance.now() >= this.#notBefore;
    // nghttp2 holds what is above the peer's limit until a stream is free.
    const session = (mayOpen ? this.#open() : undefined) ?? leastBusy;
    return session === undefined ? undefined : take(session);
  }

  release(session: GrpcSession): void {
    session.active -= 1;
    if (session.active > 0) return;
    session.idleSince = performance.now();
    session.keepProcess(false);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#idleTimer);
    for (const session of [...this.#sessions, ...this.#leaving]) session.destroy();
    this.#sessions.length = 0;
    this.#leaving.clear();
  }

  /** For an upstream that has left: calls under way end as they end. */
  retire(): void {
    this.#closed = true;
    clearInterval(this.#idleTimer);
    for (const session of [...this.#sessions]) session.retire();
  }

  #open(): GrpcSession | undefined {
    try {
      const session = new GrpcSession(this.#options, {
        ready: () => this.#backoff.reset(),
        failed: (message) => this.#failed(message),
        left: (gone) => this.#left(gone),
      });
      this.#sessions.push(session);
      this.#watchIdle();
      return session;
    } catch (error) {
      // Node throws at once for a port that is none; whatever a resolver found, an attempt fails and not the process.
      this.#failed((error as Error).message);
      return undefined;
    }
  }

  #failed(message: string): void {
    this.#lastError = message;
    this.#notBefore = Math.max(this.#notBefore, performance.now() + this.#backoff.next());
  }

  #left(session: GrpcSession): void {
    const at = this.#sessions.indexOf(session);
    if (at >= 0) this.#sessions.splice(at, 1);
    for (const old of this.#leaving) if (old.gone) this.#leaving.delete(old);
    if (!session.gone) this.#leaving.add(session);
  }

  #watchIdle(): void {
    const { idleTimeoutMs } = this.#connections;
    if (idleTimeoutMs <= 0 || this.#idleTimer !== undefined) return;
    this.#idleTimer = setInterval(
      () => {
        const before = performance.now() - idleTimeoutMs;
        for (const session of [...this.#sessions]) if (session.active === 0 && session.idleSince <= before) session.retire();
        if (this.#sessions.length > 0) return;
        clearInterval(this.#idleTimer);
        this.#idleTimer = undefined;
      },
      Math.max(idleTimeoutMs / 2, 1),
    ).unref();
  }
}

function take(session: GrpcSession): GrpcSession {
  session.active += 1;
  if (session.active === 1) session.keepProcess(true);
  return session;
}

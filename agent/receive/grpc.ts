import type { Socket } from 'node:net';
import { REFUSALS, refuse } from '../admit/errors.ts';
import type { GrpcServerSettings, Signal, SocketAddress } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { createNodeSession } from '../http2/node-session.ts';
import type { ServerSession, ServerStream, SessionEvents, SessionOptions, StreamReader } from '../http2/server.ts';
import { createServerSession } from '../http2/server-session.ts';
import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { aborted } from '../runtime/aborted.ts';
import { onceRead } from '../runtime/once-read.ts';
import { socketWire } from '../runtime/wire.ts';
import type { Counters } from '../telemetry/counters.ts';
import { GrpcCall } from './grpc-call.ts';
import { HealthService } from './grpc-health.ts';
import { respondHttpError, respondRefusal } from './grpc-respond.ts';
import { SessionGuard } from './grpc-session.ts';
import { readPreface } from './http-preface.ts';
import { Listener } from './listener.ts';
import type { Admissions, Receiver } from './receive.ts';
import { sweepIntervalMs } from './stall.ts';

/** Of one stream: a request of the usual size arrives without a single WINDOW_UPDATE round trip. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
/** Of one connection, for several such requests at a time. */
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024;
/** gRPC's own limit for metadata is 8 KiB. */
const MAX_HEADER_BYTES = 16 * 1024;

/** Of protobuf messages, which is what no suffix means; gRPC-Web and messages in JSON are something else. */
const CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/;

/**
 * OTLP/gRPC: connections of the listener -> sessions of a codec -> calls (grpc-call.ts). The codec is ours, or node:http2 where
 * `http2_codec: node` asks for it; both give the same sessions (http2/server.ts).
 */
export class GrpcReceiver implements Receiver {
  readonly #settings: GrpcServerSettings;
  readonly #counters: Counters;
  readonly #admissions: Admissions;
  readonly #signals = new Map<string, Signal>(SIGNALS.map((signal) => [SIGNAL_FACTS[signal].grpcPath, signal]));
  readonly #health = new HealthService((service) => {
    const signal = this.#signals.get(`/${service}/Export`);
    return signal !== undefined && this.#admissions[signal] !== undefined;
  });
  readonly #options: SessionOptions;
  readonly #sessions = new Map<ServerSession, SessionGuard>();
  /** Connections that have not said anything yet, the oldest first: sessions of our codec, sockets of the other. */
  readonly #silent = new Set<{ destroy(): void }>();
  readonly #calls = new Set<GrpcCall>();
  #listener: Listener;
  #sweeper: NodeJS.Timeout | undefined;
  #handedOver = false;
  #draining = false;
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(settings: GrpcServerSettings, key: string, admissions: Admissions, counters: Counters) {
    this.#settings = settings;
    this.#admissions = admissions;
    this.#counters = counters;
    this.#listener = new Listener(settings.address, key, { allowHalfOpen: false, onError: () => counters.connectionError('listener') });
    this.#options = {
      maxConcurrentStreams: settings.maxConcurrentStreams,
      streamWindowBytes: STREAM_WINDOW_BYTES,
      sessionWindowBytes: SESSION_WINDOW_BYTES,
      maxHeaderBytes: MAX_HEADER_BYTES,
      writeTimeoutMs: settings.limits.writeTimeoutMs,
      frameTimeoutMs: settings.limits.bodyIdleMs,
    };
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
    const { limits } = this.#settings;
    this.#listener.handTo((socket) => this.#onConnection(socket));
    const every = sweepIntervalMs(limits.bodyIdleMs, limits.writeTimeoutMs);
    this.#sweeper = setInterval(onceRead, every, () => this.#sweep(), undefined).unref();
  }

  handOver(): Listener {
    this.#handedOver = true;
    return this.#listener;
  }

  /**
   * GOAWAY to every client; streams that are open go on, and the connection ends with the last of them. After a reload there is time: who
   * has connected and not spoken yet is heard, and each goodbye waits for its moment.
   */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true;
    if (this.#handedOver) {
      this.#health.leave();
      for (const guard of this.#sessions.values()) guard.goodbye();
    } else {
      this.#listener.close();
      this.endIdle();
    }
    await Promise.race([this.#empty(), aborted(deadline)]);
  }

  endIdle(): void {
    this.#health.shutDown();
    for (const socket of this.#silent) socket.destroy();
    for (const guard of this.#sessions.values()) guard.goodbyeNow();
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#health.shutDown();
    if (!this.#handedOver) this.#listener.close();
    for (const socket of this.#silent) socket.destroy();
    for (const session of this.#sessions.keys()) session.destroy();
    await this.#empty();
  }

  /** When the last connection has ended. */
  #empty(): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#ended ??= Promise.withResolvers<void>();
    return this.#ended.promise;
  }

  get #over(): boolean {
    return this.#sessions.size === 0 && this.#silent.size === 0;
  }

  #onEnded(): void {
    if (this.#over) this.#ended?.resolve();
  }

  #onConnection(socket: Socket): void {
    const open = this.#settings.codec === 'own' ? this.#sessions.size : this.#sessions.size + this.#silent.size;
    if (open >= this.#settings.limits.maxConnections) {
      // Who has said nothing yet makes room for who comes: connections that are opened and left keep nobody out.
      const [silent] = this.#silent;
      this.#counters.connectionError('too_many_connections');
      (silent ?? socket).destroy();
      if (silent === undefined) return;
      this.#silent.delete(silent);
    }
    if (this.#settings.codec === 'own')
      this.#silent.add(this.#serve((events) => createServerSession(socketWire(socket), this.#options, events)));
    else this.#onNodeConnection(socket);
  }

  /** node:http2: a session is made when its client has spoken: one that is opened and left costs a socket, not the 22 KiB of a session. */
  #onNodeConnection(socket: Socket): void {
    this.#silent.add(socket);
    socket.on('error', () => {}); // of a socket that no session has taken yet
    socket.on('close', () => {
      this.#silent.delete(socket);
      this.#onEnded();
    });
    readPreface(socket, this.#settings.handshakeTimeoutMs, (version) => {
      this.#silent.delete(socket);
      if (version === 2) {
        this.#serve((events) => createNodeSession(socket, this.#options, events));
        return;
      }
      this.#counters.connectionError(version === undefined ? 'handshake_timeout' : 'http2');
      socket.destroy();
    });
  }

  /** From a connection on: what happens on its session goes to its guard and to calls. */
  #serve(create: (events: SessionEvents) => ServerSession): ServerSession {
    const { keepalive, handshakeTimeoutMs } = this.#settings;
    const session = create({
      stream: (stream) => {
        guard.streamOpened();
        return this.#onStream(stream);
      },
      ready: () => {
        this.#silent.delete(session);
        guard.ready();
      },
      ping: () => guard.pinged(),
      fault: (name) => this.#counters.connectionError(name),
      closed: () => {
        guard.closed();
        this.#silent.delete(session);
        this.#sessions.delete(session);
        this.#onEnded();
      },
    });
    const guard = new SessionGuard(session, keepalive, handshakeTimeoutMs, (fault) => this.#counters.connectionError(fault));
    this.#sessions.set(session, guard);
    // Accepted before a reload, and only now known to be a session.
    if (this.#draining) guard.goodbye();
    return session;
  }

  #onStream(stream: ServerStream): StreamReader | undefined {
    const { headers } = stream;
    if (headers[':method'] !== 'POST') {
      respondHttpError(stream, 405, 'only POST is allowed');
      return undefined;
    }
    const type = headers['content-type'];
    // The comparison spares nearly every call the pattern.
    if (type !== 'application/grpc' && !CONTENT_TYPE.test(type ?? '')) {
      respondHttpError(stream, 415, 'the content-type is application/grpc, with protobuf messages');
      return undefined;
    }
    const path = headers[':path'] ?? '';
    const signal = this.#signals.get(path);
    if (signal === undefined) {
      if (this.#health.serves(path)) return this.#health.handle(path, stream);
      respondRefusal(stream, refuse(REFUSALS.UNKNOWN_PATH, path));
      return undefined;
    }
    const admission = this.#admissions[signal];
    if (admission === undefined) {
      respondRefusal(stream, refuse(REFUSALS.NO_PIPELINE, signal));
      return undefined;
    }
    return new GrpcCall(stream, admission, this.#settings, this.#calls);
  }

  #sweep(): void {
    const now = performance.now();
    for (const call of this.#calls) {
      if (!call.sweep(now)) continue;
      this.#calls.delete(call);
      this.#counters.connectionError('response_unread');
      call.abandon();
    }
    for (const session of this.#sessions.keys()) session.sweep(now);
  }
}

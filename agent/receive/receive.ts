import type { Admission } from '../admit/admit.ts';
import type { Signal, SocketAddress } from '../config/settings.ts';
import type { Listener } from './listener.ts';

/**
 * receive: sockets in, whole OTLP requests out.
 * In:       OTLP/gRPC (grpc.ts) and OTLP/HTTP (http.ts). Out: one scanned request at a time to admit.
 * May drop: nothing: bad input and overload are answered with the status of admit/errors.ts.
 * Counters: requests by code; connection errors. Items are counted by admit.
 * Bench:    test/bench/agent-hop.
 */
export interface Receiver {
  /** Binds; rejects with an error that names the address. Connections wait until start(). */
  bind(): Promise<void>;
  /** Takes connections: those of its own address, or of a listener that another receiver handed over. */
  start(listener?: Listener): void;
  /** Gives its listener away, with no connection lost: what is open stays here and is to be drained. */
  handOver(): Listener;
  /** Stops accepting and waits until what is in flight was answered, at the latest until `deadline`. */
  drain(deadline: AbortSignal): Promise<void>;
  /** While it drains after a handOver: the agent ends, too, so that connections without a request under way have no time any more. */
  endIdle(): void;
  /** Ends all connections. */
  close(): Promise<void>;
  /** Where it listens, with the real port where 0 was asked for. */
  readonly address: SocketAddress;
  /** How many connections of its address are open. */
  connections(): Promise<number>;
}

/** Where each signal's requests go; signals without a pipeline are absent. */
export type Admissions = Readonly<Partial<Record<Signal, Admission>>>;

import type { Budget } from '../admit/budget.ts';
import type { AgentSettings, SocketAddress } from '../config/settings.ts';
import type { Admissions } from '../receive/receive.ts';
import type { Books } from '../telemetry/books.ts';
import type { Counters, ExporterCounters } from '../telemetry/counters.ts';
import type { MetricDefinition } from '../telemetry/metrics.ts';

/** What /status and the library say of an exporter's queue. */
export type ExporterState = Pick<ExporterCounters, 'exporter' | 'signal' | 'queueSize' | 'queueCapacity' | 'inFlight' | 'failing'>;

/** All between sockets and sockets, as the agent around it sees it: one line in this thread (line.ts), or one in each worker (workers/). */
export interface DataLine {
  readonly counters: Pick<Counters, 'reloads' | 'memory'>;
  readonly budgets: { readonly all: readonly Budget[] };
  /** What the process needs beside requests. */
  readonly baselineBytes: number;
  /** Bytes of requests that are held. */
  readonly heldBytes: number;
  /** Where the receivers listen, by `<receiver id>/grpc` and `<receiver id>/http`. */
  readonly addresses: Readonly<Record<string, SocketAddress>>;
  /** For data that comes by a function call instead of a socket. */
  readonly library: Admissions;
  readonly exporters: readonly ExporterState[];
  books(): Books;
  metrics(startedAt: number): Promise<readonly MetricDefinition[]>;
  /** Makes `exporters`, `books()` and `heldBytes` those of now, where they come from other threads. */
  look?(): Promise<void>;
  /** Garbage collection by force. @default that of this thread */
  readonly collect?: () => void;
  /** Share of the time since the last call for which the busiest thread that reads and writes was busy. @default of this thread */
  readonly busy?: () => number;
  /** Nothing is bound or dialled before start(). */
  build(settings: AgentSettings): Promise<void>;
  /** Rejects with the configuration key where a port cannot be had. */
  start(): Promise<void>;
  /** Other settings, with no request refused; rejects and changes nothing where they cannot be had. */
  reload(settings: AgentSettings, deadlineMs: number): Promise<void>;
  hurry(): void;
  drain(deadline: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

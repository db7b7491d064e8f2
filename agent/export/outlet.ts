import type { Signal } from '../config/settings.ts';
import type { Chunk } from '../runtime/chunk.ts';
import type { Verdict } from '../runtime/outcome.ts';
import type { ExporterCounters } from '../telemetry/counters.ts';

/** The end of a pipeline: one exporter for one signal. An ExportLine, or a line that spreads chunks over several of them. */
export interface Outlet {
  /** As written: `otlp_grpc/jaeger`. */
  readonly id: string;
  readonly signal: Signal;
  /** The counters of its lines: one, or one for each upstream. May grow and shrink; those of lines that ended stay with the agent. */
  readonly parts: readonly ExporterCounters[];
  /** Whether a request of this size would be taken now; bytes and items are 0 while they are not known. */
  hasRoom(items: number, bytes: number): boolean;
  /**
   * Whether a request of this size may come as the gzip that it was received as (Chunk.packed): the next hop takes it so, and nothing here
   * has to look inside.
   */
  takesMembers(items: number, bytes: number): boolean;
  /** `taken` hands the chunk over; `full` leaves it with the caller. */
  offer(chunk: Chunk): Verdict;
  /** Ends a chunk that was `full` here while another destination of its fan-out took it. */
  enqueueFailed(chunk: Chunk): void;
  /** From now on nothing waits for a batch to fill. */
  flush(): void;
  /** What is queued at this moment waits for no batch to fill; what comes later does. */
  hurry(): void;
  /** Sends what is queued; what is left when `deadline` fires is counted as evicted. */
  drain(deadline: AbortSignal): Promise<void>;
  /** Ends connections; without a drain before it, what is queued is lost. */
  close(): Promise<void>;
}

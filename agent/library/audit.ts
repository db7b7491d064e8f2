import type { Signal } from '../config/settings.ts';
import { grpcStatusName } from '../runtime/grpc-status.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { Refused } from './verdict.ts';

/**
 * How a request ended, for a record that outlives it:
 *
 *   delivered   every destination has it; `rejected` of its items were refused by a partial success
 *   rejected    a destination does not want it: sending it again would fail the same way
 *   lost        it was taken and could not be delivered: retries ran out, it was evicted, or the instance was closed
 *   refused     it was never taken
 */
export type AuditOutcome = 'delivered' | 'rejected' | 'lost' | 'refused';

/** One line for each request that was handed over: who, what, how many, and how it ended. Nothing of its content, nor of what servers said. */
export interface AuditRecord {
  /** `who` of the call, or the instance's. */
  readonly who: string;
  readonly signal: Signal;
  /** Spans, data points, log records or profile samples; 0 where the bytes could not be read. */
  readonly items: number;
  readonly bytes: number;
  readonly outcome: AuditOutcome;
  /** Items of a delivered request that a destination refused. */
  readonly rejected: number;
  /** The code of a refusal (OTLP_...), else the gRPC status of the last answer; `OK` where it was delivered. */
  readonly code: string;
  /** When it was handed over: milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds until it ended. */
  readonly tookMs: number;
}

/** Called once for each request, when it has ended. Must be quick; what it throws is counted and logged, and changes nothing. */
export type Audit = (record: AuditRecord) => void;

/** What is known when a request is handed over. */
export interface Handed {
  readonly who: string;
  readonly signal: Signal;
  readonly bytes: number;
  readonly at: number;
  /** `performance.now()`. */
  readonly begunAt: number;
}

export function recordOfRefusal(handed: Handed, items: number, { code }: Refused): AuditRecord {
  return record(handed, items, 'refused', 0, code);
}

export function recordOfOutcome(handed: Handed, items: number, outcome: Outcome): AuditRecord {
  switch (outcome.kind) {
    case 'ok':
      return record(handed, items, 'delivered', Math.min(outcome.rejected, items), 'OK');
    case 'retry':
      return record(handed, items, 'lost', 0, grpcStatusName(outcome.code));
    case 'reject':
      return record(handed, items, 'rejected', 0, grpcStatusName(outcome.code));
  }
}

function record(
  { who, signal, bytes, at, begunAt }: Handed,
  items: number,
  outcome: AuditOutcome,
  rejected: number,
  code: string,
): AuditRecord {
  return { who, signal, items, bytes, outcome, rejected, code, at, tookMs: performance.now() - begunAt };
}

/**
 * How a piece of telemetry ended, as a closed union: every decision on the path is taken on `kind`, never on text.
 *
 *   ok      the next hop has it; `rejected` items of it were refused for good (partial_success)
 *   retry   not now: the same bytes may be sent again, not before `afterMs` where that is known
 *   reject  never: sending the same bytes again would fail the same way
 */
export type Outcome = OkOutcome | RetryOutcome | RejectOutcome;

export interface OkOutcome {
  readonly kind: 'ok';
  readonly rejected: number;
  readonly message: string;
}

export interface RetryOutcome {
  readonly kind: 'retry';
  /** Milliseconds; undefined where the other side named no time. */
  readonly afterMs: number | undefined;
  /** gRPC status, or the nearest one to an HTTP status. */
  readonly code: number;
  readonly message: string;
}

export interface RejectOutcome {
  readonly kind: 'reject';
  readonly code: number;
  readonly message: string;
  /** The next hop has, or may have, taken some of it: no part may be sent again. @default false: it was refused as a whole */
  readonly taken?: boolean;
}

export const OK: OkOutcome = Object.freeze({ kind: 'ok', rejected: 0, message: '' });

const RANK: Readonly<Record<Outcome['kind'], number>> = { ok: 0, retry: 1, reject: 2 };

/** The worse of two: a sender that waits is told of the worst that happened to its request. */
export function worse(a: Outcome, b: Outcome): Outcome {
  if (a.kind === 'ok' && b.kind === 'ok') {
    // With as many rejected, the one that says something: a warning of the next hop is the sender's to read.
    return b.rejected > a.rejected || (b.rejected === a.rejected && a.message === '') ? b : a;
  }
  return RANK[b.kind] > RANK[a.kind] ? b : a;
}

/** Of two pieces of one request: the worse, but where both arrived what they rejected adds up. */
export function together(a: Outcome, b: Outcome): Outcome {
  if (a.kind !== 'ok' || b.kind !== 'ok') return worse(a, b);
  if (a.rejected === 0 && b.rejected === 0) return worse(a, b);
  return { kind: 'ok', rejected: a.rejected + b.rejected, message: a.message === '' ? b.message : a.message };
}

/** The answer of a stage that is offered a chunk: `taken` hands the chunk over, `full` leaves it with the caller. */
export type Verdict = 'taken' | 'full';

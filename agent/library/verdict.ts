import { type Refusal, refusalText } from '../admit/errors.ts';
import type { Outcome } from '../runtime/outcome.ts';

/** What offer() says at once: `taken`, and the agent has it, or why not. */
export type Verdict = 'taken' | Refused;

/** The request is still the caller's. */
export interface Refused {
  /** `OTLP_...`, as in docs/reference/errors.md: decide on this, never on the message. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** Whether the same request may be taken later: the queue is full, memory is short, the instance is closing. */
  readonly retryable: boolean;
  /** Milliseconds to wait before that; undefined where it is not retryable. */
  readonly retryAfterMs: number | undefined;
}

export function refused(refusal: Refusal): Refused {
  const { kind, retryAfterMs } = refusal;
  return { code: kind.code, message: refusalText(refusal), retryable: kind.retryable, retryAfterMs };
}

/** A refusal as the end of a request, for those who wait for one. */
export function outcomeOf(refusal: Refusal): Outcome {
  const { kind, retryAfterMs } = refusal;
  const message = refusalText(refusal);
  return kind.retryable ? { kind: 'retry', afterMs: retryAfterMs, code: kind.grpc, message } : { kind: 'reject', code: kind.grpc, message };
}

import { decodeStatus } from '../otlp/status.ts';
import { GrpcStatus, grpcStatusName } from '../runtime/grpc-status.ts';
import type { Outcome } from '../runtime/outcome.ts';

/** Spec 1.11, OTLP/gRPC, "Failures": the codes a client retries. RESOURCE_EXHAUSTED is one only with a RetryInfo. */
const RETRYABLE: ReadonlySet<number> = new Set([
  GrpcStatus.CANCELLED,
  GrpcStatus.DEADLINE_EXCEEDED,
  GrpcStatus.ABORTED,
  GrpcStatus.OUT_OF_RANGE,
  GrpcStatus.UNAVAILABLE,
  GrpcStatus.DATA_LOSS,
]);

/** Another hop may ask for hours; past this its wait is cut, as the data would be stale and the queue full. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

/** The outcome of a status other than OK, one that nobody knows being UNKNOWN as in all of gRPC: it is a label of metrics. `details` is grpc-status-details-bin (base64 of google.rpc.Status). */
export function grpcOutcome(code: number, message: string, details: string | undefined): Outcome {
  const status = details === undefined ? undefined : decodeStatus(Buffer.from(details, 'base64'));
  const text = `${grpcStatusName(code)}: ${message}`;
  const retryAfterMs = status?.retryAfterMs;
  const retryable = RETRYABLE.has(code) || (code === GrpcStatus.RESOURCE_EXHAUSTED && retryAfterMs !== undefined);
  if (!retryable) return { kind: 'reject', code: code <= GrpcStatus.UNAUTHENTICATED ? code : GrpcStatus.UNKNOWN, message: text };
  return {
    kind: 'retry',
    afterMs: retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, MAX_RETRY_AFTER_MS),
    code,
    message: text,
  };
}

/** What a proxy's plain HTTP status means in gRPC (grpc/doc/http-grpc-status-mapping.md). */
export function httpStatusToGrpc(status: number): number {
  switch (status) {
    case 400:
      return GrpcStatus.INTERNAL;
    case 401:
      return GrpcStatus.UNAUTHENTICATED;
    case 403:
      return GrpcStatus.PERMISSION_DENIED;
    case 404:
      return GrpcStatus.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus.UNAVAILABLE;
    default:
      return GrpcStatus.UNKNOWN;
  }
}

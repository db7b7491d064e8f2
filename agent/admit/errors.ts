import { GrpcStatus } from '../runtime/grpc-status.ts';

/**
 * Every answer to a sender that is not success, as one table: the code that logs and docs name, what the sender is told over gRPC and
 * over HTTP, and whether it may send again. `retryable` is what RetryInfo and Retry-After follow.
 * Clauses: G10-G14 and H20-H23 of the OTLP 1.11 specification (docs/specification.md, "Failures" and "OTLP/HTTP response").
 */
export interface RefusalKind {
  readonly code: string;
  readonly message: string;
  readonly grpc: number;
  readonly http: number;
  readonly retryable: boolean;
  readonly remedy: string;
}

const table = {
  MEMORY: {
    code: 'OTLP_MEMORY_LIMIT',
    message: 'the agent is at its memory limit',
    grpc: GrpcStatus.UNAVAILABLE,
    http: 503,
    retryable: true,
    remedy: 'send again later; raise memory_limiter limit_mib and the container limit with it, or find out why the next hop is slow',
  },
  QUEUE_FULL: {
    code: 'OTLP_QUEUE_FULL',
    message: 'the sending queue is full',
    grpc: GrpcStatus.UNAVAILABLE,
    http: 503,
    retryable: true,
    remedy: 'send again later; look at otelcol_exporter_send_failed_* and at the next hop, then at sending_queue.queue_size',
  },
  DRAINING: {
    code: 'OTLP_DRAINING',
    message: 'the agent is shutting down',
    grpc: GrpcStatus.UNAVAILABLE,
    http: 503,
    retryable: true,
    remedy: 'send again: to another instance, or to this one after its restart',
  },
  NO_PIPELINE: {
    code: 'OTLP_NO_PIPELINE',
    message: 'no pipeline of this agent takes this signal',
    grpc: GrpcStatus.UNIMPLEMENTED,
    http: 404,
    retryable: false,
    remedy: 'add the signal under service.pipelines, or turn its exporter off in the SDK',
  },
  TOO_LARGE: {
    code: 'OTLP_TOO_LARGE',
    message: 'the request is larger than the receiver takes',
    grpc: GrpcStatus.RESOURCE_EXHAUSTED,
    http: 413,
    retryable: false,
    remedy: 'make the batches of the sender smaller, or raise max_recv_msg_size_mib (gRPC) or max_request_body_size (HTTP)',
  },
  MALFORMED: {
    code: 'OTLP_MALFORMED',
    message: 'the body is not an OTLP message',
    grpc: GrpcStatus.INVALID_ARGUMENT,
    http: 400,
    retryable: false,
    remedy: 'the sender is broken or sends another protocol',
  },
  PROCESSOR: {
    code: 'OTLP_PROCESSOR',
    message: 'a processor refuses the request',
    grpc: GrpcStatus.UNAVAILABLE,
    http: 503,
    retryable: true,
    remedy: 'correct the statement or condition that the message names, or set its error_mode to ignore; it fails for this data again',
  },
  BAD_COMPRESSION: {
    code: 'OTLP_BAD_COMPRESSION',
    message: 'the body does not inflate',
    grpc: GrpcStatus.INTERNAL,
    http: 400,
    retryable: false,
    remedy: 'the sender names one compression and uses another, or the body was cut on its way',
  },
  UNKNOWN_ENCODING: {
    code: 'OTLP_UNKNOWN_ENCODING',
    message: 'this compression is not supported',
    grpc: GrpcStatus.UNIMPLEMENTED,
    http: 415,
    retryable: false,
    remedy:
      'use none, gzip, zstd or snappy (over HTTP deflate, zlib, x-snappy-framed and br too), as far as compression_algorithms lets them in',
  },
  UNKNOWN_PATH: {
    code: 'OTLP_UNKNOWN_PATH',
    message: 'there is no such service or path',
    grpc: GrpcStatus.UNIMPLEMENTED,
    http: 404,
    retryable: false,
    remedy: 'use POST /v1/traces, /v1/metrics, /v1/logs or /v1development/profiles, or the gRPC services of OTLP',
  },
  BAD_METHOD: {
    code: 'OTLP_BAD_METHOD',
    message: 'only POST is allowed',
    grpc: GrpcStatus.UNIMPLEMENTED,
    http: 405,
    retryable: false,
    remedy: 'send a POST request: OTLP/HTTP knows no other method',
  },
  BAD_MEDIA_TYPE: {
    code: 'OTLP_BAD_MEDIA_TYPE',
    message: 'unsupported media type',
    grpc: GrpcStatus.INTERNAL,
    http: 415,
    retryable: false,
    remedy: 'send application/x-protobuf or application/json (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf or http/json)',
  },
  BODY_TIMEOUT: {
    code: 'OTLP_BODY_TIMEOUT',
    message: 'the body did not arrive in time',
    grpc: GrpcStatus.DEADLINE_EXCEEDED,
    http: 408,
    retryable: true,
    remedy: 'look at the network between sender and agent',
  },
  BAD_FRAMING: {
    code: 'OTLP_BAD_FRAMING',
    message: 'the call does not hold exactly one message',
    grpc: GrpcStatus.INTERNAL,
    http: 400,
    retryable: false,
    remedy: 'the sender is broken: Export is a unary call',
  },
} as const;

export const REFUSALS: Readonly<Record<keyof typeof table, RefusalKind>> = table;

/** An answer, with what is special to this one request. */
export interface Refusal {
  readonly granted: false;
  readonly kind: RefusalKind;
  /** More than the table's words: sizes, names. */
  readonly detail: string;
  /** Milliseconds; where the kind is retryable. */
  readonly retryAfterMs: number | undefined;
}

/** Told to senders that may try again, unless the next hop named a time: long enough for a flush, short for a person. */
export const RETRY_AFTER_MS = 1000;

export function refuse(kind: RefusalKind, detail = ''): Refusal {
  return { granted: false, kind, detail, retryAfterMs: kind.retryable ? RETRY_AFTER_MS : undefined };
}

/** The sentence a sender reads. */
export function refusalText(refusal: Refusal): string {
  const { kind, detail } = refusal;
  return detail === '' ? `${kind.message} (${kind.code})` : `${kind.message}: ${detail} (${kind.code})`;
}

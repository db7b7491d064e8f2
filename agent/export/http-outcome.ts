import type { Signal } from '../config/settings.ts';
import type { HttpAnswer } from '../http1/client.ts';
import { decodePartialSuccess, decodeStatus, type PartialSuccess } from '../otlp/status.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import { httpStatusToGrpc } from './grpc-outcome.ts';

/** Spec 1.11, OTLP/HTTP, "Retryable response codes"; no other 4xx or 5xx is sent again. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Responses above are not read (spec: response size limit). */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const MAX_RETRY_AFTER_MS = 5 * 60_000;
const PROTOBUF = 'application/x-protobuf';

const REJECTED_FIELDS: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
  profiles: 'rejectedProfiles',
};

/** What a response means. Its body is undefined where it was larger than MAX_RESPONSE_BYTES. */
export function httpOutcome(signal: Signal, { status, type: contentType, retryAfter, body }: HttpAnswer): Outcome {
  if (body === undefined) {
    const message = `the response (HTTP status ${status}) is larger than ${MAX_RESPONSE_BYTES} bytes`;
    return { kind: 'reject', code: GrpcStatus.RESOURCE_EXHAUSTED, message, taken: status < 300 };
  }
  const type = contentType === PROTOBUF ? PROTOBUF : (contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  if (status >= 200 && status < 300) {
    const partial = body.length === 0 ? undefined : partialSuccess(signal, type, body);
    return partial === undefined ? OK : { kind: 'ok', rejected: partial.rejected, message: partial.message };
  }
  const said = messageOf(type, body);
  const message = said === undefined || said === '' ? `HTTP status ${status}` : `HTTP status ${status}: ${said}`;
  if (!RETRYABLE.has(status)) return { kind: 'reject', code: httpStatusToGrpc(status), message };
  return retry(httpStatusToGrpc(status), message, retryAfterMs(retryAfter, Date.now()));
}

export function retry(code: number, message: string, afterMs: number | undefined): Outcome {
  return { kind: 'retry', afterMs, code, message };
}

function partialSuccess(signal: Signal, type: string, body: Buffer): PartialSuccess | undefined {
  if (type === PROTOBUF) return decodePartialSuccess(body);
  const partial = field(type === 'application/json' ? parsed(body) : undefined, 'partialSuccess');
  if (partial === undefined) return undefined;
  // 64 bits: text or number. A negative or broken count is none.
  const rejected = Number(field(partial, REJECTED_FIELDS[signal]) ?? 0);
  const message = field(partial, 'errorMessage');
  return { rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0, message: typeof message === 'string' ? message : '' };
}

function messageOf(type: string, body: Buffer): string | undefined {
  if (type === PROTOBUF) return decodeStatus(body)?.message;
  const message = field(type === 'application/json' ? parsed(body) : undefined, 'message');
  return typeof message === 'string' ? message : undefined;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}

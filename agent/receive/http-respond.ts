import { gzipSync } from 'node:zlib';
import { type Refusal, refusalText } from '../admit/errors.ts';
import type { Signal } from '../config/settings.ts';
import { type AnswerHeaders, type HttpExchange, JSON_ANSWER, JSON_TYPE, PROTOBUF_ANSWER } from '../http1/exchange.ts';
import { encodeResponse, encodeStatus, shortMessage } from '../otlp/status.ts';

/** Below, gzip makes an answer larger; nearly all are empty. */
const GZIP_FROM_BYTES = 1024;

/** `rejected_spans` of ExportTracePartialSuccess and its sisters, in JSON. */
const REJECTED_FIELDS: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
  profiles: 'rejectedProfiles',
};

/** Success is 200 with an ExportXServiceResponse in the type of the request; an empty one has no bytes in protobuf and is `{}` in JSON. */
export function respondHttpOk(exchange: HttpExchange, signal: Signal, rejected: number, message: string): void {
  if (exchange.type === JSON_TYPE) respond(exchange, 200, JSON_ANSWER, jsonResponse(signal, rejected, message));
  else respond(exchange, 200, PROTOBUF_ANSWER, encodeResponse(signal, rejected, message));
}

function jsonResponse(signal: Signal, rejected: number, message: string): Buffer {
  if (rejected === 0 && message === '') return Buffer.from('{}');
  return Buffer.from(
    JSON.stringify({
      partialSuccess: {
        ...(rejected > 0 ? { [REJECTED_FIELDS[signal]]: String(rejected) } : {}),
        ...(message === '' ? {} : { errorMessage: shortMessage(message) }),
      },
    }),
  );
}

/**
 * An error is a google.rpc.Status in the type of the request (JSON or protobuf), with Retry-After in whole seconds where the sender may
 * try again.
 */
export function respondHttpError(
  exchange: HttpExchange,
  status: number,
  grpcCode: number,
  message: string,
  retryAfterMs: number | undefined,
  more: AnswerHeaders = {},
): void {
  const json = exchange.type === JSON_TYPE;
  const body = json ? Buffer.from(JSON.stringify({ code: grpcCode, message: shortMessage(message) })) : encodeStatus(grpcCode, message);
  const retry: AnswerHeaders = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
  respond(exchange, status, { ...more, ...retry, ...(json ? JSON_ANSWER : PROTOBUF_ANSWER) }, body);
}

export function respondHttpRefusal(exchange: HttpExchange, refusal: Refusal, more?: AnswerHeaders): void {
  respondHttpError(exchange, refusal.kind.http, refusal.kind.grpc, refusalText(refusal), refusal.retryAfterMs, more);
}

function respond(exchange: HttpExchange, status: number, headers: AnswerHeaders, body: Buffer): void {
  if (body.length >= GZIP_FROM_BYTES && asksForGzip(exchange.acceptEncoding)) {
    exchange.respond(status, { ...headers, 'content-encoding': 'gzip' }, gzipSync(body));
    return;
  }
  exchange.respond(status, headers, body);
}

/** Accept-Encoding lists gzip, and not with a weight of 0 (RFC 9110, 12.5.3). */
function asksForGzip(header: string | undefined): boolean {
  return (header ?? '')
    .toLowerCase()
    .split(',')
    .some((part) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0{0,3})?\s*$)[\d.]+\s*)?$/.test(part));
}

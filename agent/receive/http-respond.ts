import { gzipSync } from 'node:zlib';
import { type Refusal, refusalText } from '../admit/errors.ts';
import type { Signal } from '../config/settings.ts';
import { stopReading } from '../http2/node-session.ts';
import { encodeResponse, encodeStatus, shortMessage } from '../otlp/status.ts';
import {
  answerable,
  bodyPending,
  closeAfter,
  type Exchange,
  type HttpRequest,
  hangUp,
  JSON_TYPE,
  PROTOBUF,
  streamOf,
} from './http-exchange.ts';

/** Below, gzip makes an answer larger; nearly all are empty. */
const GZIP_FROM_BYTES = 1024;
const LINGER_MS = 500;

/** `rejected_spans` of ExportTracePartialSuccess and its sisters, in JSON. */
const REJECTED_FIELDS: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
  profiles: 'rejectedProfiles',
};

/** Success is 200 with an ExportXServiceResponse in the type of the request; an empty one has no bytes in protobuf and is `{}` in JSON. */
export function respondHttpOk(exchange: Exchange, signal: Signal, rejected: number, message: string): void {
  const json = exchange.type === JSON_TYPE;
  respond(exchange, 200, json, json ? jsonResponse(signal, rejected, message) : encodeResponse(signal, rejected, message));
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
 * try again. What the request still sends is not read: the connection is closed after the answer, unless the body is complete.
 */
export function respondHttpError(
  exchange: Exchange,
  status: number,
  grpcCode: number,
  message: string,
  retryAfterMs: number | undefined,
): void {
  if (!answerable(exchange)) return;
  const { request, response } = exchange;
  const json = exchange.type === JSON_TYPE;
  const body = json ? Buffer.from(JSON.stringify({ code: grpcCode, message: shortMessage(message) })) : encodeStatus(grpcCode, message);
  if (retryAfterMs !== undefined) response.setHeader('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  if (!bodyPending(request)) {
    respond(exchange, status, json, body);
    return;
  }
  const stream = streamOf(request);
  if (stream !== undefined) {
    respond(exchange, status, json, body);
    stopReading(stream);
    return;
  }
  closeAfter(exchange);
  respond(exchange, status, json, body, () => lingeringClose(request));
}

export function respondHttpRefusal(exchange: Exchange, refusal: Refusal): void {
  respondHttpError(exchange, refusal.kind.http, refusal.kind.grpc, refusalText(refusal), refusal.retryAfterMs);
}

function respond(exchange: Exchange, status: number, json: boolean, body: Buffer, done?: () => void): void {
  if (!answerable(exchange)) return;
  const { request, response } = exchange;
  const headers: Record<string, string | number> = { 'content-type': json ? JSON_TYPE : PROTOBUF };
  let content = body;
  if (body.length >= GZIP_FROM_BYTES && asksForGzip(request)) {
    content = gzipSync(body);
    headers['content-encoding'] = 'gzip';
  }
  headers['content-length'] = content.length;
  response.writeHead(status, headers);
  response.end(content, done);
}

/** Accept-Encoding lists gzip, and not with a weight of 0 (RFC 9110, 12.5.3). */
function asksForGzip(request: HttpRequest): boolean {
  return String(request.headers['accept-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .some((part) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0{0,3})?\s*$)[\d.]+\s*)?$/.test(part));
}

/**
 * Closing a socket with unread data in it makes the kernel send RST, which can destroy the answer on its way to the client. So what
 * arrives is thrown away for a moment first.
 */
function lingeringClose(request: HttpRequest): void {
  const timer = setTimeout(() => hangUp(request), LINGER_MS).unref();
  request.on('close', () => clearTimeout(timer));
  request.resume();
}

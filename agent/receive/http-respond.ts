import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Refusal, refusalText } from '../admit/errors.ts';
import type { CorsSettings } from '../config/settings.ts';
import { encodeStatus } from '../otlp/status.ts';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';

/** The media type of a request without parameters, lower case; `''` where there is none. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Success is 200 with an ExportXServiceResponse in the type of the request; an empty one has no bytes. */
export function respondHttpOk(response: ServerResponse, body: Buffer): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(200, { 'content-type': PROTOBUF, 'content-length': body.length });
  response.end(body);
}

/**
 * An error is a google.rpc.Status in the type of the request (JSON or protobuf), with Retry-After in whole seconds where the sender may
 * try again. What the request still sends is not read: the connection is closed after the answer, unless the body is complete.
 */
export function respondHttpError(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  grpcCode: number,
  message: string,
  retryAfterMs: number | undefined,
): void {
  if (response.destroyed || response.headersSent) return;
  const json = mediaType(request) === JSON_TYPE;
  const body = json ? Buffer.from(JSON.stringify({ code: grpcCode, message })) : encodeStatus(grpcCode, message);
  if (retryAfterMs !== undefined) response.setHeader('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  if (!request.complete) response.shouldKeepAlive = false;
  response.writeHead(status, { 'content-type': json ? JSON_TYPE : PROTOBUF, 'content-length': body.length });
  response.end(body, () => {
    if (!request.complete) lingeringClose(request);
  });
}

/**
 * Closing a socket with unread data in it makes the kernel send RST, which can destroy the answer on its way to the client. So what
 * arrives is thrown away for a moment first.
 */
function lingeringClose(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS).unref();
  request.on('close', () => clearTimeout(timer));
  request.resume();
}

const LINGER_MS = 500;

export function respondHttpRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  respondHttpError(request, response, refusal.kind.http, refusal.kind.grpc, refusalText(refusal), refusal.retryAfterMs);
}

/** Cross-origin requests of browsers: true where the request was a preflight and is answered. */
export function respondCors(cors: CorsSettings, request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (origin === undefined || !cors.allowedOrigins.some((allowed) => originMatches(allowed, origin))) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'Origin');
  if (cors.exposedHeaders.length > 0) response.setHeader('access-control-expose-headers', cors.exposedHeaders.join(', '));
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  response.setHeader('access-control-allow-methods', 'POST');
  const headers = cors.allowedHeaders.includes('*')
    ? request.headers['access-control-request-headers']
    : ['content-type', 'content-encoding', ...cors.allowedHeaders].join(', ');
  if (headers !== undefined) response.setHeader('access-control-allow-headers', headers);
  if (cors.maxAgeSeconds > 0) response.setHeader('access-control-max-age', String(cors.maxAgeSeconds));
  response.writeHead(204);
  response.end();
  return true;
}

/** `*` alone is any; one `*` inside stands for any text, as in the Collector. */
function originMatches(allowed: string, origin: string): boolean {
  const star = allowed.indexOf('*');
  if (star < 0) return allowed.toLowerCase() === origin.toLowerCase();
  const head = allowed.slice(0, star).toLowerCase();
  const tail = allowed.slice(star + 1).toLowerCase();
  const lower = origin.toLowerCase();
  return lower.length >= head.length + tail.length && lower.startsWith(head) && lower.endsWith(tail);
}

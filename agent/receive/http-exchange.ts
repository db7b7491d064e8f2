import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from 'node:http2';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';

/** A request of either version of HTTP: node:http2 gives its own the same face. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** What both kinds of response have in common, and nothing else is used of them. */
export interface HttpResponse {
  readonly headersSent: boolean;
  setHeader(name: string, value: number | string | readonly string[]): unknown;
  writeHead(status: number, headers?: Record<string, string | number>): unknown;
  writeContinue(): void;
  end(body: Uint8Array, done?: () => void): unknown;
  on(event: string, listener: () => void): unknown;
}

/** One request and its answer. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** The media type of the request without parameters, lower case; `''` where there is none. */
  readonly type: string;
}

export function exchangeOf(request: HttpRequest, response: HttpResponse): Exchange {
  const header = request.headers['content-type'];
  // What nearly every sender writes needs no work.
  if (header === PROTOBUF || header === JSON_TYPE) return { request, response, type: header };
  return { request, response, type: header?.split(';', 1)[0]?.trim().toLowerCase() ?? '' };
}

/** Of an HTTP/2 request, whose body and answer are one stream. */
export function streamOf(request: HttpRequest): ServerHttp2Stream | undefined {
  return request instanceof IncomingMessage ? undefined : request.stream;
}

/** Whether an answer can still be written. */
export function answerable({ request, response }: Exchange): boolean {
  const stream = streamOf(request);
  if (response.headersSent) return false;
  return stream === undefined ? !(response as ServerResponse).destroyed : !stream.destroyed && !stream.closed;
}

/** HTTP/1.1: `Connection: close` with the answer. HTTP/2: GOAWAY after it. */
export function closeAfter({ request, response }: Exchange): void {
  const stream = streamOf(request);
  if (stream === undefined) {
    (response as ServerResponse).shouldKeepAlive = false;
    return;
  }
  const { session } = stream;
  stream.once('close', () => session?.close());
}

/** Whether some of the body is still to come. `complete` says no only when the parser has come to its end, also where there is none. */
export function bodyPending(request: HttpRequest): boolean {
  if (request.complete) return false;
  const stream = streamOf(request);
  if (stream !== undefined) return !stream.endAfterHeaders;
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0);
}

/** Ends the connection of a request, or only its stream where it is one of several. */
export function hangUp(request: HttpRequest): void {
  const stream = streamOf(request);
  if (stream === undefined) request.destroy();
  else stream.destroy();
}

export type { Http2ServerRequest, Http2ServerResponse };

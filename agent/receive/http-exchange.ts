import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, ServerHttp2Stream } from 'node:http2';
import { type AnswerHeaders, type BodyReader, type HttpExchange, JSON_TYPE, PROTOBUF } from '../http1/exchange.ts';
import { stopReading } from '../http2/node-session.ts';
import type { Metadata } from '../process/process.ts';
import { httpMetadata } from './metadata.ts';

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

const LINGER_MS = 500;

/** A request that node:http or node:http2 has read. */
export class NodeExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly type: string;
  readonly length: number | undefined;
  /** The body is asked for only when it may come. */
  readonly #expectsContinue: boolean;

  constructor(request: HttpRequest, response: HttpResponse, expectsContinue: boolean) {
    this.request = request;
    this.response = response;
    this.#expectsContinue = expectsContinue;
    const type = request.headers['content-type'];
    // What nearly every sender writes needs no work.
    this.type = type === PROTOBUF || type === JSON_TYPE ? type : (type?.split(';', 1)[0]?.trim().toLowerCase() ?? '');
    const length = request.headers['content-length'];
    this.length = length === undefined ? undefined : Number(length);
  }

  get encoding(): string | undefined {
    return this.request.headers['content-encoding'];
  }

  get acceptEncoding(): string | undefined {
    const header = this.request.headers['accept-encoding'];
    return header === undefined ? undefined : String(header);
  }

  metadata(): Metadata {
    return httpMetadata(this.request);
  }

  read(reader: BodyReader): void {
    const { request, response } = this;
    if (this.#expectsContinue) response.writeContinue();
    request.on('data', (data: Buffer) => reader.data(data, 0, data.length));
    request.on('end', () => {
      // node:http2 ends the body also when the stream is reset: what came until then is no request.
      const stream = streamOf(request);
      if (stream?.aborted === true || stream?.destroyed === true) reader.closed();
      else reader.end();
    });
    request.on('error', () => {});
    response.on('close', () => reader.closed());
  }

  respond(status: number, headers: AnswerHeaders, body: Uint8Array): void {
    const { request, response } = this;
    if (!answerable(request, response)) return;
    const stream = streamOf(request);
    // A refusal before the body is whole: what the request still sends is not read.
    const pending = status >= 400 && bodyPending(request);
    if (pending && stream === undefined) this.closeAfter();
    response.writeHead(status, { ...headers, 'content-length': String(body.length) });
    response.end(body, pending && stream === undefined ? () => lingeringClose(request) : undefined);
    if (pending && stream !== undefined) stopReading(stream);
  }

  /** HTTP/1.1: `Connection: close` with the answer. HTTP/2: GOAWAY after it. */
  closeAfter(): void {
    const stream = streamOf(this.request);
    if (stream === undefined) {
      (this.response as ServerResponse).shouldKeepAlive = false;
      return;
    }
    const { session } = stream;
    stream.once('close', () => session?.close());
  }

  abandon(): void {
    hangUp(this.request);
  }
}

/** Of an HTTP/2 request, whose body and answer are one stream. */
function streamOf(request: HttpRequest): ServerHttp2Stream | undefined {
  return request instanceof IncomingMessage ? undefined : request.stream;
}

/** Whether an answer can still be written. */
function answerable(request: HttpRequest, response: HttpResponse): boolean {
  const stream = streamOf(request);
  if (response.headersSent) return false;
  return stream === undefined ? !(response as ServerResponse).destroyed : !stream.destroyed && !stream.closed;
}

/** Whether some of the body is still to come. `complete` says no only when the parser has come to its end, also where there is none. */
function bodyPending(request: HttpRequest): boolean {
  if (request.complete) return false;
  const stream = streamOf(request);
  if (stream !== undefined) return !stream.endAfterHeaders;
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0);
}

/** Ends the connection of a request, or only its stream where it is one of several. */
function hangUp(request: HttpRequest): void {
  const stream = streamOf(request);
  if (stream === undefined) request.destroy();
  else stream.destroy();
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

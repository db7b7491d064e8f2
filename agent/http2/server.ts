/**
 * HTTP/2 on the server's side, as far as a receiver needs it. Two codecs give it: ours (server-session.ts), which costs a fraction, and
 * node:http2's (node-session.ts), which can be had by a key. Names of headers are in lower case, pseudo-headers among them.
 */

/** Of a request. A header that comes several times is joined by ", " (cookie by "; "). */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** Of an answer, pseudo-headers first. Objects that are module constants are encoded once: pass the same object each time. */
export type ResponseHeaders = Readonly<Record<string, string>>;

/** One request and its answer. */
export interface ServerStream {
  readonly headers: RequestHeaders;
  /** Nothing can be answered any more: it is over, was reset, or its connection has gone. Answers do nothing then. */
  readonly closed: boolean;
  /**
   * The whole answer at once: HEADERS, then DATA and trailers where there are any. Where the request has not ended, what still comes is
   * thrown away, within limits of bytes and time; a client that sends on and on has its stream reset with NO_ERROR (RFC 9113, 8.1).
   */
  respond(headers: ResponseHeaders, body?: Uint8Array, trailers?: ResponseHeaders): void;
  /** An answer in parts: HEADERS, then any number of `write`, then trailers. */
  begin(headers: ResponseHeaders): void;
  write(bytes: Uint8Array): void;
  finish(trailers: ResponseHeaders): void;
  /** RST_STREAM. */
  reset(code: number): void;
}

/** Who takes a request's body. Each is called on the codec's stack; none may throw. */
export interface StreamReader {
  /** Valid during the call only. */
  data(bytes: Uint8Array): void;
  /** END_STREAM, trailers of the request included. */
  end(): void;
  /**
   * Once, and last: answered and written, reset by either side, or the connection has gone. Our codec may call it from within `respond`,
   * `finish` and `reset`, and when `events.stream` returns a reader whose stream it has closed.
   */
  closed(): void;
}

export interface SessionEvents {
  /** A request with well-formed headers. Undefined where nobody reads its body (it is answered already, or will be). */
  stream(stream: ServerStream): StreamReader | undefined;
  /** The client's first SETTINGS. */
  ready(): void;
  /** PING from the client; the codec answers it by itself. */
  ping(): void;
  /** What the client did wrong, as otlp_agent_connection_errors names it. */
  fault(name: string): void;
  /** Once: the connection is over. All its streams are closed before. */
  closed(): void;
}

/** One connection. */
export interface ServerSession {
  /** Streams that are open. */
  readonly open: number;
  /** No new streams: close() or destroy() was called, or the client said GOAWAY. */
  readonly closing: boolean;
  readonly destroyed: boolean;
  /** Called now and then, `performance.now()`: ends a connection with a frame or header block that is older than frameTimeoutMs. */
  sweep(now: number): void;
  /** False where it cannot be sent any more. */
  ping(answered: () => void): boolean;
  /** GOAWAY; new streams are still taken (RFC 9113, 6.8: the first of two). */
  goaway(code: number, lastStream: number, debug?: string): void;
  /** GOAWAY with the last stream that was taken; the connection ends with its last stream. */
  close(): void;
  /** Ends the connection and all its streams now. */
  destroy(): void;
}

export interface SessionOptions {
  /** SETTINGS_MAX_CONCURRENT_STREAMS. */
  readonly maxConcurrentStreams: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE, bytes. */
  readonly streamWindowBytes: number;
  /** Receive window of the whole connection, bytes. */
  readonly sessionWindowBytes: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE, bytes as RFC 9113, 6.5.2 counts them; more is answered with 431 or a reset. */
  readonly maxHeaderBytes: number;
  /** How long a client may leave its answers in the socket without taking any of them. Of our codec. @default 0, for ever */
  readonly writeTimeoutMs?: number;
  /**
   * How long a client may take from the first byte of a frame to its last, and of a header block to its END_HEADERS; DATA is left to its
   * readers. Kept by `sweep`. Of our codec, as nghttp2 does not say what it holds. @default 0, for ever
   */
  readonly frameTimeoutMs?: number;
}

/** As the last stream of a GOAWAY: no stream was refused, and another GOAWAY follows (RFC 9113, 6.8). */
export const EVERY_STREAM = 2 ** 31 - 1;

/** RFC 9113, 7. */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

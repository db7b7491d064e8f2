import type { Duplex } from 'node:stream';
import type { ResponseHeaders } from './server.ts';

/**
 * HTTP/2 on the client's side, as far as an exporter of unary gRPC calls needs it. Two codecs give it: ours (client-session.ts) and
 * node:http2's (node-client.ts), which can be had by a key.
 */

/** Header fields of an answer by name in lower case, `:status` among them; one that comes several times is joined by ", ". */
export interface Fields {
  get(name: string): string | undefined;
}

/** How a call ended. */
export interface CallEnd {
  /** What a reset said (RFC 9113, 7); NO_ERROR where there was none. */
  readonly code: number;
  /** Some of it may have reached the peer. */
  readonly sent: boolean;
  /** The peer says that it has not looked at it: REFUSED_STREAM, or above the last stream of a GOAWAY. */
  readonly refused: boolean;
  /** What broke the connection or the call; empty where nothing did. */
  readonly message: string;
}

/** What a call hears. Each is called on the codec's stack; none may throw. */
export interface CallEvents {
  /** HEADERS of the answer; interim ones (1xx) are left out. */
  response(fields: Fields): void;
  trailers(fields: Fields): void;
  /** Valid during the call only. */
  data(bytes: Uint8Array): void;
  /** Once, and last. After an answer: when nothing reads the body's slices any more. */
  closed(end: CallEnd): void;
}

export interface ClientCall {
  /** RST_STREAM with CANCEL; `closed` follows. */
  cancel(): void;
}

export interface ClientEvents {
  /** The peer's SETTINGS; undefined where it allows any number of streams. More than once where it changes its mind. */
  settings(maxConcurrentStreams: number | undefined): void;
  /** No new calls any more: the peer has said so, or stream ids are used up. */
  goaway(): void;
  /** Why the connection ends. */
  failed(message: string): void;
  /** Once: it is over. All its calls are closed before. */
  closed(): void;
}

/** One connection. */
export interface ClientSession {
  /** close() or destroy() was called, or the peer said GOAWAY: no new calls. */
  readonly closing: boolean;
  readonly destroyed: boolean;
  /**
   * Begins a call, body and END_STREAM included; what flow control holds back is sent as it may be. `headers` is encoded once for each
   * object, and `body` must not change until the call is closed. Throws where there are no new calls any more.
   */
  request(headers: ResponseHeaders, body: readonly Uint8Array[], bytes: number, events: CallEvents): ClientCall;
  /** `answered` is called once, with false where the connection ended before. */
  ping(answered: (alive: boolean) => void): void;
  /** Ends with its last call. */
  close(): void;
  /** Ends it and its calls now. */
  destroy(why?: string): void;
  /** Whether it keeps the process alive. */
  keepProcess(alive: boolean): void;
}

export interface ClientOptions {
  /** Receive window of the whole connection, bytes. Streams have the protocol's 65 535. */
  readonly sessionWindowBytes: number;
}

/** Makes a session over a stream that may still be connecting. `events` are not called before this returns. */
export type CreateClient = (stream: Duplex, options: ClientOptions, events: ClientEvents) => ClientSession;

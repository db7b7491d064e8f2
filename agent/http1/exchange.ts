import type { Metadata } from '../process/process.ts';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';

/** Who takes a request's body. None of these may throw. */
export interface BodyReader {
  /** Bytes `from`..`to`. Where the length was declared they are valid during the call only, else they are the reader's to keep. */
  data(bytes: Buffer, from: number, to: number): void;
  end(): void;
  /** The client has gone. May come after the answer, too. */
  closed(): void;
  /** Now and then, with `performance.now()`. True where its answer waits too long to be taken. */
  sweep(now: number): boolean;
}

/** Names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** Of nearly all answers: codecs know these two objects by their identity. */
export const PROTOBUF_ANSWER: AnswerHeaders = Object.freeze({ 'content-type': PROTOBUF });
export const JSON_ANSWER: AnswerHeaders = Object.freeze({ 'content-type': JSON_TYPE });

/**
 * One request and its answer, whatever has read it: our codec (connection.ts), node:http or node:http2 (receive/http-exchange.ts). What a
 * request means is written once, over this (receive/http-call.ts).
 */
export interface HttpExchange {
  /** Media type without parameters, in lower case; `''` where there is none. */
  readonly type: string;
  readonly encoding: string | undefined;
  readonly acceptEncoding: string | undefined;
  /** Bytes of the body, where the client has told. It brings no more than that. */
  readonly length: number | undefined;
  /** Headers by lower-case name, where they are wanted (`include_metadata`). */
  metadata(): Metadata;
  /** Begins to read the body. */
  read(reader: BodyReader): void;
  /** Answers, once; nothing where that is not possible any more. What the body still brings is thrown away, and ends the connection. */
  respond(status: number, headers: AnswerHeaders, body: Uint8Array): void;
  /** Ends the connection of HTTP/1.1, the stream of HTTP/2. */
  abandon(): void;
}

import type { Connection } from './connection.ts';
import { Flag, FrameType, HEAD_BYTES, putHead } from './frames.ts';
import { CHATTER_PER_QUEUED_FRAME, MAX_QUEUED_STREAM_BYTES } from './limits.ts';
import type { RequestHead } from './request-head.ts';
import { responseBlock } from './response-block.ts';
import { ErrorCode, type RequestHeaders, type ResponseHeaders, type ServerStream, type StreamReader } from './server.ts';

/** Of the answer. */
const Answer = { NONE: 0, BEGUN: 1, COMPLETE: 2, SENT: 3 } as const;

/** Of an answer, what windows keep back. Most answers never have one: what a stream carries along is paid by each request. */
class Queue {
  readonly parts: Uint8Array[] = [];
  bytes = 0;
  /** To follow the parts. */
  trailers: Uint8Array | undefined = undefined;
}

/** Of a request whose answer is complete: when it is stopped, and how many bytes of it may have come then. */
export interface Discard {
  readonly until: number;
  readonly bytes: number;
}

/**
 * One request and its answer. Both directions end by themselves, and the stream is closed when both have:
 *
 *   request   ended: END_STREAM has come
 *   answer    NONE -> BEGUN -> COMPLETE (all of it is known) -> SENT (before, what windows keep back is queued)
 */
export class Stream implements ServerStream {
  readonly id: number;
  readonly headers: RequestHeaders;
  closed = false;
  reader: StreamReader | undefined = undefined;
  ended = false;
  /** Bytes of DATA, to be held against content-length (-1 where there is none). */
  received = 0;
  readonly contentLength: number;
  readonly openedSecond: number;
  /** What the client may still send, and we: padding and all (RFC 9113, 6.9.1). Ours can be below 0 (6.9.2). */
  receiveWindow: number;
  sendWindow: number;
  /** Where nobody reads the body any more. */
  discard: Discard | undefined = undefined;
  readonly #connection: Connection;
  #answer: number = Answer.NONE;
  #queue: Queue | undefined = undefined;

  constructor(connection: Connection, id: number, head: RequestHead) {
    this.#connection = connection;
    this.id = id;
    this.headers = head.headers;
    this.contentLength = head.contentLength;
    this.openedSecond = connection.second;
    this.receiveWindow = connection.streamWindow;
    this.sendWindow = connection.peerStreamWindow;
  }

  /** END_STREAM is sent. */
  get answered(): boolean {
    return this.#answer === Answer.SENT;
  }

  respond(headers: ResponseHeaders, body?: Uint8Array, trailers?: ResponseHeaders): void {
    if (this.closed || this.#answer !== Answer.NONE) return;
    const block = responseBlock(headers);
    const tail = trailers === undefined ? undefined : responseBlock(trailers);
    const bytes = body === undefined ? 0 : body.length;
    this.#answer = Answer.COMPLETE;
    if (bytes > 0 && !this.#sendable(bytes)) {
      this.#sendHeaders(block, 0);
      this.#enqueue(body as Uint8Array).trailers = tail;
      this.sendQueued();
      return;
    }
    const endsWithHeaders = bytes === 0 && tail === undefined;
    this.#sendHeaders(block, endsWithHeaders ? Flag.END_STREAM : 0);
    if (bytes > 0) this.#sendData(body as Uint8Array, 0, bytes, tail === undefined ? Flag.END_STREAM : 0);
    if (tail !== undefined) this.#sendHeaders(tail, Flag.END_STREAM);
    this.#sent();
  }

  begin(headers: ResponseHeaders): void {
    if (this.closed || this.#answer !== Answer.NONE) return;
    this.#answer = Answer.BEGUN;
    this.#sendHeaders(responseBlock(headers), 0);
  }

  write(bytes: Uint8Array): void {
    if (this.closed || this.#answer !== Answer.BEGUN || bytes.length === 0) return;
    if ((this.#queue?.bytes ?? 0) + bytes.length > MAX_QUEUED_STREAM_BYTES) {
      this.#connection.fault('response_unread');
      this.reset(ErrorCode.ENHANCE_YOUR_CALM);
      return;
    }
    this.#enqueue(bytes);
    this.sendQueued();
  }

  finish(trailers: ResponseHeaders): void {
    if (this.closed || this.#answer !== Answer.BEGUN) return;
    this.#answer = Answer.COMPLETE;
    this.#queue ??= new Queue();
    this.#queue.trailers = responseBlock(trailers);
    this.sendQueued();
  }

  reset(code: number): void {
    if (!this.closed) this.#connection.resetStream(this, code);
  }

  /** What is queued, as far as the windows go. */
  sendQueued(): void {
    const connection = this.#connection;
    const queue = this.#queue;
    if (queue === undefined) return;
    const { parts, trailers } = queue;
    while (parts.length > 0) {
      const bytes = parts[0] as Uint8Array;
      const length = Math.min(bytes.length, this.sendWindow, connection.sendWindow, connection.peerFrameBytes);
      if (length <= 0) {
        // A stream that waits for its own window is looked at when that opens.
        if (this.sendWindow > 0) connection.blocked.add(this);
        return;
      }
      if (length === bytes.length) parts.shift();
      else parts[0] = bytes.subarray(length);
      queue.bytes -= length;
      connection.queuedBytes -= length;
      connection.chatter.earn(CHATTER_PER_QUEUED_FRAME);
      const last = parts.length === 0 && this.#answer === Answer.COMPLETE && trailers === undefined;
      this.#sendData(bytes, 0, length, last ? Flag.END_STREAM : 0);
    }
    if (this.#answer !== Answer.COMPLETE) return;
    if (trailers !== undefined) this.#sendHeaders(trailers, Flag.END_STREAM);
    this.#sent();
  }

  /** Closed: nothing of it is kept. */
  drop(): void {
    if (this.#queue === undefined) return;
    this.#connection.queuedBytes -= this.#queue.bytes;
    this.#queue = undefined;
  }

  #sent(): void {
    this.#answer = Answer.SENT;
    this.#connection.answered(this);
  }

  #sendable(bytes: number): boolean {
    const { sendWindow, peerFrameBytes } = this.#connection;
    return bytes <= sendWindow && bytes <= this.sendWindow && bytes <= peerFrameBytes;
  }

  #enqueue(bytes: Uint8Array): Queue {
    this.#queue ??= new Queue();
    this.#queue.parts.push(bytes);
    this.#queue.bytes += bytes.length;
    this.#connection.queuedBytes += bytes.length;
    return this.#queue;
  }

  #sendData(bytes: Uint8Array, from: number, length: number, flags: number): void {
    const connection = this.#connection;
    connection.sendWindow -= length;
    this.sendWindow -= length;
    const { output } = connection;
    const at = output.claim(HEAD_BYTES + length);
    putHead(output.bytes, at, length, FrameType.DATA, flags, this.id);
    copy(bytes, from, length, output.bytes, at + HEAD_BYTES);
  }

  #sendHeaders(block: Uint8Array, flags: number): void {
    const { output, peerFrameBytes, tableUpdateDue } = this.#connection;
    if (tableUpdateDue || block.length > peerFrameBytes) {
      this.#connection.sendLongHeaders(this.id, block, flags);
      return;
    }
    const at = output.claim(HEAD_BYTES + block.length);
    putHead(output.bytes, at, block.length, FrameType.HEADERS, flags | Flag.END_HEADERS, this.id);
    copy(block, 0, block.length, output.bytes, at + HEAD_BYTES);
  }
}

/** Below this a loop is faster than a call. */
const SHORT_BYTES = 32;

function copy(source: Uint8Array, from: number, length: number, into: Uint8Array, at: number): void {
  if (length > SHORT_BYTES) into.set(length === source.length ? source : source.subarray(from, from + length), at);
  else for (let i = 0; i < length; i += 1) into[at + i] = source[from + i] as number;
}

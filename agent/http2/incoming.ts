import type { Connection } from './connection.ts';
import type { ControlFrames } from './control-frames.ts';
import type { FrameSink } from './frame-reader.ts';
import { Flag, FrameType, uint31 } from './frames.ts';
import { BLOCK_BYTES_PER_HEADER_BYTE, CHATTER_PER_REQUEST, MAX_CONTINUATIONS, MAX_QUEUED_BYTES } from './limits.ts';
import { RequestHeads } from './request-head.ts';
import { ErrorCode } from './server.ts';
import { Stream } from './stream.ts';

const NO_BLOCK = new Uint8Array(0);

/** Requests: HEADERS, CONTINUATION and DATA -> streams and their readers. All other frames are of the connection (control-frames.ts). */
export class Incoming implements FrameSink {
  readonly #connection: Connection;
  readonly #control: ControlFrames;
  readonly #heads: RequestHeads;
  readonly #maxBlockBytes: number;
  readonly #windowBytes: number;
  readonly #streamWindowBytes: number;
  /** The stream that was opened last, whose DATA comes next as a rule. */
  #latest: Stream | undefined;
  /** Of the DATA that is being read. Without one it is thrown away. */
  #stream: Stream | undefined;
  #dataFlags = 0;
  #dataBytes = 0;
  #settled = false;
  /** A header block that goes on in CONTINUATION: nothing else may come between (RFC 9113, 6.10). 0 where there is none. */
  #blockStream = 0;
  #blockFlags = 0;
  #block: Uint8Array = NO_BLOCK;
  #blockBytes = 0;
  #blockAt = 0;
  #continuations = 0;
  #dependsOnItself = false;

  constructor(connection: Connection, control: ControlFrames) {
    const { options } = connection;
    this.#connection = connection;
    this.#control = control;
    this.#heads = new RequestHeads(options.maxHeaderBytes);
    this.#maxBlockBytes = options.maxHeaderBytes * BLOCK_BYTES_PER_HEADER_BYTE;
    this.#windowBytes = connection.receiveWindow;
    this.#streamWindowBytes = options.streamWindowBytes;
  }

  get over(): boolean {
    return this.#connection.over;
  }

  /** Since when a header block waits for its CONTINUATION, `performance.now()`; 0 where none does. */
  get blockSince(): number {
    return this.#blockStream === 0 ? 0 : this.#blockAt;
  }

  fail(code: number, fault: string): void {
    this.#connection.fail(code, fault);
  }

  frame(type: number, flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.#blockStream !== 0) {
      if (type !== FrameType.CONTINUATION || stream !== this.#blockStream) this.#protocolError();
      else this.#continuation(flags, bytes, from, to);
      return;
    }
    if (!this.#settled) {
      // The first frame of a client is its SETTINGS (RFC 9113, 3.4).
      if (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0) {
        this.#protocolError();
        return;
      }
      this.#settled = true;
      this.#control.settings(flags, stream, bytes, from, to);
      if (!this.over) this.#connection.events.ready();
      return;
    }
    if (type === FrameType.HEADERS) this.#headers(flags, stream, bytes, from, to);
    else if (type === FrameType.CONTINUATION) this.#protocolError();
    else this.#control.frame(type, flags, stream, bytes, from, to);
  }

  dataBegin(flags: number, id: number, length: number): void {
    const connection = this.#connection;
    this.#dataFlags = flags;
    this.#dataBytes = 0;
    this.#stream = undefined;
    if (id % 2 === 0 || this.#blockStream !== 0 || !this.#settled || id > connection.lastStream) {
      this.#protocolError();
      return;
    }
    connection.receiveWindow -= length;
    if (connection.receiveWindow < 0) {
      connection.fail(ErrorCode.FLOW_CONTROL_ERROR, 'flow_control');
      return;
    }
    const latest = this.#latest;
    const stream = latest !== undefined && latest.id === id && !latest.closed ? latest : connection.streams.get(id);
    if (stream === undefined) {
      // Only a client that does not know of our reset yet has a reason (RFC 9113, 5.1, closed).
      if (!connection.forgotten.has(id)) connection.refuse(id, false, ErrorCode.STREAM_CLOSED, 'stream_closed');
      return;
    }
    if (stream.ended) {
      connection.refuse(id, true, ErrorCode.STREAM_CLOSED, 'stream_closed');
      return;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) connection.refuse(id, false, ErrorCode.FLOW_CONTROL_ERROR, 'flow_control');
    else this.#stream = stream;
  }

  data(bytes: Uint8Array, from: number, to: number): void {
    this.#dataBytes += to - from;
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    stream.received += to - from;
    if (stream.contentLength >= 0 && stream.received > stream.contentLength) {
      this.#connection.refuse(stream.id, false, ErrorCode.PROTOCOL_ERROR, 'malformed_request');
      return;
    }
    if (stream.discard === undefined) stream.reader?.data(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
    else if (stream.received > stream.discard.bytes) this.#connection.resetStream(stream, ErrorCode.NO_ERROR);
  }

  dataEnd(): void {
    const connection = this.#connection;
    const ends = (this.#dataFlags & Flag.END_STREAM) !== 0;
    if (this.#dataBytes === 0 && !ends) this.#control.chatter('empty_frame_flood');
    if (connection.over) return;
    // Whoever reads a body has taken it by now, and who was refused has thrown it away: both give it back, half a window at a time.
    if (connection.receiveWindow <= this.#windowBytes / 2) {
      connection.output.windowUpdate(0, this.#windowBytes - connection.receiveWindow);
      connection.receiveWindow = this.#windowBytes;
    }
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    if (ends) {
      this.#end(stream);
    } else if (stream.receiveWindow <= this.#streamWindowBytes / 2) {
      connection.output.windowUpdate(stream.id, this.#streamWindowBytes - stream.receiveWindow);
      stream.receiveWindow = this.#streamWindowBytes;
    }
  }

  #protocolError(): void {
    this.#connection.fail(ErrorCode.PROTOCOL_ERROR, 'protocol');
  }

  #headers(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id % 2 === 0) {
      this.#protocolError();
      return;
    }
    let start = from;
    let end = to;
    if ((flags & Flag.PADDED) !== 0) {
      if (start === end) {
        this.#connection.fail(ErrorCode.FRAME_SIZE_ERROR, 'frame_size');
        return;
      }
      end -= bytes[start] as number;
      start += 1;
    }
    this.#dependsOnItself = false;
    if ((flags & Flag.PRIORITY) !== 0) {
      if (to - start < 5) {
        this.#connection.fail(ErrorCode.FRAME_SIZE_ERROR, 'frame_size');
        return;
      }
      this.#dependsOnItself = uint31(bytes, start) === id;
      start += 5;
    }
    if (start > end) {
      this.#protocolError(); // padding as long as what is left, or longer (RFC 9113, 6.2)
      return;
    }
    if ((flags & Flag.END_HEADERS) !== 0) {
      this.#headerBlock(flags, id, bytes, start, end);
      return;
    }
    this.#blockStream = id;
    this.#blockFlags = flags;
    this.#blockAt = Math.floor(performance.now());
    this.#continuations = 0;
    this.#blockBytes = 0;
    this.#keepBlock(bytes, start, end);
  }

  #continuation(flags: number, bytes: Uint8Array, from: number, to: number): void {
    this.#continuations += 1;
    if (this.#continuations > MAX_CONTINUATIONS) {
      this.#connection.fail(ErrorCode.ENHANCE_YOUR_CALM, 'continuation_flood');
      return;
    }
    if (!this.#keepBlock(bytes, from, to) || (flags & Flag.END_HEADERS) === 0) return;
    const id = this.#blockStream;
    const block = this.#block;
    this.#blockStream = 0;
    this.#block = NO_BLOCK;
    this.#headerBlock(this.#blockFlags, id, block, 0, this.#blockBytes);
  }

  #keepBlock(bytes: Uint8Array, from: number, to: number): boolean {
    const length = this.#blockBytes + to - from;
    if (length > this.#maxBlockBytes) {
      this.#connection.fail(ErrorCode.ENHANCE_YOUR_CALM, 'header_size');
      return false;
    }
    if (length > this.#block.length) {
      const larger = new Uint8Array(Math.min(this.#maxBlockBytes, Math.max(length, 2 * this.#block.length)));
      larger.set(this.#block.subarray(0, this.#blockBytes));
      this.#block = larger;
    }
    this.#block.set(bytes.subarray(from, to), this.#blockBytes);
    this.#blockBytes = length;
    return true;
  }

  /** A whole block: of a new request, the trailers of one, or of a stream that is gone. Each has to be decoded, for the table's sake. */
  #headerBlock(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    const ends = (flags & Flag.END_STREAM) !== 0;
    if (id > connection.lastStream) {
      this.#request(ends, id, bytes, from, to);
      return;
    }
    const stream = connection.streams.get(id);
    if (stream === undefined && !connection.forgotten.has(id)) {
      // Opened and closed before; or left out when a higher one was opened, which closed it (RFC 9113, 5.1.1).
      const leftOut = connection.openedStreams * 2 - 1 < connection.lastStream;
      connection.fail(leftOut ? ErrorCode.PROTOCOL_ERROR : ErrorCode.STREAM_CLOSED, leftOut ? 'protocol' : 'stream_closed');
      return;
    }
    const wellFormed = this.#heads.readTrailers(bytes, from, to);
    if (wellFormed === undefined) connection.fail(ErrorCode.COMPRESSION_ERROR, 'compression');
    // A stream that we have reset: decoded for nothing, so not for ever.
    else if (stream === undefined) this.#control.chatter('stray_frame_flood');
    else if (stream.ended) connection.refuse(id, true, ErrorCode.STREAM_CLOSED, 'stream_closed');
    else if (!wellFormed || !ends || this.#dependsOnItself) connection.refuse(id, ends, ErrorCode.PROTOCOL_ERROR, 'malformed_request');
    else this.#end(stream);
  }

  #request(ends: boolean, id: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    connection.lastStream = id;
    connection.openedStreams += 1;
    const head = this.#heads.read(bytes, from, to);
    if (head === undefined) {
      connection.fail(ErrorCode.COMPRESSION_ERROR, 'compression');
      return;
    }
    if (connection.closing) {
      connection.forget(id); // above what our GOAWAY has named: the client sends it again elsewhere
      this.#control.chatter('stray_frame_flood');
      return;
    }
    connection.lastTaken = id;
    if (head.tooLarge) connection.refuse(id, ends, ErrorCode.ENHANCE_YOUR_CALM, 'header_size');
    else if (head.malformed || this.#dependsOnItself || (ends && head.contentLength > 0))
      connection.refuse(id, ends, ErrorCode.PROTOCOL_ERROR, 'malformed_request');
    else if (this.#crowded()) connection.refuse(id, ends, ErrorCode.REFUSED_STREAM, 'refused_stream');
    else {
      const stream = new Stream(connection, id, head);
      stream.ended = ends;
      connection.streams.add(stream);
      connection.chatter.earn(CHATTER_PER_REQUEST);
      this.#latest = stream;
      const reader = connection.events.stream(stream);
      if (stream.closed) {
        reader?.closed(); // answered or reset on the spot, when nobody knew of the reader
        return;
      }
      stream.reader = reader;
      if (ends) reader?.end();
    }
  }

  /** No new streams: as many as we allow, or answers that the client has to take first. */
  #crowded(): boolean {
    const { streams, options, queuedBytes, output } = this.#connection;
    return streams.size >= options.maxConcurrentStreams || queuedBytes > MAX_QUEUED_BYTES || output.held > MAX_QUEUED_BYTES;
  }

  /** END_STREAM. */
  #end(stream: Stream): void {
    if (stream.contentLength >= 0 && stream.received !== stream.contentLength) {
      stream.ended = true;
      this.#connection.refuse(stream.id, true, ErrorCode.PROTOCOL_ERROR, 'malformed_request');
      return;
    }
    stream.ended = true;
    if (stream.answered) this.#connection.closeStream(stream);
    else if (stream.discard === undefined) stream.reader?.end();
  }
}

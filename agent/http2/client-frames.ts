import type { Fields } from './client.ts';
import type { ClientConnection } from './client-session.ts';
import type { ClientStream } from './client-stream.ts';
import type { FrameSink } from './frame-reader.ts';
import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_TABLE_BYTES,
  DEFAULT_WINDOW_BYTES,
  Flag,
  FrameType,
  MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  Setting,
  uint31,
  uint32,
} from './frames.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { BLOCK_BYTES_PER_HEADER_BYTE, MAX_CONTINUATIONS } from './limits.ts';
import { ErrorCode } from './server.ts';

/** Of an answer's header list: as node:http2 has it. */
const MAX_HEADER_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);
const STATUS = /^[1-9][0-9]{2}$/;

/** What a server sends us: answers, and what steers connection and streams. */
export class ClientFrames implements FrameSink {
  readonly #connection: ClientConnection;
  readonly #hpack = new HpackDecoder(MAX_HEADER_BYTES);
  #greeted = false;
  #peerTableBytes = DEFAULT_TABLE_BYTES;
  #receiveWindow: number;
  /** A header block that goes on in CONTINUATION, and of which stream; 0 where there is none. */
  #block: Uint8Array = NOTHING;
  #blockStream = 0;
  #blockFlags = 0;
  #continuations = 0;
  /** The DATA frame at hand. */
  #stream: ClientStream | undefined;
  #flags = 0;
  #length = 0;

  constructor(connection: ClientConnection) {
    this.#connection = connection;
    this.#receiveWindow = connection.options.sessionWindowBytes;
  }

  get over(): boolean {
    return this.#connection.over;
  }

  fail(code: number, fault: string): void {
    this.#connection.fail(code, fault);
  }

  frame(type: number, flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    if (!this.#greeted && type !== FrameType.SETTINGS) {
      this.#protocolError('the peer does not begin with SETTINGS');
      return;
    }
    if (this.#blockStream !== 0 && (type !== FrameType.CONTINUATION || stream !== this.#blockStream)) {
      this.#protocolError('a header block is interrupted');
      return;
    }
    switch (type) {
      case FrameType.HEADERS:
        this.#headers(flags, stream, bytes, from, to);
        break;
      case FrameType.CONTINUATION:
        this.#continuation(flags, stream, bytes, from, to);
        break;
      case FrameType.RST_STREAM:
        this.#rstStream(stream, bytes, from, to);
        break;
      case FrameType.SETTINGS:
        this.#settings(flags, stream, bytes, from, to);
        break;
      case FrameType.PING:
        this.#ping(flags, stream, bytes, from, to);
        break;
      case FrameType.GOAWAY:
        if (stream !== 0 || to - from < 8) this.#sizeError(stream);
        else this.#connection.goaway(uint31(bytes, from));
        break;
      case FrameType.WINDOW_UPDATE:
        this.#windowUpdate(stream, bytes, from, to);
        break;
      case FrameType.PUSH_PROMISE:
        this.#protocolError('PUSH_PROMISE, which our SETTINGS forbid');
        break;
      default:
        this.#isChatter(); // PRIORITY and types of extensions
    }
  }

  dataBegin(flags: number, id: number, length: number): void {
    const connection = this.#connection;
    this.#stream = undefined;
    this.#flags = flags;
    this.#length = length;
    if (!this.#greeted || this.#blockStream !== 0 || !this.#isKnown(id)) {
      this.#protocolError('DATA where none may be');
      return;
    }
    // Never below 0: a frame has 16 KiB at most, and half of a window is always given.
    this.#receiveWindow -= length;
    if (length === 0 && (flags & Flag.END_STREAM) === 0 && !this.#isChatter()) return;
    const stream = connection.streams.get(id);
    if (stream === undefined) return; // it was cancelled, and the peer did not know yet
    stream.receiveWindow -= length;
    if (!stream.answered) connection.reset(stream, ErrorCode.PROTOCOL_ERROR, 'HTTP/2 DATA before HEADERS');
    else this.#stream = stream;
  }

  data(bytes: Uint8Array, from: number, to: number): void {
    const stream = this.#stream;
    if (stream !== undefined && !stream.closed) stream.events.data(bytes.subarray(from, to));
  }

  dataEnd(): void {
    const { output, options } = this.#connection;
    const missing = options.sessionWindowBytes - this.#receiveWindow;
    if (missing >= options.sessionWindowBytes / 2) {
      output.windowUpdate(0, missing);
      this.#receiveWindow += missing;
    }
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    if ((this.#flags & Flag.END_STREAM) !== 0) {
      this.#connection.answered(stream);
      return;
    }
    const used = DEFAULT_WINDOW_BYTES - stream.receiveWindow;
    if (used < DEFAULT_WINDOW_BYTES / 2) return;
    output.windowUpdate(stream.id, used);
    stream.receiveWindow += used;
  }

  #headers(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    let start = from;
    let end = to;
    if ((flags & Flag.PADDED) !== 0) {
      start += 1;
      end -= bytes[from] as number;
    }
    if ((flags & Flag.PRIORITY) !== 0) start += 5;
    if (start > end || !this.#isKnown(id)) {
      this.#protocolError('HEADERS where none may be');
      return;
    }
    if ((flags & Flag.END_HEADERS) !== 0) {
      this.#list(id, flags, bytes, start, end);
      return;
    }
    this.#block = bytes.slice(start, end);
    this.#blockStream = id;
    this.#blockFlags = flags;
    this.#continuations = 0;
  }

  #continuation(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.#blockStream === 0) {
      this.#protocolError('CONTINUATION of nothing');
      return;
    }
    this.#continuations += 1;
    const length = this.#block.length + to - from;
    if (this.#continuations > MAX_CONTINUATIONS || length > BLOCK_BYTES_PER_HEADER_BYTE * MAX_HEADER_BYTES) {
      this.#connection.fail(ErrorCode.ENHANCE_YOUR_CALM, 'a header block without end');
      return;
    }
    this.#block = Buffer.concat([this.#block, bytes.subarray(from, to)], length);
    if ((flags & Flag.END_HEADERS) === 0) return;
    const block = this.#block;
    this.#block = NOTHING;
    this.#blockStream = 0;
    this.#list(id, this.#blockFlags, block, 0, block.length);
  }

  /** A header list is complete. It is decoded in any case, as the table for the next one depends on it. */
  #list(id: number, flags: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    if (!this.#hpack.decode(bytes, from, to)) {
      connection.fail(ErrorCode.COMPRESSION_ERROR, 'header block that is broken');
      return;
    }
    const stream = connection.streams.get(id);
    if (stream === undefined) {
      this.#isChatter();
      return;
    }
    const ends = (flags & Flag.END_STREAM) !== 0;
    if (this.#hpack.listBytes > MAX_HEADER_BYTES) {
      connection.reset(stream, ErrorCode.ENHANCE_YOUR_CALM, `HTTP/2 header list of more than ${MAX_HEADER_BYTES} bytes`);
      return;
    }
    const fields = this.#fields();
    const status = fields.get(':status');
    if (stream.answered) {
      if (!ends || status !== undefined) {
        connection.reset(stream, ErrorCode.PROTOCOL_ERROR, 'HTTP/2 trailers that are none');
        return;
      }
      stream.events.trailers(fields);
    } else {
      if (status === undefined || !STATUS.test(status) || (ends && status.startsWith('1'))) {
        connection.reset(stream, ErrorCode.PROTOCOL_ERROR, 'HTTP/2 answer without a status');
        return;
      }
      if (status.startsWith('1')) {
        this.#isChatter();
        return;
      }
      stream.answered = true;
      stream.events.response(fields);
    }
    if (ends && !stream.closed) connection.answered(stream);
  }

  #fields(): Fields {
    const { fields, count } = this.#hpack;
    const found = new Map<string, string>();
    for (let i = 0; i < count; i += 1) {
      const { name, value } = fields[i] as { name: string; value: string };
      const before = found.get(name);
      found.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    return found;
  }

  #rstStream(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4 || !this.#isKnown(id)) {
      this.#sizeError(id);
      return;
    }
    const stream = this.#connection.streams.get(id);
    if (stream === undefined) {
      this.#isChatter();
      return;
    }
    const code = uint32(bytes, from) >>> 0;
    this.#connection.closeStream(stream, code, code === ErrorCode.REFUSED_STREAM && !stream.answered, '');
  }

  #settings(flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    const ack = (flags & Flag.ACK) !== 0;
    if (stream !== 0 || (to - from) % 6 !== 0 || (ack && to > from)) {
      this.#sizeError(stream);
      return;
    }
    if (!this.#isChatter() || ack) return;
    let maxStreams = connection.maxStreams;
    for (let at = from; at < to; at += 6) {
      const name = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      const value = uint32(bytes, at + 2) >>> 0;
      if (name === Setting.INITIAL_WINDOW_SIZE) {
        if (!this.#resizeWindows(value)) return;
      } else if (name === Setting.MAX_FRAME_SIZE) {
        if (value < DEFAULT_FRAME_BYTES || value > MAX_FRAME_BYTES) {
          this.#protocolError('MAX_FRAME_SIZE that is none');
          return;
        }
        connection.peerFrameBytes = value;
      } else if (name === Setting.ENABLE_PUSH) {
        if (value !== 0) {
          this.#protocolError('ENABLE_PUSH of a server');
          return;
        }
      } else if (name === Setting.HEADER_TABLE_SIZE) {
        if (value < this.#peerTableBytes) connection.tableUpdateDue = true;
        this.#peerTableBytes = value;
      } else if (name === Setting.MAX_CONCURRENT_STREAMS) maxStreams = value;
    }
    connection.maxStreams = maxStreams;
    connection.sendDue = true;
    connection.output.frame(FrameType.SETTINGS, 0, Flag.ACK, NOTHING, 0, 0);
    const first = !this.#greeted;
    this.#greeted = true;
    if (first || to > from) connection.events.settings(Number.isFinite(maxStreams) ? maxStreams : undefined);
  }

  /** RFC 9113, 6.9.2: streams that are open get the difference, and may be below 0 then. */
  #resizeWindows(window: number): boolean {
    const connection = this.#connection;
    const more = window - connection.peerStreamWindow;
    let wrong = window > MAX_WINDOW_BYTES;
    for (const stream of connection.streams.values()) {
      stream.sendWindow += more;
      wrong ||= stream.sendWindow > MAX_WINDOW_BYTES;
    }
    connection.peerStreamWindow = window;
    if (wrong) connection.fail(ErrorCode.FLOW_CONTROL_ERROR, 'window that is too large');
    return !wrong;
  }

  #ping(flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    if (stream !== 0 || to - from !== 8) {
      this.#sizeError(stream);
      return;
    }
    if ((flags & Flag.ACK) !== 0) this.#connection.pinged();
    else if (this.#isChatter()) this.#connection.pongs.frame(FrameType.PING, 0, Flag.ACK, bytes, from, to);
  }

  #windowUpdate(id: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    const more = to - from === 4 ? uint31(bytes, from) : 0;
    if (id === 0) {
      connection.sendWindow += more;
      if (more === 0) this.#protocolError('WINDOW_UPDATE of 0');
      else if (connection.sendWindow > MAX_WINDOW_BYTES) connection.fail(ErrorCode.FLOW_CONTROL_ERROR, 'window that is too large');
      connection.sendDue = true;
      return;
    }
    if (to - from !== 4 || !this.#isKnown(id)) {
      this.#sizeError(id);
      return;
    }
    const stream = connection.streams.get(id);
    if (stream === undefined) return; // it was sent before the peer knew that the call is over
    stream.sendWindow += more;
    if (more === 0) connection.reset(stream, ErrorCode.PROTOCOL_ERROR, 'HTTP/2 WINDOW_UPDATE of 0');
    else if (stream.sendWindow > MAX_WINDOW_BYTES)
      connection.reset(stream, ErrorCode.FLOW_CONTROL_ERROR, 'HTTP/2 window that is too large');
    connection.sendDue = true;
  }

  /** Whether we have opened such a stream. */
  #isKnown(id: number): boolean {
    return id % 2 === 1 && id < this.#connection.nextId;
  }

  /** A frame that brings no answer further. False where there were too many, and the connection has ended. */
  #isChatter(): boolean {
    if (this.#connection.chatter.spend()) return true;
    this.#connection.fail(ErrorCode.ENHANCE_YOUR_CALM, 'frames without end and use');
    return false;
  }

  #protocolError(what: string): void {
    this.#connection.fail(ErrorCode.PROTOCOL_ERROR, what);
  }

  #sizeError(stream: number): void {
    this.#connection.fail(ErrorCode.FRAME_SIZE_ERROR, `frame of stream ${stream} that is none of its type`);
  }
}

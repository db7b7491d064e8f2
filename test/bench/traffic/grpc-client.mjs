/**
 * One HTTP/2 connection of the open-loop driver: sends prepared requests as its windows allow, tells what became of each, and allocates
 * nothing per request where the windows are open.
 */
import { connect } from 'node:net';
import { nowMs } from './clock.mjs';
import {
  FLAG,
  FRAME,
  FrameReader,
  frame,
  HEADER_BYTES,
  PREFACE,
  PREFIX_BYTES,
  readSettings,
  requestBlocks,
  SETTING,
  settings,
  windowUpdate,
  writeHeader,
} from './frames.mjs';
import { MARK } from './scan.mjs';

/** What every peer takes without having said so (RFC 9113, 6.5.2), and what gRPC clients send. */
const FRAME_BYTES = 16_384;
const DEFAULT_WINDOW_BYTES = 65_535;
const BUFFER_BYTES = 256 * 1024;
/** Requests of one connection that may be unanswered, a power of two. */
const IN_FLIGHT = 65_536;
/** What gzip makes of two bytes, and some. */
const MAX_COMPRESSED_BYTES = 40;
const shared = Buffer.allocUnsafeSlow(64 * 1024);
/** Buffers that the kernel has taken over, for the next writes of any connection. */
const free = [];

export class GrpcClient {
  /** @param outcome called with the intended time of a request and whether it succeeded */
  constructor(port, path, outcome, encoding = 'identity') {
    this.outcome = outcome;
    this.blocks = requestBlocks({ path, authority: `127.0.0.1:${port}`, encoding });
    this.compressed = encoding !== 'identity';
    this.first = true;
    this.nextStream = 1;
    this.open = 0;
    this.maxOpen = 100;
    this.window = DEFAULT_WINDOW_BYTES;
    this.streamWindow = DEFAULT_WINDOW_BYTES;
    this.intended = new Float64Array(IN_FLIGHT);
    this.answered = new Uint8Array(IN_FLIGHT);
    /** Begun, and held by a window: stream to what is left. In order of their beginning. */
    this.held = new Map();
    /** Not begun, as the peer allows no more streams. */
    this.waiting = [];
    this.out = undefined;
    this.at = 0;
    this.problem = undefined;
    const reader = new FrameReader(this);
    this.ready = new Promise((resolve, reject) => {
      this.onReady = resolve;
      this.onFailed = reject;
    });
    const callback = (bytes, buffer) => {
      reader.read(buffer, bytes);
      this.flush();
      return true;
    };
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: shared, callback } });
    this.socket.on('error', (error) => this.#failed(error.message));
    this.socket.on('close', () => this.#failed('the connection was closed'));
    this.socket.write(
      Buffer.concat([
        PREFACE,
        settings([[SETTING.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW_BYTES]]),
        windowUpdate(0, 2 ** 31 - 1 - DEFAULT_WINDOW_BYTES),
      ]),
    );
  }

  /**
   * Queues one request; `flush` sends what is queued.
   *
   * @param template `{ message, mark }`: the gRPC message with its prefix, and where in it the mark goes
   * @param intendedMs goes into the mark and comes back with the outcome
   */
  request(template, intendedMs) {
    if (this.open >= this.maxOpen) this.waiting.push({ template, intendedMs });
    else this.#begin(template, intendedMs);
  }

  flush() {
    if (this.at === 0) return;
    const buffer = this.out;
    this.socket.write(buffer.subarray(0, this.at), () => free.push(buffer));
    this.out = undefined;
    this.at = 0;
  }

  close() {
    this.onClosed = true;
    this.socket.destroy();
  }

  #begin(template, intendedMs) {
    const stream = this.nextStream;
    this.nextStream += 2;
    this.open += 1;
    const slot = (stream >> 1) % IN_FLIGHT;
    this.intended[slot] = intendedMs;
    this.answered[slot] = 0;
    const block = this.first ? this.blocks.first : this.blocks.others;
    this.first = false;
    this.#room(HEADER_BYTES + block.length);
    writeHeader(this.out, this.at, block.length, FRAME.HEADERS, FLAG.END_HEADERS, stream);
    block.copy(this.out, this.at + HEADER_BYTES);
    this.at += HEADER_BYTES + block.length;
    const { length } = template.message;
    if (this.held.size === 0 && length <= this.window && length <= this.streamWindow) {
      this.window -= length;
      for (let from = 0; from < length; from += FRAME_BYTES)
        this.#data(stream, template, from, Math.min(length, from + FRAME_BYTES), intendedMs);
      return;
    }
    this.held.set(stream, { template, intendedMs, from: 0, window: this.streamWindow });
    this.#goOn();
  }

  #data(stream, template, from, to, intendedMs) {
    const { message, mark } = template;
    this.#room(HEADER_BYTES + to - from);
    writeHeader(this.out, this.at, to - from, FRAME.DATA, to === message.length ? FLAG.END_STREAM : 0, stream);
    const start = this.at + HEADER_BYTES;
    message.copy(this.out, start, from, to);
    // The mark is in the first frame: what comes before it is the resource.
    if (from <= mark && mark + 12 <= to) {
      this.out.writeUInt32BE(MARK, start + mark - from);
      this.out.writeDoubleBE(intendedMs, start + mark - from + 4);
    } else if (from < mark + 12 && mark < to) {
      this.problem ??= 'a mark was cut by a frame';
    }
    this.at = start + to - from;
  }

  #goOn() {
    for (const [stream, one] of this.held) {
      const { message } = one.template;
      while (one.from < message.length) {
        const length = Math.min(FRAME_BYTES, message.length - one.from, one.window, this.window);
        if (length <= 0) break;
        this.#data(stream, one.template, one.from, one.from + length, one.intendedMs);
        one.from += length;
        one.window -= length;
        this.window -= length;
      }
      if (one.from === message.length) this.held.delete(stream);
      if (this.window <= 0) return;
    }
  }

  #room(bytes) {
    if (this.out !== undefined && this.at + bytes <= BUFFER_BYTES) return;
    this.flush();
    this.out = free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  onData(stream, _bytes, from, to) {
    this.answered[(stream >> 1) % IN_FLIGHT] += to - from;
  }

  onFrame(type, flags, stream, payload) {
    if (type === FRAME.HEADERS || type === FRAME.DATA) {
      if ((flags & FLAG.END_STREAM) !== 0)
        this.#ended(stream, type === FRAME.HEADERS && this.#isSuccess(this.answered[(stream >> 1) % IN_FLIGHT]));
    } else if (type === FRAME.WINDOW_UPDATE) {
      const increment = payload.readUInt32BE(0) & 0x7fffffff;
      if (stream === 0) this.window += increment;
      else if (this.held.has(stream)) this.held.get(stream).window += increment;
      if (this.held.size > 0) this.#goOn();
    } else if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) {
      this.#settings(payload);
    } else if (type === FRAME.PING && (flags & FLAG.ACK) === 0) {
      this.socket.write(frame(FRAME.PING, FLAG.ACK, 0, Buffer.from(payload)));
    } else if (type === FRAME.RST_STREAM) {
      this.held.delete(stream);
      this.#ended(stream, false);
    } else if (type === FRAME.GOAWAY) {
      this.#failed('GOAWAY');
    }
  }

  #settings(payload) {
    for (const [id, value] of readSettings(payload)) {
      if (id === SETTING.MAX_CONCURRENT_STREAMS) this.maxOpen = Math.min(value, IN_FLIGHT);
      if (id === SETTING.INITIAL_WINDOW_SIZE) {
        for (const one of this.held.values()) one.window += value - this.streamWindow;
        this.streamWindow = value;
      }
      if (id === SETTING.HEADER_TABLE_SIZE && value < 4096) this.#failed('the peer has a small header table');
    }
    this.socket.write(frame(FRAME.SETTINGS, FLAG.ACK, 0));
    this.#goOn();
    this.onReady();
  }

  #ended(stream, ok) {
    this.open -= 1;
    this.outcome(this.intended[(stream >> 1) % IN_FLIGHT], ok, nowMs());
    if (this.waiting.length > 0 && this.open < this.maxOpen) {
      const { template, intendedMs } = this.waiting.shift();
      this.#begin(template, intendedMs);
    }
  }

  /**
   * Who refuses sends no message. A success is an empty one; the Collector's has an empty partial_success of two bytes, and is compressed as
   * the request was. More says that a part was rejected.
   */
  #isSuccess(bytes) {
    return bytes >= PREFIX_BYTES && bytes <= PREFIX_BYTES + (this.compressed ? MAX_COMPRESSED_BYTES : 2);
  }

  #failed(problem) {
    if (this.onClosed) return;
    this.problem ??= problem;
    this.onFailed(new Error(problem));
  }
}

/** One HTTP/2 connection of the driver. Its own codec, as the benches have it: node:http2 would be slower than what is tested. */
import { connect } from 'node:net';
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
} from '../../bench/traffic/frames.mjs';

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const FRAME_BYTES = 16_384;
const DEFAULT_WINDOW_BYTES = 65_535;
const REFUSED_STREAM = 7;

export class GrpcConnection {
  /**
   * @param answered called with the number of a request and how it was answered: `ok`, `14 OTLP_QUEUE_FULL retry`, `untaken` ...
   * @param ended called once, when nothing more can be sent and every request has had its word
   */
  constructor(port, encoding, answered, ended) {
    this.answered = answered;
    this.ended = ended;
    this.blocks = requestBlocks({ path: PATH, authority: `127.0.0.1:${port}`, encoding });
    this.compressed = encoding === 'identity' ? 0 : 1;
    this.first = true;
    this.nextStream = 1;
    /** By stream: number, and what is left of a body that a window holds. */
    this.open = new Map();
    this.held = new Set();
    this.window = DEFAULT_WINDOW_BYTES;
    this.streamWindow = DEFAULT_WINDOW_BYTES;
    this.maxOpen = 100;
    this.goaways = 0;
    this.corked = false;
    this.over = false;
    this.ready = new Promise((resolve) => {
      this.onReady = resolve;
    });
    const reader = new FrameReader(this);
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (bytes) => reader.read(bytes, bytes.length));
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.#over());
    this.#write(PREFACE, settings([[SETTING.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW_BYTES]]), windowUpdate(0, 2 ** 30));
  }

  /** No more requests may begin here. */
  get leaving() {
    return this.goaways > 0 || this.over;
  }

  get hasRoom() {
    return !this.leaving && this.open.size < this.maxOpen;
  }

  send(number, body) {
    const stream = this.nextStream;
    this.nextStream += 2;
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix[0] = this.compressed;
    prefix.writeUInt32BE(body.length, 1);
    const block = this.first ? this.blocks.first : this.blocks.others;
    this.first = false;
    const one = { number, rest: Buffer.concat([prefix, body]), window: this.streamWindow };
    this.open.set(stream, one);
    this.#write(frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, block));
    this.#goOn(stream, one);
  }

  end() {
    this.socket.end();
  }

  #goOn(stream, one) {
    while (one.rest.length > 0) {
      const length = Math.min(FRAME_BYTES, one.rest.length, one.window, this.window);
      if (length <= 0) {
        this.held.add(stream);
        return;
      }
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      writeHeader(header, 0, length, FRAME.DATA, length === one.rest.length ? FLAG.END_STREAM : 0, stream);
      this.#write(header, one.rest.subarray(0, length));
      one.rest = one.rest.subarray(length);
      one.window -= length;
      this.window -= length;
    }
    this.held.delete(stream);
  }

  #goOnAll() {
    for (const stream of this.held) {
      if (this.window <= 0) return;
      this.#goOn(stream, this.open.get(stream));
    }
  }

  #write(...parts) {
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      setImmediate(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    for (const part of parts) this.socket.write(part);
  }

  onData() {}

  onFrame(type, flags, stream, payload) {
    if (type === FRAME.HEADERS) {
      if ((flags & FLAG.END_STREAM) !== 0) this.#done(stream, outcomeOf(payload));
    } else if (type === FRAME.RST_STREAM) {
      const code = payload.readUInt32BE(0);
      this.#done(stream, code === REFUSED_STREAM ? 'untaken' : `reset ${code}`);
    } else if (type === FRAME.GOAWAY) {
      this.goaways += 1;
      const last = payload.readUInt32BE(0) & 0x7fffffff;
      const code = payload.readUInt32BE(4);
      for (const each of [...this.open.keys()]) if (each > last) this.#done(each, code === 0 ? 'untaken' : `goaway ${code}`);
      this.#endIfIdle();
    } else if (type === FRAME.WINDOW_UPDATE) {
      const increment = payload.readUInt32BE(0) & 0x7fffffff;
      if (stream === 0) this.window += increment;
      else if (this.open.has(stream)) this.open.get(stream).window += increment;
      this.#goOnAll();
    } else if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) {
      this.#settings(payload);
    } else if (type === FRAME.PING && (flags & FLAG.ACK) === 0) {
      this.#write(frame(FRAME.PING, FLAG.ACK, 0, Buffer.from(payload)));
    }
  }

  #settings(payload) {
    for (const [id, value] of readSettings(payload)) {
      if (id === SETTING.MAX_CONCURRENT_STREAMS) this.maxOpen = value;
      if (id === SETTING.INITIAL_WINDOW_SIZE) {
        for (const one of this.open.values()) one.window += value - this.streamWindow;
        this.streamWindow = value;
      }
    }
    this.#write(frame(FRAME.SETTINGS, FLAG.ACK, 0));
    this.#goOnAll();
    this.onReady();
  }

  #done(stream, outcome) {
    const one = this.open.get(stream);
    if (one === undefined) return;
    this.open.delete(stream);
    this.held.delete(stream);
    this.answered(one.number, outcome);
    this.#endIfIdle();
  }

  #endIfIdle() {
    if (this.leaving && this.open.size === 0) this.socket.end();
  }

  #over() {
    this.over = true;
    const left = [...this.open.values()];
    this.open.clear();
    for (const { number } of left) this.answered(number, 'unanswered');
    this.onReady();
    this.ended();
  }
}

/** Blocks of answers are few: each is read once. */
const known = new Map();

function outcomeOf(block) {
  const key = block.latin1Slice();
  let outcome = known.get(key);
  if (outcome === undefined) {
    outcome = read(key);
    known.set(key, outcome);
  }
  return outcome;
}

/** The agent's header blocks are literals without Huffman coding (agent/http2/response-block.ts): name, length, value. */
function read(block) {
  const value = (name) => {
    const at = block.indexOf(`${String.fromCharCode(name.length)}${name}`);
    if (at < 0) return undefined;
    let from = at + 1 + name.length;
    let length = block.charCodeAt(from++);
    // RFC 7541, 5.1: from 127 on there is a second octet; nothing here is longer than 254.
    if (length === 127) length += block.charCodeAt(from++);
    return block.slice(from, from + length);
  };
  const status = value('grpc-status');
  if (status === undefined) return 'no grpc-status';
  if (status === '0') return 'ok';
  const code = /\((OTLP_\w+)\)/u.exec(value('grpc-message') ?? '')?.[1];
  const details = Buffer.from(value('grpc-status-details-bin') ?? '', 'base64').latin1Slice();
  return [status, code, details.includes('google.rpc.RetryInfo') ? 'retry' : undefined].filter((each) => each !== undefined).join(' ');
}

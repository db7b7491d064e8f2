/**
 * The next hop: OTLP/gRPC on raw sockets. Takes everything, says yes, counts every item and says how long marked requests took from
 * their intended send time until the whole of them was here. A process of its own.
 *
 *   argv      how many ports
 *   messages  { reset: { signal, encoding, delaysMs } } | 'progress' | 'finish'
 *
 * Uncompressed bodies are counted as they come. Compressed ones are kept and counted at 'finish': inflating takes more than what sends
 * them, and the sink would be what is measured. A sample is decoded with protobufjs at 'finish', too.
 */
import { createServer, Socket } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { nowMs } from './clock.mjs';
import { ANSWER, FLAG, FRAME, FrameReader, frame, PREFACE, PREFIX_BYTES, SETTING, settings, windowUpdate } from './frames.mjs';
import { countItems } from './scan.mjs';
import { summaryOf } from './summary.mjs';

/** More than the largest batch: 8192 spans of 10 KiB. */
const STREAM_WINDOW_BYTES = 512 * 2 ** 20;
const CONNECTION_WINDOW_BYTES = 1024 * 2 ** 20;
const DEFAULT_WINDOW_BYTES = 65_535;
const SAMPLE_EVERY = 20;
const MAX_SAMPLES = 8;
const INFLATE = { identity: (body) => body, gzip: gunzipSync, zstd: zstdDecompressSync };
/** Reads of all connections land here: a buffer for each read costs twice as much. */
const shared = Buffer.allocUnsafeSlow(256 * 1024);

let job;
let counted;
reset({});

class Connection {
  constructor(socket, upstream) {
    this.socket = socket;
    this.upstream = upstream;
    this.messages = new Map();
    this.consumed = 0;
    this.reader = new FrameReader(this, PREFACE.length);
    socket.write(
      Buffer.concat([
        settings([
          [SETTING.MAX_CONCURRENT_STREAMS, 1000],
          [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
        ]),
        windowUpdate(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES),
      ]),
    );
  }

  onData(stream, bytes, from, to) {
    this.consumed += to - from;
    let message = this.messages.get(stream);
    if (message === undefined) {
      message = { prefix: Buffer.alloc(PREFIX_BYTES), got: 0, body: undefined };
      this.messages.set(stream, message);
    }
    let at = from;
    while (message.got < PREFIX_BYTES && at < to) message.prefix[message.got++] = bytes[at++];
    if (at === to) return;
    message.body ??= take(message.prefix.readUInt32BE(1));
    bytes.copy(message.body, message.got - PREFIX_BYTES, at, to);
    message.got += to - at;
  }

  onFrame(type, flags, stream, payload) {
    if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) this.socket.write(frame(FRAME.SETTINGS, FLAG.ACK, 0));
    else if (type === FRAME.PING && (flags & FLAG.ACK) === 0) this.socket.write(frame(FRAME.PING, FLAG.ACK, 0, Buffer.from(payload)));
    else if (type === FRAME.RST_STREAM) this.messages.delete(stream);
    else if (type === FRAME.DATA) {
      if (this.consumed > CONNECTION_WINDOW_BYTES / 4) {
        this.socket.write(windowUpdate(0, this.consumed));
        this.consumed = 0;
      }
      if ((flags & FLAG.END_STREAM) !== 0) this.#complete(stream);
    }
  }

  #complete(stream) {
    const message = this.messages.get(stream);
    this.messages.delete(stream);
    const length = message.got - PREFIX_BYTES;
    if (length !== message.prefix.readUInt32BE(1)) counted.problems.push(`a message of ${length} bytes says it has another length`);
    deliver(message.body ?? Buffer.alloc(0), length, message.prefix[0] === 1, this.upstream);
    const delay = job.delaysMs[this.upstream] ?? 0;
    if (delay === 0) this.#answer(stream);
    else setTimeout(() => this.#answer(stream), delay);
  }

  #answer(stream) {
    this.socket.write(
      Buffer.concat([
        frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, ANSWER.headers),
        frame(FRAME.DATA, 0, stream, Buffer.alloc(PREFIX_BYTES)),
        frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, stream, ANSWER.trailers),
      ]),
    );
  }
}

function deliver(body, length, compressed, upstream) {
  const at = nowMs();
  counted.requests += 1;
  counted.bytes += length;
  counted.lastAt = at;
  counted.upstreams[upstream] = (counted.upstreams[upstream] ?? 0) + 1;
  const whole = body.subarray(0, length);
  if (compressed) {
    counted.kept.push(whole);
    return;
  }
  try {
    counted.items += countItems(whole, job.signal, (mark) => {
      counted.latencies[counted.marks % counted.latencies.length] = at - whole.readDoubleBE(mark);
      counted.marks += 1;
    });
  } catch (error) {
    counted.problems.push(error.message);
  }
  if (counted.requests % SAMPLE_EVERY === 1 && counted.samples.length < MAX_SAMPLES) counted.samples.push(Buffer.from(whole));
  if (free.length < MAX_FREE) free.push(body);
}

/** Buffers of bodies that were counted: fresh ones would cost a page fault for every 4 KiB. */
const free = [];
const MAX_FREE = 64;
const SMALLEST = 64 * 1024;

function take(length) {
  if (job.encoding !== 'identity') return Buffer.allocUnsafeSlow(length);
  const found = free.pop();
  if (found !== undefined && found.length >= length) return found;
  return Buffer.allocUnsafeSlow(Math.max(SMALLEST, Math.ceil(length * 1.25)));
}

function reset({ signal = 'traces', encoding = 'identity', delaysMs = [] }) {
  job = { signal, encoding, delaysMs };
  counted = {
    requests: 0,
    items: 0,
    bytes: 0,
    lastAt: 0,
    marks: 0,
    latencies: counted?.latencies ?? new Float64Array(2 ** 21),
    kept: [],
    samples: [],
    upstreams: [],
    problems: [],
  };
}

function finish() {
  for (const body of counted.kept) {
    try {
      const inflated = INFLATE[job.encoding](body);
      counted.items += countItems(inflated, job.signal);
      if (counted.samples.length < 2) counted.samples.push(inflated);
    } catch (error) {
      counted.problems.push(error.message);
    }
  }
  const { requests, items, bytes, lastAt, upstreams, problems, samples } = counted;
  const latencies = counted.latencies.slice(0, Math.min(counted.marks, counted.latencies.length)).sort();
  counted.kept = [];
  return {
    requests,
    items,
    bytes,
    lastAt,
    upstreams,
    problems: [...new Set(problems)].slice(0, 5),
    latency: latencySummary(latencies),
    sample: summaryOf(samples, job.signal),
  };
}

function latencySummary(sorted) {
  const at = (q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (sorted.length === 0) return undefined;
  return { count: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: sorted.at(-1) };
}

function listen(upstream) {
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    // As agent/runtime/wire.ts does: only a socket that is made from a handle can have one buffer for all of its reads.
    const handle = accepted._handle;
    accepted._handle = null;
    let connection;
    const callback = (bytes, buffer) => {
      connection.reader.read(buffer, bytes);
      return true;
    };
    const socket = new Socket({ handle, onread: { buffer: shared, callback } });
    socket.on('error', () => {});
    socket.once('close', () => accepted.destroy());
    connection = new Connection(socket, upstream);
    socket.resume();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

const ports = await Promise.all(Array.from({ length: Number(process.argv[2] ?? 1) }, (_, upstream) => listen(upstream)));
process.send({ ports });
process.on('message', (message) => {
  if (message === 'progress') {
    const { requests, items, bytes, lastAt } = counted;
    process.send({ requests, items, bytes, lastAt });
  } else if (message === 'finish') {
    process.send(finish());
  } else {
    reset(message.reset);
    process.send({});
  }
});
process.on('disconnect', () => process.exit(0));

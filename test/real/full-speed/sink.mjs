/**
 * The next hops, OTLP/gRPC on raw sockets or OTLP/HTTP, which do as they are told and count every span. A process of its own.
 *
 *   argv      protocol, ports, content coding
 *   messages  { mode: { hop, kind, delayMs } }  from now on: `take` (after delayMs), `refuse` (with a time to wait), `cut` (takes and ends
 *                                         the connection instead of answering), `stopped` (nobody listens)
 *             'progress'                  { items, requests, refusals, cuts }
 *             { finish: folder }          writes the ledgers `delivered` and `cut`; the same numbers, and items by hop
 *
 * What it has counted and answered, the agent has read: before a hop stops, it stops counting, and waits for the answer to a PING that
 * follows its last answer. So only `cut` makes duplicates, and those are known one by one.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { FLAG, FRAME, FrameReader, frame, PREFACE, PREFIX_BYTES, SETTING, settings, windowUpdate } from '../../bench/traffic/frames.mjs';
import { countItems } from '../../bench/traffic/scan.mjs';
import { ANSWER_OK, ANSWER_REFUSED, ANSWER_UNIMPLEMENTED, RETRY_AFTER_S } from './answers.mjs';
import { Ledger } from './ledger.mjs';

const WINDOW_BYTES = 2 ** 30;
const DEFAULT_WINDOW_BYTES = 65_535;
const INFLATE = { none: (body) => body, gzip: gunzipSync, zstd: zstdDecompressSync };

const [protocol, ports, coding] = process.argv.slice(2);
const delivered = new Ledger();
const cut = new Ledger();
const counted = { items: 0, cutItems: 0, requests: 0, refusals: 0, cuts: 0, problems: [] };
const hops = ports.split(',').map((port) => ({
  kind: 'take',
  delayMs: 0,
  items: 0,
  port: Number(port),
  server: undefined,
  connections: new Set(),
}));

/** Every span of a request is here: what becomes of it. */
function judge(hop, body) {
  if (hop.kind === 'refuse') {
    counted.refusals += 1;
    return 'refuse';
  }
  if (hop.kind === 'stopped') return 'nothing';
  const lost = hop.kind === 'cut';
  try {
    const plain = INFLATE[coding](body);
    const items = countItems(plain, 'traces', (mark) => {
      const number = plain.readDoubleBE(mark);
      delivered.add(number);
      if (lost) cut.add(number);
    });
    counted.requests += 1;
    counted.items += items;
    hop.items += items;
    if (lost) {
      counted.cutItems += items;
      counted.cuts += 1;
    }
  } catch (error) {
    counted.problems.push(error.message);
  }
  return lost ? 'cut' : 'take';
}

class Connection {
  constructor(socket, hop) {
    this.socket = socket;
    this.hop = hop;
    this.messages = new Map();
    this.unacknowledged = 0;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    const reader = new FrameReader(this, PREFACE.length);
    socket.on('data', (bytes) => reader.read(bytes, bytes.length));
    socket.on('error', () => {});
    socket.write(
      Buffer.concat([
        settings([
          [SETTING.MAX_CONCURRENT_STREAMS, 1000],
          [SETTING.INITIAL_WINDOW_SIZE, WINDOW_BYTES],
        ]),
        windowUpdate(0, WINDOW_BYTES - DEFAULT_WINDOW_BYTES),
      ]),
    );
  }

  onData(stream, bytes, from, to) {
    const parts = this.messages.get(stream);
    if (parts === undefined) this.messages.set(stream, [Buffer.from(bytes.subarray(from, to))]);
    else parts.push(Buffer.from(bytes.subarray(from, to)));
    this.unacknowledged += to - from;
  }

  onFrame(type, flags, stream, payload) {
    if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) this.socket.write(frame(FRAME.SETTINGS, FLAG.ACK, 0));
    else if (type === FRAME.PING && (flags & FLAG.ACK) === 0) this.socket.write(frame(FRAME.PING, FLAG.ACK, 0, Buffer.from(payload)));
    else if (type === FRAME.PING) this.onPong?.();
    else if (type === FRAME.RST_STREAM) this.messages.delete(stream);
    else if (type === FRAME.DATA && (flags & FLAG.END_STREAM) !== 0) this.#complete(stream);
    if (this.unacknowledged > WINDOW_BYTES / 16) {
      this.socket.write(windowUpdate(0, this.unacknowledged));
      this.unacknowledged = 0;
    }
  }

  #complete(stream) {
    const message = Buffer.concat(this.messages.get(stream));
    this.messages.delete(stream);
    if (message.length - PREFIX_BYTES !== message.readUInt32BE(1)) counted.problems.push('a message has another length than it says');
    // A slow hop has not done its work yet: it counts when it answers.
    if (this.hop.delayMs > 0) setTimeout(() => this.#answer(stream, message), this.hop.delayMs);
    else this.#answer(stream, message);
  }

  #answer(stream, message) {
    if (this.socket.destroyed) return;
    if (message.length === PREFIX_BYTES) {
      // The balancer asks for our health: we have no such service, and live.
      this.socket.write(ANSWER_UNIMPLEMENTED(stream));
      return;
    }
    const verdict = judge(this.hop, message.subarray(PREFIX_BYTES));
    if (verdict === 'cut') this.socket.destroy();
    if (verdict === 'take') this.socket.write(ANSWER_OK(stream));
    if (verdict === 'refuse') this.socket.write(ANSWER_REFUSED(stream));
  }

  /** After this the other side has read all answers; or it is gone. */
  settled() {
    this.socket.write(frame(FRAME.PING, 0, 0, Buffer.alloc(8)));
    return Promise.race([
      this.closed,
      new Promise((resolve) => {
        this.onPong = resolve;
      }),
    ]);
  }
}

function httpServer(hop) {
  return createHttpServer((request, response) => {
    const parts = [];
    request.on('data', (data) => parts.push(data));
    request.on('end', () =>
      setTimeout(() => {
        const verdict = judge(hop, Buffer.concat(parts));
        if (verdict === 'refuse') response.writeHead(429, { 'retry-after': String(RETRY_AFTER_S) });
        if (verdict === 'cut') response.destroy();
        else response.end();
      }, hop.delayMs),
    );
  });
}

function grpcServer(hop) {
  return createServer({ noDelay: true }, (socket) => {
    const connection = new Connection(socket, hop);
    hop.connections.add(connection);
    connection.closed.then(() => hop.connections.delete(connection));
  });
}

async function listen(hop) {
  hop.server = protocol === 'grpc' ? grpcServer(hop) : httpServer(hop);
  await new Promise((resolve, reject) => hop.server.once('error', reject).listen(hop.port, '127.0.0.1', resolve));
}

async function stop(hop) {
  const closed = new Promise((resolve) => hop.server.close(resolve));
  await Promise.all([...hop.connections].map((one) => one.settled()));
  for (const one of hop.connections) one.socket.destroy();
  hop.server.closeAllConnections?.();
  await closed;
}

async function change(message) {
  const hop = hops[message.hop];
  const was = hop.kind;
  hop.kind = message.kind;
  hop.delayMs = message.delayMs ?? 0;
  if (was !== 'stopped' && hop.kind === 'stopped') await stop(hop);
  if (was === 'stopped' && hop.kind !== 'stopped') await listen(hop);
}

const report = () => ({ ...counted, problems: [...new Set(counted.problems)].slice(0, 5), hops: hops.map(({ items }) => items) });

for (const hop of hops) await listen(hop);
process.send({ ports: hops.map(({ port }) => port) });
process.on('message', async (message) => {
  if (message.mode !== undefined) {
    await change(message.mode);
  } else if (message.finish !== undefined) {
    delivered.write(join(message.finish, 'delivered'));
    cut.write(join(message.finish, 'cut'));
  }
  process.send(report());
});
process.on('disconnect', () => process.exit(0));

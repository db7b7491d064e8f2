/**
 * The HTTP/2 server codecs, CPU microseconds per request of 25 spans (9.4 kB) with a handler that throws the body away and answers as gRPC:
 *
 *   own, alone      our codec without a socket: reads of 27 requests, headers that are all in the table (h2load, senders without deadline)
 *   own, deadlines  the same, each request with another grpc-timeout, as grpc-go sends it
 *   own / node      over TCP, h2load -c4 -m8, system calls included: what of it is the codec is the first line
 *
 *   node test/bench/agent-http2.mjs [--rounds 5] [--requests 40000] [--agent <folder of another agent>]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '40000' },
    agent: { type: 'string', default: new URL('../../agent', import.meta.url).pathname },
    serve: { type: 'string' },
  },
});
const ROUNDS = Number(args.rounds);
const REQUESTS = Number(args.requests);
const BODY = Buffer.alloc(9400, 'a');
const PER_READ = 27;

const { createServerSession } = await import(`${args.agent}/http2/server-session.ts`);
const { createNodeSession } = await import(`${args.agent}/http2/node-session.ts`);
const { socketWire } = await import(`${args.agent}/runtime/wire.ts`);

const HEADERS = { ':status': '200', 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity,gzip,zstd,snappy' };
const TRAILERS = { 'grpc-status': '0' };
const EMPTY = Buffer.alloc(5);
const OPTIONS = { maxConcurrentStreams: 1000, streamWindowBytes: 4 << 20, sessionWindowBytes: 8 << 20, maxHeaderBytes: 16_384 };

class Call {
  bytes = 0;
  constructor(stream) {
    this.stream = stream;
  }
  data(bytes) {
    this.bytes += bytes.length;
  }
  end() {
    this.stream.respond(HEADERS, EMPTY, TRAILERS);
  }
  closed() {}
}

const EVENTS = {
  stream: (stream) => new Call(stream),
  ready() {},
  ping() {},
  fault(name) {
    throw new Error(`fault ${name}`);
  },
  closed() {},
};

/** A server in a process of its own: prints its port, then the CPU seconds since the last time whenever it is written to. */
function serve(codec) {
  const server = createServer({ noDelay: true, pauseOnConnect: codec === 'own' }, (socket) => {
    if (codec === 'own') createServerSession(socketWire(socket), OPTIONS, EVENTS);
    else createNodeSession(socket, OPTIONS, EVENTS);
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  let last = process.cpuUsage();
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    console.log((user + system) / 1e6);
  });
  process.stdin.on('end', () => process.exit());
}

async function compare() {
  const works = {
    'own, alone': () => alone([]),
    'own, deadlines': () => alone([['grpc-timeout', () => `${4_900_000 + Math.floor(Math.random() * 90_000)}u`]]),
    'own, over TCP': () => overTcp('own'),
    'node:http2, over TCP': () => overTcp('node'),
  };
  const found = new Map(Object.keys(works).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, work] of Object.entries(works)) found.get(name).push(await work());
  }
  for (const [name, values] of found) {
    values.sort((a, b) => a - b);
    const [low, middle, high] = [values[0], values[values.length >> 1], values.at(-1)].map((value) => value.toFixed(2));
    console.log(`${name.padEnd(22)} ${middle} us/request (${low} to ${high})`);
  }
}

async function overTcp(codec) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--serve', codec, '--agent', args.agent], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = async () => String((await once(child.stdout, 'data'))[0]).trim();
  const folder = mkdtempSync(join(tmpdir(), 'http2-bench-'));
  try {
    const port = await line();
    const body = join(folder, 'body');
    writeFileSync(body, BODY);
    const load = async (requests) => {
      const url = `http://127.0.0.1:${port}/opentelemetry.proto.collector.trace.v1.TraceService/Export`;
      const options = [
        '-c4',
        '-m8',
        `-n${requests}`,
        '-w24',
        '-W24',
        '-d',
        body,
        '-H',
        'content-type: application/grpc',
        '-H',
        'te: trailers',
      ];
      await once(spawn('h2load', [...options, url], { stdio: 'ignore' }), 'exit');
      const cpu = line();
      child.stdin.write('.');
      return Number(await cpu);
    };
    await load(REQUESTS / 2);
    return ((await load(REQUESTS)) / REQUESTS) * 1e6;
  } finally {
    child.stdin.end();
    rmSync(folder, { recursive: true });
  }
}

/** The same reads again and again, each time to a new session: after the first ones all is compiled. */
function alone(more) {
  const reads = readsOf(more);
  const run = () => {
    const wire = { pending: 0, written: 0, destroyed: false, write() {}, writeAll() {}, pause() {}, resume() {}, end() {}, destroy() {} };
    let events;
    createServerSession({ ...wire, start: (to) => (events = to) }, OPTIONS, EVENTS);
    for (const read of reads) events.received(read);
  };
  for (let i = 0; i < 10; i += 1) run();
  const before = process.cpuUsage();
  for (let i = 0; i < 20; i += 1) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (20 * (reads.length - 1) * PER_READ);
}

function readsOf(more) {
  const encoder = new Encoder();
  const reads = [Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, EMPTY.subarray(5))])];
  let id = 1;
  for (let read = 0; read < 200; read += 1) {
    const frames = [];
    for (let i = 0; i < PER_READ; i += 1, id += 2) {
      const fields = [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/opentelemetry.proto.collector.trace.v1.TraceService/Export'],
        [':authority', '127.0.0.1:4317'],
        ['content-type', 'application/grpc'],
        ['user-agent', 'grpc-go/1.80.0'],
        ['te', 'trailers'],
        ...more.map(([name, value]) => [name, value()]),
      ];
      frames.push(frame(1, 4, id, encoder.encode(fields)), frame(0, 1, id, BODY));
    }
    // Room for the answers: as much as they take.
    frames.push(frame(8, 0, 0, Buffer.from([0, 0, 0, PER_READ * 5])));
    reads.push(Buffer.concat(frames));
  }
  return reads;
}

function frame(type, flags, stream, payload) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK as a client does it: everything into the dynamic table, no Huffman. */
class Encoder {
  #table = [];
  #bytes = 0;
  static #STATIC = [
    [':authority', ''],
    [':method', 'GET'],
    [':method', 'POST'],
    [':path', '/'],
    [':path', '/index.html'],
    [':scheme', 'http'],
  ];
  static #NAMES = { ':authority': 1, ':path': 4, 'content-type': 31, 'user-agent': 58 };

  encode(fields) {
    const out = [];
    for (const [name, value] of fields) {
      const whole = this.#find(name, value);
      if (whole > 0) {
        out.push(...this.#integer(0x80, 7, whole));
        continue;
      }
      const named = Encoder.#NAMES[name] ?? this.#table.findIndex((entry) => entry[0] === name) + 1;
      const index = Encoder.#NAMES[name] ?? (named > 0 ? named + 61 : 0);
      out.push(...this.#integer(0x40, 6, index), ...(index === 0 ? this.#text(name) : []), ...this.#text(value));
      this.#table.unshift([name, value]);
      this.#bytes += 32 + name.length + value.length;
      while (this.#bytes > 4096) this.#bytes -= 32 + this.#table.pop().join('').length;
    }
    return Buffer.from(out);
  }

  #find(name, value) {
    const same = (entry) => entry[0] === name && entry[1] === value;
    const fixed = Encoder.#STATIC.findIndex(same);
    return fixed >= 0 ? fixed + 1 : this.#table.findIndex(same) < 0 ? 0 : this.#table.findIndex(same) + 62;
  }

  #integer(pattern, bits, value) {
    const mask = 2 ** bits - 1;
    if (value < mask) return [pattern | value];
    const out = [pattern | mask];
    let left = value - mask;
    for (; left >= 128; left >>= 7) out.push((left & 127) | 128);
    return [...out, left];
  }

  #text(text) {
    return [...this.#integer(0, 7, text.length), ...Buffer.from(text)];
  }
}

if (args.serve !== undefined) serve(args.serve);
else await compare();

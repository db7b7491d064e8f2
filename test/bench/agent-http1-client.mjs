/**
 * The HTTP/1.1 clients of the exporter otlp_http, CPU microseconds per request over TCP, system calls included, against a next hop on a bare
 * socket that says yes; ten requests at a time, as the exporter has consumers:
 *
 *   25    25 spans, 9.4 kB in one slice
 *   512   512 spans, 190 kB in slices of 64 KiB
 *   8192  a batch, 3 MB in slices of 64 KiB
 *
 *   node test/bench/agent-http1-client.mjs [--rounds 5] [--requests 20000] [--agent <folder of another agent>]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '20000' },
    agent: { type: 'string', default: new URL('../../agent', import.meta.url).pathname },
    client: { type: 'string' },
    port: { type: 'string' },
    bytes: { type: 'string' },
  },
});
const CLIENTS = {
  own: async () => (await import(`${args.agent}/http1/client-pool.ts`)).createHttpClient,
  undici: async () => (await import(`${args.agent}/http1/client-undici.ts`)).createUndiciClient,
};
const WORKS = [
  [25, 9_400, 1],
  [512, 190_000, 0.2],
  [8192, 3_060_000, 0.02],
];
const AT_A_TIME = 10;
const SLICE_BYTES = 64 * 1024;
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n');

if (args.client === undefined) await compare();
else await run();

async function compare() {
  const server = createServer({ noDelay: true }, answering);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const found = new Map();
  for (let round = 0; round < Number(args.rounds); round += 1) {
    for (const [spans, bytes, part] of WORKS) {
      for (const client of Object.keys(CLIENTS)) {
        const name = `${client}, ${spans} spans`;
        found.set(name, [...(found.get(name) ?? []), await measured(client, bytes, Math.ceil(Number(args.requests) * part), server)]);
      }
    }
  }
  server.close();
  for (const [name, values] of found) {
    values.sort((a, b) => a - b);
    const [low, middle, high] = [values[0], values[values.length >> 1], values.at(-1)].map((value) => value.toFixed(1));
    console.log(`${name.padEnd(20)} ${middle} us/request (${low} to ${high})`);
  }
}

/** A client in a process of its own. */
async function measured(client, bytes, requests, server) {
  const argv = ['--client', client, '--bytes', bytes, '--requests', requests, '--port', server.address().port, '--agent', args.agent];
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...argv.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  await once(child, 'exit');
  return Number(line);
}

async function run() {
  const create = await CLIENTS[args.client]();
  const headers = { host: `127.0.0.1:${args.port}`, 'content-type': 'application/x-protobuf', 'user-agent': 'bench' };
  const client = create(
    { host: '127.0.0.1', port: Number(args.port), path: '/v1/traces', headers },
    { maxConnections: 0, keepAlives: true, idleTimeoutMs: 90_000, timeoutMs: 30_000, maxAnswerBytes: 1 << 22 },
  );
  const bytes = Number(args.bytes);
  const slices = [];
  for (let left = bytes; left > 0; left -= SLICE_BYTES) slices.push(Buffer.alloc(Math.min(left, SLICE_BYTES), 'a'));
  const body = { encoding: 'identity', slices, bytes };
  const requests = Number(args.requests);
  await sent(client, body, Math.ceil(requests / 4));
  const before = process.cpuUsage();
  await sent(client, body, requests);
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / requests);
  await client.close();
}

function sent(client, body, requests) {
  return new Promise((resolve, reject) => {
    let begun = 0;
    let ended = 0;
    const next = () => {
      begun += 1;
      client.post(body, (end) => {
        if (end.status !== 200) reject(new Error(JSON.stringify(end)));
        ended += 1;
        if (ended === requests) resolve();
        // As the exporter, which goes on in a promise.
        else if (begun < requests) queueMicrotask(next);
      });
    };
    for (let i = 0; i < Math.min(AT_A_TIME, requests); i += 1) next();
  });
}

function answering(socket) {
  let left = -1;
  let head = '';
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    let at = 0;
    if (left < 0) {
      head += bytes.latin1Slice();
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      left = Number(/content-length: (\d+)/i.exec(head)[1]);
      at = bytes.length - (head.length - end - 4);
      head = '';
    }
    left -= bytes.length - at;
    if (left > 0) return;
    left = -1;
    socket.write(ANSWER);
  });
}

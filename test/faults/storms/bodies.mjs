/**
 * Mutated bodies over both transports: half over pipelined HTTP/1.1 on raw sockets, half over gRPC streams of node:http2. Every one must
 * be answered, whatever the answer is.
 */
import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { randomOf } from '../random.mjs';
import { JSON_SEED, mutate, SEEDS } from '../requests.mjs';
import { open } from '../sockets.mjs';

const CONNECTIONS = 8;
const PIPELINED = 24;
const STREAMS = 60;
const ANSWER_WITHIN_MS = 30_000;

export async function run({ ports, seed, count, seconds }) {
  const end = performance.now() + seconds * 1000;
  const answers = {};
  const anomalies = [];
  const tally = (name) => {
    answers[name] = (answers[name] ?? 0) + 1;
  };
  const budget = { left: count };
  const take = (n) => {
    if (performance.now() >= end) return 0;
    const got = Math.min(n, budget.left);
    budget.left -= got;
    return got;
  };
  await Promise.all([
    ...Array.from({ length: CONNECTIONS }, (_, i) => overHttp(ports.http, randomOf(seed * 1000 + i), take, tally, anomalies)),
    ...Array.from({ length: CONNECTIONS }, (_, i) => overGrpc(ports.grpc, randomOf(seed * 1000 + 500 + i), take, tally, anomalies)),
  ]);
  return { count: count - budget.left, answers, anomalies };
}

function httpRequest(random) {
  const json = random.chance(0.2);
  const from = json ? JSON_SEED : random.pick(SEEDS);
  let body = mutate(random, from.body);
  let encoding = '';
  if (random.chance(0.15)) {
    encoding = `Content-Encoding: ${random.pick(['gzip', 'gzip', 'zstd', 'deflate', 'snappy'])}\r\n`;
    if (random.chance(0.7)) body = mutate(random, gzipSync(body));
  }
  const type = random.chance(0.97) ? (json ? 'application/json' : 'application/x-protobuf') : 'text/plain';
  const head = `POST ${from.http} HTTP/1.1\r\nHost: storm\r\nContent-Type: ${type}\r\n${encoding}Content-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

async function overHttp(port, random, take, tally, anomalies) {
  for (let batch = take(PIPELINED); batch > 0; batch = take(PIPELINED)) {
    const socket = await open(port);
    if (socket === undefined) {
      anomalies.push('http: not accepted');
      return;
    }
    const closed = new Promise((resolve) => socket.on('close', resolve));
    let wanted = 0;
    let seen = 0;
    let resolveBatch;
    let tail = '';
    socket.on('data', (data) => {
      const text = tail + data.toString('latin1');
      for (const match of text.matchAll(/HTTP\/1\.1 (\d{3})/gu)) {
        if (match[1] === '100') continue;
        tally(`http ${match[1]}`);
        seen += 1;
      }
      tail = text.slice(Math.max(0, text.lastIndexOf('\n') + 1)).slice(-11);
      if (/HTTP\/1\.1 \d{3}/u.test(tail)) tail = '';
      if (seen >= wanted) resolveBatch?.();
    });
    while (batch > 0 && !socket.destroyed) {
      wanted += batch;
      const all = new Promise((resolve) => {
        resolveBatch = resolve;
      });
      socket.write(Buffer.concat(Array.from({ length: batch }, () => httpRequest(random))));
      const late = new Promise((resolve) => setTimeout(() => resolve('late'), ANSWER_WITHIN_MS).unref());
      // A refusal that closes the connection takes the rest of the pipeline with it: HTTP/1.1 allows it, and they are not sent again.
      if ((await Promise.race([all, closed, late])) === 'late')
        anomalies.push(`http: ${wanted - seen} requests without an answer for ${ANSWER_WITHIN_MS} ms`);
      if (socket.destroyed) break;
      batch = take(PIPELINED);
    }
    socket.destroy();
  }
}

async function overGrpc(port, random, take, tally, anomalies) {
  let session;
  const fresh = () => {
    session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
  };
  fresh();
  for (let batch = take(STREAMS); batch > 0; batch = take(STREAMS)) {
    if (session.closed || session.destroyed) fresh();
    await Promise.all(Array.from({ length: batch }, () => call(session, random, tally, anomalies)));
  }
  session.destroy();
}

function call(session, random, tally, anomalies) {
  const from = random.pick(SEEDS);
  const body = mutate(random, from.body);
  const message = Buffer.alloc(5 + body.length);
  message.writeUInt32BE(random.chance(0.95) ? body.length : random.below(2 ** 32), 1);
  message[0] = random.chance(0.95) ? 0 : random.below(256);
  body.copy(message, 5);
  return new Promise((resolve) => {
    let stream;
    try {
      const headers = { ':method': 'POST', ':path': from.grpc, 'content-type': 'application/grpc', te: 'trailers' };
      if (random.chance(0.1)) headers['grpc-encoding'] = random.pick(['gzip', 'zstd', 'snappy', 'nonsense']);
      stream = session.request(headers);
    } catch {
      tally('grpc unsent');
      resolve();
      return;
    }
    let status;
    const timer = setTimeout(() => {
      anomalies.push(`grpc: no answer within ${ANSWER_WITHIN_MS} ms`);
      stream.destroy();
    }, ANSWER_WITHIN_MS);
    stream.on('response', (got) => {
      status = got['grpc-status'];
    });
    stream.on('trailers', (got) => {
      status = got['grpc-status'];
    });
    stream.on('error', () => {});
    stream.on('data', () => {});
    stream.on('close', () => {
      clearTimeout(timer);
      tally(`grpc ${status ?? 'closed'}`);
      resolve();
    });
    stream.end(message);
  });
}

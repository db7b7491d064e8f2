/** Headers of 1 MiB: one long value or many short ones over HTTP/1.1, HEADERS and CONTINUATION without end over HTTP/2. */
import { frame, headerBlock, PREFACE, settings, TYPE } from '../http2-frames.mjs';
import { randomOf } from '../random.mjs';
import { open, repeat, write } from '../sockets.mjs';

const MIB = 1 << 20;
const LANES = 8;

export async function run({ ports, seed, count, seconds }) {
  const random = randomOf(seed);
  const answers = {};
  const done = await repeat({ count, seconds }, LANES, async () => {
    const answer = random.chance(0.5) ? await overHttp(ports.http, random) : await overHttp2(ports.grpc, random);
    answers[answer] = (answers[answer] ?? 0) + 1;
  });
  const taken = answers['HTTP/1.1 200'] ?? 0;
  return { count: done, answers, anomalies: taken === 0 ? [] : [`${taken} requests with headers of 1 MiB were taken`] };
}

async function overHttp(port, random) {
  const socket = await open(port);
  if (socket === undefined) return 'not accepted';
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  const one = random.chance(0.5)
    ? `X-Long: ${'x'.repeat(MIB)}\r\n`
    : Array.from({ length: 20_000 }, (_, i) => `X-${i}: ${'y'.repeat(40)}\r\n`).join('');
  await write(socket, `POST /v1/traces HTTP/1.1\r\nHost: storm\r\n${one}Content-Length: 0\r\n\r\n`);
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
  socket.destroy();
  return text.slice(0, 12) || 'closed';
}

async function overHttp2(port, random) {
  const socket = await open(port);
  if (socket === undefined) return 'not accepted';
  socket.resume();
  const closed = new Promise((resolve) => socket.on('close', () => resolve(true)));
  await write(socket, Buffer.concat([PREFACE, settings()]));
  const block = headerBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'storm'],
    ...Array.from({ length: 40 }, (_, i) => [`x-${i}`, 'z'.repeat(300)]),
  ]);
  await write(socket, frame(TYPE.HEADERS, 0, 1, block));
  for (let sent = 0; sent < MIB && !socket.destroyed; sent += block.length) {
    const piece = random.chance(0.1) ? Buffer.alloc(0) : headerBlock([[`y-${sent}`, 'z'.repeat(8000)]]);
    if (!(await write(socket, frame(TYPE.CONTINUATION, 0, 1, piece)))) break;
  }
  const ended = await Promise.race([closed, new Promise((resolve) => setTimeout(() => resolve(false), 3000).unref())]);
  socket.destroy();
  return ended ? 'HTTP/2 closed' : 'HTTP/2 left open';
}

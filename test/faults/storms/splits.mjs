/** Valid requests, their frames cut anywhere over the writes, DATA frames of any size, padded ones too: every one must be taken. */
import {
  END_HEADERS,
  END_STREAM,
  frame,
  frameReader,
  grpcHeaders,
  PADDED,
  PREFACE,
  settings,
  settingsAck,
  TYPE,
  windowUpdate,
} from '../http2-frames.mjs';
import { randomOf } from '../random.mjs';
import { SEEDS, traces } from '../requests.mjs';
import { open, repeat, write } from '../sockets.mjs';

const LANES = 16;
const CALLS = 20;

export async function run({ ports, seed, count, seconds }) {
  const anomalies = [];
  let answered = 0;
  const done = await repeat({ count: Math.ceil(count / CALLS), seconds }, LANES, async (number) => {
    const random = randomOf(seed * 77_777 + number);
    const ended = random.chance(0.5) ? await grpc(ports.grpc, random) : await http(ports.http, random);
    answered += ended;
    if (ended !== CALLS)
      anomalies.push(`${CALLS - ended} of ${CALLS} valid requests of connection ${number} were not answered with success`);
  });
  return { count: done * CALLS, answers: { success: answered }, anomalies };
}

const body = (random) =>
  traces(
    'split',
    Array.from({ length: 1 + random.below(30) }, (_, i) => `split-${i}`),
  );

async function grpc(port, random) {
  const socket = await open(port);
  if (socket === undefined) return 0;
  let ended = 0;
  let acknowledge = false;
  const messages = new Set();
  const { promise, resolve } = Promise.withResolvers();
  socket.on('close', resolve);
  socket.on(
    'data',
    frameReader((type, flags, stream) => {
      if (type === TYPE.SETTINGS && flags === 0) acknowledge = true;
      // Trailers end the stream of a call that was answered with a message; a refusal has no DATA frame before.
      if (type === TYPE.DATA && stream > 0) messages.add(stream);
      if ((flags & END_STREAM) !== 0 && type === TYPE.HEADERS && messages.has(stream)) ended += 1;
      if (ended === CALLS) resolve();
    }),
  );
  const parts = [PREFACE, settings([4, 1 << 20]), windowUpdate(0, 1 << 20)];
  for (let i = 0; i < CALLS; i += 1) {
    const stream = 2 * i + 1;
    const message = body(random);
    const prefixed = Buffer.concat([Buffer.alloc(5), message]);
    prefixed.writeUInt32BE(message.length, 1);
    const block = grpcHeaders(SEEDS[0].grpc);
    const cut = random.below(block.length);
    if (random.chance(0.3))
      parts.push(
        frame(TYPE.HEADERS, 0, stream, block.subarray(0, cut)),
        frame(TYPE.CONTINUATION, END_HEADERS, stream, block.subarray(cut)),
      );
    else parts.push(frame(TYPE.HEADERS, END_HEADERS, stream, block));
    for (let at = 0; at < prefixed.length; ) {
      const size = Math.min(1 + random.below(400), prefixed.length - at);
      const last = at + size === prefixed.length ? END_STREAM : 0;
      const piece = prefixed.subarray(at, at + size);
      if (random.chance(0.2))
        parts.push(frame(TYPE.DATA, PADDED | last, stream, Buffer.concat([Buffer.from([7]), piece, Buffer.alloc(7)])));
      else parts.push(frame(TYPE.DATA, last, stream, piece));
      at += size;
    }
  }
  await inPieces(socket, Buffer.concat(parts), random);
  // Between whole frames only: an earlier one would stand inside of a frame that is under way.
  if (acknowledge) await write(socket, settingsAck());
  await late(promise);
  socket.destroy();
  return ended;
}

async function http(port, random) {
  const socket = await open(port);
  if (socket === undefined) return 0;
  let text = '';
  const { promise, resolve } = Promise.withResolvers();
  const ended = () => text.split('HTTP/1.1 200').length - 1;
  socket.on('close', resolve);
  socket.on('data', (data) => {
    text += data.toString('latin1');
    if (ended() === CALLS) resolve();
  });
  const parts = [];
  for (let i = 0; i < CALLS; i += 1) {
    const message = body(random);
    const head = (length) =>
      Buffer.from(`POST /v1/traces HTTP/1.1\r\nHost: split\r\nContent-Type: application/x-protobuf\r\n${length}\r\n\r\n`);
    if (random.chance(0.5)) parts.push(head(`Content-Length: ${message.length}`), message);
    else {
      parts.push(head('Transfer-Encoding: chunked'));
      for (let at = 0; at < message.length; ) {
        const size = Math.min(1 + random.below(300), message.length - at);
        parts.push(Buffer.from(`${size.toString(16)}\r\n`), message.subarray(at, at + size), Buffer.from('\r\n'));
        at += size;
      }
      parts.push(Buffer.from('0\r\n\r\n'));
    }
  }
  await inPieces(socket, Buffer.concat(parts), random);
  await late(promise);
  socket.destroy();
  return ended();
}

async function inPieces(socket, data, random) {
  for (let at = 0; at < data.length; ) {
    const size = random.chance(0.1) ? 1 : 1 + random.below(2000);
    if (!(await write(socket, data.subarray(at, at + size)))) return;
    at += size;
    // A write that was not cut apart by a turn of the loop may be joined with the next one.
    if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
  }
}

const late = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 20_000).unref())]);

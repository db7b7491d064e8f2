/** Connections that are opened and left: silent, in the middle of a preface, of headers, of a body; a third ends with a reset. */
import { END_HEADERS, frame, grpcHeaders, PREFACE, settings, TYPE } from '../http2-frames.mjs';
import { randomOf } from '../random.mjs';
import { SEEDS } from '../requests.mjs';
import { open, repeat } from '../sockets.mjs';

/** Held at a time, below what a process may open. */
const HELD = 1500;
const LANES = 50;

const BEGINNINGS = [
  () => Buffer.alloc(0),
  () => PREFACE.subarray(0, 10),
  () => Buffer.concat([PREFACE, settings()]),
  () =>
    Buffer.concat([
      PREFACE,
      settings(),
      frame(TYPE.HEADERS, END_HEADERS, 1, grpcHeaders(SEEDS[0].grpc)),
      frame(TYPE.DATA, 0, 1, Buffer.from([0, 0, 0, 4, 0, 1])),
    ]),
  () => Buffer.from('POST /v1/traces HTTP/1.1\r\nHost: le'),
  () => Buffer.from('POST /v1/traces HTTP/1.1\r\nHost: left\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\nabc'),
  () => Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'),
];

export async function run({ ports, seed, count, seconds }) {
  const random = randomOf(seed);
  const held = [];
  let refused = 0;
  const done = await repeat({ count, seconds }, LANES, async () => {
    const socket = await open(random.chance(0.5) ? ports.grpc : ports.http);
    if (socket === undefined) {
      refused += 1;
      return;
    }
    socket.write(random.pick(BEGINNINGS)());
    socket.resume();
    held.push(socket);
    if (held.length > HELD) {
      const oldest = held.shift();
      if (random.chance(0.3)) oldest.resetAndDestroy();
      else oldest.destroy();
    }
  });
  for (const socket of held) socket.destroy();
  return { count: done, answers: { accepted: done - refused, refused }, anomalies: [] };
}

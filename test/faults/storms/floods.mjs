/**
 * What a connection may send without end: pings, settings, empty frames, priorities, rapid resets (CVE-2023-44487), window updates that
 * overflow or are zero, calls whose answers have no window. `count` is frames; a connection that is closed is opened again.
 */
import {
  END_HEADERS,
  END_STREAM,
  frame,
  frameReader,
  grpcHeaders,
  PREFACE,
  ping,
  reset,
  settings,
  settingsAck,
  TYPE,
  uint32,
  windowUpdate,
} from '../http2-frames.mjs';
import { randomOf } from '../random.mjs';
import { SEEDS } from '../requests.mjs';
import { open, write } from '../sockets.mjs';

const LANES = 6;
/** Frames of one write. */
const BURST = 200;

const call = (stream, flags = END_HEADERS) => frame(TYPE.HEADERS, flags, stream, grpcHeaders(SEEDS[0].grpc));
const message = frame(TYPE.DATA, END_STREAM, 0, Buffer.alloc(0));

/** Each makes the frames of one burst; `next()` gives the next stream id. */
const FLOODS = {
  ping: () => ping(),
  settings: () => settings([3, 100]),
  emptyData: (state) => (state.burst++ === 0 ? call(state.next()) : frame(TYPE.DATA, 0, state.last, Buffer.alloc(0))),
  priority: (state) => frame(TYPE.PRIORITY, 0, state.next(), Buffer.concat([uint32(0), Buffer.from([16])])),
  rapidReset: (state) => Buffer.concat([call(state.next()), reset(state.last)]),
  resetAfterData: (state) =>
    Buffer.concat([call(state.next()), frame(TYPE.DATA, 0, state.last, Buffer.from([0, 0, 0, 0, 10, 1, 2])), reset(state.last)]),
  windowOverflow: (state) =>
    Buffer.concat([call(state.next()), windowUpdate(state.last, 0x7fffffff), windowUpdate(state.last, 0x7fffffff)]),
  windowZero: (state) => Buffer.concat([call(state.next()), windowUpdate(state.last, 0)]),
  sessionWindowOverflow: () => windowUpdate(0, 0x7fffffff),
  noWindow: (state) => Buffer.concat([call(state.next()), setStream(message, state.last)]),
  unknown: () => frame(0xbb, 0xff, 0, Buffer.alloc(20)),
  dataOnIdle: (state) => frame(TYPE.DATA, END_STREAM, state.next() + 1000, Buffer.alloc(10)),
  oversized: () => frame(TYPE.DATA, 0, 1, Buffer.alloc(70_000)),
};

function setStream(data, stream) {
  const copy = Buffer.from(data);
  copy.writeUInt32BE(stream, 5);
  return copy;
}

export async function run({ ports, seed, count, seconds }) {
  const names = Object.keys(FLOODS);
  const end = performance.now() + seconds * 1000;
  const answers = {};
  let sent = 0;
  const perFlood = Math.ceil(count / names.length / LANES);
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      const random = randomOf(seed + lane);
      for (let i = 0; i < names.length; i += 1) {
        const name = names[(i + lane) % names.length];
        // A fair share of the time for each, so that the last ones are not left out.
        const until = Math.min(end, performance.now() + (1000 * seconds) / names.length);
        const [frames, closes] = await flood(
          random.chance(0.5) ? ports.grpc : ports.http,
          FLOODS[name],
          perFlood,
          until,
          name === 'noWindow',
        );
        sent += frames;
        answers[`${name} frames`] = (answers[`${name} frames`] ?? 0) + frames;
        answers[`${name} closed`] = (answers[`${name} closed`] ?? 0) + closes;
      }
    }),
  );
  return { count: sent, answers, anomalies: [] };
}

async function flood(port, make, frames, until, noWindow) {
  let sent = 0;
  let closes = 0;
  while (sent < frames && performance.now() < until) {
    const socket = await open(port);
    if (socket === undefined) return [sent, closes];
    socket.on('close', () => {
      closes += 1;
    });
    socket.on(
      'data',
      frameReader((type, flags) => {
        if (type === TYPE.SETTINGS && flags === 0 && !socket.destroyed) socket.write(settingsAck());
      }),
    );
    await write(socket, Buffer.concat([PREFACE, noWindow ? settings([4, 0]) : settings()]));
    const state = { burst: 0, last: 0, stream: -1, next: () => (state.last = state.stream += 2) };
    while (sent < frames && performance.now() < until && !socket.destroyed && state.stream < 0x3fffffff) {
      const size = Math.min(BURST, frames - sent);
      if (!(await write(socket, Buffer.concat(Array.from({ length: size }, () => make(state)))))) break;
      sent += size;
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
  }
  return [sent, closes];
}

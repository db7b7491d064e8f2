import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A connected socket whose errors are nobody's: what is looked at is whether the agent lives. Undefined where it was not accepted. */
export function open(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: false });
    socket.on('error', () => resolve(undefined));
    socket.on('connect', () => resolve(socket));
  });
}

/** Writes with backpressure; false once the other side has closed. */
export async function write(socket, data) {
  if (socket.destroyed || !socket.writable) return false;
  if (socket.write(data)) return true;
  await Promise.race([
    new Promise((resolve) => socket.once('drain', resolve)),
    new Promise((resolve) => socket.once('close', resolve)),
    sleep(5000, undefined, { ref: false }),
  ]);
  return !socket.destroyed;
}

/** Runs `one` so often, `lanes` at a time, until the count or the time is used up; returns how often it ran. */
export async function repeat({ count, seconds }, lanes, one) {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  let begun = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (begun < count && performance.now() < end) {
        begun += 1;
        await one(begun, lane);
        done += 1;
      }
    }),
  );
  return done;
}

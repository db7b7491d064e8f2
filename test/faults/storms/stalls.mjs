/** Clients that stall in the middle of valid requests, by the thousand, while they hold bodies open: slow reads and slow writes. */
import { connect } from 'node:http2';
import { SEEDS, traces } from '../requests.mjs';
import { open, repeat } from '../sockets.mjs';

const LANES = 40;
const BODY = traces(
  'stall',
  Array.from({ length: 400 }, (_, i) => `stall-${i}`),
);

export async function run({ ports, count, seconds }) {
  const held = [];
  const done = await repeat({ count, seconds }, LANES, async (number) => {
    if (number % 2 === 0) {
      const socket = await open(ports.http);
      if (socket === undefined) return;
      socket.write(`POST /v1/traces HTTP/1.1\r\nHost: s\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${BODY.length}\r\n\r\n`);
      socket.write(BODY.subarray(0, BODY.length / 2));
      held.push(socket);
    } else {
      const session = connect(`http://127.0.0.1:${ports.grpc}`);
      session.on('error', () => {});
      const stream = session.request({ ':method': 'POST', ':path': SEEDS[0].grpc, 'content-type': 'application/grpc', te: 'trailers' });
      stream.on('error', () => {});
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(BODY.length, 1);
      stream.write(Buffer.concat([prefix, BODY.subarray(0, BODY.length / 2)]));
      held.push(session);
    }
    if (held.length > 800) held.shift().destroy();
  });
  for (const one of held) one.destroy();
  return { count: done, answers: { held: done }, anomalies: [] };
}

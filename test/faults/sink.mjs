/** The next hop of the agent under storm: takes everything and remembers which of the well-behaved clients' spans came, and how often. */
import { createServer } from 'node:http2';

/** `well-behaved-00001234`, the name of a span. */
const MARKER = 'well-behaved-';
const DIGITS = 8;

const server = createServer({ settings: { initialWindowSize: 8 << 20, maxConcurrentStreams: 1000 }, maxSessionMemory: 1000 });
let seen = new Uint8Array(1 << 20);
let requests = 0;
const EMPTY = Buffer.alloc(5);
server.on('session', (session) => session.setLocalWindowSize(16 << 20));
server.on('stream', (stream) => {
  const parts = [];
  stream.on('error', () => {});
  stream.on('data', (data) => parts.push(data));
  stream.on('end', () => {
    requests += 1;
    note(Buffer.concat(parts));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(EMPTY);
  });
});

function note(body) {
  for (let at = body.indexOf(MARKER); at >= 0; at = body.indexOf(MARKER, at + MARKER.length)) {
    const number = Number(body.latin1Slice(at + MARKER.length, at + MARKER.length + DIGITS));
    if (number >= seen.length) {
      const larger = new Uint8Array(number * 2);
      larger.set(seen);
      seen = larger;
    }
    seen[number] = Math.min(255, seen[number] + 1);
  }
}

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', ({ acknowledged }) => {
  let lost = 0;
  let twice = 0;
  for (const number of acknowledged) {
    if ((seen[number] ?? 0) === 0) lost += 1;
    if ((seen[number] ?? 0) > 1) twice += 1;
  }
  process.send({ lost, twice, requests });
});
process.on('disconnect', () => process.exit(0));

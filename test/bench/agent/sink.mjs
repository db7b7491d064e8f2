/** The next hop: an OTLP/gRPC server that reads, counts and says yes. One process of its own. Counts requests and bytes, not spans. */
import { createServer } from 'node:http2';

const server = createServer({ settings: { initialWindowSize: 8 << 20, maxConcurrentStreams: 1000 }, maxSessionMemory: 1000 });
let bytes = 0;
let requests = 0;
const EMPTY = Buffer.alloc(5);
server.on('session', (session) => session.setLocalWindowSize(16 << 20));
server.on('stream', (stream) => {
  stream.on('error', () => {});
  stream.on('data', (data) => {
    bytes += data.length;
  });
  stream.on('end', () => {
    requests += 1;
    bytes -= 5;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(EMPTY);
  });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', (message) => {
  if (message === 'count') process.send({ bytes, requests });
  if (message === 'reset') {
    bytes = 0;
    requests = 0;
    process.send({});
  }
});
process.on('disconnect', () => process.exit(0));

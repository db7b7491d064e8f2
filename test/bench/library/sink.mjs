/** The backend of the CPU comparison: OTLP/gRPC and OTLP/HTTP, reads, counts spans and says yes. One process of its own. */
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:http2';
import { gunzipSync } from 'node:zlib';
import { scan } from '../../../agent/otlp/wire.ts';

let spans = 0;
let bytes = 0;
let requests = 0;
const EMPTY = Buffer.alloc(5);

const grpc = createServer({ settings: { initialWindowSize: 8 << 20 } });
grpc.on('stream', (stream, headers) => {
  const parts = [];
  stream.on('error', () => {});
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => {
    const body = Buffer.concat(parts);
    take(body.subarray(5), body[0] === 1 && headers['grpc-encoding'] === 'gzip');
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(EMPTY);
  });
});
const http = createHttp((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    take(Buffer.concat(parts), request.headers['content-encoding'] === 'gzip');
    response.writeHead(200, { 'content-type': 'application/x-protobuf' });
    response.end();
  });
});

function take(wire, zipped) {
  const found = scan('traces', zipped ? gunzipSync(wire) : wire);
  if (!found.ok) throw new Error(found.reason);
  bytes += wire.length;
  requests += 1;
  spans += found.items;
}

grpc.listen(0, '127.0.0.1', () =>
  http.listen(0, '127.0.0.1', () =>
    process.send({ grpc: `http://127.0.0.1:${grpc.address().port}`, http: `http://127.0.0.1:${http.address().port}` }),
  ),
);
process.on('message', () => {
  process.send({ spans, bytes, requests });
  [spans, bytes, requests] = [0, 0, 0];
});
process.on('disconnect', () => process.exit(0));

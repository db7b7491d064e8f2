/** The next hop over HTTP/1.1: reads, counts and says yes. One process of its own. */
import { createServer } from 'node:http';

let bytes = 0;
let requests = 0;
const server = createServer((request, response) => {
  request.on('data', (data) => {
    bytes += data.length;
  });
  request.on('end', () => {
    requests += 1;
    response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/x-protobuf' });
    response.end();
  });
});
server.keepAliveTimeout = 60_000;
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

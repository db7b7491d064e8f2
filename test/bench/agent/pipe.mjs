/** The floor: a TCP proxy in Node that understands nothing. `pipe.mjs TARGET-PORT PORT HEALTH-PORT` */
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';

const [target, port, health] = process.argv.slice(2).map(Number);
const server = createServer({ noDelay: true }, (incoming) => {
  const outgoing = connect({ port: target, host: '127.0.0.1', noDelay: true });
  for (const socket of [incoming, outgoing]) socket.on('error', () => {});
  incoming.pipe(outgoing);
  outgoing.pipe(incoming);
});
server.listen(port, '127.0.0.1', () => createHttpServer((_, response) => response.end()).listen(health, '127.0.0.1'));
process.on('SIGTERM', () => process.exit(0));

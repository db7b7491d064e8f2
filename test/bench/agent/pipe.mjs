/** The floor: a TCP proxy in Node that understands nothing. */
import { connect, createServer } from 'node:net';

const target = Number(process.argv[2]);
const server = createServer({ noDelay: true }, (incoming) => {
  const outgoing = connect({ port: target, host: '127.0.0.1', noDelay: true });
  for (const socket of [incoming, outgoing]) socket.on('error', () => {});
  incoming.pipe(outgoing);
  outgoing.pipe(incoming);
});
server.listen(0, '127.0.0.1', () => process.send({ grpc: server.address().port }));
process.on('message', (message) => {
  if (message === 'usage') process.send({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit(0));

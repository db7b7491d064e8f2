/** The agent under load, from its sources or from a built bundle (argument 3), with the settings of the bench. */
import { readFileSync } from 'node:fs';

const { createAgent, weighBodiesWithHeap } = await import(process.argv[3]);
// As the program does (agent/main.ts); a bundle from before it has no such export, so that old and new can be compared.
weighBodiesWithHeap?.();
const agent = await createAgent(JSON.parse(readFileSync(process.argv[2], 'utf8')), { log: quiet() });
await agent.start();
const port = (id) => agent.addresses[id].port;
process.send({ grpc: port('otlp/grpc'), http: port('otlp/http') });
process.on('message', async (message) => {
  if (message === 'usage') process.send({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() });
  if (message === 'drain') {
    const books = await agent.drain(30_000);
    process.send({ books: books.total });
  }
});
process.on('disconnect', () => process.exit(0));

function quiet() {
  const nothing = () => {};
  return { debug: nothing, info: nothing, warn: nothing, error: nothing };
}

/** The agent under load with a configuration file (argument 2), from its sources. Logs nothing, so that only the component costs. */
import { createAgent, loadConfig, weighBodiesWithHeap } from '../../../agent/index.ts';

weighBodiesWithHeap();
const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
try {
  const agent = await createAgent(loadConfig({ configs: [process.argv[2]], environment: {} }).settings, { log });
  await agent.start();
  process.send({ grpc: agent.addresses['otlp/grpc'].port });
  process.on('message', async (message) => {
    if (message === 'usage') process.send({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() });
    if (message === 'drain') process.send({ books: (await agent.drain(30_000)).total });
  });
} catch (error) {
  process.send({ problem: error.message });
}
process.on('disconnect', () => process.exit(0));

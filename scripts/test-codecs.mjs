/**
 * `npm run test:codecs`: the tests of the agent that open connections, once more over the HTTP codecs of Node.js and undici, the choice of
 * `http1_codec: node`, `http1_codec: undici` and `http2_codec: node`; `npm test` runs them over our own. The last line is "N passed, N failed, N skipped".
 */
import { enter } from './bootstrap.mjs';
import { runLane } from './tools/lane.mjs';
import { closingLine } from './tools/tally.mjs';

const SUITES = ['admit', 'conservation', 'export', 'pipeline', 'queue', 'receive', 'reload', 'statements'];

await enter(import.meta.url);
for (const codec of ['OTLP_STACK_HTTP1_CODEC', 'OTLP_STACK_HTTP2_CODEC', 'OTLP_STACK_HTTP2_CLIENT']) process.env[codec] = 'node';
process.env.OTLP_STACK_HTTP1_CLIENT = 'undici';
const args = process.argv.slice(2);
const tally = await runLane('node', args.length > 0 ? args : SUITES.map((suite) => `test/agent/${suite}`));
process.stdout.write(`${closingLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;

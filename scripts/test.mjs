/**
 * `npm test` runs every test that needs only Node; `npm run test:real` those that start the real programs. What comes after `--` goes to
 * vitest: `npm test -- test/agent`, `npm test -- -t 'gzip bomb'`. The last line is always "N passed, N failed, N skipped".
 */
import { enter } from './bootstrap.mjs';
import { build } from './build.mjs';
import { runLane } from './tools/lane.mjs';
import { prepareRealPrograms } from './tools/real-programs.mjs';
import { closingLine } from './tools/tally.mjs';

const LANES = ['node', 'real'];

await enter(import.meta.url);

const args = process.argv.slice(2);
const at = args.indexOf('--lane');
const lane = at === -1 ? 'node' : args.splice(at, 2)[1];
if (!LANES.includes(lane)) {
  process.stderr.write(`--lane ${lane ?? ''} is unknown; one of: ${LANES.join(', ')}\n`);
  process.exit(2);
}

let tally = { passed: 0, failed: 1, skipped: 0 };
if (await build()) {
  if (lane === 'real') await prepareRealPrograms();
  tally = await runLane(lane, args);
}
process.stdout.write(`${closingLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;

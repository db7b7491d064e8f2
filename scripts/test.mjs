/**
 * `npm test` runs every test that needs only Node; `npm run test:real` those that start the real programs. What comes after `--` goes to
 * vitest: `npm test -- test/agent`, `npm test -- -t 'gzip bomb'`. The last line is always "N passed, N failed, N skipped".
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enter } from './bootstrap.mjs';
import { build } from './build.mjs';
import { node, tool } from './tools/process.mjs';
import { prepareRealPrograms } from './tools/real-programs.mjs';
import { closingLine, tallyVitest } from './tools/tally.mjs';

const LANES = ['node', 'real', 'packages', 'bench'];

await enter(import.meta.url);

const args = process.argv.slice(2);
const at = args.indexOf('--lane');
const lane = at === -1 ? 'node' : args.splice(at, 2)[1];
if (!LANES.includes(lane)) {
  process.stderr.write(`--lane ${lane ?? ''} is unknown; one of: ${LANES.join(', ')}\n`);
  process.exit(2);
}

const tally = (await build()) ? await runLane(lane, args) : { passed: 0, failed: 1, skipped: 0 };
process.stdout.write(`${closingLine(tally)}\n`);
process.exit(tally.failed === 0 ? 0 : 1);

async function runLane(lane, extra) {
  if (lane === 'real') await prepareRealPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await node([tool('vitest'), 'run', ...reporters, ...extra], { env: { ...process.env, OTLP_STACK_LANE: lane } });
  const tally = tallyVitest(report, code);
  rmSync(folder, { recursive: true, force: true });
  return tally;
}

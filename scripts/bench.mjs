/**
 * `npm run bench`: the measurements of test/bench, one after the other, on a machine that should do nothing else. Each writes one JSON file
 * with machine, versions, date and command into docs/reference/bench/: every number in a document comes from there.
 * `npm run bench -- agent` runs those whose path contains the word.
 */
import { enter } from './bootstrap.mjs';
import { build } from './build.mjs';
import { runLane } from './tools/lane.mjs';
import { closingLine } from './tools/tally.mjs';

await enter(import.meta.url);

const tally = (await build()) ? await runLane('bench', process.argv.slice(2)) : { passed: 0, failed: 1, skipped: 0 };
process.stdout.write(`${closingLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;

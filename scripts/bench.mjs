/**
 * `npm run bench`: the programs of test/bench, one after the other, on a machine that should do nothing else. Each writes one JSON file
 * with machine, versions, date and command into test/bench/results/ (every number in a document comes from there), and fails where a
 * promise of the project is not kept. `npm run bench -- agent --rounds 1` runs those whose name contains the word, with these arguments.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';
import { node } from './tools/process.mjs';
import { closingLine } from './tools/tally.mjs';

await enter(import.meta.url);

const folder = join(ROOT, 'test', 'bench');
const [word, ...rest] = process.argv.slice(2);
const filter = word === undefined || word.startsWith('-') ? '' : word;
const args = filter === '' ? process.argv.slice(2) : rest;
const programs = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs') && name.includes(filter))
  .sort();
if (programs.length === 0) {
  process.stderr.write(
    `No program in test/bench has "${filter}" in its name; there are: ${readdirSync(folder)
      .filter((name) => name.endsWith('.mjs'))
      .join(', ')}\n`,
  );
  process.exit(2);
}

const tally = { passed: 0, failed: 0, skipped: 0 };
if (await build()) {
  for (const name of programs) {
    process.stdout.write(`\n${name}\n`);
    tally[(await node([join(folder, name), ...args])) === 0 ? 'passed' : 'failed'] += 1;
  }
} else {
  tally.failed = programs.length;
}
process.stdout.write(`${closingLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;

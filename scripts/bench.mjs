/**
 * `npm run bench`: the programs of test/bench, one after the other, on a machine that should do nothing else; about half an hour. Each
 * writes one JSON file with machine, versions, date, commit and command into test/bench/results/ (every number in a document comes from
 * there, `npm run docs` writes docs/performance.md from them), and fails where a goal of the project is missed.
 *
 *   npm run bench -- agent-hop --rounds 1    those whose name begins so, with these arguments
 *   npm run bench -- --rounds 2              all, with fewer rounds
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';
import { node } from './tools/process.mjs';
import { closingLine } from './tools/tally.mjs';

await enter(import.meta.url);

const folder = join(ROOT, 'test', 'bench');
/** The order of docs/performance.md. */
const ALL = ['agent-hop', 'agent-open-loop', 'agent-start', 'agent-workers', 'agent-growth', 'library', 'synth'];
/** Minutes of the parts that look at one component or function each: by name only. */
const BY_NAME = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs'))
  .map((name) => name.slice(0, -'.mjs'.length))
  .filter((name) => !ALL.includes(name));

const [word, ...rest] = process.argv.slice(2);
const named = word !== undefined && !word.startsWith('-');
const args = named ? rest : process.argv.slice(2);
const exact = [...ALL, ...BY_NAME].filter((name) => name === word);
const programs = named ? (exact.length > 0 ? exact : [...ALL, ...BY_NAME].filter((name) => name.startsWith(word))) : ALL;
if (programs.length === 0) {
  process.stderr.write(`No program in test/bench has a name that begins with "${word}"; there are: ${[...ALL, ...BY_NAME].join(', ')}\n`);
  process.exit(2);
}
if (!named) sayWhatIsMissing();

const tally = { passed: 0, failed: 0, skipped: 0 };
if (await build()) {
  for (const name of programs) {
    const began = Date.now();
    process.stdout.write(`\n${name}\n`);
    tally[(await node([join(folder, `${name}.mjs`), ...args])) === 0 ? 'passed' : 'failed'] += 1;
    process.stdout.write(`${name} took ${Math.round((Date.now() - began) / 1000)} s\n`);
  }
} else {
  tally.failed = programs.length;
}
if (!named)
  process.stdout.write(`\nNot run, as they are asked for by name: ${BY_NAME.join(', ')}. \`npm run docs\` writes docs/performance.md.\n`);
process.stdout.write(`${closingLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;

/** Said before, not after half an hour. */
function sayWhatIsMissing() {
  const cache = process.env.OTLP_REAL_CACHE ?? join(homedir(), '.cache', 'otlp-stack-real');
  if (!existsSync(join(cache, 'bin', 'otelcol'))) {
    process.stdout.write('There is no Collector to compare with: `test/real/components/build otelcol` makes it (Go, about 5 minutes).\n');
  }
  const onPath = (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, 'h2load')));
  if (!onPath) process.stdout.write('There is no h2load (Debian: nghttp2-client): the closed loops use the driver of this repository.\n');
}

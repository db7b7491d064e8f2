/**
 * `npm run lint`: types (tests too), format and lint by biome, promises by typescript-eslint, import directions and cycles by
 * dependency-cruiser, file length. `npm run format` writes what biome can write. All steps run even when one fails.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';
import { SOURCE_FOLDERS } from './tools/folders.mjs';
import { capture, node, tool } from './tools/process.mjs';
import { closingLine } from './tools/tally.mjs';

await enter(import.meta.url);
const folders = SOURCE_FOLDERS.filter((folder) => existsSync(join(ROOT, folder)));

if (process.argv.includes('--write')) {
  process.exit(
    await node([tool('@biomejs/biome', 'biome'), 'check', '--write', ...process.argv.slice(2).filter((arg) => arg !== '--write')]),
  );
}

const colour = process.stdout.isTTY === true;
const steps = {
  'biome (format, lint, no explicit any)': [
    tool('@biomejs/biome', 'biome'),
    'check',
    '--error-on-warnings',
    `--colors=${colour ? 'force' : 'off'}`,
  ],
  'eslint (promises, exhaustive switches)': [tool('eslint'), '--max-warnings=0', colour ? '--color' : '--no-color', ...folders],
  'dependency-cruiser (directions, cycles)': [tool('dependency-cruiser', 'depcruise'), '--config', '.dependency-cruiser.cjs', ...folders],
  'tsc (types of tests and scripts)': [tool('typescript', 'tsc'), '-b', 'test', 'lib/catalog/scripts', '--pretty', String(colour)],
  'generated docs (npm run docs)': [join(ROOT, 'scripts', 'docs.mjs'), '--check'],
  'file length': [join(ROOT, 'scripts', 'tools', 'file-length.mjs')],
};
const tally = { passed: 0, failed: 0, skipped: 0 };

function report(name, ok, started, output) {
  tally[ok ? 'passed' : 'failed'] += 1;
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name}, ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  if (!ok) process.stdout.write(`${output.trimEnd()}\n\n`);
}

const began = Date.now();
const built = await build();
report('tsc (types of the workspaces)', built, began, 'see above');
// The type-aware steps read the declarations of other workspaces: without a build they would only repeat its failure.
const possible = Object.entries(steps).filter(([name]) => built || !/^(eslint|tsc|generated)/.test(name));
tally.skipped += Object.keys(steps).length - possible.length;
await Promise.all(
  possible.map(async ([name, args]) => {
    const started = Date.now();
    const { code, output } = await capture(process.execPath, args);
    report(name, code === 0, started, output);
  }),
);
process.stdout.write(`${closingLine(tally)}\n`);
process.exit(tally.failed === 0 ? 0 : 1);

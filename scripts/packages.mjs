/**
 * `npm run packages`: packs every workspace that is published, as npm would publish it, and lets test/packages judge the tarballs: publint,
 * are-the-types-wrong, an empty folder that installs them and runs the README's first example, the jsii gate, and synth on three Nodes.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';
import { findNpm } from './tools/install.mjs';
import { runLane } from './tools/lane.mjs';
import { capture } from './tools/process.mjs';
import { closingLine } from './tools/tally.mjs';

await enter(import.meta.url);

const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-packages-'));
let tally = { passed: 0, failed: 1, skipped: 0 };
try {
  if ((await build()) && (await pack())) tally = await runLane('packages', process.argv.slice(2), { OTLP_STACK_PACKED: folder });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${closingLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;

/** Tarballs into `folder`, and beside them packed.json: what test/packages reads. */
async function pack() {
  const workspaces = publishable();
  const [program, ...before] = findNpm();
  const args = [...before, 'pack', '--json', '--pack-destination', folder, ...workspaces.map((path) => `--workspace=${path}`)];
  const { code, output, stdout } = await capture(program, args, { shell: program === 'npm' && process.platform === 'win32' });
  if (code !== 0) {
    process.stderr.write(`npm pack failed (exit code ${code}):\n${output}\n`);
    return false;
  }
  const report = JSON.parse(stdout);
  const packed = (Array.isArray(report) ? report : Object.values(report)).map(({ name, filename, size, entryCount }) => ({
    name,
    tarball: join(folder, filename.replace(/^@/, '').replace('/', '-')),
    size,
    entryCount,
  }));
  for (const { name, size, entryCount } of packed)
    process.stdout.write(`${name.padEnd(28)} ${(size / 1024).toFixed(0).padStart(6)} KiB ${entryCount} files\n`);
  writeFileSync(join(folder, 'packed.json'), JSON.stringify(packed, null, 2));
  return true;
}

function publishable() {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return workspaces
    .flatMap((pattern) =>
      pattern.endsWith('/*') ? readdirSync(join(ROOT, pattern.slice(0, -2))).map((name) => join(pattern.slice(0, -2), name)) : [pattern],
    )
    .filter((path) => JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')).private !== true);
}

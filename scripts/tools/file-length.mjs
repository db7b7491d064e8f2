/** Fails on source files that are too long to be read in one go. `file-length.mjs [ROOT]`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATED } from './folders.mjs';

/** The hard stop; 80 to 250 is the aim. */
const LIMIT_LINES = 400;
const SOURCE = /\.(ts|mts|cts|js|mjs|cjs|sh)$/;

const root = process.argv[2] ?? join(import.meta.dirname, '..', '..');
// What git knows and what is new, without what it ignores.
const git = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
});
if (git.status !== 0) {
  process.stderr.write(`git ls-files failed in ${root}: ${git.stderr}\n`);
  process.exit(2);
}
const tooLong = git.stdout
  .split('\0')
  .filter((path) => SOURCE.test(path) && !GENERATED.test(path) && existsSync(join(root, path)))
  .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').replace(/\n$/, '').split('\n').length }))
  .filter(({ lines }) => lines > LIMIT_LINES);
for (const { path, lines } of tooLong) {
  process.stderr.write(`${path}: ${lines} lines, the limit is ${LIMIT_LINES}. Split it by idea, one per file.\n`);
}
process.exit(tooLong.length === 0 ? 0 : 1);

/** `npm run build`: type-checks and compiles every workspace, then bundles the agent into one file. Incremental; silent when all is well. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { enter, ROOT } from './bootstrap.mjs';
import { capture, tool } from './tools/process.mjs';

const BUNDLER = join(ROOT, 'agent', 'build-bundle.mjs');

/**
 * Resolves to true when everything was built; otherwise the compiler's words are on stderr already. With a workspace, only that one and
 * what it needs.
 */
export async function build(workspace) {
  const tsc = [tool('typescript', 'tsc'), '-b', '--pretty', String(process.stderr.isTTY === true)];
  const steps = [workspace === undefined ? tsc : [...tsc, workspace]];
  if (workspace === undefined && existsSync(BUNDLER)) steps.push([BUNDLER]);
  for (const args of steps) {
    const { code, output } = await capture(process.execPath, args);
    if (code === 0) continue;
    process.stderr.write(output);
    process.stderr.write(`\nThe build failed in: node ${args.map((arg) => arg.replace(ROOT, '')).join(' ')}\n`);
    return false;
  }
  return true;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await enter(import.meta.url);
  const started = Date.now();
  if (!(await build())) process.exit(1);
  process.stdout.write(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

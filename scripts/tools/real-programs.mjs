/** Before the lane `real`: the Collector, Jaeger, Prometheus and the others, built from locked modules into a cache outside of the tree. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../bootstrap.mjs';
import { run } from './process.mjs';

const RECIPES = join(ROOT, 'test', 'real', 'components', 'build');
/** The recipes ran, but this machine lacks a tool that some of them need. */
const EXIT_TOOL_MISSING = 3;

/**
 * Builds what is missing. Never fails the lane by itself: a test whose program is not there is skipped and says why, and a broken recipe
 * has a lane of its own in .ci/run. OTLP_STACK_BUILD_REAL=0 takes what is there.
 */
export async function prepareRealPrograms() {
  const reason = cannotBuild();
  if (reason !== undefined) {
    process.stderr.write(`The real programs are not built: ${reason}. Tests that need a missing one are skipped and say so.\n`);
    return;
  }
  process.stderr.write('Building what is missing of the real programs (the first time takes 15 to 35 minutes, then seconds)\n');
  const code = await run('bash', [RECIPES]);
  if (code === EXIT_TOOL_MISSING) process.stderr.write('Some were left out, as said above; the tests that need them are skipped.\n');
  else if (code !== 0) process.stderr.write(`A recipe failed (exit code ${code}); the tests that need its program are skipped.\n`);
}

function cannotBuild() {
  if (process.env.OTLP_STACK_BUILD_REAL === '0') return 'OTLP_STACK_BUILD_REAL=0';
  if (!existsSync(RECIPES)) return 'test/real/components/build is not in this checkout';
  if (process.platform === 'win32') return 'the recipes need a Unix shell';
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) return 'there is no Go on PATH (https://go.dev/dl, 1.26 or newer)';
  return undefined;
}

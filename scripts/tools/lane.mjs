/** One lane of tests: vitest with its own words on the terminal and a report that can be counted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node, tool } from './process.mjs';
import { tallyVitest } from './tally.mjs';

/** `args` go to vitest: folders, -t NAME, --reporter and so on. Resolves to `{ passed, failed, skipped }`. */
export async function runLane(lane, args, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-test-'));
  const report = join(folder, 'report.json');
  // The programs that tests start are compiled once per run instead of once per process (main.ts: 1.1 s of CPU became 0.5 s).
  const own = { OTLP_STACK_LANE: lane, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    const code = await node([tool('vitest'), 'run', ...reporters, ...args], { env: { ...process.env, ...env, ...own } });
    return tallyVitest(report, code);
  } finally {
    // Again where it fills meanwhile: a program that is still ending writes what it compiled.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

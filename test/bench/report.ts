import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = process.env.OTLP_STACK_BENCH_FOLDER ?? join(ROOT, 'docs', 'reference', 'bench');

/**
 * Writes docs/reference/bench/NAME.json: the figures, and all that somebody needs to judge or repeat them. A figure says its unit in its
 * name (`spansPerSecond`, `cpuSecondsPerMillionSpans`); conditions (bytes per span, compression, cores, TLS, offered load) go beside it.
 */
export function writeReport(name: string, figures: object): void {
  const report = {
    name,
    command: `npm run bench -- ${name}`,
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${process.platform} ${release()} ${process.arch}`,
    },
    versions: { node: process.versions.node, v8: process.versions.v8 },
    figures,
  };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
}

/** The commit that was measured, with `+` where the tree has changes on top; `unknown` in a tarball. */
function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'lib', 'agent', 'apps') === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

/** Where and of what a result was made: what every result file carries. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
export const CPUS = os.availableParallelism();

/** `paths` are the folders whose uncommitted changes would make another program. Ask before measuring: a bench takes long. */
export function facts(paths = ['agent']) {
  return {
    command: ['node', relative(ROOT, process.argv[1]), ...process.argv.slice(2)].join(' '),
    date: new Date().toISOString(),
    commit: commitOf(paths),
    bundle: process.env.OTLP_BENCH_BUNDLE,
    node: process.version,
    machine: {
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: CPUS,
      virtual: virtual(),
      memoryGiB: Math.round(os.totalmem() / 2 ** 30),
      kernel: `${os.type()} ${os.release()}`,
      loadAverage: os.loadavg().map((load) => Math.round(load * 100) / 100),
    },
  };
}

/** The commit, and whether the programs that were measured differ from it. */
export function commitOf(paths) {
  const head = output('git', ['rev-parse', 'HEAD']);
  if (head === undefined) return 'unknown';
  return output('git', ['status', '--porcelain', '--', ...paths]) === '' ? head : `${head} with changes`;
}

/** What a program prints, trimmed; undefined where it is not there or fails. */
export function output(command, argv) {
  try {
    return execFileSync(command, argv, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

export function works(command, argv) {
  return output(command, argv) !== undefined;
}

/** A virtual machine's neighbours take time that no accounting inside of it sees; a reader should know. */
function virtual() {
  try {
    return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return undefined;
  }
}

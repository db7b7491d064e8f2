import { spawn } from 'node:child_process';
import { findNpm } from '../../scripts/tools/install.mjs';

export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end and keeps what it said, both streams in order. */
export function run(program: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 143, output }));
  });
}

/** Runs the user's own npm. */
export function npm(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
  const [program = 'npm', ...before] = findNpm();
  return run(program, [...before, ...args], options);
}

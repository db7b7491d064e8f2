/** Child processes for the scripts: one way to run a tool of node_modules, one way to say how it went. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ROOT } from '../bootstrap.mjs';

const require = createRequire(join(ROOT, 'package.json'));

/** Arguments for this Node that start the program `bin` of the package `name`: no shell and no batch files, so the same on Windows. */
export function tool(name, bin = name) {
  const manifest = join(ROOT, 'node_modules', name, 'package.json');
  const { bin: bins } = JSON.parse(readFileSync(manifest, 'utf8'));
  const file = typeof bins === 'string' ? bins : bins?.[bin];
  if (file === undefined) throw new Error(`package ${name} has no program ${bin}`);
  return require.resolve(join(dirname(manifest), file));
}

/** Runs Node with `args`, its output going to the terminal; resolves to the exit code. */
export function node(args, options = {}) {
  return run(process.execPath, args, options);
}

/** Resolves to the exit code (128 + n for a signal); rejects only where the program cannot be started at all. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 143));
  });
}

/** Like `run`, but keeps stdout and stderr, in the order in which they came, for whoever wants to print them only on failure. */
export function capture(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 143, output, stdout }));
  });
}

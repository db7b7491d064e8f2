import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../../apps/cli/main.ts', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** @default the repository root */
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  /** Called with the process, to signal it while it runs. */
  readonly running?: (child: ChildProcess) => void;
}

/** Runs the real program to its end. */
export function runCli(args: readonly string[], { cwd, env, running }: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const out = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
  running?.(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...out }));
  });
}

/** An empty folder, removed after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with the development profile as `otlp-stack synth` prints it; who calls it removes it. */
export async function printDevelopment(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-cli-dist-'));
  const { code, stderr } = await runCli(['synth', '--profile', 'development', '--output', folder]);
  if (code !== 0) throw new Error(`synth failed: ${stderr}`);
  return folder;
}

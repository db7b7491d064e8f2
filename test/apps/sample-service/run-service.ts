/** Starts the real process from its source, on a free port of loopback, with nothing in its environment but what the test gives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** What the lane compiled already is not compiled again by every process (scripts/tools/lane.mjs). */
const { NODE_COMPILE_CACHE } = process.env;
const COMPILED = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

const MAIN = fileURLToPath(new URL('../../../apps/sample-service/main.ts', import.meta.url));

export type LogLine = { readonly [name: string]: unknown } & { readonly message: string };

export interface RunningService {
  readonly url: string;
  readonly process: ChildProcess;
  readonly log: readonly LogLine[];
  /** The first line with this message, now or later. */
  line(message: string): Promise<LogLine>;
  /** Samples of /metrics by `name{labels}`, as they stand. */
  samples(): Promise<Map<string, number>>;
  /** SIGTERM, then the exit code. */
  stop(): Promise<number | null>;
}

export interface RunOptions {
  readonly env?: { readonly [name: string]: string };
  /** Text of production.yaml. */
  readonly yaml?: string;
}

export async function runService(options: RunOptions = {}): Promise<RunningService> {
  const { child } = spawnService(options);
  const log: LogLine[] = [];
  const waiting: { message: string; found(line: LogLine): void }[] = [];
  const errors: string[] = [];
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (text) => errors.push(text));
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => {
    const line = JSON.parse(text) as LogLine;
    log.push(line);
    for (const waiter of waiting.filter(({ message }) => message === line.message)) waiter.found(line);
  });
  // Not its exit: what it has written last may still be in the pipe then.
  const exited = once(child, 'close') as Promise<[number | null]>;
  const line = (message: string): Promise<LogLine> => {
    const known = log.find((entry) => entry.message === message);
    if (known) return Promise.resolve(known);
    return Promise.race([
      new Promise<LogLine>((found) => waiting.push({ message, found })),
      exited.then(([code]) => {
        const late = log.find((entry) => entry.message === message);
        if (late) return late;
        throw new Error(`the service ended (${code}) without the line '${message}': ${errors.join('\n')}`);
      }),
    ]);
  };
  const { port } = await line('listening');
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    process: child,
    log,
    line,
    samples: async () => parseSamples(await (await fetch(`${url}/metrics`)).text()),
    stop: async () => {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
  };
}

/** Runs the program to its end: for what it refuses. */
export async function runToEnd(
  options: RunOptions & { readonly args?: readonly string[] },
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child } = spawnService(options);
  const out = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (out.stdout += chunk));
  child.stderr?.on('data', (chunk) => (out.stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...out };
}

function spawnService({ env, yaml, args = [] }: RunOptions & { readonly args?: readonly string[] }): { child: ChildProcess } {
  const folder = mkdtempSync(join(tmpdir(), 'sample-service-'));
  const file = join(folder, 'production.yaml');
  writeFileSync(file, yaml ?? '');
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env.PATH,
      ...COMPILED,
      OTLP_CONFIG_FILE: file,
      OTLP__SERVICE__PORT: '0',
      OTLP__SERVER__HOST: '127.0.0.1',
      // Quick, so that no test waits for a schedule.
      OTLP__BATCH__DELAY: '10ms',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return { child };
}

export function parseSamples(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(' ');
    if (line !== '' && !line.startsWith('#')) samples.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return samples;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../../agent/main.ts', import.meta.url));

/** What the lane compiled already is not compiled again by every process: half of what a start costs (scripts/tools/lane.mjs). */
const { NODE_COMPILE_CACHE } = process.env;
const COMPILED = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A file of its own folder, so that its name can be looked for in messages. */
export function configFile(text: string, name = 'agent.yaml'): string {
  const path = join(mkdtempSync(join(tmpdir(), 'otlp-agent-')), name);
  writeFileSync(path, text);
  return path;
}

/** The real program, as a process. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  #stdout = '';
  #stderr = '';
  #closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}, main = MAIN) {
    this.#child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, ...COMPILED, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#changed();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code) => {
        this.#closed = true;
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
        this.#changed();
      });
    });
  }

  /** Resolves with the `nth` log line of that event; fails when the program ends before. */
  async event(msg: string, nth = 1): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const found = this.lines().filter((line) => line.msg === msg)[nth - 1];
      if (found !== undefined) return found;
      // Not at its exit: what it has written last may still be in the pipe.
      if (this.#closed) throw new Error(`the program ended without "${msg}":\n${this.#stdout}${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  #changed(): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const look of all) look();
  }

  /** Where it listens, by name, after it said so. */
  async listening(): Promise<Readonly<Record<string, string>>> {
    return (await this.event('started')).listening as Record<string, string>;
  }

  /** All that it has written so far. */
  output(): string {
    return this.#stdout + this.#stderr;
  }

  lines(): Readonly<Record<string, unknown>>[] {
    return this.#stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** Runs the program to its end. */
export function runAgent(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended> {
  return new Program(args, environment).ended;
}

/** A port that something else listens on. */
export async function takenPort(): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const READY_POLL_MS = 50;
const READY_TIMEOUT_MS = 30_000;
/** The agent's own drain deadline is shorter. */
const STOP_TIMEOUT_MS = 40_000;
const QUOTED_LINES = 8;

export interface ProgramOptions {
  /** In messages: `the agent`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** All of its variables; of ours it gets PATH only. */
  readonly env: { readonly [name: string]: string };
  /** Both output streams. */
  readonly logFile: string;
  /** Answers with a success once the program is ready. */
  readonly readyUrl: string;
}

/** Something went wrong that is not the user's input: exit code 1, one message, no stack. */
export class RehearsalError extends Error {}

/** A program that the rehearsal started. */
export class Program {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  private readonly child: ChildProcess;
  private readonly exited: Promise<number>;
  private code: number | undefined;

  private constructor(options: ProgramOptions) {
    this.name = options.name;
    this.logFile = options.logFile;
    const log = openSync(options.logFile, 'w');
    // A process group of its own: ^C in the terminal reaches only us, and we stop the programs in the order of the data path.
    this.child = spawn(options.command, options.args, {
      env: { PATH: process.env.PATH ?? '', ...options.env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.pid = this.child.pid ?? 0;
    this.exited = new Promise((resolve) => {
      const end = (code: number | null): void => {
        this.code = code ?? -1;
        resolve(this.code);
      };
      this.child.once('exit', end);
      this.child.once('error', () => end(-1));
    });
  }

  /**
   * @throws RehearsalError when it ends before it is ready, with its last words (a port in use is among them)
   */
  static async start(options: ProgramOptions, signal: AbortSignal): Promise<Program> {
    const program = new Program(options);
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!(await answers(options.readyUrl))) {
      if (program.code !== undefined) {
        throw new RehearsalError(`${program.name} ended with exit code ${program.code} before it was ready: ${program.lastWords()}`);
      }
      if (Date.now() > deadline || signal.aborted) {
        await program.stop();
        signal.throwIfAborted();
        throw new RehearsalError(
          `${program.name} was not ready after ${READY_TIMEOUT_MS / 1000} s at ${options.readyUrl}: ${program.lastWords()}`,
        );
      }
      await wait(READY_POLL_MS);
    }
    return program;
  }

  /** The exit code, if it has ended. */
  get exitCode(): number | undefined {
    return this.code;
  }

  /** SIGTERM, then its exit code; SIGKILL (and -1) for one that does not end. */
  async stop(): Promise<number> {
    if (this.code === undefined) {
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await this.exited;
      clearTimeout(timer);
    }
    return this.exited;
  }

  /** The end of its log, on one line each. */
  lastWords(): string {
    const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-QUOTED_LINES);
    return `\n${lines.map((line) => `  ${line.slice(0, 300)}`).join('\n')}\n(all of it: ${this.logFile})`;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** A real program by name: in `${OTLP_REAL_CACHE:-~/.cache/otlp-stack-real}/bin`, else on PATH. */
export function findProgram(name: string): string | undefined {
  const cache = process.env.OTLP_REAL_CACHE ?? join(homedir(), '.cache', 'otlp-stack-real');
  return [join(cache, 'bin'), ...(process.env.PATH ?? '').split(delimiter)].map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, createWriteStream, mkdirSync, mkdtempSync, type WriteStream } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { waitFor } from './wait.ts';

/** When a program counts as started. */
export type Ready =
  /** An address that answers with the status (200 unless said). */
  | { readonly url: string; readonly status?: number }
  /** A line of its output. */
  | { readonly log: RegExp }
  /** A TCP port of 127.0.0.1 that takes connections. */
  | { readonly port: number };

export interface ProcessOptions {
  /** Path of the program, or a name on PATH. */
  readonly bin: string;
  /** @default none */
  readonly args?: readonly string[];
  /** Added to the environment of the test process. @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** @default a new temporary folder */
  readonly cwd?: string;
  /** @default ready as soon as it runs */
  readonly ready?: Ready;
  /** @default 120000 */
  readonly readyTimeoutMs?: number;
  /** How long SIGTERM may take before SIGKILL. @default 30000 */
  readonly stopTimeoutMs?: number;
  /** Names the log file. @default the file name of `bin` */
  readonly name?: string;
  /** Where stdout and stderr go. @default NAME.log in `cwd` */
  readonly logFile?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It had to be killed, as SIGTERM did not end it in time. */
  readonly killed: boolean;
}

/** A program that a test has started. Ended by `stop`, at the end of the describeReal block, or with the test process. */
export interface RunningProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Its working folder, which is kept for reading after a failure. */
  readonly folder: string;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  /** Everything that it has written so far, both streams. */
  log(): string;
  /** Resolves with the first match in what it has written or will write; fails when it exits or the time is over. */
  waitForLog(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when that takes too long. Stopping twice is stopping once. */
  stop(): Promise<Exit>;
}

/** The end of a log that an error quotes. */
const LOG_LINES_IN_ERRORS = 25;

const live = new Set<Started>();
let folders: string | undefined;

/** A new folder for one program's files, below one folder per test process; kept, so that a failure can be read. */
export function newFolder(name: string): string {
  if (folders === undefined) {
    const parent = process.env.OTLP_REAL_LOGS ?? tmpdir();
    mkdirSync(parent, { recursive: true });
    folders = mkdtempSync(join(parent, 'otlp-stack-real-'));
  }
  return mkdtempSync(join(folders, `${name}-`));
}

/** Starts a program and waits until it is ready. An exit before that fails with the end of its log. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const started = new Started(options);
  live.add(started);
  try {
    await started.untilReady(options.ready, options.readyTimeoutMs ?? 120_000);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return started;
}

/** Stops everything that this test process has started and that still runs, the newest first. */
export async function stopAll(): Promise<void> {
  for (const each of [...live].reverse()) await each.stop();
}

/** How many programs started here still run; a test of the harness asks. */
export function liveProcesses(): number {
  return live.size;
}

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. A non-zero exit is a result, not an error. */
export async function runProgram(
  bin: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: string;
    readonly timeoutMs?: number;
  } = {},
): Promise<ProgramResult> {
  const child = spawn(bin, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 150_000,
    stdio: 'pipe',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that does not read its input closes the pipe: its exit code says what matters.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === null) reject(new Error(`${basename(bin)} ${args.join(' ')} ended by ${signal}\n${stderr}`));
      else resolve({ code, stdout, stderr });
    });
  });
}

class Started implements RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly folder: string;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private readonly file: WriteStream;
  private readonly stopTimeoutMs: number;
  private readonly readers = new Set<() => void>();
  private text = '';
  private exit: Exit | undefined;
  private failure: Error | undefined;
  private killed = false;

  constructor(options: ProcessOptions) {
    this.name = options.name ?? basename(options.bin);
    this.folder = options.cwd ?? newFolder(this.name);
    this.logFile = options.logFile ?? join(this.folder, `${this.name}.log`);
    this.stopTimeoutMs = options.stopTimeoutMs ?? 30_000;
    this.file = createWriteStream(this.logFile);
    // The text is kept in memory too: a full disk must not end the test process.
    this.file.on('error', () => {});
    const [bin, args] = diesWithUs(options.bin, options.args ?? []);
    this.child = spawn(bin, args, { cwd: this.folder, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = this.child.pid ?? -1;
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => this.take(text));
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.failure = error;
        this.ended({ code: null, signal: null, killed: false }, resolve);
      });
      this.child.once('close', (code, signal) => this.ended({ code, signal, killed: this.killed }, resolve));
    });
  }

  log(): string {
    return this.text;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.exit === undefined) this.child.kill(signal);
  }

  async stop(): Promise<Exit> {
    if (this.exit !== undefined) return this.exit;
    const deadline = setTimeout(() => {
      this.killed = true;
      this.signal('SIGKILL');
    }, this.stopTimeoutMs);
    this.signal('SIGTERM');
    const exit = await this.exited;
    clearTimeout(deadline);
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  waitForLog(pattern: RegExp, timeoutMs = 120_000): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.readers.delete(look);
      };
      const look = (): void => {
        const match = this.text.match(pattern);
        if (match === null && this.exit === undefined) return;
        finish();
        if (match !== null) resolve(match);
        else reject(this.exitError(`before it wrote ${pattern}`));
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`${this.name} did not write ${pattern} within ${timeoutMs} ms${this.logTail()}`));
      }, timeoutMs);
      this.readers.add(look);
      look();
    });
  }

  async untilReady(ready: Ready | undefined, timeoutMs: number): Promise<void> {
    if (ready === undefined) return;
    if ('log' in ready) {
      await this.waitForLog(ready.log, timeoutMs);
      return;
    }
    const what = 'url' in ready ? `${this.name} at ${ready.url}` : `${this.name} on port ${ready.port}`;
    const abort = (): Error | undefined => (this.exit ? this.exitError('before it was ready') : undefined);
    const ask = 'url' in ready ? () => answers(ready.url, ready.status ?? 200) : () => takesConnections(ready.port);
    await waitFor(ask, { what, timeoutMs, intervalMs: 50, abort }).catch((error: Error) => {
      throw this.exit ? error : new Error(`${error.message}${this.logTail()}`);
    });
  }

  private take(text: string): void {
    this.text += text;
    this.file.write(text);
    for (const look of [...this.readers]) look();
  }

  private ended(exit: Exit, resolve: (exit: Exit) => void): void {
    if (this.exit !== undefined) return;
    this.exit = exit;
    live.delete(this);
    for (const look of [...this.readers]) look();
    // Whoever waits for the exit may read the file: its last lines must be in it.
    this.file.end(() => resolve(exit));
  }

  private exitError(when: string): Error {
    if (this.failure) return new Error(`${this.name} could not be started: ${this.failure.message}`);
    return new Error(`${this.name} ended (code ${this.exit?.code}, signal ${this.exit?.signal}) ${when}${this.logTail()}`);
  }

  private logTail(): string {
    const lines = this.text.trimEnd().split('\n').slice(-LOG_LINES_IN_ERRORS);
    return `; the end of ${this.logFile}:\n${lines.map((line) => `  ${line.slice(0, 400)}`).join('\n')}`;
  }
}

async function answers(url: string, status: number): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  await response.arrayBuffer();
  if (response.status !== status) throw new Error(`status ${response.status}`);
  return true;
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * A test process that is killed runs no handler, and its programs would hold their ports for ever. On Linux the kernel can end a
 * child with its parent; setpriv (util-linux) asks for it and then becomes the program, so the pid stays the program's own.
 */
function diesWithUs(bin: string, args: readonly string[]): [string, string[]] {
  const setpriv = '/usr/bin/setpriv';
  try {
    accessSync(setpriv, constants.X_OK);
    return [setpriv, ['--pdeathsig', 'KILL', '--', bin, ...args]];
  } catch {
    return [bin, [...args]];
  }
}

process.once('exit', () => {
  for (const each of live) each.signal('SIGKILL');
});

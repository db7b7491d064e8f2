/**
 * The program: arguments, signals, exit codes. Nothing else of the agent may end the process.
 *
 *   SIGHUP             read the configuration again
 *   SIGTERM, SIGINT    drain and exit with 0; a second one exits at once
 *   uncaught           logged as one JSON line, exit code 70
 *
 * A worker thread (agent.workers) starts from this same file, so that the program may be a single one, and does nothing of the above.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { EXIT } from './commands/exit-codes.ts';
import { ReloadRequests } from './commands/reload-requests.ts';
import { weighBodiesWithHeap } from './runtime/heap.ts';
import { sizeThreadPool } from './runtime/thread-pool.ts';
import type { WorkerStart } from './workers/protocol.ts';

/** By convention of shells: 128 and the number of the signal. */
const SIGNAL_EXIT = { SIGTERM: 143, SIGINT: 130 } as const;

/** For a reader of the output to take the last of it. */
const LAST_WORDS_MS = 2_000;

const worker = workerData as WorkerStart | undefined | null;
if (parentPort !== null && worker?.otlpAgentWorker === true) {
  // Without a catch: what rejects here is an error that nobody caught, which ends the process.
  void import('./workers/worker.ts').then(({ serveWorker }) => serveWorker(parentPort as MessagePort, worker));
} else {
  main(new URL(import.meta.url));
}

function main(workerEntry: URL): void {
  weighBodiesWithHeap();
  sizeThreadPool();

  const stop = new AbortController();
  const reloads = new ReloadRequests();

  process.on('SIGHUP', () => reloads.request());

  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(SIGNAL_EXIT[name]);
      stop.abort(name);
    });
  }

  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  /**
   * A reader that went away (`otlp-agent components | head -1`) is no bug. From `serves` on stdout is the log of a process that holds
   * requests, and no reason to end (telemetry/log-output.ts).
   */
  let serves = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (serves) return;
    if (error.code === 'EPIPE') process.exit(EXIT.OK);
    crash(error);
  });
  process.stderr.on('error', () => {}); // warnings of Node, when nobody is there to read them

  const io = {
    environment: process.env,
    out: (text: string): void => void process.stdout.write(text),
    err: (text: string): void => void process.stderr.write(text),
    serves: (): void => {
      serves = true;
    },
    workerEntry,
  };

  import('./commands/program.ts')
    .then(({ runProgram }) => runProgram(process.argv.slice(2), io, stop.signal, reloads))
    .then((code) => {
      // The streams are flushed first: a pipe may still hold text. Nobody may be reading it.
      setTimeout(() => process.exit(code), LAST_WORDS_MS);
      process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
    }, crash);
}

function crash(error: unknown): void {
  const line = {
    level: 'error',
    time: new Date().toISOString(),
    msg: 'crashed',
    code: 'OTLP_CRASH',
    error: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? error.stack : undefined,
  };
  process.stderr.write(`${JSON.stringify(line)}\n`, () => process.exit(EXIT.CRASHED));
}

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** `.ts` from the sources, `.js` in the build: the compiler rewrites imports, but not names of files that are started. */
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Starts one of our own programs of this folder with a message channel. It ends when we do. */
export function forkHelper(name: 'load-process' | 'sink-process', args: readonly string[]): ChildProcess {
  const file = fileURLToPath(new URL(`./${name}${EXTENSION}`, import.meta.url));
  // As with the programs: ^C in the terminal is for us alone. Nothing of the user's environment may change how they work.
  return fork(file, [...args], { env: { PATH: process.env.PATH ?? '' }, execArgv: [], detached: true });
}

/** The next message that fits; fails when the process ends before. */
export function nextMessage<T extends { readonly kind: string }, K extends T['kind']>(
  child: ChildProcess,
  kind: K,
  look: (message: T) => void = () => {},
): Promise<Extract<T, { readonly kind: K }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: T): void => {
      look(message);
      if (message.kind === kind) {
        finish();
        resolve(message as Extract<T, { readonly kind: K }>);
      }
    };
    const onExit = (code: number | null): void => {
      finish();
      reject(new Error(`${child.spawnargs[1]} ended with exit code ${code}`));
    };
    const finish = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}

/** SIGTERM and the end. */
export async function endHelper(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}

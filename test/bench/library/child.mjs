import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of this folder that says hello and then answers one message at a time. */
export async function startChild(script, argv = []) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), argv);
  const ended = new Promise((_, reject) => child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`))));
  ended.catch(() => {});
  const next = async () => (await Promise.race([once(child, 'message'), ended]))[0];
  const hello = await next();
  return {
    hello,
    ask(message) {
      child.send(message);
      return next();
    },
    end() {
      child.disconnect();
    },
  };
}

/** A program of the benches in a process of its own, which says hello and then answers one message at a time. */
import { spawn } from 'node:child_process';
import { pinned } from './pin.mjs';

/**
 * @param {string} file absolute path of the program
 * @param {{ argv?: string[], cpus?: string, execArgv?: string[] }} [options] `cpus` is a list for taskset; any where it is not given
 */
export async function startChild(file, { argv = [], cpus, execArgv = [] } = {}) {
  const [command, ...rest] = pinned(cpus, [process.execPath, ...execArgv, file, ...argv]);
  const child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = [];
  const early = [];
  let over;
  child.on('message', (message) => {
    const next = waiting.shift();
    if (next === undefined) early.push(message);
    else next.resolve(message);
  });
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      over = new Error(`${file} ended with ${code ?? signal}`);
      for (const one of waiting.splice(0)) one.reject(over);
      resolve();
    });
  });
  const answer = () =>
    new Promise((resolve, reject) => {
      if (early.length > 0) resolve(early.shift());
      else if (over !== undefined) reject(over);
      else waiting.push({ resolve, reject });
    });
  return {
    pid: child.pid,
    hello: await answer(),
    ask(message) {
      child.send(message);
      return answer();
    },
    async end() {
      if (over === undefined) child.disconnect();
      await ended;
    },
  };
}

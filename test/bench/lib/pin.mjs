/** Who runs on which CPU. The program under test has its own, driver and sink have others. */
import { CPUS, works } from './machine.mjs';

const TASKSET = process.platform === 'linux' && works('taskset', ['-c', '0', 'true']);

/**
 * @param cores CPUs of the program under test @default 1
 * @returns lists for `taskset -c`, undefined where nothing can be pinned, and `note` where the machine is too small for a CPU for each
 */
export function pinning(cores = 1, cpus = CPUS, taskset = TASKSET) {
  if (!taskset) return { note: 'nothing is pinned: there is no taskset' };
  const list = (from, to) => (from === to ? `${from}` : `${from}-${to}`);
  const subject = list(cpus - cores, cpus - 1);
  const rest = cpus - cores;
  if (rest >= 2) return { subject, sink: `${rest - 1}`, driver: list(0, rest - 2) };
  if (rest === 1) return { subject, sink: '0', driver: '0', note: `driver and sink share a CPU: the machine has ${cpus}` };
  return { note: `nothing is pinned: the machine has ${cpus} CPUs` };
}

/** `command` on the CPUs `list`; as it is without a list. */
export function pinned(list, command) {
  return list === undefined ? command : ['taskset', '-c', list, ...command];
}

/** How many CPUs a list like `0-1` has; Infinity without a list. */
export function countOf(list) {
  if (list === undefined) return Number.POSITIVE_INFINITY;
  const [from, to = from] = list.split('-').map(Number);
  return to - from + 1;
}

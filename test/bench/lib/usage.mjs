/** What a process has used, by the kernel's accounting of all its threads (Linux). */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** USER_HZ: the unit of times in /proc, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * CPU seconds of a process so far. /proc/PID/stat counts user and system of all threads, ended ones too, in steps of 10 ms;
 * the scheduler's own sums per thread are in nanoseconds but lose threads that ended. Both are read, see `cpuBetween`.
 */
export function cpuOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program is in brackets and may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const threads = new Map();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      threads.set(thread, Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9);
    } catch {
      // The thread ended between the two looks.
    }
  }
  return { user: Number(fields[11]) / TICKS_PER_SECOND, system: Number(fields[12]) / TICKS_PER_SECOND, threads };
}

/** Exact where no thread ended between `before` and `after`, else by ticks. */
export function cpuBetween(before, after) {
  const user = after.user - before.user;
  const system = after.system - before.system;
  const ended = [...before.threads.keys()].some((thread) => !after.threads.has(thread));
  const ticks = user + system;
  const exact = sum(after.threads) - sum(before.threads);
  // A thread that both began and ended in between is in the ticks alone: then they are more by more than their steps.
  const seconds = ended || ticks - exact > 0.03 ? ticks : exact;
  return { seconds, user, system };
}

/** Seconds that the main thread could have run and had no CPU, as others had it. */
export function waitedOf(pid) {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
}

/** Resident memory in MiB: now and at its peak. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { rssMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
}

/** From now on the peak counts from what is resident now. */
export function resetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Seconds that the hypervisor gave to others, of all CPUs since boot. */
export function stolenSeconds() {
  return Number(readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/)[8]) / TICKS_PER_SECOND;
}

function sum(threads) {
  let all = 0;
  for (const seconds of threads.values()) all += seconds;
  return all;
}

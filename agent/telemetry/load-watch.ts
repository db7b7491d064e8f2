import { availableParallelism } from 'node:os';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Thresholds } from '../config/settings.ts';
import type { Log } from './log.ts';

/** Loads are means over this time: long enough for a burst to pass unseen, short for a probe. */
const SAMPLE_MS = 5_000;

/** How much of what it may use the process uses, from 0 to 1. */
export interface Load {
  /** CPU time of all threads, of the CPUs that the cgroup or the machine gives. */
  readonly cpu: number;
  /** Resident memory, of the limit of the cgroup or of the machine. */
  readonly memory: number;
  /** Time for which the thread that reads and writes, with workers the busiest of them, was busy: near 1, senders wait. */
  readonly io: number;
}

export type Resource = keyof Load;

export const RESOURCES: readonly Resource[] = ['cpu', 'memory', 'io'];

const REMEDIES: Readonly<Record<Resource, string>> = {
  cpu: 'give the container more CPU, or spread senders over more agents',
  memory: 'raise the memory limit of the container, or lower memory_limiter',
  io: 'a thread that reads and writes has no time left: set agent.workers, or spread senders over more agents',
};

/** Measures the load of the process and says when it crosses a threshold. Reported only: nothing is refused because of it. */
export class LoadWatch {
  readonly #totalMemoryBytes: number;
  readonly #log: Log;
  #thresholds: Thresholds;
  #timer: NodeJS.Timeout | undefined;
  #at = performance.now();
  #cpu = process.cpuUsage();
  readonly #busy: () => number;
  #load: Load = { cpu: 0, memory: 0, io: 0 };
  #above: ReadonlySet<Resource> = new Set();

  /** `busy`: share of the time since its last call. @default of this thread */
  constructor(thresholds: Thresholds, totalMemoryBytes: number, log: Log, busy: () => number = busyHere()) {
    this.#thresholds = thresholds;
    this.#totalMemoryBytes = totalMemoryBytes;
    this.#log = log;
    this.#busy = busy;
  }

  /** Of the last five seconds. */
  get load(): Load {
    return this.#load;
  }

  get thresholds(): Thresholds {
    return this.#thresholds;
  }

  /** What is above its threshold. */
  get above(): ReadonlySet<Resource> {
    return this.#above;
  }

  start(): void {
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();
  }

  apply(thresholds: Thresholds): void {
    this.#thresholds = thresholds;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const now = performance.now();
    const cpu = process.cpuUsage();
    const cpuMs = (cpu.user + cpu.system - this.#cpu.user - this.#cpu.system) / 1000;
    this.judge({
      cpu: cpuMs / (now - this.#at) / availableParallelism(),
      memory: process.memoryUsage.rss() / this.#totalMemoryBytes,
      io: this.#busy(),
    });
    this.#at = now;
    this.#cpu = cpu;
  }

  /** Takes one sample over; logs what crosses its threshold, in both directions. */
  judge(load: Load): void {
    this.#load = load;
    const above = new Set(RESOURCES.filter((resource) => load[resource] >= this.#thresholds[resource]));
    for (const resource of RESOURCES) {
      if (above.has(resource) === this.#above.has(resource)) continue;
      const fields = { resource, percent: Math.round(load[resource] * 100), threshold: Math.round(this.#thresholds[resource] * 100) };
      if (above.has(resource)) this.#log.warn('load above its threshold', { ...fields, remedy: REMEDIES[resource] });
      else this.#log.info('load below its threshold again', fields);
    }
    this.#above = above;
  }
}

function busyHere(): () => number {
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}

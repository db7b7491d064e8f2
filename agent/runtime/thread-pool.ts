import { availableParallelism } from 'node:os';

/** Name lookups run on the pool too, at most half of it at a time: one of two threads is always there for compressing. */
const MIN_THREADS = 2;

/**
 * As many threads of libuv's pool as the process may use CPUs (affinity and cgroup), where the user has not set UV_THREADPOOL_SIZE: they
 * compress and inflate large bodies, and the default of 4 on one CPU takes four fifths of it from the loop that answers senders.
 *
 * Before the pool's first work, as libuv reads the variable then; so a program that embeds the agent decides itself.
 */
export function sizeThreadPool(environment: NodeJS.ProcessEnv = process.env, cpus: number = availableParallelism()): void {
  environment.UV_THREADPOOL_SIZE ??= String(Math.max(MIN_THREADS, cpus));
}

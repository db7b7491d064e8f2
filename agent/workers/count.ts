import { availableParallelism } from 'node:os';
import type { AgentSettings } from '../config/settings.ts';
import type { Log } from '../telemetry/log.ts';

/** Where SO_REUSEPORT spreads connections; elsewhere the last socket gets all, or it is missing. */
const SPREADS_CONNECTIONS: readonly NodeJS.Platform[] = ['linux', 'freebsd'];

/**
 * How many workers run: `agent.workers`, or 1 with a line in the log that says why. `startable`: the program has told what file a worker
 * starts from; inside of another program there is none.
 */
export function workersOf({ agent: { workers } }: AgentSettings, startable: boolean, log: Log, platform = process.platform): number {
  if (workers === 1) return 1;
  const warn = (message: string): void => log.warn('configuration', { key: 'agent.workers', message });
  if (!startable) {
    warn(`has no effect inside of another program: everything runs in its thread, not in ${workers} workers`);
    return 1;
  }
  if (!SPREADS_CONNECTIONS.includes(platform)) {
    warn(
      `has no effect on ${platform}, which does not spread connections over the listeners of an address: one worker runs, not ${workers}`,
    );
    return 1;
  }
  const cpus = availableParallelism();
  if (workers > cpus) warn(`(${workers}) is more than the ${cpus} CPUs that the process may use: workers wait for each other`);
  return workers;
}

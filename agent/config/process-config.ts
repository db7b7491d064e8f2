import type { Field } from './fields.ts';
import { duration, float, leaf } from './fields.ts';
import { timerMs } from './go-duration.ts';
import type { Output } from './section.ts';
import { section } from './section.ts';
import type { ProcessSettings } from './settings.ts';
import { workersField } from './workers.ts';

const MIB = 1024 * 1024;

/** Below the 30 s that Kubernetes gives by default, so that what is left is counted and logged before SIGKILL. */
const DEFAULT_DRAIN_DEADLINE_MS = 25_000;

/** A ConfigMap's change takes the kubelet up to a minute; two looks a second would not make that faster. */
const DEFAULT_RELOAD_INTERVAL_MS = 2_000;

function percentage(what: string, otherwise: number): Field<number> {
  return float({ describe: `Percent of ${what}.`, default: otherwise, ours: true });
}

const shape = {
  drain_deadline: duration({
    describe: 'Time from SIGTERM until what could not be delivered is counted as evicted. Keep it below terminationGracePeriodSeconds.',
    default: DEFAULT_DRAIN_DEADLINE_MS,
    shows: '25s',
    ours: true,
  }),
  reload_interval: duration({
    describe: 'How often the files of the configuration are looked at for a change; 0 reloads on SIGHUP only.',
    default: DEFAULT_RELOAD_INTERVAL_MS,
    shows: '2s',
    ours: true,
  }),
  thresholds: section(
    {
      cpu: percentage('CPU time, of the CPUs of the cgroup or of the machine', 80),
      memory: percentage('resident memory, of the limit of the cgroup or of the machine', 85),
      io: percentage('time for which the thread that reads and writes, the busiest of several workers, is busy', 90),
    },
    {
      describe: 'Loads that are reported when they are crossed: in the log, in /status and as metrics. Nothing is refused because of them.',
      ours: true,
      check: (config, report) => {
        for (const key of ['cpu', 'memory', 'io'] as const) {
          if (config[key] <= 0 || config[key] > 100) report(key, `(${config[key]}) must be above 0 and at most 100`);
        }
      },
    },
  ),
  workers: workersField(),
  memory_limit_mib: leaf<number | undefined>(
    'integer',
    {
      describe: 'MiB that requests may hold in the whole process, also where no pipeline has a memory_limiter.',
      default: undefined,
      shows: 'none',
      ours: true,
    },
    undefined,
    (value) => (typeof value === 'bigint' && value > 0n ? { value: Number(value) } : { wrong: 'wants a positive integer' }),
  ),
};

export type ProcessConfig = Output<typeof shape>;

/** The top-level section `agent:`, which the Collector does not have. */
export const PROCESS_CONFIG = section(shape, {
  describe: 'Of the whole process.',
  ours: true,
  check: (config, report) => {
    if (config.drain_deadline < 0) report('drain_deadline', 'must not be negative');
    if (config.reload_interval < 0) report('reload_interval', 'must not be negative');
  },
});

export function processSettings(config: ProcessConfig): ProcessSettings {
  return {
    drainDeadlineMs: timerMs(config.drain_deadline),
    reloadIntervalMs: timerMs(config.reload_interval),
    workers: config.workers,
    thresholds: { cpu: config.thresholds.cpu / 100, memory: config.thresholds.memory / 100, io: config.thresholds.io / 100 },
    ...(config.memory_limit_mib === undefined ? {} : { memoryLimitBytes: config.memory_limit_mib * MIB }),
  };
}

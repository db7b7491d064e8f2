import { component } from '../config/component.ts';
import { duration, unsigned } from '../config/fields.ts';
import { timerMs } from '../config/go-duration.ts';
import type { Output } from '../config/section.ts';
import { section } from '../config/section.ts';
import type { MemoryLimiterSettings } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';

const MIB = 1024 * 1024;

/** Share of the limit that is kept for requests in flight where no spike limit is written; upstream's. */
const DEFAULT_SPIKE_SHARE = 0.2;

const shape = {
  check_interval: duration({
    describe: 'Time between two looks at the memory of the process. What requests hold is counted at every request, without an interval.',
    default: 1000,
    shows: '1s',
  }),
  limit_mib: unsigned({ describe: 'MiB above which requests are refused. Wins over limit_percentage.', default: 0, shows: 'none' }),
  spike_limit_mib: unsigned({
    describe: 'MiB kept free below limit_mib; new requests are refused from limit_mib - spike_limit_mib on.',
    default: 0,
    shows: '20 % of limit_mib',
  }),
  limit_percentage: unsigned({
    describe: 'The limit in percent of the memory of the cgroup, or of the machine.',
    default: 0,
    shows: 'none',
  }),
  spike_limit_percentage: unsigned({ describe: 'The spike limit in percent of the same.', default: 0, shows: '20 % of limit_percentage' }),
  min_gc_interval_when_soft_limited: duration({
    describe: 'Time between two forced collections while the process is above limit less spike limit.',
    default: 10_000,
    shows: '10s',
  }),
  min_gc_interval_when_hard_limited: duration({
    describe: 'The same while it is above the limit; at least 1s.',
    default: 0,
    shows: '0s',
  }),
};

/** Processor `memory_limiter`. The rules are those of internal/memorylimiter upstream. */
export const memoryLimiter = component<Output<typeof shape>, MemoryLimiterSettings>({
  type: 'memory_limiter',
  signals: SIGNALS,
  describe: 'Refuses requests before they are read when memory runs short.',
  config: section(shape, {
    describe: 'Refuses requests before they are read when memory runs short.',
    check: (config, report) => {
      if (config.check_interval <= 0) report('check_interval', 'must be greater than zero');
      if (config.min_gc_interval_when_soft_limited < config.min_gc_interval_when_hard_limited) {
        report('min_gc_interval_when_soft_limited', 'must not be less than min_gc_interval_when_hard_limited');
      }
      if (config.limit_mib === 0 && config.limit_percentage === 0)
        report('limit_mib', 'limit_mib or limit_percentage must be greater than zero', 'OTLP_CONFIG_MISSING');
      if (config.limit_percentage > 100) report('limit_percentage', `(${config.limit_percentage}) must not be above 100`);
      if (config.spike_limit_percentage > 100) report('spike_limit_percentage', `(${config.spike_limit_percentage}) must not be above 100`);
      if (config.limit_mib > 0 && config.limit_mib <= config.spike_limit_mib) {
        report('spike_limit_mib', `(${config.spike_limit_mib}) must be smaller than limit_mib (${config.limit_mib})`);
      }
      if (config.limit_percentage > 0 && config.limit_percentage <= config.spike_limit_percentage) {
        report(
          'spike_limit_percentage',
          `(${config.spike_limit_percentage}) must be smaller than limit_percentage (${config.limit_percentage})`,
        );
      }
    },
  }),
  build: (config, { id, totalMemoryBytes }) => {
    const absolute = config.limit_mib > 0;
    const limitBytes = absolute ? config.limit_mib * MIB : Math.floor((totalMemoryBytes * config.limit_percentage) / 100);
    const spikeBytes = absolute ? config.spike_limit_mib * MIB : Math.floor((totalMemoryBytes * config.spike_limit_percentage) / 100);
    return {
      kind: 'memory_limiter',
      id,
      checkIntervalMs: timerMs(config.check_interval),
      minGcIntervalSoftMs: timerMs(config.min_gc_interval_when_soft_limited),
      minGcIntervalHardMs: timerMs(config.min_gc_interval_when_hard_limited),
      limitBytes,
      spikeBytes: spikeBytes > 0 ? spikeBytes : Math.floor(limitBytes * DEFAULT_SPIKE_SHARE),
    };
  },
});

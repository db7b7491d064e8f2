import type { Field } from '../config/fields.ts';
import { bool, duration, float } from '../config/fields.ts';
import { timerMs } from '../config/go-duration.ts';
import type { Output } from '../config/section.ts';
import { section } from '../config/section.ts';
import type { RetrySettings } from '../config/settings.ts';

const shape = {
  enabled: bool({ describe: 'Whether a request that failed for now is sent again.', default: true }),
  initial_interval: duration({ describe: 'Wait before the first retry.', default: 5000, shows: '5s' }),
  randomization_factor: float({ describe: 'Each wait is the interval times 1 - factor to 1 + factor, at random.', default: 0.5 }),
  multiplier: float({ describe: 'Each interval is the one before times this.', default: 1.5 }),
  max_interval: duration({ describe: 'The longest interval.', default: 30_000, shows: '30s' }),
  max_elapsed_time: duration({
    describe: 'After this time the request is given up and counted; 0 never gives up.',
    default: 300_000,
    shows: '5m',
  }),
};

export type RetryConfig = Output<typeof shape>;

/** `retry_on_failure`. The rules are those of configretry upstream. */
export function retryOnFailure(): Field<RetryConfig> {
  return section(shape, {
    describe: 'When a request is sent again. Only what failed is; a request that was answered with success never.',
    check: (config, report) => {
      if (!config.enabled) return;
      if (config.initial_interval < 0) report('initial_interval', 'must not be negative');
      if (config.randomization_factor < 0 || config.randomization_factor > 1)
        report('randomization_factor', `(${config.randomization_factor}) must be within 0 and 1`);
      if (config.multiplier < 0) report('multiplier', `(${config.multiplier}) must not be negative`);
      if (config.max_interval < 0) report('max_interval', 'must not be negative');
      if (config.max_elapsed_time < 0) report('max_elapsed_time', 'must not be negative');
      if (config.max_elapsed_time > 0 && config.max_elapsed_time < config.initial_interval)
        report('max_elapsed_time', 'must not be less than initial_interval');
      if (config.max_elapsed_time > 0 && config.max_elapsed_time < config.max_interval)
        report('max_elapsed_time', 'must not be less than max_interval');
    },
  });
}

export function retrySettings(config: RetryConfig): RetrySettings {
  return {
    enabled: config.enabled,
    initialIntervalMs: timerMs(config.initial_interval),
    randomizationFactor: config.randomization_factor,
    multiplier: config.multiplier,
    maxIntervalMs: timerMs(config.max_interval),
    maxElapsedMs: config.max_elapsed_time,
  };
}

/** For exporters that have nothing to retry. */
export const NO_RETRY: RetrySettings = {
  enabled: false,
  initialIntervalMs: 0,
  randomizationFactor: 0,
  multiplier: 1,
  maxIntervalMs: 0,
  maxElapsedMs: 0,
};

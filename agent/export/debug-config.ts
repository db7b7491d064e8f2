import { component } from '../config/component.ts';
import { bool, integer, leaf, optionalTextList } from '../config/fields.ts';
import { LONGEST_TIMER_MS } from '../config/go-duration.ts';
import type { Output } from '../config/section.ts';
import { section } from '../config/section.ts';
import type { DebugExporterSettings } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { queueSettings, sendingQueue } from '../queue/config.ts';
import { NO_RETRY } from './retry-config.ts';

const VERBOSITIES: readonly DebugExporterSettings['verbosity'][] = ['basic', 'normal', 'detailed'];

const ONE_LOG = 'everything goes to the log of the agent, unsampled';

const shape = {
  verbosity: leaf<DebugExporterSettings['verbosity']>(
    'choice',
    { describe: 'basic (a count for each request), normal or detailed; in any case.', default: 'basic' },
    'basic',
    (value) => {
      const found = typeof value === 'string' ? VERBOSITIES.find((name) => name === value.toLowerCase()) : undefined;
      return found === undefined ? { wrong: `must be one of ${VERBOSITIES.join(', ')}` } : { value: found };
    },
    { values: VERBOSITIES, anyCase: true },
  ),
  sampling_initial: integer({ describe: 'Lines of a second that are always written.', default: 2, inert: ONE_LOG }),
  sampling_thereafter: integer({ describe: 'Of the others every so manieth.', default: 1, inert: ONE_LOG }),
  use_internal_logger: bool({ describe: 'Writes into the log of the process.', default: true, inert: ONE_LOG }),
  output_paths: optionalTextList({ describe: 'Files to write to without use_internal_logger.', inert: ONE_LOG }),
  sending_queue: sendingQueue('off'),
};

/** Exporter `debug`: for looking at what arrives, never a production destination. */
export const debugExporter = component<Output<typeof shape>, DebugExporterSettings>({
  type: 'debug',
  signals: SIGNALS,
  describe: 'Writes what it gets to the log. For looking, never a destination in production.',
  config: section(shape, {
    describe: 'Writes what it gets to the log.',
    check: (config, report) => {
      if (config.use_internal_logger && config.output_paths !== undefined)
        report('output_paths', 'is only used where use_internal_logger is false');
      if (!config.use_internal_logger && config.output_paths?.length === 0)
        report('output_paths', 'must name a file where use_internal_logger is false');
    },
  }),
  build: (config, context) => ({
    kind: 'debug',
    id: context.id,
    verbosity: config.verbosity,
    timeoutMs: LONGEST_TIMER_MS,
    queue: queueSettings(config.sending_queue, context),
    retry: NO_RETRY,
  }),
});

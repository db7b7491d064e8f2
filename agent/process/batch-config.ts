import { component } from '../config/component.ts';
import { duration, textList, unsigned } from '../config/fields.ts';
import { timerMs } from '../config/go-duration.ts';
import type { Output } from '../config/section.ts';
import { section } from '../config/section.ts';
import type { BatchSettings } from '../config/settings.ts';

const shape = {
  timeout: duration({ describe: 'Sends what there is after this time; 0 sends at once.', default: 200, shows: '200ms' }),
  send_batch_size: unsigned({ describe: 'Items from which a batch is sent before its time; 0 sends at once.', default: 8192 }),
  send_batch_max_size: unsigned({ describe: 'Items of one request at most; larger ones are split. 0 is no limit.', default: 0 }),
  metadata_keys: textList({
    describe: 'Headers by whose values batches are kept apart; the receiver needs include_metadata.',
    default: [],
  }),
  metadata_cardinality_limit: unsigned({
    describe: 'Different batches at most.',
    default: 1000,
    inert: 'nothing is kept for a value: batches of all values come out of one queue',
  }),
};

/** Says of a `batch` processor what the exporters of its pipeline do; see docs/reference. */
export interface BatchProcessorSettings {
  readonly kind: 'batch';
  readonly batch: BatchSettings;
}

/** Processor `batch`: accepted for the sake of existing files, run as `sending_queue.batch` of the pipeline's exporters. */
export const batchProcessor = component<Output<typeof shape>, BatchProcessorSettings>({
  type: 'batch',
  // Upstream's does not carry profiles either.
  signals: ['traces', 'metrics', 'logs'],
  describe:
    'Merges requests. Runs as sending_queue.batch of the exporters of its pipeline, so that what is acknowledged is already queued.',
  config: section(shape, {
    describe: 'Merges requests. Deprecated upstream in 0.160; write sending_queue.batch in the exporter instead.',
    check: (config, report) => {
      if (config.send_batch_max_size > 0 && config.send_batch_max_size < config.send_batch_size) {
        report('send_batch_max_size', `(${config.send_batch_max_size}) must not be less than send_batch_size (${config.send_batch_size})`);
      }
      const repeated = firstRepeated(config.metadata_keys);
      if (repeated !== undefined) report('metadata_keys', `names "${repeated}" twice`);
      if (config.timeout < 0) report('timeout', 'must not be negative');
    },
  }),
  build: (config, context) => {
    context.notice([], 'runs as sending_queue.batch of the exporters of its pipelines; the Collector deprecated the processor in 0.160');
    return {
      kind: 'batch',
      batch: {
        flushTimeoutMs: timerMs(config.timeout),
        minSize: config.timeout === 0 ? 0 : config.send_batch_size,
        maxSize: config.send_batch_max_size,
        sizer: 'items',
        ...metadataKeys(config.metadata_keys),
      },
    };
  },
});

/** Headers have no case. */
export function metadataKeys(keys: readonly string[]): { readonly metadataKeys?: readonly string[] } {
  return keys.length === 0 ? {} : { metadataKeys: keys.map((key) => key.toLowerCase()) };
}

/** The first of these that occurs twice, without regard to case; upstream refuses those. */
export function firstRepeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    const folded = name.toLowerCase();
    if (seen.has(folded)) return folded;
    seen.add(folded);
  }
  return undefined;
}

import type { BuildContext } from '../config/component.ts';
import type { Field, FieldOptions } from '../config/fields.ts';
import { bool, duration, integer, leaf, textList, unsupported } from '../config/fields.ts';
import { timerMs } from '../config/go-duration.ts';
import type { Output, Report } from '../config/section.ts';
import { optionalSection, section } from '../config/section.ts';
import type { BatchSettings, OverflowPolicy, QueueSettings, Sizer } from '../config/settings.ts';
import { firstRepeated, metadataKeys } from '../process/batch-config.ts';

const SIZERS: readonly Sizer[] = ['requests', 'items', 'bytes'];
const OVERFLOWS: readonly OverflowPolicy[] = ['refuse', 'block', 'drop_oldest'];

/** A choice that may be absent, where that is not the same as its default; `whenEmpty` is what a key without a value means. */
function optionalChoice<const T extends string>(
  values: readonly T[],
  options: Omit<FieldOptions<T | undefined>, 'default'>,
  whenEmpty?: T,
): Field<T | undefined> {
  const decode = (value: unknown) => {
    const found = values.find((known) => known === value);
    return found === undefined ? { wrong: `must be one of ${values.join(', ')}` } : { value: found };
  };
  return leaf<T | undefined>('choice', { ...options, default: undefined }, whenEmpty, decode, { values });
}

const batchShape = {
  flush_timeout: duration({ describe: 'Sends what there is after this time.', default: 200, shows: '200ms' }),
  min_size: integer({ describe: 'Size from which a batch is sent before its time.', default: 8192 }),
  max_size: integer({ describe: 'Size of one request at most; larger ones are split. 0 is no limit.', default: 0 }),
  sizer: optionalChoice(
    SIZERS,
    { describe: 'What min_size and max_size count: items or bytes.', shows: 'items, or the sizer of the queue where that is written' },
    'items',
  ),
  partition: section(
    {
      metadata_keys: textList({
        describe: 'Headers by whose values batches are kept apart; the receiver needs include_metadata.',
        default: [],
      }),
    },
    { describe: 'How batches are kept apart.' },
  ),
};

const queueShape = {
  num_consumers: integer({ describe: 'Requests in flight at a time.', default: 10 }),
  queue_size: integer({ describe: 'What the queue may hold, counted by sizer.', default: 1000 }),
  sizer: optionalChoice(SIZERS, { describe: 'What queue_size counts.', shows: 'requests' }, 'requests'),
  block_on_overflow: bool({ describe: 'A full queue lets senders wait for room instead of refusing them.', default: false }),
  on_overflow: optionalChoice(OVERFLOWS, {
    describe: 'What a full queue does: refuse, block, or drop_oldest (counted as evicted). Wins over block_on_overflow.',
    shows: 'refuse',
    ours: true,
  }),
  wait_for_result: bool({ describe: 'The sender gets its answer when the request was delivered, not when it was queued.', default: false }),
  storage: unsupported(
    'Extension that keeps the queue on disk.',
    'the disk queue is not supported yet; remove the key and the queue is in memory',
  ),
  batch: optionalSection(batchShape, {
    describe: 'Merges requests as they leave the queue.',
    absent: 'off',
    // An empty `batch:` does not take the sizer of the queue, `batch: {}` does; upstream.
    emptyValue: { sizer: 'items' },
  }),
};

export type QueueConfig = Output<typeof queueShape>;
type BatchConfig = Output<typeof batchShape>;

/** `sending_queue`; on by default for otlp_grpc and otlp_http, off for debug. */
export function sendingQueue(absent: 'on' | 'off'): Field<QueueConfig | undefined> {
  return optionalSection(queueShape, { describe: 'Holds requests between receiving and sending, in memory.', absent, check: checkQueue });
}

/** The rules of exporterhelper/internal/queuebatch upstream. */
function checkQueue(config: QueueConfig, report: Report): void {
  if (config.num_consumers <= 0) report('num_consumers', `(${config.num_consumers}) must be positive`);
  if (config.queue_size <= 0) report('queue_size', `(${config.queue_size}) must be positive`);
  const { batch } = config;
  if (batch === undefined) return;
  const sizer = batchSizer(config, batch);
  if (sizer === (config.sizer ?? 'requests') && batch.min_size > config.queue_size) {
    report(
      'batch',
      `min_size (${batch.min_size}) must not be above queue_size (${config.queue_size}): the queue could never hold a whole batch`,
    );
  }
  if (sizer === 'requests') report('batch', 'counts items or bytes, not requests; write batch.sizer');
  if (batch.flush_timeout <= 0) report('batch', 'flush_timeout must be positive');
  if (batch.min_size < 0) report('batch', `min_size (${batch.min_size}) must not be negative`);
  if (batch.max_size < 0) report('batch', `max_size (${batch.max_size}) must not be negative`);
  if (batch.max_size > 0 && batch.max_size < batch.min_size)
    report('batch', `max_size (${batch.max_size}) must not be less than min_size (${batch.min_size})`);
  const repeated = firstRepeated(batch.partition.metadata_keys);
  if (repeated !== undefined) report('batch', `partition.metadata_keys names "${repeated}" twice`);
}

function batchSizer(config: QueueConfig, batch: BatchConfig): Sizer {
  return batch.sizer ?? config.sizer ?? 'items';
}

/** `sending_queue` switched off: one request at a time goes straight out, and its sender waits. */
const NO_QUEUE: QueueSettings = { enabled: false, consumers: 1, capacity: 1, sizer: 'requests', overflow: 'refuse', waitForResult: true };

export function queueSettings(config: QueueConfig | undefined, context: BuildContext): QueueSettings {
  if (config === undefined) return NO_QUEUE;
  if (config.batch !== undefined && config.batch.partition.metadata_keys.length > 0)
    context.notice(['sending_queue', 'batch', 'partition', 'metadata_keys'], 'needs include_metadata: true in the receivers');
  const queue = {
    enabled: true,
    consumers: config.num_consumers,
    capacity: config.queue_size,
    sizer: config.sizer ?? 'requests',
    overflow: config.on_overflow ?? (config.block_on_overflow ? 'block' : 'refuse'),
    waitForResult: config.wait_for_result,
  } as const;
  return config.batch === undefined ? queue : { ...queue, batch: batchSettings(config, config.batch) };
}

function batchSettings(config: QueueConfig, batch: BatchConfig): BatchSettings {
  return {
    flushTimeoutMs: timerMs(batch.flush_timeout),
    minSize: batch.min_size,
    maxSize: batch.max_size,
    sizer: batchSizer(config, batch),
    ...metadataKeys(batch.partition.metadata_keys),
  };
}

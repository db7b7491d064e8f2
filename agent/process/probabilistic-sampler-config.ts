import { component } from '../config/component.ts';
import { bool, choice, float, integer, text, unsigned } from '../config/fields.ts';
import type { Output } from '../config/section.ts';
import { section } from '../config/section.ts';
import { MIN_PROBABILITY } from './probabilistic-sampler-threshold.ts';

/** Settings of the processor `probabilistic_sampler`. */
export interface ProbabilisticSamplerSettings {
  readonly kind: 'probabilistic_sampler';
  readonly id: string;
  /** Percent that is kept; 100 and more is all. @default 0 */
  readonly percentage: number;
  /** @default 0 */
  readonly hashSeed: number;
  /** An empty mode is hash_seed. @default hash_seed */
  readonly mode: 'hash_seed' | 'proportional' | 'equalizing';
  /** Items with a broken tracestate or without randomness are dropped, not kept. @default true */
  readonly failClosed: boolean;
  /** Hex digits of a threshold. @default 4 */
  readonly precision: number;
  /** Logs: the trace id counts (with fromAttribute where it is absent), or only fromAttribute. @default true */
  readonly byTraceId: boolean;
  /** Logs: hash_seed takes this attribute where there is no trace id; '' is none. */
  readonly fromAttribute: string;
  /** Logs: the attribute that holds a record's own percentage; '' is none. */
  readonly priorityAttribute: string;
}

const MODES = ['hash_seed', 'proportional', 'equalizing', ''] as const;
const SOURCES = ['traceID', 'record', ''] as const;

const shape = {
  sampling_percentage: float({ describe: 'Percent of spans or log records that are kept; 100 and more is all.', default: 0 }),
  hash_seed: unsigned({
    describe: 'hash_seed: two tiers that sample independently need different ones; the same one decides the same.',
    default: 0,
  }),
  mode: choice(MODES, {
    describe:
      'hash_seed (hash of the trace id, 14 bits), proportional (multiplies what was sampled before) or equalizing (raises it to the same).',
    default: '',
    shows: 'hash_seed',
  }),
  fail_closed: bool({ describe: 'Drops what has a broken tracestate or no randomness; false keeps it.', default: true }),
  sampling_precision: integer({ describe: 'Hex digits of the threshold that is written, up to 14.', default: 4 }),
  attribute_source: choice(SOURCES, {
    describe: 'Logs, hash_seed: traceID, or record where only from_attribute counts.',
    default: 'traceID',
  }),
  from_attribute: text({
    describe: 'Logs, hash_seed: the attribute that is hashed where the trace id is absent or not wanted.',
    default: '',
  }),
  sampling_priority: text({ describe: 'Logs: the attribute that holds the percentage for its own record.', default: '' }),
};

/** Processor `probabilistic_sampler`; keys and rules are those of probabilisticsamplerprocessor 0.155. */
export const probabilisticSampler = component<Output<typeof shape>, ProbabilisticSamplerSettings>({
  type: 'probabilistic_sampler',
  signals: ['traces', 'logs'],
  describe: 'Keeps a share of spans or log records by their trace id, the same ones as a Collector with the same settings.',
  dataPath: {
    bytes:
      'edits in place: reads trace id and tracestate (spans) or attributes (log records); what is kept is copied once, with its threshold written into tracestate, or into sampling.threshold and sampling.randomness',
    drops: 'drops what is not sampled, as asked; with fail_closed also what has a broken tracestate or no randomness',
  },
  config: section(shape, {
    describe: 'Keeps a share of spans or log records.',
    check: (config, report) => {
      const percent = Math.fround(config.sampling_percentage);
      if (!Number.isFinite(percent)) report('sampling_percentage', `(${config.sampling_percentage}) must be finite`);
      else if (percent < 0) report('sampling_percentage', `(${config.sampling_percentage}) must not be negative`);
      else if (percent > 0 && percent / 100 < MIN_PROBABILITY)
        report('sampling_percentage', `(${config.sampling_percentage}) is too small; the smallest is 2^-56, or 0 for none`);
      if (config.sampling_precision === 0) report('sampling_precision', '(0) must be from 1 to 14');
      else if (config.sampling_precision > 14) report('sampling_precision', `(${config.sampling_precision}) must not be above 14`);
    },
  }),
  build: (config, { id }) => ({
    kind: 'probabilistic_sampler',
    id,
    percentage: config.sampling_percentage,
    hashSeed: config.hash_seed,
    mode: config.mode === '' ? 'hash_seed' : config.mode,
    failClosed: config.fail_closed,
    precision: config.sampling_precision,
    byTraceId: config.attribute_source === 'traceID',
    fromAttribute: config.from_attribute,
    priorityAttribute: config.sampling_priority,
  }),
});

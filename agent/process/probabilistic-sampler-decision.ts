import type { ProcessorCounters } from '../telemetry/counters.ts';
import type { ProbabilisticSamplerSettings } from './probabilistic-sampler-config.ts';
import {
  ALWAYS,
  atMost,
  type Bits56,
  below,
  formatThreshold,
  HIGHEST,
  MIN_PROBABILITY,
  NEVER,
  probabilityOf,
  thresholdOf,
} from './probabilistic-sampler-threshold.ts';
import type { SamplingState } from './probabilistic-sampler-tracestate.ts';

/** What a decision is made of, whatever the signal. */
export interface Candidate {
  /** Bytes that are hashed, or whose last seven are the randomness; undefined where the trace id is empty and nothing stands for it. */
  readonly source: Uint8Array | undefined;
  /** The attribute that the bytes are of; undefined where they are the trace id. */
  readonly attribute: string | undefined;
  readonly state: SamplingState;
  /** The state is against its grammar. */
  readonly broken: boolean;
  /** What sampling.priority, or a record's own priority, makes of the threshold. */
  readonly priority: Bits56 | undefined;
}

/** `drop`; `keep` as it is; `mark`: keep, and the state is to be written into the item. */
export type Decision = 'drop' | 'keep' | 'mark';

const BUCKETS = 0x4000;
const BUCKET_MASK = BUCKETS - 1;
/** Of percent to buckets, in 32 bits as upstream calculates. */
const BUCKETS_PER_PERCENT = Math.fround(BUCKETS / 100);

/** Hostile senders can make up thresholds without end; this many products are remembered. */
const MAX_PRODUCTS = 256;

/** commonShouldSampleLogic of probabilisticsamplerprocessor 0.155 with its three modes. */
export class ProbabilityDecision {
  readonly #mode: 'never' | 'hash_seed' | 'equalizing' | 'proportional';
  readonly #logs: boolean;
  readonly #failClosed: boolean;
  readonly #precision: number;
  readonly #ratio: number;
  readonly #fixed: Bits56;
  readonly #products = new Map<string, Bits56>();
  readonly #seeded: number;
  readonly #counters: ProcessorCounters;
  /** Names as upstream's metric has them. */
  readonly #plainPolicy: string;
  /** The threshold that items without any state get. */
  readonly plainThreshold: string;
  /** Whether they get their randomness, too. */
  readonly plainRandomness: boolean;
  /** Randomness of the item that was looked at last, in the halves of Bits56. */
  hi = 0;
  lo = 0;
  #plainCount: { kept: number; dropped: number } | undefined = undefined;

  constructor(settings: ProbabilisticSamplerSettings, logs: boolean, counters: ProcessorCounters) {
    this.#counters = counters;
    const percent = Math.min(100, Math.fround(settings.percentage));
    // A percentage below the smallest probability is rounded up to it, only 0 is nothing.
    this.#ratio = Math.max(percent / 100, MIN_PROBABILITY);
    this.#logs = logs;
    this.#failClosed = settings.failClosed;
    this.#precision = settings.precision;
    this.#seeded = fnvOfSeed(settings.hashSeed);
    const buckets = Math.trunc(Math.fround(percent * BUCKETS_PER_PERCENT));
    this.#mode = percent === 0 || (settings.mode === 'hash_seed' && buckets === 0) ? 'never' : settings.mode;
    if (this.#mode === 'never') this.#fixed = NEVER;
    else if (this.#mode === 'hash_seed') this.#fixed = { hi: (BUCKETS - buckets) << 14, lo: 0 };
    else this.#fixed = thresholdOf(this.#ratio, settings.precision) ?? ALWAYS;
    this.plainThreshold = formatThreshold(this.#fixed);
    this.plainRandomness = this.#mode === 'hash_seed';
    this.#plainPolicy = {
      never: 'sampling_priority',
      hash_seed: 'trace_id_hash',
      equalizing: 'trace_id_w3c',
      proportional: 'trace_id_w3c',
    }[this.#mode];
  }

  /**
   * The same decision for what most items are: nothing was sampled before, no priority. The randomness of one that is kept is in `hi` and
   * `lo` then: a result of its own would be an object for each item, and the way through `decide` makes six
   * (test/bench/agent-processors-alone.mjs: 40 ns against 450).
   */
  keepsPlain(source: Uint8Array, from: number, end: number): boolean {
    if (this.#mode === 'hash_seed') this.#hash(source, from, end);
    else this.#lowest56(source, end - 7);
    const { hi, lo } = this.#fixed;
    const kept = this.#mode !== 'never' && (hi < this.hi || (hi === this.hi && lo <= this.lo));
    // Not before something is counted: a series that nothing happened for is not shown.
    this.#plainCount ??= this.#counters.sampledBy(this.#plainPolicy);
    if (kept) this.#plainCount.kept += 1;
    else this.#plainCount.dropped += 1;
    return kept;
  }

  decide(item: Candidate): Decision {
    const { state } = item;
    const randomness = this.#randomness(item);
    let writable = this.#mode === 'never' || !item.broken;
    let failed = item.broken;
    if (this.#mode === 'hash_seed' && !item.broken) {
      if (state.rvalue !== '' || state.tvalue !== '') {
        // Consistent sampling was at work before: this mode must not touch what it wrote, and says it is the wrong one.
        failed = true;
        writable = false;
      } else if (randomness !== undefined || !this.#logs) state.setRandomness(randomness ?? HIGHEST);
    }
    if (!failed) failed = randomness === undefined || (writable && this.#contradicts(state, randomness));
    let threshold = failed ? (this.#failClosed ? NEVER : ALWAYS) : this.#threshold(state);
    threshold = item.priority ?? threshold;
    const kept = atMost(threshold, randomness ?? HIGHEST);
    this.#count(item.priority === undefined ? this.#policy(item, randomness) : 'sampling_priority', kept);
    if (!kept) return 'drop';
    if (!writable) return 'keep';
    state.raiseThreshold(threshold, threshold === this.#fixed ? this.plainThreshold : undefined);
    return 'mark';
  }

  #count(policy: string, kept: boolean): void {
    const count = this.#counters.sampledBy(policy);
    if (kept) count.kept += 1;
    else count.dropped += 1;
  }

  /** What the randomness came from. */
  #policy({ state, attribute }: Candidate, randomness: Bits56 | undefined): string {
    if (randomness === undefined) return 'missing_randomness';
    if (this.#mode === 'hash_seed') return attribute ?? this.#plainPolicy;
    return this.#mode !== 'never' && randomness === state.randomness ? 'sampling_randomness' : this.#plainPolicy;
  }

  /** Undefined where there is none, which is a failure. */
  #randomness({ source, state, broken }: Candidate): Bits56 | undefined {
    if (this.#mode === 'never') return HIGHEST;
    if (this.#mode !== 'hash_seed') {
      if (broken) return undefined;
      if (state.rvalue !== '') return state.randomness;
    }
    if (source === undefined) return undefined;
    if (this.#mode === 'hash_seed') this.#hash(source, 0, source.length);
    else this.#lowest56(source, source.length - 7);
    return { hi: this.hi, lo: this.lo };
  }

  /** An item that its own threshold would have dropped: the threshold lies, and goes. */
  #contradicts(state: SamplingState, randomness: Bits56): boolean {
    if (state.tvalue === '' || atMost(state.threshold, randomness)) return false;
    state.clearThreshold();
    return true;
  }

  #threshold(state: SamplingState): Bits56 {
    if (state.tvalue === '') return this.#fixed;
    if (this.#mode === 'equalizing') return below(this.#fixed, state.threshold) ? state.threshold : this.#fixed;
    return this.#mode === 'proportional' ? this.#product(state) : this.#fixed;
  }

  #product(state: SamplingState): Bits56 {
    const known = this.#products.get(state.tvalue);
    if (known !== undefined) return known;
    if (this.#products.size >= MAX_PRODUCTS) this.#products.clear();
    // Below the smallest probability there is nothing left to sample.
    const product = thresholdOf(probabilityOf(state.threshold) * this.#ratio, this.#precision) ?? NEVER;
    this.#products.set(state.tvalue, product);
    return product;
  }

  /** FNV-1a over seed and source; 14 bits of it decide, the rest fills the 56 bits of an `rv` so that others decide the same. */
  #hash(source: Uint8Array, from: number, end: number): void {
    let hash = this.#seeded;
    for (let pos = from; pos < end; pos += 1) hash = Math.imul(hash ^ (source[pos] as number), FNV_PRIME);
    const hashed = hash & BUCKET_MASK;
    const unused = hash >>> 18;
    const mixed = unused ^ (unused << 10);
    this.hi = ((BUCKETS - 1 - hashed) << 14) | (mixed >>> 14);
    this.lo = ((mixed & BUCKET_MASK) << 14) | hashed;
  }

  /** W3C trace context level 2: the last seven bytes of a trace id are random. */
  #lowest56(id: Uint8Array, at: number): void {
    const middle = id[at + 3] as number;
    this.hi = ((id[at] as number) << 20) | ((id[at + 1] as number) << 12) | ((id[at + 2] as number) << 4) | (middle >>> 4);
    this.lo = ((middle & 0xf) << 24) | ((id[at + 4] as number) << 16) | ((id[at + 5] as number) << 8) | (id[at + 6] as number);
  }
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The seed goes first, as four bytes, the lowest first. */
function fnvOfSeed(seed: number): number {
  let hash = FNV_OFFSET;
  for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((seed >>> shift) & 0xff), FNV_PRIME);
  return hash;
}

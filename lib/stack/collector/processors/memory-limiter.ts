import { Duration, type Size } from 'cdk8s';
import { type ComponentIdentity, Processor } from '../component';
import { checkRange, printDuration, printMebibytes } from '../print';
import { Signal } from '../signal';

/** Keys of the `memory_limiter` processor: either sizes or percentages. */
export interface MemoryLimiterProps extends ComponentIdentity {
  /** @default Duration.seconds(1) */
  readonly checkInterval?: Duration;
  /**
   * The hard limit (`limit_mib`).
   * @default - by percentage
   */
  readonly limit?: Size;
  /**
   * The soft limit lies this far below the hard one (`spike_limit_mib`).
   * @default - a fifth of the limit
   */
  readonly spikeLimit?: Size;
  /**
   * The hard limit in percent of the container's memory.
   * @default - by size
   */
  readonly limitPercentage?: number;
  /** @default - a fifth of the limit */
  readonly spikeLimitPercentage?: number;
}

/** Refuses data, so that senders keep it, before the process runs out of memory. Stands first in every pipeline. */
export class MemoryLimiterProcessor extends Processor {
  /** The hard limit; undefined when it is a percentage. */
  public readonly limit?: Size;
  /** How far the soft limit lies below; undefined when it is a percentage or left to the program. */
  public readonly spikeLimit?: Size;
  private readonly props: MemoryLimiterProps;

  constructor(props: MemoryLimiterProps) {
    super('memory_limiter', props, Signal.all());
    this.props = props;
    this.limit = props.limit;
    this.spikeLimit = props.spikeLimit;
    this.check();
  }

  private check(): void {
    const { limit, spikeLimit, limitPercentage, spikeLimitPercentage, checkInterval } = this.props;
    if ((limit === undefined) === (limitPercentage === undefined)) {
      const given = limit === undefined ? 'neither' : 'both';
      throw new Error(`${this._place}: ${given} of 'limit' and 'limitPercentage' given: set exactly one`);
    }
    if (limit && spikeLimit && spikeLimit.toKibibytes() >= limit.toKibibytes()) {
      throw new Error(
        `${this._place}: 'spikeLimit' (${spikeLimit.asString()}) must be below 'limit' (${limit.asString()}): the soft limit is the difference`,
      );
    }
    checkRange(this._place, 'limitPercentage', limitPercentage, 1, 100);
    checkRange(this._place, 'spikeLimitPercentage', spikeLimitPercentage, 1, 100);
    if (limitPercentage !== undefined && spikeLimitPercentage !== undefined && spikeLimitPercentage >= limitPercentage) {
      throw new Error(
        `${this._place}: 'spikeLimitPercentage' (${spikeLimitPercentage} %) must be below 'limitPercentage' (${limitPercentage} %): the soft limit is the difference`,
      );
    }
    if ((spikeLimit && !limit) || (spikeLimitPercentage !== undefined && limitPercentage === undefined)) {
      throw new Error(`${this._place}: limit and spike limit must both be sizes or both percentages`);
    }
    if (checkInterval && checkInterval.toMilliseconds() <= 0) {
      throw new Error(`${this._place}: 'checkInterval' (${printDuration(checkInterval)}) must be positive`);
    }
  }

  /** @internal */
  public override _render(): object {
    const { limit, spikeLimit, limitPercentage, spikeLimitPercentage, checkInterval } = this.props;
    return {
      check_interval: printDuration(checkInterval ?? Duration.seconds(1)),
      limit_mib: limit && printMebibytes(this._place, 'limit', limit),
      spike_limit_mib: spikeLimit && printMebibytes(this._place, 'spikeLimit', spikeLimit),
      limit_percentage: limitPercentage,
      spike_limit_percentage: spikeLimitPercentage,
    };
  }
}

import { type ComponentIdentity, Processor } from '../component';
import { checkRange } from '../print';
import { Signal } from '../signal';

/** Keys of the `probabilistic_sampler` processor. */
export interface ProbabilisticSamplerProps extends ComponentIdentity {
  /** Of the traces, 0 to 100. */
  readonly samplingPercentage: number;
  /**
   * Collectors on one tier must share it, so that they keep the same traces.
   * @default 0
   */
  readonly hashSeed?: number;
  /**
   * Drop what carries no usable randomness instead of keeping it.
   * @default true
   */
  readonly failClosed?: boolean;
}

/** Keeps a share of the traces, decided by the trace id: every hop decides alike. */
export class ProbabilisticSamplerProcessor extends Processor {
  private readonly props: ProbabilisticSamplerProps;

  constructor(props: ProbabilisticSamplerProps) {
    super('probabilistic_sampler', props, [Signal.TRACES, Signal.LOGS]);
    this.props = props;
    checkRange(this._place, 'samplingPercentage', props.samplingPercentage, 0, 100);
    // Below about 1.4e-15 % the Collector says that the rate is too small for its 56 bits of randomness.
    if (props.samplingPercentage > 0 && props.samplingPercentage < 1e-12) {
      throw new Error(
        `${this._place}: 'samplingPercentage' (${props.samplingPercentage}) is too small to keep anything: use 0, or 1e-12 and more`,
      );
    }
    checkRange(this._place, 'hashSeed', props.hashSeed, 0, 0xffff_ffff);
  }

  /** @internal */
  public override _render(): object {
    return {
      sampling_percentage: this.props.samplingPercentage,
      hash_seed: this.props.hashSeed,
      fail_closed: this.props.failClosed,
    };
  }
}

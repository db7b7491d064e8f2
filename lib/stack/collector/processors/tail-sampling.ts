import { Duration } from 'cdk8s';
import { type ComponentIdentity, Processor } from '../component';
import { checkRange, optionalDuration, printDuration } from '../print';
import { Signal } from '../signal';

/** One reason to keep a trace. Named: the name shows in the processor's own metrics. */
export class SamplingPolicy {
  /** Every trace. */
  public static always(name: string): SamplingPolicy {
    return new SamplingPolicy(name, 'always_sample', undefined);
  }

  /** Traces that contain an error. */
  public static errors(name: string): SamplingPolicy {
    return new SamplingPolicy(name, 'status_code', { status_codes: ['ERROR'] });
  }

  /** Traces that took longer. */
  public static slowerThan(name: string, threshold: Duration): SamplingPolicy {
    return new SamplingPolicy(name, 'latency', { threshold_ms: threshold.toMilliseconds() });
  }

  /** A share of all traces, in percent. */
  public static percentage(name: string, percentage: number): SamplingPolicy {
    checkRange(`sampling policy '${name}'`, 'percentage', percentage, 0, 100);
    return new SamplingPolicy(name, 'probabilistic', { sampling_percentage: percentage });
  }

  /** Traces in which an attribute has one of these values. */
  public static attribute(name: string, key: string, values: string[]): SamplingPolicy {
    return new SamplingPolicy(name, 'string_attribute', { key, values: [...values] });
  }

  /** At most so many spans a second. */
  public static rateLimit(name: string, spansPerSecond: number): SamplingPolicy {
    checkRange(`sampling policy '${name}'`, 'spansPerSecond', spansPerSecond, 1, Number.MAX_SAFE_INTEGER);
    return new SamplingPolicy(name, 'rate_limiting', { spans_per_second: spansPerSecond });
  }

  /** Traces with a span that fulfils one of these OTTL conditions. */
  public static condition(name: string, spanConditions: string[]): SamplingPolicy {
    return new SamplingPolicy(name, 'ottl_condition', { error_mode: 'ignore', span: [...spanConditions] });
  }

  /** Traces that fulfil all of these policies. */
  public static all(name: string, policies: SamplingPolicy[]): SamplingPolicy {
    return new SamplingPolicy(name, 'and', { and_sub_policy: policies.map((policy) => policy._render()) });
  }

  private constructor(
    public readonly name: string,
    private readonly type: string,
    private readonly keys: object | undefined,
  ) {
    if (name === '') {
      throw new Error(`sampling policy of type '${type}' has an empty name: the Collector wants one for its metrics`);
    }
  }

  /** @internal */
  public _render(): object {
    return { name: this.name, type: this.type, ...(this.keys && { [this.type]: this.keys }) };
  }
}

/** Keys of the `tail_sampling` processor. */
export interface TailSamplingProps extends ComponentIdentity {
  /**
   * How long the spans of a trace are gathered before it is judged.
   * @default Duration.seconds(30)
   */
  readonly decisionWait?: Duration;
  /** @default 50000 */
  readonly numTraces?: number;
  /** @default - grows as needed */
  readonly expectedNewTracesPerSec?: number;
  /** A trace is kept when one of them says so; at least one. */
  readonly policies: SamplingPolicy[];
}

/**
 * Keeps whole traces by what happened in them. All spans of a trace must reach the same Collector: balance by trace id in front of it.
 * It holds the data for `decisionWait`, so the sender's answer (`wait_for_result`) no longer means delivered.
 */
export class TailSamplingProcessor extends Processor {
  private readonly props: TailSamplingProps;

  constructor(props: TailSamplingProps) {
    super('tail_sampling', props, [Signal.TRACES]);
    this.props = props;
    if (props.policies.length === 0) {
      throw new Error(`${this._place}: 'policies' is empty: every trace would be dropped`);
    }
    const twice = props.policies.map((policy) => policy.name).find((name, index, names) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new Error(`${this._place}: two policies are named '${twice}': the Collector wants each name once`);
    }
    checkRange(this._place, 'numTraces', props.numTraces, 1, Number.MAX_SAFE_INTEGER);
    const wait = props.decisionWait ?? Duration.seconds(30);
    if (wait.toMilliseconds() <= 0) {
      throw new Error(`${this._place}: 'decisionWait' (${printDuration(wait)}) must be positive`);
    }
  }

  /** @internal */
  public override _render(): object {
    return {
      decision_wait: optionalDuration(this.props.decisionWait),
      num_traces: this.props.numTraces,
      expected_new_traces_per_sec: this.props.expectedNewTracesPerSec,
      policies: this.props.policies.map((policy) => policy._render()),
    };
  }
}

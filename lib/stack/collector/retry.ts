import { Duration } from 'cdk8s';
import { checkRange, optionalDuration, printDuration } from './print';

/** Keys of `retry_on_failure`. */
export interface RetryProps {
  /** @default Duration.seconds(5) */
  readonly initialInterval?: Duration;
  /** @default 1.5 */
  readonly multiplier?: number;
  /**
   * Between 0 and 1.
   * @default 0.5
   */
  readonly randomizationFactor?: number;
  /** @default Duration.seconds(30) */
  readonly maxInterval?: Duration;
  /**
   * Then the data is given up; zero never does.
   * @default Duration.seconds(300)
   */
  readonly maxElapsedTime?: Duration;
}

/** Whether and how an exporter tries again. */
export class Retry {
  /** Exponential backoff. */
  public static backoff(props: RetryProps = {}): Retry {
    return new Retry(true, props);
  }

  /** One attempt: somebody else keeps the data and tries again. */
  public static disabled(): Retry {
    return new Retry(false, {});
  }

  private constructor(
    public readonly enabled: boolean,
    private readonly props: RetryProps,
  ) {
    checkRange('retry_on_failure', 'randomization_factor', props.randomizationFactor, 0, 1);
    checkRange('retry_on_failure', 'multiplier', props.multiplier, 0, Number.MAX_SAFE_INTEGER);
    const initial = props.initialInterval ?? Duration.seconds(5);
    const longest = props.maxInterval ?? Duration.seconds(30);
    const total = props.maxElapsedTime ?? Duration.seconds(300);
    for (const [key, interval] of [
      ['initial_interval', initial],
      ['max_interval', longest],
    ] as const) {
      if (total.toMilliseconds() > 0 && interval.toMilliseconds() > total.toMilliseconds()) {
        throw new Error(
          `retry_on_failure: '${key}' (${printDuration(interval)}) must not exceed 'max_elapsed_time' (${printDuration(total)}): raise the total or shorten the interval`,
        );
      }
    }
  }

  /** @internal */
  public _render(): object {
    if (!this.enabled) {
      return { enabled: false };
    }
    return {
      enabled: true,
      initial_interval: optionalDuration(this.props.initialInterval),
      multiplier: this.props.multiplier,
      randomization_factor: this.props.randomizationFactor,
      max_interval: optionalDuration(this.props.maxInterval),
      max_elapsed_time: optionalDuration(this.props.maxElapsedTime),
    };
  }
}

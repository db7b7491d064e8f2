import type { Duration } from 'cdk8s';
import type { Metric } from '../metric';

/** A stretch of samples, one per minute. */
export class Segment {
  /** `minutes` samples of one value. */
  public static level(value: number, minutes: number): Segment {
    return new Segment((_, print) => {
      print(`${value}x${minutes - 1}`);
      return value;
    });
  }

  /** The last value, for `minutes` more. */
  public static hold(minutes: number): Segment {
    return new Segment((last, print) => {
      print(`${last}x${minutes - 1}`);
      return last;
    });
  }

  /** A counter that grows by `perMinute`. */
  public static grow(perMinute: number, minutes: number): Segment {
    return new Segment((last, print) => {
      print(`${last + perMinute}+${perMinute}x${minutes - 1}`);
      return last + perMinute * minutes;
    });
  }

  /** No samples: the target is away. */
  public static gap(minutes: number): Segment {
    return new Segment((last, print) => {
      print(`_x${minutes}`);
      return last;
    });
  }

  /** Prometheus' mark for a series that has ended. */
  public static stale(): Segment {
    return new Segment((last, print) => {
      print('stale');
      return last;
    });
  }

  private constructor(private readonly write: (last: number, print: (text: string) => void) => number) {}

  /** @internal */
  public _write(last: number, print: (text: string) => void): number {
    return this.write(last, print);
  }
}

/** One series of a test: which metric, with which labels, and how it goes. */
export class TestSeries {
  public static of(metric: Metric, labels: { [key: string]: string }, ...segments: Segment[]): TestSeries {
    return TestSeries.named(metric, metric.name, metric.labels, labels, segments);
  }

  /** One bucket of a histogram. */
  public static bucket(metric: Metric, le: string, labels: { [key: string]: string }, ...segments: Segment[]): TestSeries {
    return TestSeries.named(metric, `${metric.name}_bucket`, [...metric.labels, 'le'], { ...labels, le }, segments);
  }

  private static named(
    metric: Metric,
    name: string,
    allowed: string[],
    labels: { [key: string]: string },
    segments: Segment[],
  ): TestSeries {
    const unknown = Object.keys(labels).find((label) => !allowed.includes(label));
    if (unknown !== undefined) {
      throw new Error(`test series of '${metric.name}': label '${unknown}' is not one of the metric's: ${allowed.join(', ')}`);
    }
    return new TestSeries(name, labels, segments);
  }

  private constructor(
    private readonly name: string,
    private readonly labels: { [key: string]: string },
    private readonly segments: Segment[],
  ) {}

  /** @internal */
  public _render(): object {
    const labels = Object.entries(this.labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
    const words: string[] = [];
    let last = 0;
    for (const segment of this.segments) {
      last = segment._write(last, (text) => words.push(text));
    }
    return { series: `${this.name}{${labels.join(', ')}}`, values: words.join(' ') };
  }
}

/** One alert that a scenario expects. */
export interface FiringAlert {
  /** Labels that the expression gives; those of the alert itself are added. */
  readonly labels: { [key: string]: string };
  /** The value as the annotation shows it. @default '' */
  readonly value?: string;
}

/** How an alert is tested: what must make it fire, when it must be over, and what must leave it quiet. */
export interface AlertScenario {
  /** The failure and the recovery from it. */
  readonly failing: TestSeries[];
  /** Firing by then. */
  readonly firesAt: Duration;
  readonly firing: FiringAlert[];
  /** Over by then. @default - never over: a heartbeat */
  readonly resolvedAt?: Duration;
  /** Not firing at `firesAt`: as close to the threshold as the allowed goes. @default - nothing keeps it quiet: a heartbeat */
  readonly healthy?: TestSeries[];
}

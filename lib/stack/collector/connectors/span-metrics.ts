import { Duration } from 'cdk8s';
import { unlessEmpty } from '../../model/yaml';
import { type ComponentIdentity, Connector } from '../component';
import { optionalDuration, printDuration } from '../print';
import { Signal } from '../signal';

/** The unit of the duration histogram; it is part of the metric's name in Prometheus. */
export class DurationUnit {
  public static readonly MILLISECONDS = new DurationUnit('ms');
  public static readonly SECONDS = new DurationUnit('s');

  private constructor(public readonly name: string) {}
}

/** An attribute of spans or resources that becomes a label. */
export interface SpanDimension {
  readonly name: string;
  /** @default - the label is left out where the attribute is missing */
  readonly defaultValue?: string;
}

/** Keys of the `span_metrics` connector. */
export interface SpanMetricsProps extends ComponentIdentity {
  /** @default - service.name, span.name, span.kind and status.code only */
  readonly dimensions?: SpanDimension[];
  /** @default - none */
  readonly excludeDimensions?: string[];
  /** @default DurationUnit.MILLISECONDS */
  readonly unit?: DurationUnit;
  /** @default - 2 ms to 15 s in 16 steps */
  readonly buckets?: Duration[];
  /** @default Duration.seconds(60) */
  readonly metricsFlushInterval?: Duration;
  /**
   * Series without spans for this long are given up; zero keeps them for ever.
   * @default Duration.minutes(0)
   */
  readonly metricsExpiration?: Duration;
  /**
   * The prefix of the metrics' names.
   * @default 'traces.span.metrics'
   */
  readonly namespace?: string;
  /**
   * Link observations to traces.
   * @default false
   */
  readonly exemplars?: boolean;
  /**
   * Series beyond this number end in one that is marked as overflow; 0 for no limit.
   * @default 0
   */
  readonly aggregationCardinalityLimit?: number;
}

const OWN_DIMENSIONS = new Set(['service.name', 'span.name', 'span.kind', 'status.code']);

/** Counts calls and measures durations of spans. */
export class SpanMetricsConnector extends Connector {
  private readonly props: SpanMetricsProps;

  constructor(props: SpanMetricsProps = {}) {
    super('span_metrics', props, [{ from: Signal.TRACES, to: Signal.METRICS }]);
    this.props = props;
    const seen = new Set(OWN_DIMENSIONS);
    for (const { name } of props.dimensions ?? []) {
      if (name === '' || seen.has(name)) {
        const reason = OWN_DIMENSIONS.has(name) ? 'is always there' : 'is listed twice or empty';
        throw new Error(`${this._place}: dimension '${name}' ${reason}: remove it`);
      }
      seen.add(name);
    }
    const buckets = (props.buckets ?? []).map((bucket) => bucket.toMilliseconds());
    const unsorted = buckets.findIndex((bucket, index) => index > 0 && bucket <= (buckets[index - 1] ?? 0));
    if (unsorted > 0) {
      throw new Error(
        `${this._place}: bucket ${unsorted} (${buckets[unsorted]} ms) must be above the one before it (${buckets[unsorted - 1]} ms): sort them`,
      );
    }
    if (this.flushInterval.toMilliseconds() <= 0) {
      // 0.155 panics on it: "non-positive interval for NewTicker".
      throw new Error(`${this._place}: 'metricsFlushInterval' (${printDuration(this.flushInterval)}) must be positive`);
    }
    const limit = props.aggregationCardinalityLimit ?? 0;
    if (!Number.isInteger(limit) || limit < 0) {
      throw new Error(`${this._place}: 'aggregationCardinalityLimit' must be a whole number, 0 or more, got ${limit}`);
    }
  }

  /** How often the metrics are handed on. */
  public get flushInterval(): Duration {
    return this.props.metricsFlushInterval ?? Duration.seconds(60);
  }

  /** @internal */
  public override _render(): object {
    const { dimensions, excludeDimensions, unit, buckets, namespace, exemplars } = this.props;
    const histogram = { unit: unit?.name, explicit: buckets && { buckets: buckets.map(printDuration) } };
    return {
      dimensions: unlessEmpty(dimensions?.map((dimension) => ({ name: dimension.name, default: dimension.defaultValue }))),
      exclude_dimensions: unlessEmpty(excludeDimensions),
      histogram: unit || buckets ? histogram : undefined,
      metrics_flush_interval: optionalDuration(this.props.metricsFlushInterval),
      metrics_expiration: optionalDuration(this.props.metricsExpiration),
      namespace,
      exemplars: exemplars === undefined ? undefined : { enabled: exemplars },
      aggregation_cardinality_limit: this.props.aggregationCardinalityLimit,
    };
  }
}

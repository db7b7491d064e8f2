import { type ComponentIdentity, Connector } from '../component';
import { quoted } from '../print';
import { checkStatements } from '../processors/ottl';
import { Signal } from '../signal';

/** One metric that counts records. */
export interface CountMetric {
  /** The metric's name. */
  readonly name: string;
  /** @default '' */
  readonly description?: string;
  /**
   * OTTL conditions; records that fulfil one of them are counted.
   * @default - all records
   */
  readonly conditions?: string[];
  /**
   * Attributes that become labels; records without them are not counted.
   * @default - none
   */
  readonly attributes?: string[];
}

/** Keys of the `count` connector. Without any, it counts everything under its own names. */
export interface CountProps extends ComponentIdentity {
  /** @default - `trace.span.count` */
  readonly spans?: CountMetric[];
  /** @default - `trace.span.event.count` */
  readonly spanEvents?: CountMetric[];
  /** @default - `metric.count` */
  readonly metrics?: CountMetric[];
  /** @default - `metric.datapoint.count` */
  readonly dataPoints?: CountMetric[];
  /** @default - `log.record.count` */
  readonly logs?: CountMetric[];
}

/** Counts spans, data points and log records into metrics. */
export class CountConnector extends Connector {
  private readonly props: CountProps;

  constructor(props: CountProps = {}) {
    super(
      'count',
      props,
      Signal.stable().map((signal) => ({ from: signal, to: Signal.METRICS })),
    );
    this.props = props;
    for (const [key, metrics] of this.sections()) {
      const names = (metrics ?? []).map((metric) => metric.name);
      const wrong = names.filter((name, index) => name === '' || names.indexOf(name) !== index);
      if (wrong.length > 0) {
        throw new Error(`${this._place}: '${key}' names ${quoted(wrong)} twice or not at all: each metric needs a name of its own`);
      }
      for (const metric of metrics ?? []) {
        checkStatements(`${this._place}.${key}.${metric.name}`, 'conditions', metric.conditions);
        // The Collector refuses attributes on metrics: they have none.
        if (key === 'metrics' && (metric.attributes?.length ?? 0) > 0) {
          throw new Error(
            `${this._place}: '${key}' counts metrics, which have no attributes: count 'dataPoints' by ${quoted(metric.attributes ?? [])}`,
          );
        }
      }
    }
  }

  /** @internal */
  public override _render(): object {
    return Object.fromEntries(this.sections().map(([key, metrics]) => [key, metrics && renderMetrics(metrics)]));
  }

  private sections(): [string, CountMetric[] | undefined][] {
    const { spans, spanEvents, metrics, dataPoints, logs } = this.props;
    return [
      ['spans', spans],
      ['spanevents', spanEvents],
      ['metrics', metrics],
      ['datapoints', dataPoints],
      ['logs', logs],
    ];
  }
}

function renderMetrics(metrics: CountMetric[]): object {
  return Object.fromEntries(
    metrics.map((metric) => [
      metric.name,
      {
        description: metric.description,
        conditions: metric.conditions,
        attributes: metric.attributes?.map((key) => ({ key })),
      },
    ]),
  );
}

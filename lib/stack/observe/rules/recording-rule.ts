import { Metric, MetricType, type Unit } from '../metric';
import { Program } from '../program';
import type { Query } from '../query';

export interface RecordingRuleProps {
  /** `level:metric:operation`, as in `service:http_requests:rate5m`. */
  readonly record: string;
  readonly expr: Query;
  readonly unit: Unit;
  readonly help: string;
}

/**
 * A query that Prometheus evaluates once per interval and keeps under a name; the result is a metric like any other.
 *
 * @see https://prometheus.io/docs/practices/rules/#naming
 */
export class RecordingRule {
  public readonly expr: Query;
  /** The recorded series, for panels and triggers. */
  public readonly metric: Metric;

  constructor(props: RecordingRuleProps) {
    if (!/^[a-z_]+:[a-z_0-9]+:[a-z_0-9]+$/.test(props.record)) {
      throw new Error(`recording rule '${props.record}': the name must be level:metric:operation`);
    }
    this.expr = props.expr;
    this.metric = new Metric({
      name: props.record,
      type: MetricType.GAUGE,
      unit: props.unit,
      labels: props.expr.labels,
      help: props.help,
      program: Program.RULES,
    });
  }

  /** The name of the recorded series. */
  public get record(): string {
    return this.metric.name;
  }

  /** @internal */
  public _render(): object {
    return { record: this.record, expr: this.expr.print() };
  }
}

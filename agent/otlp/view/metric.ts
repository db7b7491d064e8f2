import { AttributesView } from './attributes.ts';
import {
  type DataPointView,
  ExponentialHistogramDataPointView,
  HistogramDataPointView,
  NumberDataPointView,
  SummaryDataPointView,
} from './data-points.ts';
import { MessageView } from './message.ts';
import { type MakeView, RepeatedSlot, SingularSlot } from './nested.ts';
import type { ScopeView } from './request.ts';

export type MetricType = 'none' | 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary';

/** Metric: 1 name | 2 description | 3 unit | a oneof: 5 Gauge, 7 Sum, 9 Histogram, 10 ExponentialHistogram, 11 Summary | 12 metadata. */
export class MetricView extends MessageView {
  #dataField: number | undefined;

  override point(buf: Buffer, from: number, end: number): void {
    super.point(buf, from, end);
    this.#dataField = undefined;
  }

  get name(): string {
    return this.text(1);
  }

  set name(value: string) {
    this.setText(1, value);
  }

  get description(): string {
    return this.text(2);
  }

  set description(value: string) {
    this.setText(2, value);
  }

  get unit(): string {
    return this.text(3);
  }

  set unit(value: string) {
    this.setText(3, value);
  }

  /** `none` where a metric has no data. */
  get type(): MetricType {
    return TYPES[this.#field()] ?? 'none';
  }

  /** 0 unspecified, 1 delta, 2 cumulative; 0 for gauges and summaries, which have none. */
  get aggregationTemporality(): number {
    return this.#data()?.aggregationTemporality ?? 0;
  }

  /** Without effect on gauges and summaries. */
  set aggregationTemporality(value: number) {
    const data = this.#data();
    if (data !== undefined && this.type !== 'gauge' && this.type !== 'summary') data.aggregationTemporality = value;
  }

  /** Of sums; false for all others. */
  get isMonotonic(): boolean {
    return this.type === 'sum' && this.#data()?.isMonotonic === true;
  }

  /** Without effect on all but sums. */
  set isMonotonic(value: boolean) {
    const data = this.#data();
    if (data !== undefined && this.type === 'sum') data.isMonotonic = value;
  }

  get dataPoints(): readonly DataPointView[] {
    return this.#data()?.points ?? [];
  }

  get metadata(): AttributesView {
    return this.slot(12, () => new AttributesView(this, 12));
  }

  get scope(): ScopeView<'metrics'> {
    return this.parent as ScopeView<'metrics'>;
  }

  override itemCount(): number {
    return this.dataPoints.length;
  }

  /** Which field of the oneof counts: the last one; 0 where there is none. */
  #field(): number {
    if (this.#dataField !== undefined) return this.#dataField;
    this.#dataField = 0;
    const { table, tableEnd } = this;
    for (let i = 0; i < tableEnd; i += 4) {
      const field = (table[i] as number) >>> 3;
      if (TYPES[field] !== undefined) this.#dataField = field;
    }
    return this.#dataField;
  }

  #data(): MetricData | undefined {
    const field = this.#field();
    if (field === 0) return undefined;
    return this.slot(field, () => new SingularSlot(this, field, DATA_VIEWS[field] as MakeView<MetricData>, () => this.#since(field))).view;
  }

  /** The oneof's rule: what lies before a field of another kind is gone. */
  #since(field: number): number {
    const { table, tableEnd } = this;
    let since = 0;
    for (let i = 0; i < tableEnd; i += 4) {
      const other = (table[i] as number) >>> 3;
      if (other !== field && TYPES[other] !== undefined) since = i + 4;
    }
    return since;
  }
}

const TYPES: Readonly<Record<number, MetricType>> = { 5: 'gauge', 7: 'sum', 9: 'histogram', 10: 'exponential_histogram', 11: 'summary' };

/** Gauge, Sum, ...: 1 data_points | 2 aggregation_temporality | 3 is_monotonic. */
abstract class MetricData extends MessageView {
  get metric(): MetricView {
    return this.parent as MetricView;
  }

  abstract get points(): readonly DataPointView[];

  get aggregationTemporality(): number {
    return this.int32(2);
  }

  set aggregationTemporality(value: number) {
    this.setInt32(2, value);
  }

  get isMonotonic(): boolean {
    return this.bool(3);
  }

  set isMonotonic(value: boolean) {
    this.setBool(3, value);
  }

  protected pointsOf<V extends DataPointView>(make: MakeView<V>): readonly V[] {
    return this.slot(1, () => new RepeatedSlot(this, 1, make)).views;
  }
}

class GaugeData extends MetricData {
  get points(): readonly NumberDataPointView[] {
    return this.pointsOf(NumberDataPointView);
  }

  override get aggregationTemporality(): number {
    return 0;
  }
}

class SumData extends MetricData {
  get points(): readonly NumberDataPointView[] {
    return this.pointsOf(NumberDataPointView);
  }
}

class HistogramData extends MetricData {
  get points(): readonly HistogramDataPointView[] {
    return this.pointsOf(HistogramDataPointView);
  }
}

class ExponentialHistogramData extends MetricData {
  get points(): readonly ExponentialHistogramDataPointView[] {
    return this.pointsOf(ExponentialHistogramDataPointView);
  }
}

class SummaryData extends MetricData {
  get points(): readonly SummaryDataPointView[] {
    return this.pointsOf(SummaryDataPointView);
  }

  override get aggregationTemporality(): number {
    return 0;
  }
}

const DATA_VIEWS: Readonly<Record<number, MakeView<MetricData>>> = {
  5: GaugeData,
  7: SumData,
  9: HistogramData,
  10: ExponentialHistogramData,
  11: SummaryData,
};

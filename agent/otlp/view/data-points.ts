import { position, WIRE_LEN, WIRE_VARINT } from '../wire.ts';
import { AttributesView } from './attributes.ts';
import { MessageView } from './message.ts';
import type { MetricView } from './metric.ts';
import { RepeatedSlot, SingularSlot } from './nested.ts';
import { doubleField, fixed64Field, packed64Field, packedVarintField, readVarint64, wrongWireType } from './scalars.ts';

export type DataPointView = NumberDataPointView | HistogramDataPointView | ExponentialHistogramDataPointView | SummaryDataPointView;

/** What all kinds of data points share; times have the same numbers in all of them, attributes and flags have not. */
abstract class PointView extends MessageView {
  abstract get attributes(): AttributesView;
  abstract get flags(): number;
  abstract set flags(value: number);

  get startTimeUnixNano(): bigint {
    return this.fixed64(2);
  }

  set startTimeUnixNano(value: bigint) {
    this.setFixed64(2, value);
  }

  get timeUnixNano(): bigint {
    return this.fixed64(3);
  }

  set timeUnixNano(value: bigint) {
    this.setFixed64(3, value);
  }

  /** The metric that it belongs to. */
  get metric(): MetricView {
    return (this.parent as unknown as { readonly metric: MetricView }).metric;
  }

  override itemCount(): number {
    return 1;
  }

  protected exemplarsAt(field: number): readonly ExemplarView[] {
    return this.slot(field, () => new RepeatedSlot(this, field, ExemplarView)).views;
  }

  /** An optional double: undefined where it is absent. */
  protected optionalDouble(field: number): number | undefined {
    return this.has(field) ? this.double(field) : undefined;
  }

  protected setOptionalDouble(field: number, value: number | undefined): void {
    if (value === undefined) this.replace(field, undefined, undefined);
    else this.setDouble(field, value, true);
  }
}

/** A oneof of a double and an sfixed64; the last one counts. undefined where neither is there. */
function readNumber(
  view: MessageView,
  doubleAt: number,
  intAt: number,
  read: (field: number) => number | bigint,
): number | bigint | undefined {
  const { table, tableEnd } = view;
  for (let i = tableEnd - 4; i >= 0; i -= 4) {
    const field = (table[i] as number) >>> 3;
    if (field === doubleAt || field === intAt) return read(field);
  }
  return undefined;
}

/** NumberDataPoint: 2 start | 3 time | 4 double or 6 sfixed64 | 5 Exemplar ... | 7 attributes | 8 flags. */
export class NumberDataPointView extends PointView {
  #written: { readonly value: number | bigint | undefined } | undefined;

  override point(buf: Buffer, from: number, end: number): void {
    super.point(buf, from, end);
    this.#written = undefined;
  }

  get attributes(): AttributesView {
    return this.slot(7, () => new AttributesView(this, 7));
  }

  get flags(): number {
    return this.uint32(8);
  }

  set flags(value: number) {
    this.setUint32(8, value);
  }

  /** number: a double, bigint: an integer, undefined: none. */
  get value(): number | bigint | undefined {
    if (this.#written !== undefined) return this.#written.value;
    return readNumber(this, 4, 6, (field) => (field === 4 ? this.double(4) : this.sfixed64(6)));
  }

  set value(value: number | bigint | undefined) {
    this.#written = { value };
    this.replace(4, typeof value === 'number' ? doubleField(4, value) : undefined, value);
    this.replace(6, typeof value === 'bigint' ? fixed64Field(6, value) : undefined, value);
  }

  get exemplars(): readonly ExemplarView[] {
    return this.exemplarsAt(5);
  }
}

/**
 * HistogramDataPoint: 2 start | 3 time | 4 count | 5 sum | 6 bucket_counts | 7 explicit_bounds | 8 Exemplar ... | 9 attributes | 10 flags |
 *                     11 min | 12 max
 */
export class HistogramDataPointView extends PointView {
  get attributes(): AttributesView {
    return this.slot(9, () => new AttributesView(this, 9));
  }

  get flags(): number {
    return this.uint32(10);
  }

  set flags(value: number) {
    this.setUint32(10, value);
  }

  get count(): bigint {
    return this.fixed64(4);
  }

  set count(value: bigint) {
    this.setFixed64(4, value);
  }

  get sum(): number | undefined {
    return this.optionalDouble(5);
  }

  set sum(value: number | undefined) {
    this.setOptionalDouble(5, value);
  }

  get min(): number | undefined {
    return this.optionalDouble(11);
  }

  set min(value: number | undefined) {
    this.setOptionalDouble(11, value);
  }

  get max(): number | undefined {
    return this.optionalDouble(12);
  }

  set max(value: number | undefined) {
    this.setOptionalDouble(12, value);
  }

  get bucketCounts(): readonly bigint[] {
    return this.repeated64(6, (at) => this.buf.readBigUInt64LE(at));
  }

  set bucketCounts(values: readonly bigint[]) {
    this.replace(6, values.length === 0 ? undefined : packed64Field(6, values), values);
  }

  get explicitBounds(): readonly number[] {
    return this.repeated64(7, (at) => this.buf.readDoubleLE(at));
  }

  set explicitBounds(values: readonly number[]) {
    this.replace(7, values.length === 0 ? undefined : packed64Field(7, values), values);
  }

  get exemplars(): readonly ExemplarView[] {
    return this.exemplarsAt(8);
  }
}

/**
 * ExponentialHistogramDataPoint: 1 attributes | 2 start | 3 time | 4 count | 5 sum | 6 scale | 7 zero_count | 8 positive Buckets |
 *                                9 negative Buckets | 10 flags | 11 Exemplar ... | 12 min | 13 max | 14 zero_threshold
 */
export class ExponentialHistogramDataPointView extends PointView {
  get attributes(): AttributesView {
    return this.slot(1, () => new AttributesView(this, 1));
  }

  get flags(): number {
    return this.uint32(10);
  }

  set flags(value: number) {
    this.setUint32(10, value);
  }

  get count(): bigint {
    return this.fixed64(4);
  }

  set count(value: bigint) {
    this.setFixed64(4, value);
  }

  get sum(): number | undefined {
    return this.optionalDouble(5);
  }

  set sum(value: number | undefined) {
    this.setOptionalDouble(5, value);
  }

  get min(): number | undefined {
    return this.optionalDouble(12);
  }

  set min(value: number | undefined) {
    this.setOptionalDouble(12, value);
  }

  get max(): number | undefined {
    return this.optionalDouble(13);
  }

  set max(value: number | undefined) {
    this.setOptionalDouble(13, value);
  }

  get scale(): number {
    return this.sint32(6);
  }

  set scale(value: number) {
    this.setSint32(6, value);
  }

  get zeroCount(): bigint {
    return this.fixed64(7);
  }

  set zeroCount(value: bigint) {
    this.setFixed64(7, value);
  }

  get zeroThreshold(): number {
    return this.double(14);
  }

  set zeroThreshold(value: number) {
    this.setDouble(14, value);
  }

  get positive(): BucketsView {
    return this.slot(8, () => new SingularSlot(this, 8, BucketsView)).view;
  }

  get negative(): BucketsView {
    return this.slot(9, () => new SingularSlot(this, 9, BucketsView)).view;
  }

  get exemplars(): readonly ExemplarView[] {
    return this.exemplarsAt(11);
  }
}

/** Buckets: 1 offset | 2 bucket_counts (varints). */
export class BucketsView extends MessageView {
  get offset(): number {
    return this.sint32(1);
  }

  set offset(value: number) {
    this.setSint32(1, value);
  }

  get bucketCounts(): readonly bigint[] {
    const written = this.written(2);
    if (written !== undefined) return written.value as readonly bigint[];
    const { table, tableEnd } = this;
    const values: bigint[] = [];
    for (let i = 0; i < tableEnd; i += 4) {
      const tag = table[i] as number;
      if (tag >>> 3 !== 2) continue;
      const end = table[i + 3] as number;
      let pos = table[i + 2] as number;
      if ((tag & 7) !== WIRE_LEN && (tag & 7) !== WIRE_VARINT) throw wrongWireType(tag, pos);
      while (pos < end) {
        values.push(readVarint64(this.buf, pos, end));
        pos = position();
      }
    }
    return values;
  }

  set bucketCounts(values: readonly bigint[]) {
    this.replace(2, values.length === 0 ? undefined : packedVarintField(2, values), values);
  }
}

/** SummaryDataPoint: 2 start | 3 time | 4 count | 5 sum | 6 ValueAtQuantile ... | 7 attributes | 8 flags. */
export class SummaryDataPointView extends PointView {
  get attributes(): AttributesView {
    return this.slot(7, () => new AttributesView(this, 7));
  }

  get flags(): number {
    return this.uint32(8);
  }

  set flags(value: number) {
    this.setUint32(8, value);
  }

  get count(): bigint {
    return this.fixed64(4);
  }

  set count(value: bigint) {
    this.setFixed64(4, value);
  }

  get sum(): number {
    return this.double(5);
  }

  set sum(value: number) {
    this.setDouble(5, value);
  }

  get quantileValues(): readonly QuantileView[] {
    return this.slot(6, () => new RepeatedSlot(this, 6, QuantileView)).views;
  }
}

/** ValueAtQuantile: 1 quantile | 2 value. */
export class QuantileView extends MessageView {
  get quantile(): number {
    return this.double(1);
  }

  set quantile(value: number) {
    this.setDouble(1, value);
  }

  get value(): number {
    return this.double(2);
  }

  set value(value: number) {
    this.setDouble(2, value);
  }
}

/** Exemplar: 2 time | 3 double or 6 sfixed64 | 4 span_id | 5 trace_id | 7 filtered_attributes. */
export class ExemplarView extends MessageView {
  get filteredAttributes(): AttributesView {
    return this.slot(7, () => new AttributesView(this, 7));
  }

  get timeUnixNano(): bigint {
    return this.fixed64(2);
  }

  set timeUnixNano(value: bigint) {
    this.setFixed64(2, value);
  }

  get traceId(): Uint8Array {
    return this.bytes(5);
  }

  set traceId(value: Uint8Array) {
    this.setBytes(5, value);
  }

  get spanId(): Uint8Array {
    return this.bytes(4);
  }

  set spanId(value: Uint8Array) {
    this.setBytes(4, value);
  }

  /** number: a double, bigint: an integer, undefined: none. */
  get value(): number | bigint | undefined {
    return readNumber(this, 3, 6, (field) => (field === 3 ? this.double(3) : this.sfixed64(6)));
  }
}

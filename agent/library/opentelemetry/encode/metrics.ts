import { type ResourceLike, type ScopeLike, writeAttributes, writeResource, writeScope } from './common.ts';
import type { ProtoWriter } from './writer.ts';

type Time = readonly [number, number];

interface PointLike<T> {
  readonly startTime: Time;
  readonly endTime: Time;
  readonly attributes: object;
  readonly value: T;
}

/** Histogram of the SDK. */
export interface HistogramLike {
  readonly buckets: { readonly boundaries: readonly number[]; readonly counts: readonly number[] };
  readonly sum?: number | undefined;
  readonly count: number;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

interface BucketsLike {
  readonly offset: number;
  readonly bucketCounts: readonly number[];
}

/** ExponentialHistogram of the SDK. */
export interface ExponentialHistogramLike {
  readonly count: number;
  readonly sum?: number | undefined;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: BucketsLike;
  readonly negative: BucketsLike;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** MetricData of the SDK; which of its kinds it is says `dataPointType`. */
export interface MetricLike {
  readonly descriptor: { readonly name: string; readonly description: string; readonly unit: string; readonly valueType: number };
  readonly aggregationTemporality: number;
  readonly dataPointType: number;
  readonly isMonotonic?: boolean;
  readonly dataPoints: readonly PointLike<number | HistogramLike | ExponentialHistogramLike>[];
}

/** ResourceMetrics of the SDK, as far as it is sent. */
export interface ResourceMetricsLike {
  readonly resource: ResourceLike;
  readonly scopeMetrics: readonly { readonly scope: ScopeLike; readonly metrics: readonly MetricLike[] }[];
}

/** DataPointType of the SDK. */
const HISTOGRAM = 0;
const EXPONENTIAL_HISTOGRAM = 1;
const GAUGE = 2;
const SUM = 3;

/** ValueType of @opentelemetry/api. */
const INT = 0;
/** AggregationTemporality of the SDK; that of OTLP has UNSPECIFIED before them. */
const DELTA = 0;
const CUMULATIVE = 1;

/** ExportMetricsServiceRequest { resource_metrics = 1 }; ResourceMetrics { resource = 1, scope_metrics = 2, schema_url = 3 }. */
export function writeMetrics(writer: ProtoWriter, { resource, scopeMetrics }: ResourceMetricsLike): void {
  const at = writer.open(0x0a, 3);
  writeResource(writer, resource);
  for (const { scope, metrics } of scopeMetrics) writeScopeMetrics(writer, scope, metrics);
  if (resource.schemaUrl) writer.string(0x1a, resource.schemaUrl);
  writer.close(at, 3);
}

/** ScopeMetrics { scope = 1, metrics = 2, schema_url = 3 }. */
function writeScopeMetrics(writer: ProtoWriter, scope: ScopeLike, metrics: readonly MetricLike[]): void {
  const at = writer.open(0x12, 3);
  writeScope(writer, scope);
  for (const metric of metrics) writeMetric(writer, metric);
  if (scope.schemaUrl) writer.string(0x1a, scope.schemaUrl);
  writer.close(at, 3);
}

/** Metric { name = 1, description = 2, unit = 3, gauge = 5, sum = 7, histogram = 9, exponential_histogram = 10 }. */
function writeMetric(writer: ProtoWriter, metric: MetricLike): void {
  const { name, description, unit } = metric.descriptor;
  const at = writer.open(0x12, 2);
  writer.string(0x0a, name);
  if (description) writer.string(0x12, description);
  if (unit) writer.string(0x1a, unit);
  switch (metric.dataPointType) {
    case GAUGE: {
      const data = writer.open(0x2a, 2);
      writeNumbers(writer, metric);
      writer.close(data, 2);
      break;
    }
    case SUM: {
      const data = writer.open(0x3a, 2);
      writeNumbers(writer, metric);
      writeTemporality(writer, metric);
      if (metric.isMonotonic) writer.varint(0x18, 1);
      writer.close(data, 2);
      break;
    }
    case HISTOGRAM: {
      const data = writer.open(0x4a, 2);
      for (const point of metric.dataPoints as readonly PointLike<HistogramLike>[]) writeHistogram(writer, point);
      writeTemporality(writer, metric);
      writer.close(data, 2);
      break;
    }
    case EXPONENTIAL_HISTOGRAM: {
      const data = writer.open(0x52, 2);
      for (const point of metric.dataPoints as readonly PointLike<ExponentialHistogramLike>[]) writeExponential(writer, point);
      writeTemporality(writer, metric);
      writer.close(data, 2);
    }
  }
  writer.close(at, 2);
}

/** Field 2 of Sum, Histogram and ExponentialHistogram. */
function writeTemporality(writer: ProtoWriter, { aggregationTemporality: one }: MetricLike): void {
  if (one === DELTA || one === CUMULATIVE) writer.varint(0x10, one + 1);
}

/** NumberDataPoint { start_time_unix_nano = 2, time_unix_nano = 3, as_double = 4, as_int = 6, attributes = 7 }. */
function writeNumbers(writer: ProtoWriter, { descriptor, dataPoints }: MetricLike): void {
  for (const { startTime, endTime, value, attributes } of dataPoints as readonly PointLike<number>[]) {
    const at = writer.open(0x0a, 1);
    writer.time(0x11, startTime);
    writer.time(0x19, endTime);
    if (descriptor.valueType === INT) {
      writer.byte(0x31);
      writer.signed64(value);
    } else {
      writer.byte(0x21);
      writer.double(value);
    }
    writeAttributes(writer, 0x3a, attributes);
    writer.close(at, 1);
  }
}

/**
 * HistogramDataPoint { start_time_unix_nano = 2, time_unix_nano = 3, count = 4, sum = 5, bucket_counts = 6, explicit_bounds = 7,
 * attributes = 9, min = 11, max = 12 }.
 */
function writeHistogram(writer: ProtoWriter, { startTime, endTime, value, attributes }: PointLike<HistogramLike>): void {
  const at = writer.open(0x0a, 2);
  const { counts, boundaries } = value.buckets;
  writer.time(0x11, startTime);
  writer.time(0x19, endTime);
  writer.byte(0x21);
  writer.unsigned64(value.count);
  optionalDouble(writer, 0x29, value.sum);
  if (counts.length > 0) {
    writer.room(8 * counts.length);
    const list = writer.open(0x32, 1);
    for (const count of counts) writer.unsigned64(count);
    writer.close(list, 1);
  }
  if (boundaries.length > 0) {
    writer.room(8 * boundaries.length);
    const list = writer.open(0x3a, 1);
    for (const boundary of boundaries) writer.double(boundary);
    writer.close(list, 1);
  }
  writeAttributes(writer, 0x4a, attributes);
  optionalDouble(writer, 0x59, value.min);
  optionalDouble(writer, 0x61, value.max);
  writer.close(at, 2);
}

/**
 * ExponentialHistogramDataPoint { attributes = 1, start_time_unix_nano = 2, time_unix_nano = 3, count = 4, sum = 5, scale = 6,
 * zero_count = 7, positive = 8, negative = 9, min = 12, max = 13 }.
 */
function writeExponential(writer: ProtoWriter, { startTime, endTime, value, attributes }: PointLike<ExponentialHistogramLike>): void {
  const at = writer.open(0x0a, 2);
  writeAttributes(writer, 0x0a, attributes);
  writer.time(0x11, startTime);
  writer.time(0x19, endTime);
  writer.byte(0x21);
  writer.unsigned64(value.count);
  optionalDouble(writer, 0x29, value.sum);
  if (value.scale !== 0) writer.varint(0x30, zigzag(value.scale));
  writer.byte(0x39);
  writer.unsigned64(value.zeroCount);
  writeBuckets(writer, 0x42, value.positive);
  writeBuckets(writer, 0x4a, value.negative);
  optionalDouble(writer, 0x61, value.min);
  optionalDouble(writer, 0x69, value.max);
  writer.close(at, 2);
}

/** Buckets { offset = 1, bucket_counts = 2 }. */
function writeBuckets(writer: ProtoWriter, tag: number, { offset, bucketCounts }: BucketsLike): void {
  const at = writer.open(tag, 1);
  if (offset !== 0) writer.varint(0x08, zigzag(offset));
  if (bucketCounts.length > 0) {
    writer.room(10 * bucketCounts.length);
    const list = writer.open(0x12, 1);
    for (const count of bucketCounts) writer.packed(count);
    writer.close(list, 1);
  }
  writer.close(at, 1);
}

function optionalDouble(writer: ProtoWriter, tag: number, value: number | undefined): void {
  if (value === undefined) return;
  writer.byte(tag);
  writer.double(value);
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

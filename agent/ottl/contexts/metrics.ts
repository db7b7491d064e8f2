import {
  type BucketsView,
  type DataPointView,
  ExponentialHistogramDataPointView,
  HistogramDataPointView,
  NumberDataPointView,
  SummaryDataPointView,
} from '../../otlp/view/data-points.ts';
import type { MetricType, MetricView } from '../../otlp/view/metric.ts';
import type { Accessor } from '../access.ts';
import { Failure } from '../errors.ts';
import type { Item } from '../item.ts';
import { GoSlice, int64, isList, Parts, typeName, type Value } from '../values.ts';
import { expectBool, expectDouble, expectInt, map, nanos, number, parts, text, time } from './fields.ts';
import { nested, type Paths } from './segment.ts';

const metricOf = (item: Item): MetricView => item.metric as MetricView;
const pointOf = (item: Item): DataPointView => item.point as DataPointView;

/** pmetric.MetricType in its order. */
const TYPES: readonly MetricType[] = ['none', 'gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'];
const WITH_TEMPORALITY: readonly MetricType[] = ['sum', 'histogram', 'exponential_histogram'];

/** pkg/ottl/contexts/internal/ctxmetric. */
export const METRIC_PATHS: Paths = {
  name: text(
    (item) => metricOf(item).name,
    (item, value) => {
      metricOf(item).name = value;
    },
  ),
  description: text(
    (item) => metricOf(item).description,
    (item, value) => {
      metricOf(item).description = value;
    },
  ),
  unit: text(
    (item) => metricOf(item).unit,
    (item, value) => {
      metricOf(item).unit = value;
    },
  ),
  // Setting it does nothing, and is no failure, upstream too (contrib issue 10130).
  type: () => ({ get: (item) => BigInt(TYPES.indexOf(metricOf(item).type)), set: () => undefined }),
  aggregation_temporality: () => ({
    get: (item) => {
      const metric = metricOf(item);
      return WITH_TEMPORALITY.includes(metric.type) ? BigInt(metric.aggregationTemporality) : undefined;
    },
    set: (item, value) => {
      metricOf(item).aggregationTemporality = Number(BigInt.asIntN(32, expectInt(value)));
    },
  }),
  is_monotonic: () => ({
    get: (item) => (metricOf(item).type === 'sum' ? metricOf(item).isMonotonic : undefined),
    set: (item, value) => {
      metricOf(item).isMonotonic = expectBool(value);
    },
  }),
  data_points: parts('data points', (item) => {
    const metric = metricOf(item);
    return metric.type === 'none' ? undefined : new Parts(`${metric.type} data points`, metric.dataPoints.length, metric);
  }),
  metadata: map((item) => metricOf(item).metadata),
};

/** pkg/ottl/contexts/internal/ctxdatapoint. What another kind of data point lacks is nil, and setting it fails. */
export const DATA_POINT_PATHS: Paths = {
  attributes: map((item) => pointOf(item).attributes),
  start_time_unix_nano: nanos(startOf, setStart),
  time_unix_nano: nanos(timeOf, setTime),
  start_time: time(startOf, setStart),
  time: time(timeOf, setTime),
  value_double: only<NumberDataPointView>(
    NumberDataPointView,
    ({ value }) => (typeof value === 'number' ? value : 0),
    (point, value) => {
      point.value = value;
    },
    expectDouble,
  ),
  value_int: only<NumberDataPointView, bigint>(
    NumberDataPointView,
    ({ value }) => (typeof value === 'bigint' ? value : 0n),
    (point, value) => {
      point.value = value;
    },
    expectInt,
  ),
  exemplars: parts('exemplars', (item) => {
    const point = pointOf(item);
    return point instanceof SummaryDataPointView ? undefined : new Parts('exemplars', point.exemplars.length, point);
  }),
  flags: number(
    (item) => pointOf(item).flags,
    (item, value) => {
      pointOf(item).flags = value;
    },
  ),
  count: () => ({
    get: (item) => {
      const point = pointOf(item);
      return point instanceof NumberDataPointView ? undefined : int64(point.count);
    },
    set: (item, value) => {
      const count = BigInt.asUintN(64, expectInt(value));
      const point = pointOf(item);
      if (point instanceof NumberDataPointView) throw new Failure('a number data point has no count');
      point.count = count;
    },
  }),
  sum: () => ({
    get: (item) => {
      const point = pointOf(item);
      return point instanceof NumberDataPointView ? undefined : (point.sum ?? 0);
    },
    set: (item, value) => {
      const sum = expectDouble(value);
      const point = pointOf(item);
      if (point instanceof NumberDataPointView) throw new Failure('a number data point has no sum');
      point.sum = sum;
    },
  }),
  bucket_counts: only<HistogramDataPointView, readonly bigint[]>(
    HistogramDataPointView,
    ({ bucketCounts }) => new GoSlice('uint64', bucketCounts.map(int64)),
    (point, value) => {
      point.bucketCounts = value;
    },
    expectCounts,
    true,
  ),
  explicit_bounds: only<HistogramDataPointView, readonly number[]>(
    HistogramDataPointView,
    ({ explicitBounds }) => new GoSlice('float64', explicitBounds),
    (point, value) => {
      point.explicitBounds = value;
    },
    expectBounds,
    true,
  ),
  scale: only<ExponentialHistogramDataPointView, bigint>(
    ExponentialHistogramDataPointView,
    ({ scale }) => BigInt(scale),
    (point, value) => {
      point.scale = Number(BigInt.asIntN(32, value));
    },
    expectInt,
  ),
  zero_count: only<ExponentialHistogramDataPointView, bigint>(
    ExponentialHistogramDataPointView,
    ({ zeroCount }) => int64(zeroCount),
    (point, value) => {
      point.zeroCount = BigInt.asUintN(64, value);
    },
    expectInt,
  ),
  positive: buckets('positive'),
  negative: buckets('negative'),
  quantile_values: parts('quantile values', (item) => {
    const point = pointOf(item);
    return point instanceof SummaryDataPointView ? new Parts('quantile values', point.quantileValues.length, point) : undefined;
  }),
};

/** pkg/ottl/contexts/internal/ctxmetric/symbols.go. */
export const METRIC_ENUMS: Readonly<Record<string, number>> = {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
  AGGREGATION_TEMPORALITY_DELTA: 1,
  AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
  ...Object.fromEntries(TYPES.map((name, i) => [`METRIC_DATA_TYPE_${name.toUpperCase()}`, i])),
};

export const DATA_POINT_ENUMS: Readonly<Record<string, number>> = { FLAG_NONE: 0, FLAG_NO_RECORDED_VALUE: 1, ...METRIC_ENUMS };

/** A field of one kind of data point. Upstream looks at the value first, but at the kind of the point first for lists. */
function only<P extends DataPointView, T = number>(
  kind: abstract new (...args: never[]) => P,
  get: (point: P) => Value,
  set: (point: P, value: T) => void,
  expect: (value: Value) => T,
  kindFirst = false,
): () => Accessor {
  const want = (item: Item): P => {
    const point = pointOf(item);
    if (point instanceof kind) return point;
    throw new Failure('this kind of data point has no such field');
  };
  return () => ({
    get: (item) => {
      const point = pointOf(item);
      return point instanceof kind ? get(point) : undefined;
    },
    set: (item, value) => {
      if (kindFirst) want(item);
      const expected = expect(value);
      set(want(item), expected);
    },
  });
}

/** `positive` and `negative` of exponential histograms. */
function buckets(side: 'positive' | 'negative'): Paths[string] {
  const of = (point: ExponentialHistogramDataPointView): BucketsView => point[side];
  return nested(
    parts('buckets', (item) => {
      const point = pointOf(item);
      return point instanceof ExponentialHistogramDataPointView ? new Parts(`${side} buckets`, undefined, point) : undefined;
    }),
    {
      offset: only<ExponentialHistogramDataPointView, bigint>(
        ExponentialHistogramDataPointView,
        (point) => BigInt(of(point).offset),
        (point, value) => {
          of(point).offset = Number(BigInt.asIntN(32, value));
        },
        expectInt,
      ),
      bucket_counts: only<ExponentialHistogramDataPointView, readonly bigint[]>(
        ExponentialHistogramDataPointView,
        (point) => new GoSlice('uint64', of(point).bucketCounts.map(int64)),
        (point, value) => {
          of(point).bucketCounts = value;
        },
        expectCounts,
        true,
      ),
    },
  );
}

function expectCounts(value: Value): readonly bigint[] {
  return elements(value, 'uint64', 'int64').map((each) => {
    if (typeof each !== 'bigint') throw new Failure(`bucket counts want integers, not a ${typeName(each)}`);
    return BigInt.asUintN(64, each);
  });
}

function expectBounds(value: Value): readonly number[] {
  return elements(value, 'float64').map((each) => {
    if (typeof each !== 'number') throw new Failure(`bounds want doubles, not a ${typeName(each)}`);
    return each;
  });
}

function elements(value: Value, ...of: readonly GoSlice['of'][]): readonly Value[] {
  if (isList(value)) return value;
  if (value instanceof GoSlice && (value.of === 'any' || of.includes(value.of))) return value.items;
  throw new Failure(`a ${typeName(value)} cannot be set here`);
}

function startOf(item: Item): bigint {
  return pointOf(item).startTimeUnixNano;
}

function setStart(item: Item, value: bigint): void {
  pointOf(item).startTimeUnixNano = value;
}

function timeOf(item: Item): bigint {
  return pointOf(item).timeUnixNano;
}

function setTime(item: Item, value: bigint): void {
  pointOf(item).timeUnixNano = value;
}

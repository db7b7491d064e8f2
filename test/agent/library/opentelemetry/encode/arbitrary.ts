import fc from 'fast-check';
import type { ResourceLike, ScopeLike } from '../../../../../agent/library/opentelemetry/encode/common.ts';
import type { LogRecordLike } from '../../../../../agent/library/opentelemetry/encode/logs.ts';
import type { MetricLike, ResourceMetricsLike } from '../../../../../agent/library/opentelemetry/encode/metrics.ts';
import type { ContextLike, EventLike, LinkLike, SpanLike } from '../../../../../agent/library/opentelemetry/encode/traces.ts';

/** What the SDK may hand over, and what JavaScript may have put into it. */

/** Text around every length at which the encoding changes; characters of one to four bytes, NUL, and halves of surrogate pairs. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 40 }) },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.nat(0xffff), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', '\ud800', 'a\udc00b', '\ud83d\ude00', 'ü'.repeat(63), 'ü'.repeat(64), '\u0000', '€'.repeat(43)),
  fc
    .tuple(
      fc.constantFrom(0, 1, 11, 12, 13, 14, 41, 42, 43, 63, 64, 126, 127, 128, 200, 4096, 4097, 5460, 5462, 16_383, 16_384, 40_000),
      fc.constantFrom('a', 'ü', '€', '😀', '\ud800', 'a\udfff'),
    )
    .map(([length, unit]) => unit.repeat(length)),
);

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    127,
    128,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 32),
    2 ** 53,
    2 ** 62,
    2 ** 63,
    -(2 ** 63),
    -(2 ** 63) - 2048,
    2 ** 64,
    1e300,
  ),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, 5e-324),
);

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value)),
  fc.constant(new Uint8Array(0)),
);

/** Attributes take more than the SDK's types say: whoever writes JavaScript is not asked. */
const odd = fc.constantFrom<unknown>(
  undefined,
  null,
  10n,
  Symbol('s'),
  () => 1,
  new Date(0),
  new Map([[1, 2]]),
  new Float64Array(2),
  /x/,
  new Array(2),
);

export const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    text,
    number,
    fc.boolean(),
    bytes,
    odd,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  ),
})).value;

class Inherited {
  readonly own = 'sent';
}
Object.defineProperty(Inherited.prototype, 'inherited', { value: 'not sent', enumerable: true });

export const attributes: fc.Arbitrary<object> = fc.oneof(
  { weight: 8, arbitrary: fc.dictionary(text, value, { maxKeys: 8 }) },
  fc.dictionary(text, value, { minKeys: 20, maxKeys: 40 }),
  fc.constantFrom<object>({}, new Inherited(), { 1: 'one', 0: 'zero', b: 1, a: 2 }, Object.freeze({ [Symbol('s')]: 1, hidden: true })),
);

const time: fc.Arbitrary<[number, number]> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.integer({ min: 1_699_999_999, max: 1_700_000_003 }), fc.nat(999_999_999)) },
  fc.tuple(fc.nat(2 ** 31), fc.nat(999_999_999)),
  // A program's clock may be anything, and milliseconds times 10^6 no whole number.
  fc.tuple(fc.double({ min: 0, max: 2 ** 34, noNaN: true }), fc.double({ min: -1e9, max: 2e9, noNaN: true })),
  fc.constantFrom<[number, number]>([0, 0], [4_294_967_295, 999_999_999], [1_700_000_000, 1e9], [-1, 0], [Number.NaN, 0]),
);

const hex = (length: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length }) },
    fc.string({ unit: fc.constantFrom(...'0123456789ABCDEFabcdef'), minLength: length, maxLength: length }),
    // Of a propagator or a span of somebody's own.
    fc.string({ maxLength: length + 3 }),
    fc.constantFrom('', '0'.repeat(length), '€ü', 'zZgG'),
  );

export const context: fc.Arbitrary<ContextLike> = fc.record(
  {
    traceId: hex(32),
    spanId: hex(16),
    traceFlags: fc.oneof(fc.nat(1), fc.nat(0xffff)),
    isRemote: fc.boolean(),
    traceState: text.map((state) => ({ serialize: () => state })),
  },
  { requiredKeys: ['traceId', 'spanId', 'traceFlags'] },
);

const count = fc.oneof(fc.constant(0), fc.nat(300), fc.nat(2 ** 31));
/** Absent, and there as undefined, where the SDK's type has a question mark. */
const absent = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

/** Few of them, as they are told apart by identity: what is drawn is mixed. */
export const places: fc.Arbitrary<{ resource: ResourceLike; instrumentationScope: ScopeLike }[]> = fc
  .tuple(
    fc.array(fc.record({ attributes, schemaUrl: absent(text) }), { minLength: 1, maxLength: 3 }),
    fc.array(
      fc.record({
        name: text,
        version: absent(text),
        schemaUrl: absent(text),
        attributes: absent(attributes),
        droppedAttributesCount: absent(count),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([resources, scopes]) =>
    resources.flatMap((resource) => scopes.map((instrumentationScope) => ({ resource, instrumentationScope }))),
  );

const event: fc.Arbitrary<EventLike> = fc.record({
  time,
  name: text,
  attributes: absent(attributes),
  droppedAttributesCount: absent(count),
});
const link: fc.Arbitrary<LinkLike> = fc.record({ context, attributes: absent(attributes), droppedAttributesCount: absent(count) });

const span = fc.record({
  name: text,
  kind: fc.oneof(fc.nat(4), fc.constantFrom(undefined as never, null as never, -1, 7)),
  own: context,
  parentSpanContext: absent(context),
  startTime: time,
  endTime: time,
  status: fc.record({ code: fc.nat(2), message: absent(text) }),
  attributes,
  links: fc.array(link, { maxLength: 3 }),
  events: fc.array(event, { maxLength: 3 }),
  droppedAttributesCount: fc.oneof(count, fc.constantFrom(undefined as never, -1, Number.NaN)),
  droppedEventsCount: count,
  droppedLinksCount: count,
});

/** A mixed batch of several resources and scopes. */
function batchOf<T extends object, R>(
  item: fc.Arbitrary<T>,
  finish: (item: T & (typeof places extends fc.Arbitrary<(infer P)[]> ? P : never)) => R,
) {
  return fc
    .tuple(places, fc.array(fc.tuple(item, fc.nat()), { maxLength: 8 }))
    .map(([where, items]) => items.map(([one, at]) => finish({ ...one, ...(where[at % where.length] as (typeof where)[number]) })));
}

export const spans: fc.Arbitrary<SpanLike[]> = batchOf(span, ({ own, ...rest }): SpanLike => ({ ...rest, spanContext: () => own }));

export const logRecords: fc.Arbitrary<LogRecordLike[]> = batchOf(
  fc.record({
    hrTime: time,
    hrTimeObserved: time,
    spanContext: absent(context),
    severityText: absent(text),
    severityNumber: absent(fc.nat(24)),
    body: value,
    eventName: absent(text),
    attributes,
    droppedAttributesCount: count,
  }),
  (record): LogRecordLike => record,
);

const wide = fc.oneof(fc.nat(), fc.maxSafeInteger(), fc.constantFrom(0, 2 ** 32, 2 ** 53));
const many = (one: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
  fc.oneof(fc.array(one, { maxLength: 5 }), fc.array(one, { minLength: 160, maxLength: 400 }));
const buckets = fc.record({ offset: fc.integer(), bucketCounts: many(wide.filter((one) => one >= 0)) });
const histogram = fc.record({
  buckets: fc.record({ boundaries: many(fc.double()), counts: many(wide) }),
  count: wide,
  sum: absent(fc.double()),
  min: absent(fc.double()),
  max: absent(fc.double()),
});
const exponential = fc.record({
  count: wide,
  sum: absent(fc.double()),
  scale: fc.integer({ min: -10, max: 20 }),
  zeroCount: wide,
  positive: buckets,
  negative: buckets,
  min: absent(fc.double()),
  max: absent(fc.double()),
});

function metricOf<T>(dataPointType: number, point: fc.Arbitrary<T>): fc.Arbitrary<MetricLike> {
  return fc.record({
    descriptor: fc.record({ name: text, description: text, unit: text, valueType: fc.nat(1) }),
    aggregationTemporality: fc.nat(2),
    dataPointType: fc.constant(dataPointType),
    isMonotonic: fc.boolean(),
    dataPoints: fc.array(fc.record({ startTime: time, endTime: time, attributes, value: point }), { maxLength: 3 }),
  }) as fc.Arbitrary<MetricLike>;
}

export const metrics: fc.Arbitrary<ResourceMetricsLike> = fc
  .tuple(
    places,
    fc.array(
      fc.array(fc.oneof(metricOf(0, histogram), metricOf(1, exponential), metricOf(2, number), metricOf(3, number), metricOf(9, number)), {
        maxLength: 4,
      }),
      {
        maxLength: 3,
      },
    ),
  )
  .map(([where, scopes]) => {
    const { resource } = where[0] as (typeof where)[number];
    return {
      resource,
      scopeMetrics: scopes.map((ofScope, i) => ({
        scope: (where[i % where.length] as (typeof where)[number]).instrumentationScope,
        metrics: ofScope,
      })),
    };
  });

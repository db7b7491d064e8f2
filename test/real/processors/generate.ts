import fc from 'fast-check';
import type { Signal } from '../../../agent/config/settings.ts';
import { encode, type Message } from '../../agent/kit/otlp.ts';

/**
 * Random requests, the same for the same seed. Keys and texts come half of the time from the vocabulary, so that the rules of a configuration
 * have something to match; the rest is anything. What is in them: all AnyValue kinds (nested, empty ones too), missing resources and scopes,
 * empty scopes, several of each, duplicate keys (where asked for), enum values that nobody has defined, all five kinds of metrics and none.
 */
export interface Vocabulary {
  /** Attribute keys that the configuration names. */
  readonly keys?: readonly string[];
  /** Texts that it names: values, span names, metric names, bodies, severities. */
  readonly texts?: readonly string[];
  /** Whether attributes may have the same key twice. @default false: the data model forbids it, and the Collector treats them in several ways */
  readonly duplicateKeys?: boolean;
  /** Whether profiles name resource attributes by their place in the dictionary. @default false */
  readonly indexed?: boolean;
}

/** `count` requests of a signal, encoded. */
export function generate(signal: Signal, seed: number, count: number, vocabulary: Vocabulary = {}): Buffer[] {
  return generateMessages(signal, seed, count, vocabulary).map((message) => encode(signal, message));
}

/** The same as objects that protobufjs takes; to change them before they are encoded. */
export function generateMessages(signal: Signal, seed: number, count: number, vocabulary: Vocabulary = {}): Message[] {
  return fc.sample(requestArbitrary(signal, vocabulary), { seed, numRuns: count });
}

/** One request of a signal. */
export function requestArbitrary(signal: Signal, vocabulary: Vocabulary = {}): fc.Arbitrary<Message> {
  const make = new Maker(vocabulary);
  const [resources, scopes, items] = NAMES[signal];
  const scope = make.record({ scope: make.maybe(make.scope), [items]: fc.array(make[signal], { maxLength: 4 }), schemaUrl: make.rareText });
  const resource = make.record({
    resource: make.maybe(make.resource),
    [scopes]: fc.array(scope, { maxLength: 2 }),
    schemaUrl: make.rareText,
  });
  const list = fc.array(resource, { maxLength: 3 });
  if (signal !== 'profiles') return list.map((each) => ({ [resources]: each }));
  return list.map((each) => ({
    [resources]: vocabulary.indexed === true ? each.map(indexed) : each,
    dictionary: { stringTable: TEXT_TABLE },
  }));
}

/** Of profiles; the first is the empty text by the data model. */
const TEXT_TABLE = ['', 'a', 'b', 'service.name', 'secret'];

/** Profiles name texts by their place in the dictionary: here those keys and values of the resource that have one. */
function indexed(resource: Message): Message {
  const own = resource.resource as { attributes?: Message[] } | undefined;
  const attributes = own?.attributes?.map((each): Message => {
    const { stringValue } = each.value as { stringValue?: string };
    const text = stringValue === undefined ? -1 : TEXT_TABLE.indexOf(stringValue);
    const key = TEXT_TABLE.indexOf(each.key as string);
    const value = text > 0 ? { stringValueStrindex: text } : each.value;
    return key > 0 ? { keyStrindex: key, value } : { key: each.key, value };
  });
  return attributes === undefined ? resource : { ...resource, resource: { ...own, attributes } };
}

const NAMES: Readonly<Record<Signal, readonly [string, string, string]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  profiles: ['resourceProfiles', 'scopeProfiles', 'profiles'],
};

type Arbitraries = Record<string, fc.Arbitrary<unknown>>;

const SOME_KEYS = ['service.name', 'http.method', 'http.status_code', 'user.id', 'k8s.pod.name', 'a', 'b', ''];
const SOME_TEXTS = ['GET', 'POST', '/users/42', 'secret', '4111111111111111', '10.0.0.1', 'a b', 'ä€😀', '', '0', '-17', '1.5e3', 'true'];

class Maker {
  readonly text: fc.Arbitrary<string>;
  readonly rareText: fc.Arbitrary<string>;
  readonly key: fc.Arbitrary<string>;
  readonly value: fc.Arbitrary<Message>;
  readonly attributes: fc.Arbitrary<Message[]>;
  readonly resource: fc.Arbitrary<Message>;
  readonly scope: fc.Arbitrary<Message>;
  readonly traces: fc.Arbitrary<Message>;
  readonly metrics: fc.Arbitrary<Message>;
  readonly logs: fc.Arbitrary<Message>;
  readonly profiles: fc.Arbitrary<Message>;
  readonly #time = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String);
  readonly #double = fc.oneof(fc.double(), fc.integer({ min: -100, max: 100 }));
  readonly #uint = fc.oneof(fc.constant(0), fc.nat({ max: 5 }), fc.nat({ max: 0x7fff_ffff }));

  constructor(vocabulary: Vocabulary) {
    const pick = (list: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...list);
    const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });
    this.text = fc.oneof(
      { weight: 6, arbitrary: pick([...SOME_TEXTS, ...(vocabulary.texts ?? []), ...(vocabulary.texts ?? [])]) },
      { weight: 1, arbitrary: anyText },
    );
    this.rareText = fc.oneof({ weight: 5, arbitrary: fc.constant('') }, { weight: 1, arbitrary: this.text });
    this.key = fc.oneof(
      { weight: 8, arbitrary: pick([...SOME_KEYS, ...(vocabulary.keys ?? []), ...(vocabulary.keys ?? [])]) },
      { weight: 1, arbitrary: anyText },
    );
    this.value = this.#values();
    const pair = fc.record({ key: this.key, value: this.value });
    this.attributes =
      vocabulary.duplicateKeys === true
        ? fc.array(pair, { maxLength: 6 })
        : fc.uniqueArray(pair, { maxLength: 6, selector: (one) => one.key });
    const id = (length: number): fc.Arbitrary<Buffer> =>
      fc.oneof(
        fc.constant(Buffer.alloc(0)),
        fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes)),
      );
    const dropped = { droppedAttributesCount: this.#uint };
    this.resource = this.record({ attributes: this.attributes, ...dropped });
    this.scope = this.record({ name: this.text, version: this.rareText, attributes: this.attributes, ...dropped });
    const ids = { traceId: id(16), spanId: id(8) };
    const event = this.record({ timeUnixNano: this.#time, name: this.text, attributes: this.attributes, ...dropped });
    const link = this.record({ ...ids, traceState: this.rareText, attributes: this.attributes, ...dropped, flags: this.#uint });
    this.traces = this.record({
      ...ids,
      traceState: this.rareText,
      parentSpanId: id(8),
      flags: this.#uint,
      name: this.text,
      kind: this.#enum(5),
      startTimeUnixNano: this.#time,
      endTimeUnixNano: this.#time,
      attributes: this.attributes,
      ...dropped,
      events: fc.array(event, { maxLength: 2 }),
      droppedEventsCount: this.#uint,
      links: fc.array(link, { maxLength: 2 }),
      droppedLinksCount: this.#uint,
      status: this.maybe(this.record({ message: this.rareText, code: this.#enum(2) })),
    });
    this.logs = this.record({
      ...ids,
      timeUnixNano: this.#time,
      observedTimeUnixNano: this.#time,
      severityNumber: this.#enum(24),
      severityText: this.text,
      body: this.maybe(this.value),
      attributes: this.attributes,
      ...dropped,
      flags: this.#uint,
      eventName: this.rareText,
    });
    this.metrics = this.#metrics(ids);
    this.profiles = this.record({
      profileId: id(16),
      ...dropped,
      samples: fc.array(this.record({ stackIndex: this.#uint }), { maxLength: 2 }),
    });
  }

  /** Each field is left out now and then. */
  record(shape: Arbitraries): fc.Arbitrary<Message> {
    return fc.record(shape, { requiredKeys: [] }) as fc.Arbitrary<Message>;
  }

  maybe(inner: fc.Arbitrary<Message>): fc.Arbitrary<Message | undefined> {
    return fc.oneof({ weight: 4, arbitrary: inner }, { weight: 1, arbitrary: fc.constant(undefined) });
  }

  /** 0 to max, and now and then one that is not defined. */
  #enum(max: number): fc.Arbitrary<number> {
    return fc.oneof({ weight: 9, arbitrary: fc.nat({ max }) }, { weight: 1, arbitrary: fc.constantFrom(max + 1, 77, -1) });
  }

  #values(): fc.Arbitrary<Message> {
    const { value } = fc.letrec<{ value: Message }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        { weight: 10, arbitrary: this.text.map((stringValue) => ({ stringValue })) },
        { weight: 2, arbitrary: fc.boolean().map((boolValue) => ({ boolValue })) },
        {
          weight: 3,
          arbitrary: fc
            .oneof(fc.constantFrom('0', '1', '-1', '200', '500'), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map(String))
            .map((intValue) => ({ intValue })),
        },
        { weight: 3, arbitrary: this.#double.map((doubleValue) => ({ doubleValue })) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => ({ bytesValue: Buffer.from(bytes) })) },
        { weight: 1, arbitrary: fc.constant({}) },
        { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }).map((values) => ({ arrayValue: { values } })) },
        {
          weight: 2,
          arbitrary: fc
            .uniqueArray(fc.record({ key: this.key, value: tie('value') }), { maxLength: 3, selector: (one) => one.key })
            .map((values) => ({ kvlistValue: { values } })),
        },
      ),
    }));
    return value;
  }

  #metrics(ids: Arbitraries): fc.Arbitrary<Message> {
    const times = { startTimeUnixNano: this.#time, timeUnixNano: this.#time };
    const number = fc.oneof(
      this.#double.map((asDouble) => ({ asDouble })),
      fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((asInt) => ({ asInt: String(asInt) })),
      fc.constant({}),
    );
    const merged = (...parts: fc.Arbitrary<Message>[]): fc.Arbitrary<Message> =>
      fc.tuple(...parts).map((each) => Object.assign({}, ...each) as Message);
    const exemplar = merged(number, this.record({ filteredAttributes: this.attributes, timeUnixNano: this.#time, ...ids }));
    const exemplars = fc.array(exemplar, { maxLength: 1 });
    const common = { attributes: this.attributes, ...times, flags: fc.constantFrom(0, 1), exemplars };
    const counts = { count: this.#time, sum: this.#double, min: this.#double, max: this.#double };
    const buckets = this.record({ offset: fc.integer({ min: -5, max: 5 }), bucketCounts: fc.array(this.#time, { maxLength: 3 }) });
    const points = (point: fc.Arbitrary<Message>): fc.Arbitrary<Message[]> => fc.array(point, { maxLength: 3 });
    const numberPoint = merged(number, this.record(common));
    const histogramPoint = this.record({
      ...common,
      ...counts,
      bucketCounts: fc.array(this.#time, { maxLength: 3 }),
      explicitBounds: fc.array(this.#double, { maxLength: 2 }),
    });
    const exponentialPoint = this.record({
      ...common,
      ...counts,
      scale: fc.integer({ min: -4, max: 8 }),
      zeroCount: this.#time,
      zeroThreshold: this.#double,
      positive: this.maybe(buckets),
      negative: this.maybe(buckets),
    });
    const { exemplars: _none, ...withoutExemplars } = common;
    const quantile = this.record({ quantile: this.#double, value: this.#double });
    const summaryPoint = this.record({
      ...withoutExemplars,
      count: this.#time,
      sum: this.#double,
      quantileValues: fc.array(quantile, { maxLength: 2 }),
    });
    const aggregationTemporality = this.#enum(2);
    const data = fc.oneof(
      this.record({ dataPoints: points(numberPoint) }).map((gauge) => ({ gauge })),
      this.record({ dataPoints: points(numberPoint), aggregationTemporality, isMonotonic: fc.boolean() }).map((sum) => ({ sum })),
      this.record({ dataPoints: points(histogramPoint), aggregationTemporality }).map((histogram) => ({ histogram })),
      this.record({ dataPoints: points(exponentialPoint), aggregationTemporality }).map((exponentialHistogram) => ({
        exponentialHistogram,
      })),
      this.record({ dataPoints: points(summaryPoint) }).map((summary) => ({ summary })),
      fc.constant({}),
    );
    return merged(data, this.record({ name: this.text, description: this.rareText, unit: this.rareText, metadata: this.attributes }));
  }
}

import { type AnyValue, encodeAnyValue, encodeKeyValue } from '../otlp/view/any-value.ts';
import { fixed64Field, textField } from '../otlp/view/scalars.ts';
import { lenField, varintField } from '../otlp/wire.ts';
import type { Failures } from '../ottl/failures.ts';
import type { Item } from '../ottl/item.ts';
import { Conditions } from '../ottl/run.ts';
import { CONTEXT_OF, type CountedKind, type CountMetric } from './count-config.ts';
import { ABSENT, type Findable, type WantedKey } from './item-attributes.ts';

/** A metric that is counted, with its conditions compiled. */
export class CountedMetric {
  readonly name: string;
  readonly description: string;
  readonly #attributes: readonly { readonly key: WantedKey; readonly defaultValue: AnyValue }[];
  readonly #conditions: Conditions | undefined;

  constructor(kind: CountedKind, metric: CountMetric, failures: Failures) {
    this.name = metric.name;
    this.description = metric.description;
    this.#attributes = metric.attributes.map(({ key, defaultValue }) => ({ key: { text: key, bytes: Buffer.from(key) }, defaultValue }));
    this.#conditions =
      metric.conditions.length === 0 ? undefined : new Conditions(metric.conditions, CONTEXT_OF[kind], 'named', 'ignore', failures);
  }

  /** Whether an item can be counted by being there, unread. */
  get plain(): boolean {
    return this.#attributes.length === 0 && this.#conditions === undefined;
  }

  /** The attributes by which an item is counted; undefined where it is not. */
  attributesOf(item: Item, places: readonly Findable[]): ReadonlyMap<string, AnyValue> | undefined {
    const found = new Map<string, AnyValue>();
    for (const { key, defaultValue } of this.#attributes) {
      let value: AnyValue | typeof ABSENT = ABSENT;
      for (let i = 0; i < places.length && value === ABSENT; i += 1) value = (places[i] as Findable).find(key);
      if (value !== ABSENT) found.set(key.text, value);
      else if (defaultValue !== undefined) found.set(key.text, defaultValue);
      else return undefined;
    }
    // A key that the configuration names twice is counted never, as upstream.
    if (found.size !== this.#attributes.length) return undefined;
    return this.#conditions === undefined || this.#conditions.test(item) ? found : undefined;
  }
}

interface Count {
  readonly attributes: ReadonlyMap<string, AnyValue>;
  count: number;
}

const NO_ATTRIBUTES: ReadonlyMap<string, AnyValue> = new Map();

/** The counts of all metrics of one kind in one resource, and the time that its items span. */
export class Counter {
  readonly #metrics: readonly CountedMetric[];
  readonly #counts: readonly Map<string, Count>[];
  #start = 0n;
  #end = 0n;

  constructor(metrics: readonly CountedMetric[]) {
    this.#metrics = metrics;
    this.#counts = metrics.map(() => new Map<string, Count>());
  }

  /** Data points that there will be. */
  get size(): number {
    let size = 0;
    for (const counts of this.#counts) size += counts.size;
    return size;
  }

  time(nanos: bigint): void {
    if (nanos === 0n) return;
    if (this.#start === 0n || nanos < this.#start) this.#start = nanos;
    if (nanos > this.#end) this.#end = nanos;
  }

  update(item: Item, places: readonly Findable[]): void {
    for (let i = 0; i < this.#metrics.length; i += 1) {
      const metric = this.#metrics[i] as CountedMetric;
      const attributes = metric.plain ? NO_ATTRIBUTES : metric.attributesOf(item, places);
      if (attributes !== undefined) this.#add(this.#counts[i] as Map<string, Count>, attributes, 1);
    }
  }

  /** So many items at once, where all metrics are plain. */
  updatePlain(items: number): void {
    if (items === 0) return;
    for (const counts of this.#counts) this.#add(counts, NO_ATTRIBUTES, items);
  }

  #add(counts: Map<string, Count>, attributes: ReadonlyMap<string, AnyValue>, items: number): void {
    const key = attributes.size === 0 ? '' : identity(attributes);
    const present = counts.get(key);
    if (present === undefined) counts.set(key, { attributes, count: items });
    else present.count += items;
  }

  /** The fields `metrics` of a ScopeMetrics. Items without a time were counted now. */
  encode(now: bigint): Uint8Array[] {
    const start = this.#start === 0n ? now : this.#start;
    const end = this.#start === 0n ? now : this.#end;
    return this.#metrics.flatMap((metric, i) => {
      const counts = [...(this.#counts[i] as Map<string, Count>).values()];
      return counts.length === 0 ? [] : [encodeMetric(metric, counts, start, end)];
    });
  }
}

const DELTA = 1;

/** Metric: 1 name | 2 description | 7 Sum {1 NumberDataPoint ... | 2 aggregation_temporality | 3 is_monotonic}. */
function encodeMetric({ name, description }: CountedMetric, counts: readonly Count[], start: bigint, end: bigint): Uint8Array {
  const points = counts.map(({ attributes, count }) => {
    const fields = [...attributes].map(([key, value]) => lenField(7, encodeKeyValue(key, encodeAnyValue(value))));
    // NumberDataPoint: 2 start | 3 time | 6 as_int, an sfixed64 | 7 attributes
    return lenField(1, Buffer.concat([fixed64Field(2, start), fixed64Field(3, end), fixed64Field(6, BigInt(count)), ...fields]));
  });
  const sum = lenField(7, Buffer.concat([...points, varintField(2, DELTA), varintField(3, 1)]));
  return lenField(2, Buffer.concat([textField(1, name), ...(description === '' ? [] : [textField(2, description)]), sum]));
}

/**
 * Equal for equal values of equal kinds, whatever the order of the keys of maps: what pdatautil.MapHash is upstream, without collisions.
 * Texts stand behind their length, so that none can pass for two.
 */
function identity(value: AnyValue): string {
  if (value === undefined) return 'e';
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return `[${(value as readonly AnyValue[]).map(identity).join(',')}]`;
  if (value instanceof Map) {
    const pairs = [...(value as ReadonlyMap<string, AnyValue>)].map(([key, inner]) => `${key.length}:${key}${identity(inner)}`);
    return `{${pairs.sort().join(',')}}`;
  }
  if (typeof value === 'string') return `s${value.length}:${value}`;
  if (typeof value === 'number') return Object.is(value, -0) ? 'd-0' : `d${value}`;
  return typeof value === 'bigint' ? `i${value}` : `b${String(value)}`;
}

import type { Signal } from '../config/settings.ts';
import type { MessageView } from '../otlp/view/message.ts';
import { RequestView, type ResourceView, type ScopeView } from '../otlp/view/request.ts';
import { textField } from '../otlp/view/scalars.ts';
import { lenField } from '../otlp/wire.ts';
import { Failures } from '../ottl/failures.ts';
import { Item } from '../ottl/item.ts';
import type { Body } from '../process/process.ts';
import type { Log } from '../telemetry/log.ts';
import type { Connector, Produced } from './connector.ts';
import type { CountedKind, CountSettings } from './count-config.ts';
import { CountedMetric, Counter } from './count-metric.ts';
import { countLogs, countSpans } from './count-plain.ts';
import { type Findable, findable, ItemAttributes } from './item-attributes.ts';

/** So that who knows the counts of the Collector knows these. */
const SCOPE_NAME = 'github.com/open-telemetry/opentelemetry-collector-contrib/connector/countconnector';

type CountedSignal = 'traces' | 'metrics' | 'logs';

/** The field `scope` of a ScopeMetrics. */
const SCOPE = lenField(1, textField(1, SCOPE_NAME));

/**
 * Connector `count`: how many there were, by resource, as delta sums.
 * In:       traces, metrics or logs. Out: a metrics request for each, with the resource's attributes; none where nothing was counted.
 * May drop: nothing: what it reads ends here as intended, or went to the other exporters of its pipeline.
 * Counters: otlp_agent_connector_{consumed,produced}_items.
 * Decodes:  what conditions and attributes name, and metrics, by views; without both of spans and log records only times are read.
 * Fails:    a condition that cannot be decided is not met and said in the log; upstream refuses the whole request then.
 * Bench:    test/bench/agent-components
 */
export class CountConnector implements Connector {
  readonly derives = true;
  readonly #metrics: Readonly<Record<CountedKind, readonly CountedMetric[]>>;
  /** Whether nothing has to be read but times. */
  readonly #plain: { readonly traces: boolean; readonly logs: boolean };

  constructor(settings: CountSettings, log: Log) {
    const failures = new Failures(log, settings.id);
    const compiled = (kind: CountedKind): CountedMetric[] =>
      settings.metrics[kind].map((metric) => new CountedMetric(kind, metric, failures));
    this.#metrics = {
      spans: compiled('spans'),
      spanevents: compiled('spanevents'),
      metrics: compiled('metrics'),
      datapoints: compiled('datapoints'),
      logs: compiled('logs'),
    };
    const plain = (kind: CountedKind): boolean => this.#metrics[kind].every((metric) => metric.plain);
    this.#plain = { traces: plain('spans') && plain('spanevents'), logs: plain('logs') };
  }

  consume(signal: Signal, body: Body): readonly Produced[] | string {
    try {
      return this.#consume(signal, body);
    } catch (error) {
      return `cannot be counted: ${(error as Error).message}`;
    }
  }

  #consume(signal: Signal, body: Body): readonly Produced[] {
    const now = BigInt(Date.now()) * 1_000_000n;
    const resources: Uint8Array[] = [];
    let items = 0;
    const add = (resource: ResourceView, counters: readonly Counter[]): void => {
      const size = counters.reduce((sum, one) => sum + one.size, 0);
      if (size === 0) return; // no empty envelopes
      items += size;
      const metrics = counters.flatMap((one) => one.encode(now));
      resources.push(lenField(1, Buffer.concat([attributesOf(resource), lenField(2, Buffer.concat([SCOPE, ...metrics]))])));
    };
    switch (signal) {
      case 'traces':
        forResources(new RequestView('traces', body), (one, from, end) => add(one, this.#traces(one, from, end)));
        break;
      case 'metrics':
        forResources(new RequestView('metrics', body), (one) => add(one, this.#metricsOf(one)));
        break;
      case 'logs':
        forResources(new RequestView('logs', body), (one, from, end) => add(one, this.#logs(one, from, end)));
        break;
      default:
    }
    if (items === 0) return [];
    const whole = Buffer.concat(resources);
    return [{ signal: 'metrics', body: { slices: [whole], bytes: whole.length, items }, derived: true }];
  }

  #traces(resource: ResourceView<'traces'>, from: number, end: number): readonly Counter[] {
    const spans = new Counter(this.#metrics.spans);
    const events = new Counter(this.#metrics.spanevents);
    if (this.#plain.traces) {
      countSpans(resource.source, from, end, spans, events);
      return [spans, events];
    }
    forScopes(resource, (scope, item, around) => {
      for (const span of scope.items) {
        spans.time(span.startTimeUnixNano);
        spans.time(span.endTimeUnixNano);
        item.span = span;
        item.event = undefined;
        item.forget();
        spans.update(item, [new ItemAttributes(span, 9), ...around]);
        for (const event of span.events) {
          events.time(event.timeUnixNano);
          item.event = event;
          item.forget();
          events.update(item, [new ItemAttributes(event, 3), ...around]);
        }
      }
    });
    return [spans, events];
  }

  #metricsOf(resource: ResourceView<'metrics'>): readonly Counter[] {
    const metrics = new Counter(this.#metrics.metrics);
    const points = new Counter(this.#metrics.datapoints);
    forScopes(resource, (scope, item, around) => {
      for (const metric of scope.items) {
        item.metric = metric;
        item.point = undefined;
        item.forget();
        metrics.update(item, around);
        for (const point of metric.dataPoints) {
          points.time(point.timeUnixNano);
          item.point = point;
          item.forget();
          points.update(item, [findable(point.attributes), ...around]);
        }
      }
    });
    return [metrics, points];
  }

  #logs(resource: ResourceView<'logs'>, from: number, end: number): readonly Counter[] {
    const logs = new Counter(this.#metrics.logs);
    if (this.#plain.logs) {
      countLogs(resource.source, from, end, logs);
      return [logs];
    }
    forScopes(resource, (scope, item, around) => {
      for (const log of scope.items) {
        logs.time(log.timeUnixNano);
        item.log = log;
        item.forget();
        logs.update(item, [new ItemAttributes(log, 6), ...around]);
      }
    });
    return [logs];
  }
}

/** Each resource, and where its content lies. */
function forResources<S extends CountedSignal>(
  request: RequestView<S>,
  visit: (resource: ResourceView<S>, from: number, end: number) => void,
): void {
  const { table } = request;
  let at = 0;
  for (const resource of request.resources) {
    while (table[at] !== RESOURCE_X_TAG) at += 4;
    visit(resource, table[at + 2] as number, table[at + 3] as number);
    at += 4;
  }
}

/** Each scope, with the attributes of scope and resource as the places where a key is looked for behind those of the item. */
function forScopes<S extends CountedSignal>(
  resource: ResourceView<S>,
  visit: (scope: ScopeView<S>, item: Item, around: readonly Findable[]) => void,
): void {
  const item = new Item();
  item.resource = resource as unknown as ResourceView;
  for (const scope of resource.scopes) {
    item.scope = scope as unknown as ScopeView;
    visit(scope, item, [findable(scope.attributes), findable(resource.attributes)]);
  }
}

const RESOURCE_X_TAG = (1 << 3) | 2;
const ATTRIBUTE_TAG = (1 << 3) | 2;

/** A Resource with the attributes of this one, byte for byte, and nothing else of it, as upstream. */
function attributesOf(resource: ResourceView): Uint8Array {
  const { table, tableEnd, source }: MessageView = resource.resource;
  const fields: Uint8Array[] = [];
  for (let i = 0; i < tableEnd; i += 4) if (table[i] === ATTRIBUTE_TAG) fields.push(source.subarray(table[i + 1], table[i + 3]));
  return fields.length === 0 ? new Uint8Array(0) : lenField(1, Buffer.concat(fields));
}

import type { Signal } from '../../../../agent/config/settings.ts';
import type { AnyValue } from '../../../../agent/otlp/view/any-value.ts';
import type { AttributesView } from '../../../../agent/otlp/view/attributes.ts';
import {
  type DataPointView,
  type ExemplarView,
  ExponentialHistogramDataPointView,
  HistogramDataPointView,
  NumberDataPointView,
  SummaryDataPointView,
} from '../../../../agent/otlp/view/data-points.ts';
import type { LogView } from '../../../../agent/otlp/view/log.ts';
import { MetricView } from '../../../../agent/otlp/view/metric.ts';
import type { RequestView } from '../../../../agent/otlp/view/request.ts';
import { SpanView } from '../../../../agent/otlp/view/span.ts';
import type { Message } from '../../kit/otlp.ts';

/** Everything that the getters of a view give, as an object that protobufjs encodes: every field of every message is asked for. */
export function plain(signal: Signal, view: RequestView): Message {
  const [resources, scopes, items] = NAMES[signal];
  return {
    [resources]: view.resources.map((resource) => ({
      resource: { attributes: attributes(resource.attributes), droppedAttributesCount: resource.droppedAttributesCount },
      schemaUrl: resource.schemaUrl,
      [scopes]: resource.scopes.map((scope) => ({
        scope: {
          name: scope.name,
          version: scope.version,
          attributes: attributes(scope.attributes),
          droppedAttributesCount: scope.droppedAttributesCount,
        },
        schemaUrl: scope.schemaUrl,
        [items]: scope.items.map((item) => plainItem(item as SpanView | MetricView | LogView)),
      })),
    })),
  };
}

export const NAMES: Readonly<Record<Signal, readonly [string, string, string]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  profiles: ['resourceProfiles', 'scopeProfiles', 'profiles'],
};

export function plainItem(item: SpanView | MetricView | LogView): Message {
  if (item instanceof SpanView) return span(item);
  return item instanceof MetricView ? metric(item) : log(item);
}

function attributes(view: AttributesView): Message[] {
  return [...view].map(([key, value]) => ({ key, value: anyValue(value) }));
}

export function anyValue(value: AnyValue): Message {
  switch (typeof value) {
    case 'undefined':
      return {};
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'bigint':
      return { intValue: String(value) };
    case 'number':
      return { doubleValue: value };
    default:
      if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value) };
      if (value instanceof Map)
        return {
          kvlistValue: { values: [...(value as ReadonlyMap<string, AnyValue>)].map(([key, each]) => ({ key, value: anyValue(each) })) },
        };
      return { arrayValue: { values: (value as readonly AnyValue[]).map(anyValue) } };
  }
}

function span(view: SpanView): Message {
  return {
    traceId: view.traceId,
    spanId: view.spanId,
    traceState: view.traceState,
    parentSpanId: view.parentSpanId,
    name: view.name,
    kind: view.kind,
    startTimeUnixNano: String(view.startTimeUnixNano),
    endTimeUnixNano: String(view.endTimeUnixNano),
    attributes: attributes(view.attributes),
    droppedAttributesCount: view.droppedAttributesCount,
    events: view.events.map((event) => ({
      timeUnixNano: String(event.timeUnixNano),
      name: event.name,
      attributes: attributes(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount,
    })),
    droppedEventsCount: view.droppedEventsCount,
    links: view.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      traceState: link.traceState,
      attributes: attributes(link.attributes),
      droppedAttributesCount: link.droppedAttributesCount,
      flags: link.flags,
    })),
    droppedLinksCount: view.droppedLinksCount,
    status: { message: view.status.message, code: view.status.code },
    flags: view.flags,
  };
}

function log(view: LogView): Message {
  return {
    timeUnixNano: String(view.timeUnixNano),
    observedTimeUnixNano: String(view.observedTimeUnixNano),
    severityNumber: view.severityNumber,
    severityText: view.severityText,
    body: anyValue(view.body),
    attributes: attributes(view.attributes),
    droppedAttributesCount: view.droppedAttributesCount,
    flags: view.flags,
    traceId: view.traceId,
    spanId: view.spanId,
    eventName: view.eventName,
  };
}

const DATA = { gauge: 'gauge', sum: 'sum', histogram: 'histogram', exponential_histogram: 'exponentialHistogram', summary: 'summary' };

function metric(view: MetricView): Message {
  const common = { name: view.name, description: view.description, unit: view.unit, metadata: attributes(view.metadata) };
  if (view.type === 'none') return common;
  const data: Message = { dataPoints: view.dataPoints.map(point) };
  if (view.type !== 'gauge' && view.type !== 'summary') data.aggregationTemporality = view.aggregationTemporality;
  if (view.type === 'sum') data.isMonotonic = view.isMonotonic;
  return { ...common, [DATA[view.type]]: data };
}

function point(view: DataPointView): Message {
  const common = {
    attributes: attributes(view.attributes),
    startTimeUnixNano: String(view.startTimeUnixNano),
    timeUnixNano: String(view.timeUnixNano),
    flags: view.flags,
  };
  if (view instanceof NumberDataPointView) return { ...common, ...number(view.value), exemplars: view.exemplars.map(exemplar) };
  if (view instanceof SummaryDataPointView)
    return {
      ...common,
      count: String(view.count),
      sum: view.sum,
      quantileValues: view.quantileValues.map(({ quantile, value }) => ({ quantile, value })),
    };
  const histogram = {
    ...common,
    count: String(view.count),
    ...Object.fromEntries(['sum', 'min', 'max'].map((key) => [key, view[key as 'sum']]).filter(([, value]) => value !== undefined)),
    exemplars: view.exemplars.map(exemplar),
  };
  if (view instanceof HistogramDataPointView)
    return { ...histogram, bucketCounts: view.bucketCounts.map(String), explicitBounds: view.explicitBounds };
  if (!(view instanceof ExponentialHistogramDataPointView)) throw new Error('no such point');
  const buckets = (each: typeof view.positive): Message => ({ offset: each.offset, bucketCounts: each.bucketCounts.map(String) });
  return {
    ...histogram,
    scale: view.scale,
    zeroCount: String(view.zeroCount),
    zeroThreshold: view.zeroThreshold,
    positive: buckets(view.positive),
    negative: buckets(view.negative),
  };
}

function number(value: number | bigint | undefined): Message {
  if (value === undefined) return {};
  return typeof value === 'bigint' ? { asInt: String(value) } : { asDouble: value };
}

function exemplar(view: ExemplarView): Message {
  return {
    filteredAttributes: attributes(view.filteredAttributes),
    timeUnixNano: String(view.timeUnixNano),
    traceId: view.traceId,
    spanId: view.spanId,
    ...number(view.value),
  };
}

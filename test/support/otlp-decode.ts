/**
 * Decodes OTLP protobuf requests with the published .proto files (opentelemetry-proto v1.11, agent/otlp/proto), so that what a
 * test sees was read by the specification and not by the code under test.
 */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export type Signal = 'traces' | 'metrics' | 'logs' | 'profiles';

/** Service and message names per signal. @see https://github.com/open-telemetry/opentelemetry-proto/tree/v1.11.0 */
export const SIGNALS: { readonly [signal in Signal]: { path: string; service: string; message: string; rejected: string } } = {
  traces: {
    path: '/v1/traces',
    service: 'opentelemetry.proto.collector.trace.v1.TraceService',
    message: 'opentelemetry.proto.collector.trace.v1.ExportTraceService',
    rejected: 'rejectedSpans',
  },
  metrics: {
    path: '/v1/metrics',
    service: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
    message: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsService',
    rejected: 'rejectedDataPoints',
  },
  logs: {
    path: '/v1/logs',
    service: 'opentelemetry.proto.collector.logs.v1.LogsService',
    message: 'opentelemetry.proto.collector.logs.v1.ExportLogsService',
    rejected: 'rejectedLogRecords',
  },
  profiles: {
    path: '/v1development/profiles',
    service: 'opentelemetry.proto.collector.profiles.v1development.ProfilesService',
    message: 'opentelemetry.proto.collector.profiles.v1development.ExportProfilesService',
    rejected: 'rejectedProfiles',
  },
};

/** An AnyValue as a plain value: 64-bit integers beyond 2^53 stay bigint, bytes are Buffers, an empty value is undefined. */
export type Value = string | number | bigint | boolean | Buffer | undefined | Value[] | { [key: string]: Value };
export type Attributes = { [key: string]: Value };

export interface SinkSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root span. */
  readonly parentSpanId: string;
  readonly name: string;
  /** As on the wire: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: Attributes;
  readonly events: readonly { name: string; attributes: Attributes }[];
  /** 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly traceState: string;
  readonly flags: number;
  readonly resource: Attributes;
  readonly scope: string;
}

export interface SinkMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly type: 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary' | 'none';
  /** Sums and histograms: 1 delta, 2 cumulative; 0 where the type has none. */
  readonly temporality: number;
  readonly monotonic: boolean;
  /** `value` of numbers; count, sum, bounds and bucket counts of histograms. */
  readonly points: readonly {
    attributes: Attributes;
    value?: number;
    count?: number;
    sum?: number;
    bounds?: number[];
    bucketCounts?: number[];
  }[];
  readonly resource: Attributes;
  readonly scope: string;
}

export interface SinkLog {
  readonly body: Value;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly scope: string;
}

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => fileURLToPath(new URL(`../../agent/otlp/proto/${target}`, import.meta.url));
root.loadSync([
  'opentelemetry/proto/collector/trace/v1/trace_service.proto',
  'opentelemetry/proto/collector/metrics/v1/metrics_service.proto',
  'opentelemetry/proto/collector/logs/v1/logs_service.proto',
  'opentelemetry/proto/collector/profiles/v1development/profiles_service.proto',
]);

/** The protobufjs type of a request or response, for tests that build messages of their own. */
export function otlpType(signal: Signal, half: 'Request' | 'Response'): protobuf.Type {
  return root.lookupType(`${SIGNALS[signal].message}${half}`);
}

/** A request decoded to plain objects: 64-bit integers as decimal strings, bytes as Buffers, defaults filled in. Throws on bad bytes. */
export function decodeRequest(signal: Signal, body: Uint8Array): { [key: string]: unknown } {
  const type = otlpType(signal, 'Request');
  return type.toObject(type.decode(body), { longs: String, bytes: Buffer, defaults: true, oneofs: true });
}

/** An export response; with `rejected` it carries a partial success. */
export function encodeResponse(signal: Signal, partial?: { rejected: number; message: string }): Buffer {
  const type = otlpType(signal, 'Response');
  const value = partial ? { partialSuccess: { [SIGNALS[signal].rejected]: partial.rejected, errorMessage: partial.message } } : {};
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}

export function spansOf(body: Uint8Array): SinkSpan[] {
  return flatten(decodeRequest('traces', body), 'resourceSpans', 'scopeSpans', 'spans').map(({ item, resource, scope }) => ({
    traceId: hex(item.traceId),
    spanId: hex(item.spanId),
    parentSpanId: hex(item.parentSpanId),
    name: String(item.name),
    kind: kindNumber(item.kind),
    startTimeUnixNano: BigInt(String(item.startTimeUnixNano)),
    endTimeUnixNano: BigInt(String(item.endTimeUnixNano)),
    attributes: attributesOf(item.attributes),
    events: list(item.events).map((event) => ({ name: String(event.name), attributes: attributesOf(event.attributes) })),
    statusCode: Number(message(item.status)?.code ?? 0),
    statusMessage: String(message(item.status)?.message ?? ''),
    traceState: String(item.traceState),
    flags: Number(item.flags),
    resource,
    scope,
  }));
}

export function logsOf(body: Uint8Array): SinkLog[] {
  return flatten(decodeRequest('logs', body), 'resourceLogs', 'scopeLogs', 'logRecords').map(({ item, resource, scope }) => ({
    body: plainOf(item.body),
    severityNumber: Number(item.severityNumber),
    severityText: String(item.severityText),
    traceId: hex(item.traceId),
    spanId: hex(item.spanId),
    attributes: attributesOf(item.attributes),
    resource,
    scope,
  }));
}

export function metricsOf(body: Uint8Array): SinkMetric[] {
  return flatten(decodeRequest('metrics', body), 'resourceMetrics', 'scopeMetrics', 'metrics').map(({ item, resource, scope }) => {
    const type = (item.data ?? 'none') as SinkMetric['type'];
    const data = type === 'none' ? {} : (message(item[type]) ?? {});
    return {
      name: String(item.name),
      unit: String(item.unit),
      description: String(item.description),
      type,
      temporality: Number(data.aggregationTemporality ?? 0),
      monotonic: data.isMonotonic === true,
      points: list(data.dataPoints).map((point) => ({
        attributes: attributesOf(point.attributes),
        ...(point.value === 'asInt' || point.value === 'asDouble' ? { value: Number(point[point.value]) } : {}),
        ...(point.count === undefined ? {} : { count: Number(point.count), sum: Number(point.sum ?? 0) }),
        ...(Array.isArray(point.explicitBounds) ? { bounds: point.explicitBounds.map(Number) } : {}),
        ...(Array.isArray(point.bucketCounts) ? { bucketCounts: point.bucketCounts.map(Number) } : {}),
      })),
      resource,
      scope,
    };
  });
}

type Plain = { [key: string]: unknown };

/** Resource -> scope -> item, each item with its resource's attributes and its scope's name. */
function flatten(request: Plain, resources: string, scopes: string, items: string): { item: Plain; resource: Attributes; scope: string }[] {
  return list(request[resources]).flatMap((perResource) => {
    const resource = attributesOf(message(perResource.resource)?.attributes);
    return list(perResource[scopes]).flatMap((perScope) =>
      list(perScope[items]).map((item) => ({ item, resource, scope: String(message(perScope.scope)?.name ?? '') })),
    );
  });
}

const list = (value: unknown): Plain[] => (Array.isArray(value) ? (value as Plain[]) : []);
const message = (value: unknown): Plain | undefined => (value && typeof value === 'object' ? (value as Plain) : undefined);
const hex = (value: unknown): string => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : '');
const kindNumber = (value: unknown): number => Number(value ?? 0);

function attributesOf(value: unknown): Attributes {
  return Object.fromEntries(list(value).map((pair) => [String(pair.key), plainOf(pair.value)]));
}

function plainOf(value: unknown): Value {
  const any = message(value);
  switch (any?.value) {
    case 'stringValue':
      return String(any.stringValue);
    case 'boolValue':
      return any.boolValue === true;
    case 'doubleValue':
      return Number(any.doubleValue);
    case 'intValue': {
      const big = BigInt(String(any.intValue));
      return Number.isSafeInteger(Number(big)) ? Number(big) : big;
    }
    case 'bytesValue':
      return Buffer.from(any.bytesValue as Uint8Array);
    case 'arrayValue':
      return list(message(any.arrayValue)?.values).map(plainOf);
    case 'kvlistValue':
      return attributesOf(message(any.kvlistValue)?.values);
    default:
      return undefined;
  }
}

/** A sample of what arrived, decoded with protobufjs from the published schema: what is in it, not only how many. */
import { join } from 'node:path';
import protobuf from 'protobufjs';

const PROTO = join(import.meta.dirname, '..', '..', '..', 'agent', 'otlp', 'proto');
const TYPES = {
  traces: ['trace', 'ExportTraceServiceRequest', ({ resourceSpans }) => resourceSpans, 'scopeSpans', ({ spans }) => spans],
  metrics: ['metrics', 'ExportMetricsServiceRequest', ({ resourceMetrics }) => resourceMetrics, 'scopeMetrics', pointsOf],
  logs: ['logs', 'ExportLogsServiceRequest', ({ resourceLogs }) => resourceLogs, 'scopeLogs', ({ logRecords }) => logRecords],
};
const decoders = new Map();

/**
 * @returns requests and items that were decoded, the keys that their resources and items have, and how many items lack what every item of
 * the load has: ids of the right length and a name or text, or a time
 */
export function summaryOf(samples, signal) {
  const [service, name, resources, scopes, itemsOf] = TYPES[signal];
  const decoder = decoderOf(service, name);
  const resourceKeys = new Set();
  const itemKeys = new Set();
  let items = 0;
  let incomplete = 0;
  let example;
  for (const sample of samples) {
    for (const one of resources(decoder.decode(sample))) {
      for (const { key } of one.resource?.attributes ?? []) resourceKeys.add(key);
      for (const item of one[scopes].flatMap(itemsOf)) {
        items += 1;
        for (const { key } of item.attributes) itemKeys.add(key);
        if (!complete(item, signal)) incomplete += 1;
      }
    }
  }
  return { requests: samples.length, items, incomplete, example, resourceKeys: [...resourceKeys].sort(), itemKeys: [...itemKeys].sort() };
}

function complete(item, signal) {
  if (signal === 'traces') return item.traceId.length === 16 && item.spanId.length === 8 && item.name.startsWith('GET /cart/');
  if (signal === 'logs') return item.traceId.length === 16 && item.body.stringValue.startsWith('GET /cart/');
  return item.timeUnixNano > 0;
}

function pointsOf({ metrics }) {
  return metrics.flatMap((metric) =>
    ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'].flatMap((kind) => metric[kind]?.dataPoints ?? []),
  );
}

function decoderOf(service, name) {
  const found = decoders.get(service);
  if (found !== undefined) return found;
  const schema = new protobuf.Root();
  schema.resolvePath = (_origin, target) => join(PROTO, target);
  schema.loadSync(`opentelemetry/proto/collector/${service}/v1/${service}_service.proto`);
  const decoder = schema.lookupType(`opentelemetry.proto.collector.${service}.v1.${name}`);
  decoders.set(service, decoder);
  return decoder;
}

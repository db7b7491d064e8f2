import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { Signal } from '../../../agent/config/settings.ts';

/** The real messages, by protobufjs from the committed .proto files: what the agent never does itself. */
const ROOT = new protobuf.Root();
const PROTO_DIR = fileURLToPath(new URL('../../../agent/otlp/proto/', import.meta.url));
ROOT.resolvePath = (_origin, target) => PROTO_DIR + target;
ROOT.loadSync([
  'opentelemetry/proto/collector/trace/v1/trace_service.proto',
  'opentelemetry/proto/collector/metrics/v1/metrics_service.proto',
  'opentelemetry/proto/collector/logs/v1/logs_service.proto',
  'opentelemetry/proto/collector/profiles/v1development/profiles_service.proto',
]);

export const REQUEST_TYPES: Readonly<Record<Signal, protobuf.Type>> = {
  traces: ROOT.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest'),
  metrics: ROOT.lookupType('opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest'),
  logs: ROOT.lookupType('opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest'),
  profiles: ROOT.lookupType('opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest'),
};

export type Message = Record<string, unknown>;

export function encode(signal: Signal, message: Message): Buffer {
  const type = REQUEST_TYPES[signal];
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}

/** As plain JSON: 64-bit numbers as strings, bytes as base64, nothing for what is unset. */
export function decode(signal: Signal, bytes: Uint8Array): Message {
  const type = REQUEST_TYPES[signal];
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, enums: Number }) as Message;
}

export const attribute = (key: string, value: string): Message => ({ key, value: { stringValue: value } });

/** `items` spans, points, records or samples in one scope of one resource; `name` tells requests apart. */
export function request(signal: Signal, items: number, name = 'item', resources = 1): Buffer {
  const list = Array.from({ length: resources }, (_, r) => resourceOf(signal, items, `${name}-${r}`));
  const field = { traces: 'resourceSpans', metrics: 'resourceMetrics', logs: 'resourceLogs', profiles: 'resourceProfiles' }[signal];
  const dictionary = signal === 'profiles' ? { dictionary: { stringTable: ['', name, 'service.name'] } } : {};
  return encode(signal, { [field]: list, ...dictionary });
}

function resourceOf(signal: Signal, items: number, name: string): Message {
  const resource = { attributes: [attribute('service.name', name)] };
  const scope = { name: 'test', version: '1' };
  const many = (make: (i: number) => Message): Message[] => Array.from({ length: items }, (_, i) => make(i));
  switch (signal) {
    case 'traces': {
      const spans = many((i) => ({
        traceId: Buffer.alloc(16, 1),
        spanId: Buffer.alloc(8, 1 + (i % 200)),
        name: `${name}/${i}`,
        kind: 2,
        startTimeUnixNano: '1700000000000000000',
        endTimeUnixNano: '1700000000000000001',
      }));
      return { resource, scopeSpans: [{ scope, spans }] };
    }
    case 'metrics': {
      const dataPoints = many((i) => ({ asDouble: i, timeUnixNano: '1700000000000000000' }));
      return { resource, scopeMetrics: [{ scope, metrics: [{ name, gauge: { dataPoints } }] }] };
    }
    case 'logs': {
      const logRecords = many((i) => ({ timeUnixNano: '1700000000000000000', body: { stringValue: `${name}/${i}` } }));
      return { resource, scopeLogs: [{ scope, logRecords }] };
    }
    case 'profiles':
      return { resource, scopeProfiles: [{ scope, profiles: [{ samples: many((i) => ({ stackIndex: i })) }] }] };
  }
}

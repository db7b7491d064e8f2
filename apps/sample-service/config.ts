/**
 * The schema of production.yaml: every key, its unit and its default. What otlp-stack prints for the application is tested against it.
 * Keys are strict: an unknown one is an error at start. Precedence: `OTEL_*` > `OTLP__SECTION__KEY` > file > default (config/load.ts).
 */
import { hostname } from 'node:os';
import { z } from 'zod';
import { parseDuration } from './config/durations.ts';

/** Where the file is looked for when neither `--config` nor `OTLP_CONFIG_FILE` names one. */
export const DEFAULT_CONFIG_FILE = '/etc/otlp/production.yaml';

/** Default endpoints by protocol. @see OTLP 1.11: gRPC listens on 4317, HTTP on 4318 */
export const DEFAULT_ENDPOINTS = { 'http/protobuf': 'http://localhost:4318', grpc: 'http://localhost:4317' } as const;

// A value from the environment is text, so a number or a boolean may be written as text everywhere.
const integer = (min: number, max: number) =>
  z.preprocess((value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value), z.int().min(min).max(max));
const flag = z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean());
/** Written as `100ms`, `30s`, `5m`; read as milliseconds. */
const duration = (minMs: number, maxMs: number) =>
  z.string('expected a duration with a unit, such as 100ms, 30s or 5m').transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    const message = ms === undefined ? 'expected a duration with a unit, such as 100ms, 30s or 5m' : `expected ${minMs}ms to ${maxMs}ms`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
const endpoint = z
  .string()
  .regex(/^https?:\/\/[^/\s]+/, 'expected a URL such as http://localhost:4318 (http:// or https://, host and port)');

const MAX_TIMER_MS = 2 ** 31 - 1; // setTimeout takes no more

export const protocolSchema = z.enum(['http/protobuf', 'grpc']);
export const compressionSchema = z.enum(['none', 'gzip']);
export const endpointSchema = endpoint;
export const timeoutSchema = duration(1, MAX_TIMER_MS);

const service = z.strictObject({
  name: z.string().min(1).default('sample-service').describe('service.name of all telemetry'),
  environment: z.string().min(1).default('development').describe('deployment.environment.name, and the older deployment.environment'),
  instance_id: z.string().min(1).default(hostname).describe('service.instance.id; in Kubernetes the pod name, which is the host name'),
  port: integer(0, 65_535).default(8080).describe('HTTP port of the API, the health paths and /metrics; 0 takes a free one'),
});

const exporter = z.strictObject({
  protocol: protocolSchema
    .default('http/protobuf')
    .describe('over HTTP the JS SDK retries what may be retried; over gRPC it never does, a failed export is lost'),
  endpoint: endpoint.optional().describe('base URL; default http://localhost:4318, with grpc http://localhost:4317'),
  compression: compressionSchema.default('none').describe('none towards a sidecar: over loopback gzip only costs CPU'),
  timeout: timeoutSchema.prefault('30s').describe('of one export, its retries included'),
});

const batch = z.strictObject({
  queue_size: integer(1, 10_000_000).default(8192).describe('spans that may wait; beyond that they are dropped and counted'),
  export_size: integer(1, 1_000_000)
    .optional()
    .describe('spans of one export request at most; default 1024, or queue_size if that is less'),
  delay: duration(1, MAX_TIMER_MS).prefault('100ms').describe('how long a span waits for its batch to fill'),
  concurrency: integer(1, 1000).default(20).describe('export requests under way at the same time'),
});

const attribute = z.union([z.string(), z.number(), z.boolean()]);
const resource = z.strictObject({
  attributes: z.record(z.string().min(1), attribute).default({}).describe('further resource attributes, such as k8s.pod.name'),
});

const metrics = z.strictObject({
  interval: duration(10, MAX_TIMER_MS).prefault('60s').describe('between two metric exports'),
});

const logs = z.strictObject({
  export: flag.default(false).describe('also send log records by OTLP; stdout has them always'),
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

const server = z.strictObject({
  host: z.string().min(1).optional().describe('address to listen on; default every address, IPv6 and IPv4'),
  shutdown: duration(100, MAX_TIMER_MS).prefault('10s').describe('from SIGTERM to the exit: finish requests, then flush telemetry'),
});

export const serviceConfigSchema = z.strictObject({
  service: service.prefault({}),
  exporter: exporter.prefault({}),
  batch: batch
    .refine((value) => (value.export_size ?? 0) <= value.queue_size, {
      path: ['export_size'],
      message: 'expected at most batch.queue_size',
    })
    .transform((value) => ({ ...value, export_size: value.export_size ?? Math.min(1024, value.queue_size) }))
    .prefault({}),
  resource: resource.prefault({}),
  metrics: metrics.prefault({}),
  logs: logs.prefault({}),
  server: server.prefault({}),
});

/** production.yaml as it is written: every key optional. */
export type ServiceConfigInput = z.input<typeof serviceConfigSchema>;
/** production.yaml as it is read: defaults filled in, durations in milliseconds. */
export type ServiceConfig = z.output<typeof serviceConfigSchema>;

/** Section -> keys, for nearest-name hints and for contract tests: `{ service: ['name', ...], ... }`. */
export const SERVICE_CONFIG_KEYS: { readonly [section: string]: readonly string[] } = Object.fromEntries(
  Object.entries({ service, exporter, batch, resource, metrics, logs, server }).map(([name, section]) => [
    name,
    Object.keys(section.shape),
  ]),
);

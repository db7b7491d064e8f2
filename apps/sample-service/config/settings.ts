/** What the code runs with, made from production.yaml and the environment: every decision taken, nothing optional left to guess. */
import { compressionSchema, DEFAULT_ENDPOINTS, endpointSchema, protocolSchema, type ServiceConfig, timeoutSchema } from '../config.ts';
import type { Entry, Environment } from './environment.ts';

export type AttributeValue = string | number | boolean;

/** One signal's exporter. */
export interface SignalSettings {
  readonly protocol: 'http/protobuf' | 'grpc';
  /** HTTP: the whole URL of the signal. gRPC: scheme, host and port. */
  readonly url: string;
  readonly compression: 'none' | 'gzip';
  readonly timeoutMs: number;
}

export interface Settings {
  /** The file that was read; undefined when there was none at the default path. */
  readonly configFile: string | undefined;
  readonly service: { readonly name: string; readonly environment: string; readonly instanceId: string };
  readonly resource: { readonly [key: string]: AttributeValue };
  readonly host: string | undefined;
  readonly port: number;
  /** Who decided the port, for the message when it is taken. */
  readonly portSource: string;
  readonly shutdownMs: number;
  /** Undefined: `OTEL_TRACES_EXPORTER=none`. */
  readonly traces: SignalSettings | undefined;
  readonly metrics: (SignalSettings & { readonly intervalMs: number }) | undefined;
  readonly logs: SignalSettings | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly batch: { readonly queueSize: number; readonly exportSize: number; readonly delayMs: number; readonly concurrency: number };
  /** Accepted, but probably not meant; logged at start. */
  readonly warnings: readonly string[];
}

export type Signal = 'traces' | 'metrics' | 'logs';

/** `OTEL_EXPORTER_OTLP_<SIGNAL>_*` beats the values for all signals; a signal's endpoint is taken as it stands, without `/v1/...` added. */
export function signalSettings(signal: Signal, config: ServiceConfig, env: Environment, problems: string[]): SignalSettings {
  const prefix = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_`;
  const read = <T>(
    name: string,
    schema: { safeParse(value: unknown): { success: boolean; data?: T } },
    wanted: string,
    unit = '',
  ): T | undefined => {
    const text = env[prefix + name]?.trim();
    if (!text) return undefined;
    const result = schema.safeParse(text + unit);
    if (!result.success) problems.push(`${prefix}${name}: '${text}' is not valid; expected ${wanted}`);
    return result.data;
  };
  const protocol = read('PROTOCOL', protocolSchema, protocolSchema.options.join(' or ')) ?? config.exporter.protocol;
  const own = read('ENDPOINT', endpointSchema, 'a URL with http:// or https://');
  const base = (config.exporter.endpoint ?? DEFAULT_ENDPOINTS[protocol]).replace(/\/+$/, '');
  return {
    protocol,
    url: own ?? (protocol === 'grpc' ? base : `${base}/v1/${signal}`),
    compression: read('COMPRESSION', compressionSchema, compressionSchema.options.join(' or ')) ?? config.exporter.compression,
    timeoutMs: read('TIMEOUT', timeoutSchema, 'whole milliseconds', 'ms') ?? config.exporter.timeout,
  };
}

/** `OTEL_TRACES_EXPORTER` and `OTEL_METRICS_EXPORTER`: `none` turns a signal off. */
export function enabled(name: string, env: Environment, problems: string[]): boolean {
  const value = env[name]?.trim() || 'otlp';
  if (value !== 'otlp' && value !== 'none') problems.push(`${name}: '${value}' is not valid; expected otlp or none`);
  return value !== 'none';
}

/** The conventional port of the other protocol is nearly always a mistake that shows up only as failing exports. */
export function portWarning(signal: Signal, { protocol, url }: SignalSettings): string | undefined {
  const port = new URL(url).port;
  const swapped = protocol === 'grpc' ? '4318' : '4317';
  const usual = protocol === 'grpc' ? 'http/protobuf' : 'grpc';
  return port === swapped ? `${signal} go to ${url} by ${protocol}, but port ${port} is by convention ${usual}` : undefined;
}

const IDENTITY: { readonly [key: string]: readonly string[] } = {
  name: ['service.name'],
  environment: ['deployment.environment.name', 'deployment.environment'],
  instance_id: ['service.instance.id'],
};

/**
 * Resource attributes, weakest layer first; a later layer wins, and within one layer `service.*` wins over `resource.attributes`.
 * `deployment.environment` is the older name of `deployment.environment.name`: setting one sets both, as backends read either.
 */
export function resourceAttributes(layers: readonly (readonly Entry[])[]): { [key: string]: AttributeValue } {
  const result: { [key: string]: AttributeValue } = {};
  for (const layer of layers) {
    const own: { [key: string]: AttributeValue } = {};
    for (const { path, value } of layer) {
      if (path[0] === 'resource' && path[1] === 'attributes' && path[2]) own[path[2]] = value as AttributeValue;
    }
    const [current, older] = IDENTITY.environment as [string, string];
    const environment = own[current] ?? own[older];
    if (environment !== undefined) Object.assign(result, { [current]: environment, [older]: environment });
    Object.assign(result, own);
    for (const { path, value } of layer) {
      if (path[0] === 'service') for (const key of IDENTITY[path[1] ?? ''] ?? []) result[key] = value as AttributeValue;
    }
  }
  return result;
}

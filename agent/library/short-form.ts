import type { AgentConfig, ExportersConfig, OtlpGrpcExporterConfig, OtlpHttpExporterConfig } from '../config/agent-config.generated.ts';
import { ConfigError, type Problem, suggestion } from '../config/problems.ts';
import { SIGNALS, type Signal } from '../config/settings.ts';
import type { PathStep } from '../config/tree.ts';
import { LIBRARY_RECEIVER } from '../receive/library-config.ts';
import { OBJECT_SOURCE } from './config-text.ts';

/** One destination for everything, in one object: what a program needs that only wants to send. */
export interface ShortConfig {
  /** Where to, with the keys of the exporter otlp_grpc (`protocol: 'grpc'`) or otlp_http (`protocol: 'http/protobuf'`). */
  readonly exporter: ShortGrpc | ShortHttp;
  /** `sending_queue` of the exporter. @default 64 MiB for each signal (sizer: bytes), so that a backend that is away never fills the heap */
  readonly queue?: OtlpGrpcExporterConfig['sending_queue'];
  /** `retry_on_failure` of the exporter. @default the Collector's: from 5s to 30s between attempts, given up after 5m */
  readonly retry?: OtlpGrpcExporterConfig['retry_on_failure'];
  /** @default traces, metrics and logs */
  readonly signals?: readonly Signal[];
  /** Limits of the whole instance. @default none, and 25s to drain */
  readonly agent?: AgentConfig['agent'];
}

export interface ShortGrpc extends Omit<OtlpGrpcExporterConfig, 'sending_queue' | 'retry_on_failure'> {
  /** @default grpc */
  readonly protocol?: 'grpc';
}

export interface ShortHttp extends Omit<OtlpHttpExporterConfig, 'sending_queue' | 'retry_on_failure'> {
  readonly protocol: 'http/protobuf';
}

const KEYS = ['exporter', 'queue', 'retry', 'signals', 'agent'];
const EXPORTER_OF = { grpc: 'otlp_grpc', 'http/protobuf': 'otlp_http' } as const;

/** The Collector counts 1000 requests; in somebody else's process bytes are what must have a bound. */
const DEFAULT_QUEUE = { sizer: 'bytes', queue_size: 64 * 1024 * 1024 } as const;

const DEFAULT_SIGNALS: readonly Signal[] = SIGNALS.filter((signal) => signal !== 'profiles');

/** Told from the long form by its one required key, which the grammar does not have. */
export function isShort(config: AgentConfig | ShortConfig): config is ShortConfig {
  return 'exporter' in config;
}

/**
 * The same in the Collector's grammar.
 *
 * @throws ConfigError for a key or protocol that there is not
 */
export function longForm(config: ShortConfig): AgentConfig {
  for (const key of Object.keys(config))
    if (!KEYS.includes(key)) fail([key], 'OTLP_CONFIG_UNKNOWN_KEY', `unknown key "${key}"${suggestion(key, KEYS)}`);
  const { protocol = 'grpc', ...exporter } = config.exporter;
  const id = Object.hasOwn(EXPORTER_OF, protocol) ? EXPORTER_OF[protocol] : undefined;
  if (id === undefined)
    return fail(['exporter', 'protocol'], 'OTLP_CONFIG_VALUE', `"${protocol}" must be one of ${Object.keys(EXPORTER_OF).join(', ')}`);
  const queue = config.queue ?? {};
  const sized = 'queue_size' in queue || 'sizer' in queue;
  const settings = {
    ...exporter,
    sending_queue: sized ? queue : { ...DEFAULT_QUEUE, ...queue },
    ...(config.retry === undefined ? {} : { retry_on_failure: config.retry }),
  };
  const pipeline = { receivers: [LIBRARY_RECEIVER], exporters: [id] };
  return {
    // A computed key is a string to the compiler, and the union of both shapes neither of them.
    exporters: { [id]: settings } as ExportersConfig,
    service: { pipelines: Object.fromEntries((config.signals ?? DEFAULT_SIGNALS).map((signal) => [signal, pipeline])) },
    ...(config.agent === undefined ? {} : { agent: config.agent }),
  };
}

/** Where a key of the long form was written in the short one: what a message about it must say. */
export function shortPath(path: readonly PathStep[]): readonly PathStep[] {
  const [section, , key, ...rest] = path;
  if (section !== 'exporters' || key === undefined) return path;
  if (key === 'sending_queue') return ['queue', ...rest];
  return key === 'retry_on_failure' ? ['retry', ...rest] : ['exporter', key, ...rest];
}

function fail(path: readonly string[], code: Problem['code'], message: string): never {
  throw new ConfigError([{ code, path, origin: { source: OBJECT_SOURCE, line: 0, column: 0 }, message }]);
}

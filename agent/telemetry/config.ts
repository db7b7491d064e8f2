import { parsePort } from '../config/address.ts';
import type { BuildContext } from '../config/component.ts';
import {
  bool,
  duration,
  type Field,
  integer,
  leaf,
  optionalInteger,
  optionalText,
  optionalTextList,
  textList,
  unsupported,
} from '../config/fields.ts';
import type { Output } from '../config/section.ts';
import { optionalSection, section, sectionList } from '../config/section.ts';
import type { LogLevel, TelemetrySettings } from '../config/settings.ts';
import { Expanded } from '../config/tree.ts';
import { ownLogs, ownProcessors, ownSampler, ownTraces } from './own/config.ts';

const ONLY_PULL = 'only readers of kind pull with a prometheus exporter are supported; scrape the agent instead';
const NAMES_ARE_FIXED = 'metric names are those of the Collector with its defaults (true)';
const LOGS_GO_TO_STDERR = 'log lines are few and go to standard output';

const DEFAULT_HOST = 'localhost';
const DEFAULT_PORT = 8888;

/** Names of zap's levels; those above error stop the Collector's own code and are error here. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  info: 'info',
  '': 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  dpanic: 'error',
  panic: 'error',
  fatal: 'error',
};

type MetricsLevel = 'none' | 'basic' | 'normal' | 'detailed';
const METRICS_LEVELS: readonly MetricsLevel[] = ['none', 'basic', 'normal', 'detailed'];

function logLevel(): Field<LogLevel> {
  return leaf<LogLevel>(
    'choice',
    { describe: 'Least level that is written; in any case.', default: 'info' },
    'info',
    (value) => {
      const level = typeof value === 'string' && Object.hasOwn(LEVELS, value.toLowerCase()) ? LEVELS[value.toLowerCase()] : undefined;
      return level === undefined ? { wrong: 'must be one of debug, info, warn, error' } : { value: level };
    },
    { values: Object.keys(LEVELS).filter((name) => name !== ''), anyCase: true },
  );
}

function metricsLevel(whenAbsent: MetricsLevel, describe: string): Field<MetricsLevel> {
  return leaf<MetricsLevel>(
    'choice',
    { describe, default: whenAbsent },
    'basic',
    (value) => {
      const level = typeof value === 'string' ? METRICS_LEVELS.find((name) => name === value.toLowerCase()) : undefined;
      return level === undefined ? { wrong: `must be one of ${METRICS_LEVELS.join(', ')}` } : { value: level };
    },
    { values: METRICS_LEVELS, anyCase: true },
  );
}

const prometheusShape = {
  host: optionalText({ describe: 'Address to listen on.', shows: DEFAULT_HOST }),
  port: optionalInteger({ describe: 'Port to listen on.', shows: String(DEFAULT_PORT) }),
  without_scope_info: bool({ describe: 'No otel_scope_* labels.', default: true, inert: NAMES_ARE_FIXED }),
  without_units: bool({ describe: 'No units in names.', default: true, inert: NAMES_ARE_FIXED }),
  without_type_suffix: bool({ describe: 'No _total in names.', default: true, inert: NAMES_ARE_FIXED }),
  with_resource_constant_labels: optionalSection(
    { included: textList({ describe: 'Patterns.', default: [] }), excluded: textList({ describe: 'Patterns.', default: [] }) },
    {
      describe: 'Resource attributes as labels of every metric.',
      absent: 'off',
      empty: 'off',
      inert: 'resource attributes are labels of target_info',
    },
  ),
};

const readerShape = {
  pull: optionalSection(
    {
      exporter: section(
        { prometheus: optionalSection(prometheusShape, { describe: 'Serves /metrics.', absent: 'off' }) },
        { describe: 'prometheus is the only one.' },
      ),
    },
    { describe: 'A reader that is scraped.', absent: 'off' },
  ),
  periodic: unsupported('A reader that sends.', ONLY_PULL),
  producers: unsupported('Further sources.', ONLY_PULL),
};

const metricsShape = {
  level: metricsLevel('normal', 'none switches the metrics server off; the others are the same.'),
  readers: sectionList(readerShape, { describe: 'Where metrics can be read. Without the key: prometheus on localhost:8888.' }),
  views: unsupported('Views.', 'views are not supported; relabel while scraping'),
};

const logsShape = {
  level: logLevel(),
  encoding: leaf<'json' | 'console'>(
    'choice',
    { describe: 'json, or console for people. Upstream has console.', default: 'json' },
    'json',
    (value) => {
      const found = (['json', 'console'] as const).find((name) => name === value);
      return found === undefined ? { wrong: 'must be one of json, console' } : { value: found };
    },
    { values: ['json', 'console'] },
  ),
  development: bool({ describe: 'Stack traces.', default: false, inert: LOGS_GO_TO_STDERR }),
  disable_caller: bool({ describe: 'No source lines.', default: false, inert: LOGS_GO_TO_STDERR }),
  disable_stacktrace: bool({ describe: 'No stack traces.', default: false, inert: LOGS_GO_TO_STDERR }),
  disable_zap_resource: bool({ describe: 'No resource in lines.', default: false, inert: LOGS_GO_TO_STDERR }),
  sampling: section(
    {
      enabled: bool({ describe: 'On.', default: true }),
      tick: duration({ describe: 'Per this time.', default: 10_000, shows: '10s' }),
      initial: integer({ describe: 'Lines that are always written.', default: 10 }),
      thereafter: integer({ describe: 'Of the others every so manieth.', default: 100 }),
    },
    { describe: 'Drops repeated lines.', inert: LOGS_GO_TO_STDERR },
  ),
  output_paths: optionalTextList({ describe: 'Files.', inert: LOGS_GO_TO_STDERR }),
  error_output_paths: optionalTextList({ describe: 'Files.', inert: LOGS_GO_TO_STDERR }),
  initial_fields: leaf<unknown>(
    'map',
    { describe: 'Fields of every line.', default: undefined, inert: LOGS_GO_TO_STDERR },
    undefined,
    (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? { value } : { wrong: 'wants a map' }),
  ),
  processors: ownProcessors(),
};

const tracesShape = {
  level: metricsLevel('basic', 'none makes no spans; the others are the same.'),
  propagators: textList({ describe: 'Of own spans.', default: [], inert: 'deliveries have no parent and hand no context on' }),
  processors: ownProcessors(),
  sampler: ownSampler(),
};

const shape = {
  metrics: section(metricsShape, {
    describe: "The agent's own metrics, under the names of the Collector.",
    check: (config, report) => {
      if (config.level !== 'none' && config.readers?.length === 0) report('readers', 'must not be empty where level is not none');
    },
  }),
  logs: section(logsShape, { describe: "The agent's own log." }),
  traces: section(tracesShape, { describe: "The agent's own spans: one for a delivery, one below it for each attempt." }),
  resource: leaf<Readonly<Record<string, string>>>(
    'map',
    { describe: 'Attributes of the process, as labels of target_info. An empty value removes one.', default: {} },
    {},
    decodeResource,
  ),
};

export type TelemetryConfig = Output<typeof shape>;

/** `service.telemetry`. */
export const TELEMETRY_CONFIG = section(shape, { describe: "The agent's own metrics and log." });

/** The inline form `key: text`, and `attributes: [{name, value}]` of the declarative configuration. */
function decodeResource(value: unknown): { readonly value: Readonly<Record<string, string>> } | { readonly wrong: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { wrong: 'wants a map of names and texts' };
  const result: Record<string, string> = {};
  for (const [key, raw] of Object.entries(value)) {
    if (key === 'attributes_list') return { wrong: 'attributes_list is not supported; use attributes' };
    if (key === 'schema_url' || key === 'detectors') continue;
    if (key === 'attributes' && Array.isArray(raw)) {
      for (const item of raw as readonly unknown[]) {
        const pair = typeof item === 'object' && item !== null && 'name' in item && 'value' in item ? item : undefined;
        if (typeof pair?.name !== 'string') return { wrong: 'wants {name, value} in each place of attributes' };
        result[pair.name] = String(pair.value);
      }
      continue;
    }
    const text: unknown = raw instanceof Expanded ? raw.original : raw;
    if (text === null) continue;
    if (typeof text !== 'string') return { wrong: `wants text for "${key}"; put the value in quotes` };
    result[key] = text;
  }
  return { value: result };
}

/** Config to settings; `context` reports below service.telemetry. */
export function telemetrySettings(config: TelemetryConfig, context: BuildContext): TelemetrySettings {
  const logs = { level: config.logs.level, encoding: config.logs.encoding };
  const metrics = metricsAddress(config, context);
  const traces = config.traces.level === 'none' ? undefined : ownTraces(config.traces.processors, config.traces.sampler, context);
  const records = ownLogs(config.logs.processors, context);
  return {
    ...(metrics === undefined ? {} : { metrics }),
    logs,
    ...(traces === undefined ? {} : { traces }),
    ...(records === undefined ? {} : { ownLogs: records }),
    resource: config.resource,
  };
}

function metricsAddress({ metrics }: TelemetryConfig, context: BuildContext): TelemetrySettings['metrics'] {
  if (metrics.level === 'none') return undefined;
  if (metrics.readers === undefined) return { address: { kind: 'tcp', host: DEFAULT_HOST, port: DEFAULT_PORT } };
  const prometheus = metrics.readers.map((reader) => reader.pull?.exporter.prometheus).filter((reader) => reader !== undefined);
  const [first] = prometheus;
  if (first === undefined || prometheus.length > 1) {
    context.report(
      'OTLP_CONFIG_UNSUPPORTED',
      ['metrics', 'readers'],
      `exactly one pull.exporter.prometheus is supported, there are ${prometheus.length}`,
    );
    return undefined;
  }
  const port = parsePort(String(first.port ?? DEFAULT_PORT));
  if (port === undefined) {
    context.report('OTLP_CONFIG_VALUE', ['metrics', 'readers', 0, 'pull', 'exporter', 'prometheus', 'port'], `(${first.port}) is no port`);
    return undefined;
  }
  return { address: { kind: 'tcp', host: first.host ?? DEFAULT_HOST, port } };
}

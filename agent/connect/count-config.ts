import * as z from 'zod/mini';
import { component } from '../config/component.ts';
import { documentSchema } from '../config/field-doc.ts';
import { asValue, decoder, type Field, leaf, text, textList, unsupported } from '../config/fields.ts';
import type { Output, Report } from '../config/section.ts';
import { section, sectionList } from '../config/section.ts';
import type { AnyValue } from '../otlp/view/any-value.ts';
import { Compiler } from '../ottl/compile.ts';
import { CONTEXTS, type ContextName } from '../ottl/contexts/contexts.ts';
import { OttlError } from '../ottl/errors.ts';
import { conditionFunctions } from '../ottl/functions/functions.ts';
import { toAnyValue } from '../process/actions/action-config.ts';

/** Settings of the connector `count`. */
export interface CountSettings {
  readonly kind: 'count';
  readonly id: string;
  /** What is counted, and as which metrics. */
  readonly metrics: Readonly<Record<CountedKind, readonly CountMetric[]>>;
}

export type CountedKind = 'spans' | 'spanevents' | 'metrics' | 'datapoints' | 'logs';

export interface CountMetric {
  readonly name: string;
  readonly description: string;
  /** OTTL; of several one suffices, none counts everything. */
  readonly conditions: readonly string[];
  /** Data points are kept apart by these; an item that lacks one without a default is not counted. */
  readonly attributes: readonly CountAttribute[];
}

export interface CountAttribute {
  readonly key: string;
  /** undefined is none. */
  readonly defaultValue: AnyValue;
}

/** The OTTL context of the conditions for each kind. */
export const CONTEXT_OF: Readonly<Record<CountedKind, ContextName>> = {
  spans: 'span',
  spanevents: 'spanevent',
  metrics: 'metric',
  datapoints: 'datapoint',
  logs: 'log',
};

const DEFAULTS: Readonly<Record<CountedKind, readonly [name: string, description: string]>> = {
  spans: ['trace.span.count', 'The number of spans observed.'],
  spanevents: ['trace.span.event.count', 'The number of span events observed.'],
  metrics: ['metric.count', 'The number of metrics observed.'],
  datapoints: ['metric.datapoint.count', 'The number of data points observed.'],
  logs: ['log.record.count', 'The number of log records observed.'],
};

const KINDS = Object.keys(DEFAULTS) as readonly CountedKind[];

const metricShape = {
  description: text({ describe: 'Of the metric.', default: '' }),
  conditions: textList({ describe: 'OTTL conditions; of several one suffices, none counts everything.', default: [] }),
  attributes: sectionList(
    {
      key: text({ describe: 'An attribute of the item, else of its scope, else of its resource.', default: '' }),
      default_value: leaf<unknown>('any', { describe: 'Where none of them has it.', default: undefined }, undefined, (value) => ({
        value,
      })),
    },
    { describe: 'Counts are kept apart by these; an item that lacks one without a default is not counted.' },
  ),
};

type MetricConfig = Output<typeof metricShape>;
type MetricMap = Readonly<Record<string, MetricConfig>>;

/** Metrics by name. Empty, as absent, it is the default metric. */
function metricMap(kind: CountedKind): Field<MetricMap> {
  const schema = z.pipe(
    decoder((input) => (asValue(input) ?? {}) as Record<string, unknown>),
    z.record(z.string(), section(metricShape, { describe: 'One metric.' }) as unknown as z.ZodMiniType<MetricConfig, unknown>),
  );
  documentSchema(schema, {
    type: 'map',
    description: `Metrics of ${kind} by name, each with \`description\`, \`conditions\` (OTTL; one suffices) and \`attributes\` (list of \`key\` and \`default_value\`).`,
    shownDefault: DEFAULTS[kind][0],
  });
  return schema as unknown as Field<MetricMap>;
}

const shape = {
  spans: metricMap('spans'),
  spanevents: metricMap('spanevents'),
  metrics: metricMap('metrics'),
  datapoints: metricMap('datapoints'),
  logs: metricMap('logs'),
  profiles: unsupported('Metrics of profiles by name.', 'profiles are not counted yet; remove the key'),
};

type Config = Output<typeof shape>;

/** Connector `count`; keys and rules are those of countconnector 0.155. */
export const countConnector = component<Config, CountSettings>({
  type: 'count',
  signals: ['traces', 'metrics', 'logs'],
  routes: { traces: ['metrics'], metrics: ['metrics'], logs: ['metrics'] },
  describe:
    'Counts spans, span events, metrics, data points or log records by resource and hands the counts as delta sums to pipelines of metrics.',
  dataPath: {
    bytes:
      'without conditions and attributes only the times of spans, events and log records are read, else what those name; the counts are new requests that no sender waits for',
    drops: 'drops nothing of the sender; counts are lost where their exporter is full or a processor behind it fails',
  },
  config: section(shape, {
    describe: 'Counts what a pipeline carries.',
    check: (config, report) => {
      for (const kind of KINDS) for (const [name, metric] of Object.entries(config[kind])) checkMetric(kind, name, metric, report);
    },
  }),
  build: (config, { id }) => ({
    kind: 'count',
    id,
    metrics: Object.fromEntries(KINDS.map((kind) => [kind, metricsOf(kind, config[kind])])) as unknown as CountSettings['metrics'],
  }),
});

function checkMetric(kind: CountedKind, name: string, metric: MetricConfig, report: Report): void {
  if (name === '') report(kind, 'has a metric without a name');
  metric.conditions.forEach((condition, index) => {
    const wrong = problemOf(condition, CONTEXT_OF[kind]);
    if (wrong !== undefined) report(kind, `"${name}".conditions[${index}]: ${wrong}`);
  });
  const attributes = metric.attributes ?? [];
  if (kind === 'metrics' && attributes.length > 0) report(kind, `"${name}".attributes: metrics as such have none; count datapoints`);
  if (attributes.some(({ key }) => key === '')) report(kind, `"${name}".attributes: each needs a key`);
  for (const { key, default_value: value } of attributes) {
    const wrong = problemOfValue(value);
    if (wrong !== undefined) report(kind, `"${name}".attributes: the default_value of "${key}" ${wrong}`);
  }
}

function problemOfValue(value: unknown): string | undefined {
  try {
    toAnyValue(value);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function problemOf(condition: string, context: ContextName): string | undefined {
  try {
    new Compiler(CONTEXTS[context], conditionFunctions(context), 'named').condition(condition);
    return undefined;
  } catch (error) {
    if (error instanceof OttlError) return `${condition}: column ${error.column}: ${error.message}`;
    throw error;
  }
}

function metricsOf(kind: CountedKind, config: MetricMap): readonly CountMetric[] {
  const entries = Object.entries(config);
  const [name, description] = DEFAULTS[kind];
  if (entries.length === 0) return [{ name, description, conditions: [], attributes: [] }];
  return entries.map(([key, metric]) => ({
    name: key,
    description: metric.description,
    conditions: metric.conditions,
    attributes: (metric.attributes ?? []).map((one) => ({ key: one.key, defaultValue: toAnyValue(one.default_value) })),
  }));
}

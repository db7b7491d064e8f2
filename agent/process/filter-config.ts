import { type BuildContext, component } from '../config/component.ts';
import { unsupported } from '../config/fields.ts';
import type { Output } from '../config/section.ts';
import { type Report, section } from '../config/section.ts';
import type { PathStyle } from '../ottl/compile.ts';
import type { ContextName } from '../ottl/contexts/contexts.ts';
import { type ErrorMode, errorModeField } from '../ottl/error-mode.ts';
import { type ConditionGroup, conditionGroups, conditionsAbout, type OttlSignal } from '../ottl/groups.ts';
import { logMatch, type Match, MatchBuilder, metricMatch, regexpCache, severityOf, spanMatch } from './filter-match-config.ts';

/** Processor `filter`: what it drops of each signal, in passes; a signal without passes goes on as it is. */
export interface FilterSettings {
  readonly kind: 'filter';
  readonly id: string;
  readonly passes: Readonly<Record<OttlSignal, readonly FilterPass[]>>;
}

/** One look at everything: what is dropped, and everything that is empty then. */
export type FilterPass =
  | {
      readonly kind: 'conditions';
      readonly conditions: Readonly<Partial<Record<ContextName, readonly string[]>>>;
      readonly style: PathStyle;
      readonly errorMode: ErrorMode;
    }
  | { readonly kind: 'match'; readonly include?: Match; readonly exclude?: Match };

const describe = (what: string): string => `OTTL conditions about ${what}; what meets one of them is dropped.`;
const RESOURCE = 'resources, whole with what is in them';

const tracesShape = {
  resource: conditionsAbout('resource', describe(RESOURCE)),
  span: conditionsAbout('span', describe('spans')),
  spanevent: conditionsAbout('spanevent', describe('span events')),
};
const metricsShape = {
  resource: conditionsAbout('resource', describe(RESOURCE)),
  metric: conditionsAbout('metric', describe('metrics')),
  datapoint: conditionsAbout('datapoint', describe('data points')),
  include: metricMatch('Metrics that are kept; the older way.'),
  exclude: metricMatch('Metrics that are dropped; the older way.'),
  regexp: regexpCache,
};
const logsShape = {
  resource: conditionsAbout('resource', describe(RESOURCE)),
  log_record: conditionsAbout('log', describe('log records')),
  include: logMatch('Log records that are kept; the older way.'),
  exclude: logMatch('Log records that are dropped; the older way.'),
};
const spansShape = {
  include: spanMatch('Spans that are kept; the older way.'),
  exclude: spanMatch('Spans that are dropped; the older way.'),
};

const shape = {
  error_mode: errorModeField(
    'What becomes of a condition that fails: ignore goes on and says so in the log, silent goes on, propagate refuses the request.',
    'ignore',
  ),
  trace_conditions: conditionGroups('traces'),
  metric_conditions: conditionGroups('metrics'),
  log_conditions: conditionGroups('logs'),
  profile_conditions: unsupported('OTTL conditions for profiles.', 'profiles are not supported by filter here; remove the key'),
  traces: section(tracesShape, { describe: 'By conditions, each about one thing; deprecated upstream for trace_conditions.' }),
  metrics: section(metricsShape, { describe: 'The same for metrics.' }),
  logs: section(logsShape, { describe: 'The same for logs.', check: checkSeverity }),
  spans: section(spansShape, { describe: 'The older way.' }),
  profiles: unsupported('Conditions for profiles.', 'profiles are not supported by filter here; remove the key'),
};

type Config = Output<typeof shape>;

/** Processor `filter`. The rules, and the default of error_mode, are those of filterprocessor 0.155 upstream. */
export const filterProcessor = component<Config, FilterSettings>({
  type: 'filter',
  signals: ['traces', 'metrics', 'logs'],
  describe: 'Drops spans, span events, metrics, data points, log records, scopes and resources by OTTL conditions, and what is empty then.',
  dataPath: {
    bytes: 'reads what its conditions name; what stays keeps its bytes',
    drops: 'drops items that meet a condition, and scopes and resources that are empty then, as asked',
  },
  config: section(shape, { describe: 'Drops what meets a condition.', check: checkStyles }),
  build: (config, context) => ({
    kind: 'filter',
    id: context.id,
    passes: {
      traces: passesOf(config, config.trace_conditions, config.traces, () => legacySpans(config, context)),
      metrics: passesOf(config, config.metric_conditions, conditionsIn(config.metrics), () => legacyMetrics(config, context)),
      logs: passesOf(config, config.log_conditions, conditionsIn(config.logs), () => legacyLogs(config, context)),
    },
  }),
});

/** Only one way for each signal. */
function checkStyles({ traces, metrics, logs, spans, trace_conditions, metric_conditions, log_conditions }: Config, report: Report): void {
  const ways = [
    ['trace_conditions', trace_conditions, 'traces', hasConditions(traces), hasMatch(spans), 'spans'],
    ['metric_conditions', metric_conditions, 'metrics', hasConditions(metrics), hasMatch(metrics), 'metrics'],
    ['log_conditions', log_conditions, 'logs', hasConditions(logs), hasMatch(logs), 'logs'],
  ] as const;
  for (const [newer, groups, older, conditions, match, oldest] of ways) {
    // trace_conditions beside spans.include is accepted upstream: the first wins.
    if (groups !== undefined && (conditions || (match && newer !== 'trace_conditions')))
      report(newer, `cannot stand beside the conditions, include or exclude of ${older}; use only ${newer}`);
    if (conditions && match) report(older, `conditions cannot stand beside ${oldest}.include or ${oldest}.exclude`);
  }
}

function checkSeverity({ include, exclude }: Output<typeof logsShape>, report: Report): void {
  for (const [key, match] of Object.entries({ include, exclude })) {
    const min = match?.severity_number?.min ?? '';
    if (severityOf(min) === undefined)
      report(key, `"${min}" is no severity: TRACE, DEBUG, INFO, WARN, ERROR, FATAL, with 2 to 4 behind it, or 1 to 24`);
  }
}

type Lists = Readonly<Record<string, readonly string[] | undefined>>;

/** The lists of conditions of a section, without what is beside them. */
function conditionsIn(section: object): Lists {
  return Object.fromEntries(Object.entries(section).filter(([key]) => !['include', 'exclude', 'regexp'].includes(key)));
}

function hasConditions(config: object): boolean {
  return Object.values(conditionsIn(config)).some((list) => list !== undefined);
}

function hasMatch({ include, exclude }: { readonly include?: unknown; readonly exclude?: unknown }): boolean {
  return include !== undefined || exclude !== undefined;
}

function passesOf(config: Config, groups: readonly ConditionGroup[] | undefined, lists: Lists, legacy: () => FilterPass[]): FilterPass[] {
  const mode = config.error_mode ?? 'ignore';
  if (groups !== undefined && groups.length > 0)
    return groups.map(({ conditions, style, errorMode }) => ({ kind: 'conditions', conditions, style, errorMode: errorMode ?? mode }));
  const written = Object.entries(lists).filter(([, list]) => list !== undefined);
  if (written.length === 0) return legacy();
  const conditions = Object.fromEntries(written.map(([key, list]) => [key === 'log_record' ? 'log' : key, list]));
  return [{ kind: 'conditions', conditions, style: 'plain', errorMode: mode }];
}

function legacySpans({ spans }: Config, context: BuildContext): FilterPass[] {
  if (!context.signals.has('traces')) return [];
  const match = (key: 'include' | 'exclude'): Match | undefined => {
    const config = spans[key];
    return config && new MatchBuilder(context, ['spans', key], config).span(config);
  };
  return matchPass(match('include'), match('exclude'));
}

function legacyMetrics({ metrics }: Config, context: BuildContext): FilterPass[] {
  if (!context.signals.has('metrics')) return [];
  const match = (key: 'include' | 'exclude'): Match | undefined => {
    const config = metrics[key];
    return config && new MatchBuilder(context, ['metrics', key], config).metric(config);
  };
  return matchPass(match('include'), match('exclude'));
}

function legacyLogs({ logs }: Config, context: BuildContext): FilterPass[] {
  if (!context.signals.has('logs')) return [];
  const match = (key: 'include' | 'exclude'): Match | undefined => {
    const config = logs[key];
    return config && new MatchBuilder(context, ['logs', key], config).log(config);
  };
  return matchPass(match('include'), match('exclude'));
}

function matchPass(include: Match | undefined, exclude: Match | undefined): FilterPass[] {
  if (include === undefined && exclude === undefined) return [];
  return [{ kind: 'match', ...(include && { include }), ...(exclude && { exclude }) }];
}

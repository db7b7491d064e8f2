import { component } from '../config/component.ts';
import { bool, unsupported } from '../config/fields.ts';
import type { Output } from '../config/section.ts';
import { section } from '../config/section.ts';
import type { Signal } from '../config/settings.ts';
import { type ErrorMode, errorModeField } from '../ottl/error-mode.ts';
import { type StatementGroup, statementGroups } from '../ottl/groups.ts';

/** Processor `transform`: what it does to each signal that it carries. */
export interface TransformSettings {
  readonly kind: 'transform';
  readonly id: string;
  readonly groups: Readonly<Record<Exclude<Signal, 'profiles'>, readonly RunGroup[]>>;
}

/** A group with its error mode decided. */
export type RunGroup = StatementGroup & { readonly errorMode: ErrorMode };

const shape = {
  error_mode: errorModeField(
    'What becomes of a failure: ignore goes on and says so in the log, silent goes on, propagate refuses the request.',
    'ignore',
  ),
  trace_statements: statementGroups('traces'),
  metric_statements: statementGroups('metrics'),
  log_statements: statementGroups('logs'),
  profile_statements: unsupported('OTTL statements for profiles.', 'profiles are not supported by transform here; remove the key'),
  flatten_data: bool({ describe: 'Behind a feature gate upstream. Only false is accepted.', default: false }),
};

/** Processor `transform`. The rules, and the default of error_mode, are those of transformprocessor 0.155 upstream. */
export const transformProcessor = component<Output<typeof shape>, TransformSettings>({
  type: 'transform',
  signals: ['traces', 'metrics', 'logs'],
  describe: 'Runs statements of the OpenTelemetry Transformation Language (OTTL) on spans, metrics, log records and what surrounds them.',
  dataPath: {
    bytes: 'reads and writes what its statements name, by views over the bytes; what was not changed keeps its bytes',
  },
  config: section(shape, {
    describe: 'Runs OTTL statements.',
    check: ({ flatten_data }, report) => {
      if (flatten_data)
        report(
          'flatten_data',
          'is behind a feature gate of the Collector, which this agent has not; remove the key',
          'OTLP_CONFIG_UNSUPPORTED',
        );
    },
  }),
  build: (config, { id }) => {
    const mode = config.error_mode ?? 'ignore';
    const decided = (groups: readonly StatementGroup[] | undefined): RunGroup[] =>
      (groups ?? []).map((group) => ({ ...group, errorMode: group.errorMode ?? mode }));
    return {
      kind: 'transform',
      id,
      groups: {
        traces: decided(config.trace_statements),
        metrics: decided(config.metric_statements),
        logs: decided(config.log_statements),
      },
    };
  },
});

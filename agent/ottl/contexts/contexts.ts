import type { Signal } from '../../config/settings.ts';
import type { Accessor } from '../access.ts';
import type { Field, Path } from '../ast.ts';
import type { PathStyle } from '../compile.ts';
import { OttlError } from '../errors.ts';
import { CACHE, OTELCOL_PATHS, RESOURCE_PATHS, SCOPE_PATHS } from './common.ts';
import { LOG_ENUMS, LOG_PATHS } from './logs.ts';
import { DATA_POINT_ENUMS, DATA_POINT_PATHS, METRIC_ENUMS, METRIC_PATHS } from './metrics.ts';
import { accessorIn, type Paths, type Segment } from './segment.ts';
import { SPAN_ENUMS, SPAN_EVENT_PATHS, SPAN_PATHS } from './traces.ts';

/** What a statement is about: one resource, one span, ... */
export type ContextName = 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log';

export interface ContextDefinition {
  readonly name: ContextName;
  /** What paths may begin with, and what they find there; `instrumentation_scope` is the older name of scope. */
  readonly paths: Readonly<Record<string, Paths>>;
  /** Names that statements may write in front of a path (WithPathContextNames); those of `paths` but for an old one. */
  readonly pathContexts: readonly string[];
  readonly enums: Readonly<Record<string, number>>;
}

const RESOURCE = { resource: RESOURCE_PATHS, otelcol: OTELCOL_PATHS };
const SCOPE = { ...RESOURCE, scope: SCOPE_PATHS, instrumentation_scope: SCOPE_PATHS };

function context(name: ContextName, paths: Readonly<Record<string, Paths>>, enums: Readonly<Record<string, number>>): ContextDefinition {
  // The scope context knows its older name, but not in front of a path.
  const pathContexts = Object.keys(paths).filter((each) => name !== 'scope' || each !== 'instrumentation_scope');
  return { name, paths, pathContexts, enums };
}

export const CONTEXTS: Readonly<Record<ContextName, ContextDefinition>> = {
  resource: context('resource', RESOURCE, {}),
  scope: context('scope', SCOPE, {}),
  span: context('span', { span: SPAN_PATHS, ...SCOPE }, SPAN_ENUMS),
  spanevent: context('spanevent', { spanevent: SPAN_EVENT_PATHS, span: SPAN_PATHS, ...SCOPE }, SPAN_ENUMS),
  metric: context('metric', { metric: METRIC_PATHS, ...SCOPE }, METRIC_ENUMS),
  datapoint: context('datapoint', { datapoint: DATA_POINT_PATHS, metric: METRIC_PATHS, ...SCOPE }, DATA_POINT_ENUMS),
  log: context('log', { log: LOG_PATHS, ...SCOPE }, LOG_ENUMS),
};

/** Contexts that the statements of a signal can be about. */
export const CONTEXTS_OF: Readonly<Record<Exclude<Signal, 'profiles'>, readonly ContextName[]>> = {
  traces: ['resource', 'scope', 'span', 'spanevent'],
  metrics: ['resource', 'scope', 'metric', 'datapoint'],
  logs: ['resource', 'scope', 'log'],
};

/** Contexts of what lies around spans, metrics and log records. */
export const AROUND: ReadonlySet<string> = new Set(['resource', 'scope', 'instrumentation_scope']);

/** Whose path it is, and what of it lies there, as Compiler and resolvePath have it. */
export function ownerOf(
  definition: ContextDefinition,
  { context, fields }: Path,
  style: PathStyle,
): { readonly owner: string; readonly fields: readonly Field[] } {
  if (context !== undefined && (style === 'plain' ? Object.hasOwn(definition.paths, context) : definition.pathContexts.includes(context)))
    return { owner: context, fields };
  const whole = context === undefined ? fields : [{ name: context, keys: [], at: 0 }, ...fields];
  return { owner: definition.name, fields: whole };
}

/** The accessor of a path. `pathContext` is the name in front of it; '' where the path has none and may begin with one. */
export function resolvePath(definition: ContextDefinition, pathContext: string, segment: Segment, text: string): Accessor {
  let first = segment.take();
  let owner = pathContext;
  if (owner === '') {
    owner = definition.name;
    if (Object.hasOwn(definition.paths, first.name)) {
      owner = first.name;
      const next = first.next();
      if (next === undefined) throw first.error(`"${text}" is no value; name one of its fields`);
      first = next;
    }
  }
  if (first.name === 'cache') {
    if (owner !== definition.name) throw first.error(`cache is only there in its own context: ${definition.name}.cache`);
    return CACHE(first);
  }
  const paths = Object.hasOwn(definition.paths, owner) ? definition.paths[owner] : undefined;
  if (paths === undefined) throw new OttlError(`there is no context "${owner}" in ${definition.name}`, segment.at);
  return accessorIn(paths, first, owner);
}

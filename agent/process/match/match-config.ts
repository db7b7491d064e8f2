import type { BuildContext } from '../../config/component.ts';
import { bool, integer, leaf, optionalText, text, textList } from '../../config/fields.ts';
import { compileGoRegExp, GoRegExp } from '../../config/go-regexp.ts';
import { type Output, section, sectionList, sectionOrNone } from '../../config/section.ts';
import type { Signal } from '../../config/settings.ts';
import { toAnyValue } from '../actions/action-config.ts';
import type { AttributeRule, LibraryRule, MatchRules, TextSet } from './match.ts';

const attributeShape = {
  key: text({ describe: 'The attribute.', default: '' }),
  value: leaf<unknown>(
    'any',
    { describe: 'Its value; any where it is absent. With match_type regexp a pattern.', default: undefined },
    undefined,
    (value) => ({
      value,
    }),
  ),
};

const libraryShape = {
  name: text({ describe: 'Of the instrumentation scope.', default: '' }),
  version: optionalText({ describe: 'Any where it is absent; an empty one is that of scopes without version.' }),
};

const INERT_CACHE = 'patterns are matched in linear time, without a cache';

const matchShape = {
  match_type: text({ describe: 'strict (equal) or regexp (matches anywhere; Go syntax).', default: '' }),
  regexp: section(
    {
      cacheenabled: bool({ describe: 'Keeps results.', default: false, inert: INERT_CACHE }),
      cachemaxnumentries: integer({ describe: 'How many.', default: 0, inert: INERT_CACHE }),
    },
    { describe: 'Of patterns.' },
  ),
  services: textList({ describe: 'Spans: service.name of the resource is one of these.', default: [] }),
  span_names: textList({ describe: 'Spans: the name is one of these.', default: [] }),
  span_kinds: textList({ describe: 'Spans: the kind is one of these, as SPAN_KIND_SERVER.', default: [] }),
  log_bodies: textList({ describe: 'Log records: the body as text is one of these.', default: [] }),
  log_severity_texts: textList({ describe: 'Log records: the severity text is one of these.', default: [] }),
  log_severity_number: sectionOrNone(
    {
      min: integer({ describe: 'The least severity number, 1 to 24.', default: 0 }),
      match_undefined: bool({ describe: 'Whether records without one match.', default: false }),
    },
    { describe: 'Log records: by severity number.' },
  ),
  metric_names: textList({ describe: 'Metrics: the name is one of these.', default: [] }),
  attributes: sectionList(attributeShape, { describe: 'Spans and log records: all of these attributes are there.' }),
  resources: sectionList(attributeShape, { describe: 'Spans and log records: all of these resource attributes are there.' }),
  libraries: sectionList(libraryShape, { describe: 'Spans and log records: the instrumentation scope is all of these.' }),
};

export type MatchConfig = Output<typeof matchShape>;

export function matchField(describe: string) {
  return sectionOrNone(matchShape, { describe });
}

/** The section `include` or `exclude` as rules; mistakes are reported. The checks are those of filterconfig upstream for each signal. */
export function buildMatch(config: MatchConfig | undefined, section: 'include' | 'exclude', context: BuildContext): MatchRules | undefined {
  return config === undefined ? undefined : new Builder(config, section, context).build();
}

type ListKey = 'services' | 'span_names' | 'span_kinds' | 'log_bodies' | 'log_severity_texts' | 'metric_names';

const NOT_FOR: Readonly<Partial<Record<Signal, readonly (keyof MatchConfig)[]>>> = {
  traces: ['log_bodies', 'log_severity_texts', 'log_severity_number', 'metric_names'],
  logs: ['span_names', 'services', 'span_kinds', 'metric_names'],
  metrics: ['log_bodies', 'log_severity_texts', 'log_severity_number', 'span_names', 'services', 'span_kinds', 'attributes', 'libraries'],
};

const ONE_OF: Readonly<Partial<Record<Signal, readonly (keyof MatchConfig)[]>>> = {
  traces: ['services', 'span_names', 'span_kinds', 'attributes', 'libraries', 'resources'],
  logs: ['attributes', 'libraries', 'resources', 'log_bodies', 'log_severity_texts', 'log_severity_number'],
  metrics: ['metric_names', 'resources'],
};

const STRICT_KINDS = ['CLIENT', 'CONSUMER', 'INTERNAL', 'PRODUCER', 'SERVER'].map((kind) => `SPAN_KIND_${kind}`);

class Builder {
  readonly #config: MatchConfig;
  readonly #section: string;
  readonly #context: BuildContext;

  constructor(config: MatchConfig, name: string, context: BuildContext) {
    this.#config = config;
    this.#section = name;
    this.#context = context;
  }

  build(): MatchRules {
    for (const signal of this.#context.signals) this.#check(signal);
    const { log_severity_number: severity } = this.#config;
    // A metric is matched by its name alone; `expr` has no place for its expressions here, so that upstream ignores all of it.
    const metricNames =
      this.#config.match_type === 'expr' && this.#context.signals.has('metrics') ? undefined : this.#texts('metric_names');
    const services = this.#texts('services');
    const spanNames = this.#texts('span_names');
    const spanKinds = this.#texts('span_kinds');
    const logBodies = this.#texts('log_bodies');
    const logSeverityTexts = this.#texts('log_severity_texts');
    return {
      ...(services && { services }),
      ...(spanNames && { spanNames }),
      ...(spanKinds && { spanKinds }),
      ...(logBodies && { logBodies }),
      ...(logSeverityTexts && { logSeverityTexts }),
      ...(metricNames && { metricNames }),
      ...(severity && { logSeverityNumber: { min: severity.min, matchUndefined: severity.match_undefined } }),
      attributes: this.#attributes('attributes'),
      resources: this.#attributes('resources'),
      libraries: this.#libraries(),
    };
  }

  #has(key: keyof MatchConfig): boolean {
    const value = this.#config[key];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  }

  #wrong(path: readonly (string | number)[], message: string): undefined {
    this.#context.report('OTLP_CONFIG_VALUE', [this.#section, ...path], message);
    return undefined;
  }

  #check(signal: Signal): void {
    for (const key of NOT_FOR[signal] ?? []) if (this.#has(key)) this.#wrong([key], `is not for ${signal}`);
    const wanted = ONE_OF[signal] ?? [];
    if (!wanted.some((key) => this.#has(key))) this.#wrong([], `for ${signal} at least one of ${wanted.join(', ')} must be there`);
    if (signal === 'metrics' && this.#has('resources'))
      this.#context.notice([this.#section, 'resources'], 'has no effect on metrics, as in the Collector: only metric_names are compared');
    if (signal !== 'traces' || this.#config.match_type !== 'strict') return;
    const unknown = this.#config.span_kinds.find((kind) => !STRICT_KINDS.includes(kind));
    if (unknown !== undefined) this.#wrong(['span_kinds'], `"${unknown}" is none of ${STRICT_KINDS.join(', ')}`);
  }

  #texts(key: ListKey): TextSet | undefined {
    const texts = this.#config[key];
    return texts.length === 0 ? undefined : this.#set([key], texts);
  }

  /** CreateFilterSet upstream: only what needs match_type looks at it. */
  #set(path: readonly (string | number)[], texts: readonly string[]): TextSet | undefined {
    const type = this.#config.match_type;
    if (type === 'strict') return { texts: new Set(texts) };
    if (type !== 'regexp') return this.#wrong(['match_type'], `"${type}" is none of strict, regexp`);
    const patterns = texts.map((each) => this.#pattern(path, each)).filter((pattern) => pattern !== undefined);
    return { patterns };
  }

  #pattern(path: readonly (string | number)[], source: string): GoRegExp | undefined {
    const { cacheenabled, cachemaxnumentries } = this.#config.regexp;
    if (cacheenabled && cachemaxnumentries < 0)
      return this.#wrong(['regexp', 'cachemaxnumentries'], `(${cachemaxnumentries}) must not be negative`);
    const pattern = compileGoRegExp(source);
    return pattern instanceof GoRegExp ? pattern : this.#wrong(path, `"${source}" is no regular expression: ${pattern.wrong}`);
  }

  #attributes(list: 'attributes' | 'resources'): AttributeRule[] {
    return (this.#config[list] ?? []).map((rule, index) => this.#attribute([list, index], rule)).filter((rule) => rule !== undefined);
  }

  #attribute(
    path: readonly (string | number)[],
    { key, value: raw }: { readonly key: string; readonly value: unknown },
  ): AttributeRule | undefined {
    if (key === '') return this.#wrong([...path, 'key'], 'must not be empty');
    if (raw === undefined || raw === null) return { key };
    try {
      const value = toAnyValue(raw);
      const type = this.#config.match_type;
      if (type === 'strict') return { key, value };
      if (type !== 'regexp') return this.#wrong(['match_type'], `"${type}" is none of strict, regexp`);
      if (typeof value !== 'string') return this.#wrong([...path, 'value'], 'must be text where match_type is regexp; put it in quotes');
      const pattern = this.#pattern([...path, 'value'], value);
      return pattern && { key, pattern };
    } catch (error) {
      return this.#wrong([...path, 'value'], (error as Error).message);
    }
  }

  #libraries(): LibraryRule[] {
    return (this.#config.libraries ?? [])
      .map(({ name, version }, index): LibraryRule | undefined => {
        const names = this.#set(['libraries', index, 'name'], [name]);
        const versions = version === undefined ? undefined : this.#set(['libraries', index, 'version'], [version]);
        return names && { name: names, ...(versions && { version: versions }) };
      })
      .filter((rule) => rule !== undefined);
  }
}

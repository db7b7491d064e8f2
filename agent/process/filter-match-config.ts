import type { BuildContext } from '../config/component.ts';
import { asValue, bool, type Field, integer, leaf, optionalText, text, textList } from '../config/fields.ts';
import { compileGoRegExp, GoRegExp } from '../config/go-regexp.ts';
import { type Output, optionalSection, sectionList } from '../config/section.ts';
import type { PathStep } from '../config/tree.ts';
import type { AnyValue } from '../otlp/view/any-value.ts';

/** The older include and exclude sections of filter: internal/filter/{filterconfig,filterset,filtermatcher} upstream. */

const NO_CACHE = 'matching is fast enough without a cache';

const cacheShape = {
  cacheenabled: bool({ describe: 'Keeps results of regular expressions.', default: false, inert: NO_CACHE }),
  cachemaxnumentries: integer({ describe: 'Results kept at most.', default: 0, inert: NO_CACHE }),
};

/** Accepted and without effect. */
export const regexpCache = optionalSection(cacheShape, { describe: 'Of match_type regexp.', absent: 'off', empty: 'off' });

/** Any YAML value of an attribute; absent is any value at all. */
const attributeValue: Field<unknown> = leaf<unknown>(
  'any',
  { describe: 'What the attribute has to be; absent, it only has to be there.', default: undefined },
  undefined,
  (value) => ({ value }),
);

const attributeShape = { key: text({ describe: 'The attribute.', default: '' }), value: attributeValue };
const attributes = (describe: string): Field<readonly Output<typeof attributeShape>[] | undefined> =>
  sectionList(attributeShape, { describe });

const matchType = text({ describe: 'strict (the whole text) or regexp (Go syntax, anywhere in it).', default: '' });
const list = (describe: string): Field<readonly string[]> => textList({ describe, default: [] });

const spanMatchShape = {
  match_type: matchType,
  regexp: regexpCache,
  services: list('Values of service.name.'),
  span_names: list('Names of spans.'),
  span_kinds: list('SPAN_KIND_SERVER and so on.'),
  attributes: attributes('Attributes of the span, all of them.'),
  resources: attributes('Attributes of the resource, all of them.'),
  libraries: sectionList(
    { name: text({ describe: 'Name of the scope.', default: '' }), version: optionalText({ describe: 'Its version; absent, any.' }) },
    { describe: 'Instrumentation scopes.' },
  ),
  log_bodies: list('Not for spans.'),
  log_severity_texts: list('Not for spans.'),
  log_severity_number: optionalSection(
    { min: integer({ describe: 'Not for spans.', default: 0 }), match_undefined: bool({ describe: 'Not for spans.', default: false }) },
    { describe: 'Not for spans.', absent: 'off' },
  ),
  metric_names: list('Not for spans.'),
};

const metricMatchShape = {
  match_type: matchType,
  regexp: regexpCache,
  metric_names: list('Names of metrics.'),
  expressions: list('Of match_type expr, which this agent has not.'),
  resource_attributes: attributes('Attributes of the resource, all of them.'),
};

const logMatchShape = {
  match_type: matchType,
  resource_attributes: attributes('Attributes of the resource, all of them.'),
  record_attributes: attributes('Attributes of the record, all of them.'),
  severity_texts: list('Severity texts.'),
  severity_number: optionalSection(
    {
      min: text({ describe: 'Least severity: INFO, WARN2, 17; in any case.', default: '' }),
      match_undefined: bool({ describe: 'Whether records without a severity match.', default: false }),
    },
    { describe: 'By severity number.', absent: 'off' },
  ),
  bodies: list('Bodies, as text.'),
};

const section = <S extends Readonly<Record<string, Field<unknown>>>>(shape: S, describe: string): Field<Output<S> | undefined> =>
  optionalSection(shape, { describe, absent: 'off', empty: 'off' }) as Field<Output<S> | undefined>;

export const spanMatch = (describe: string): Field<Output<typeof spanMatchShape> | undefined> => section(spanMatchShape, describe);
export const metricMatch = (describe: string): Field<Output<typeof metricMatchShape> | undefined> => section(metricMatchShape, describe);
export const logMatch = (describe: string): Field<Output<typeof logMatchShape> | undefined> => section(logMatchShape, describe);

/** Texts of which one has to match. */
export type TextSet = { readonly strict: readonly string[] } | { readonly regexp: readonly GoRegExp[] };

/** An attribute that has to be there, and what it has to be. */
export interface AttributeMatch {
  readonly key: string;
  readonly value?: { readonly text: TextSet } | { readonly equals: AnyValue };
}

/** All that is there has to match. */
export interface Match {
  readonly services?: TextSet;
  readonly names?: TextSet;
  readonly kinds?: TextSet;
  readonly bodies?: TextSet;
  readonly severityTexts?: TextSet;
  readonly severity?: { readonly min: number; readonly matchUndefined: boolean };
  readonly scopes: readonly { readonly name: TextSet; readonly version?: TextSet }[];
  readonly resource: readonly AttributeMatch[];
  readonly attributes: readonly AttributeMatch[];
}

/** Makes matches of what the file says; mistakes are reported below `path`. */
export class MatchBuilder {
  readonly #context: BuildContext;
  readonly #path: readonly PathStep[];
  readonly #type: string;
  readonly #cache: Output<typeof cacheShape> | undefined;

  constructor(
    context: BuildContext,
    path: readonly PathStep[],
    config: { readonly match_type: string; readonly regexp?: Output<typeof cacheShape> | undefined },
  ) {
    this.#context = context;
    this.#path = path;
    this.#type = config.match_type;
    this.#cache = config.regexp;
  }

  span(config: Output<typeof spanMatchShape>): Match {
    const { services, span_names, span_kinds, libraries } = config;
    for (const key of ['log_bodies', 'log_severity_texts', 'metric_names'] as const)
      if (config[key].length > 0) this.#wrong(key, 'is not for spans; remove it');
    if (config.log_severity_number !== undefined) this.#wrong('log_severity_number', 'is not for spans; remove it');
    const wanted = [services, span_names, span_kinds, libraries ?? [], config.attributes ?? [], config.resources ?? []];
    if (wanted.every((each) => each.length === 0))
      this.#wrong('', 'needs attributes, libraries, resources, services, span_names or span_kinds');
    for (const kind of this.#type === 'strict' ? span_kinds : [])
      if (!KINDS.includes(kind)) this.#wrong('span_kinds', `("${kind}") must be one of ${KINDS.join(', ')} with match_type strict`);
    return {
      ...this.#texts('services', 'services', services),
      ...this.#texts('names', 'span_names', span_names),
      ...this.#texts('kinds', 'span_kinds', span_kinds),
      scopes: (libraries ?? []).map(({ name, version }) => ({
        name: this.#set('libraries', [name]),
        ...(version === undefined ? {} : { version: this.#set('libraries', [version]) }),
      })),
      resource: this.#attributes('resources', config.resources),
      attributes: this.#attributes('attributes', config.attributes),
    };
  }

  metric(config: Output<typeof metricMatchShape>): Match {
    if (this.#type === 'expr' || config.expressions.length > 0) {
      this.#context.report(
        'OTLP_CONFIG_UNSUPPORTED',
        [...this.#path, 'match_type'],
        'expressions of match_type expr are not supported; write OTTL conditions in metric_conditions',
      );
      return EMPTY;
    }
    return {
      ...EMPTY,
      ...this.#texts('names', 'metric_names', config.metric_names),
      resource: this.#attributes('resource_attributes', config.resource_attributes),
    };
  }

  /** undefined where nothing is wanted: upstream takes no notice of such a section. */
  log(config: Output<typeof logMatchShape>): Match | undefined {
    const { severity_texts, bodies, severity_number, resource_attributes = [], record_attributes = [] } = config;
    const wanted = [severity_texts, bodies, resource_attributes, record_attributes];
    if (wanted.every((each) => each.length === 0) && severity_number === undefined) return undefined;
    return {
      scopes: [],
      ...this.#texts('bodies', 'bodies', bodies),
      ...this.#texts('severityTexts', 'severity_texts', severity_texts),
      ...(severity_number === undefined
        ? {}
        : { severity: { min: severityOf(severity_number.min) ?? 0, matchUndefined: severity_number.match_undefined } }),
      resource: this.#attributes('resource_attributes', resource_attributes),
      attributes: this.#attributes('record_attributes', record_attributes),
    };
  }

  #texts<K extends string>(field: K, key: string, texts: readonly string[]): { readonly [P in K]?: TextSet } {
    return texts.length === 0 ? {} : ({ [field]: this.#set(key, texts) } as { readonly [P in K]: TextSet });
  }

  #set(key: string, texts: readonly string[]): TextSet {
    if (this.#type === 'strict') return { strict: texts };
    if (this.#type !== 'regexp') {
      this.#wrong('match_type', `("${this.#type}") must be strict or regexp`);
      return { strict: [] };
    }
    if (this.#cache?.cacheenabled === true && this.#cache.cachemaxnumentries < 0)
      this.#wrong('regexp', `cachemaxnumentries (${this.#cache.cachemaxnumentries}) must not be negative`);
    const regexp = texts
      .map((each) => compileGoRegExp(each))
      .map((each, i) => {
        if (!(each instanceof GoRegExp)) this.#wrong(key, `"${texts[i]}" is no regular expression: ${each.wrong}`);
        return each;
      });
    return { regexp: regexp.filter((each) => each instanceof GoRegExp) };
  }

  #attributes(key: string, configs: readonly Output<typeof attributeShape>[] | undefined): readonly AttributeMatch[] {
    return (configs ?? []).map((config) => {
      if (config.key === '') this.#wrong(key, 'has an entry without key');
      const value = yamlValue(config.value);
      if (value === undefined) return { key: config.key };
      if (this.#type === 'strict') return { key: config.key, value: { equals: value } };
      if (this.#type === 'regexp' && typeof value !== 'string') {
        this.#wrong(key, `the value of "${config.key}" must be a text with match_type regexp`);
        return { key: config.key };
      }
      return { key: config.key, value: { text: this.#set(key, [String(value)]) } };
    });
  }

  #wrong(key: string, message: string): void {
    this.#context.report('OTLP_CONFIG_VALUE', key === '' ? this.#path : [...this.#path, key], message);
  }
}

const EMPTY: Match = { scopes: [], resource: [], attributes: [] };
const KINDS = ['CLIENT', 'CONSUMER', 'INTERNAL', 'PRODUCER', 'SERVER'].map((kind) => `SPAN_KIND_${kind}`);
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** `INFO`, `warn2` or a number from 1 to 24; undefined for others, 0 for none. */
export function severityOf(name: string): number | undefined {
  if (name === '') return 0;
  if (/^(?:[1-9]|1\d|2[0-4])$/u.test(name)) return Number(name);
  const parts = /^([A-Z]+?)([234]?)$/u.exec(name.toUpperCase());
  const level = LEVELS.indexOf(parts?.[1] ?? '');
  return level < 0 ? undefined : level * 4 + (parts?.[2] === '' ? 1 : Number(parts?.[2]));
}

/** A YAML value as an attribute would have it. */
function yamlValue(raw: unknown): AnyValue {
  const value = asValue(raw);
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(yamlValue);
  if (typeof value !== 'object' || value instanceof Uint8Array) return value as AnyValue;
  return new Map(Object.entries(value).map(([key, each]) => [key, yamlValue(each)] as const));
}

import * as z from 'zod/mini';
import { documentSchema, type FieldDoc } from '../config/field-doc.ts';
import { AS_EMPTY_TEXT, asValue, type Context, decoder, type Field, leaf, optionalTextList, textList } from '../config/fields.ts';
import { type Output, type Shape, section } from '../config/section.ts';
import type { Signal } from '../config/settings.ts';
import { Expanded, type PathStep } from '../config/tree.ts';
import { Compiler } from './compile.ts';
import { CONTEXTS, CONTEXTS_OF, type ContextName } from './contexts/contexts.ts';
import { type ErrorMode, errorModeField } from './error-mode.ts';
import { OttlError } from './errors.ts';
import { conditionFunctions, statementFunctions } from './functions/functions.ts';
import { collectNames, inferContext, type Source } from './infer.ts';
import { NameCollector } from './visit.ts';

/** One group of `trace_statements`, checked: every text in it can be compiled. */
export interface StatementGroup {
  readonly context: ContextName;
  /** How paths name their context in `statements`; in `conditions` they do not where the group names it. */
  readonly style: 'named' | 'prepended';
  readonly conditions: readonly string[];
  readonly statements: readonly string[];
  readonly errorMode: ErrorMode | undefined;
}

/** One group of `trace_conditions`, checked: by what its conditions are about. */
export interface ConditionGroup {
  readonly conditions: Readonly<Partial<Record<ContextName, readonly string[]>>>;
  readonly style: 'named' | 'prepended';
  readonly errorMode: ErrorMode | undefined;
}

export type OttlSignal = Exclude<Signal, 'profiles'>;

/** Where a text of a group stands; without a place: the group itself. */
type PlaceOf = (key: 'statements' | 'conditions' | 'context', place?: number) => readonly PathStep[];

/** Takes note of a mistake below the field. */
type Report = (path: readonly PathStep[], message: string, params?: Readonly<Record<string, unknown>>) => void;

const NAMES = Object.keys(CONTEXTS) as ContextName[];

const common = {
  context: leaf<ContextName | undefined>(
    'choice',
    { describe: 'What it is about. Without it the paths have to say so, as in span.name.', default: undefined },
    AS_EMPTY_TEXT,
    (value) => {
      const found = NAMES.find((name) => typeof value === 'string' && name === value.toLowerCase());
      return found === undefined ? { wrong: `must be one of ${NAMES.join(', ')}` } : { value: found };
    },
    { values: NAMES, anyCase: true },
  ),
  error_mode: errorModeField('Of this group.', 'that of the processor'),
};
const conditionShape = { ...common, conditions: textList({ describe: 'What meets one of them is dropped.', default: [] }) };
const statementShape = {
  ...common,
  conditions: textList({ describe: 'The statements are run where one of them is met.', default: [] }),
  statements: textList({ describe: 'OTTL statements, in order.', default: [] }),
};

/** `trace_statements` and the like: statements, or groups of them. */
export function statementGroups(signal: OttlSignal): Field<readonly StatementGroup[] | undefined> {
  const read = (config: Output<typeof statementShape>, placeOf: PlaceOf, report: Report): StatementGroup | undefined => {
    const { conditions, statements, context: given } = config;
    const sources: readonly Source[] = [
      ...statements.map((text, i) => ({ kind: 'statement', text, place: placeOf('statements', i) }) as const),
      ...conditions.map((text, i) => ({ kind: 'condition', text, place: placeOf('conditions', i) }) as const),
    ];
    const context = decide(given, signal, sources, statementFunctions, placeOf, report);
    if (context === undefined) return undefined;
    const style = given === undefined ? 'named' : 'prepended';
    const compiler = new Compiler(CONTEXTS[context], statementFunctions(context), style);
    const conditionCompiler = new Compiler(CONTEXTS[context], conditionFunctions(context), given === undefined ? 'named' : 'plain');
    for (const { kind, text, place } of sources)
      attempt(place, text, report, () => (kind === 'statement' ? compiler.statement(text) : conditionCompiler.condition(text)));
    return { context, style, conditions, statements, errorMode: config.error_mode };
  };
  return groupList('statements', statementShape, 'OTTL statements, or groups of them, in order.', read);
}

/** `trace_conditions` and the like: conditions, each about what its paths say, or groups of them. */
export function conditionGroups(signal: OttlSignal): Field<readonly ConditionGroup[] | undefined> {
  const read = (config: Output<typeof conditionShape>, placeOf: PlaceOf, report: Report): ConditionGroup => {
    const style = config.context === undefined ? 'named' : 'prepended';
    const conditions: Partial<Record<ContextName, string[]>> = {};
    config.conditions.forEach((text, i) => {
      const place = placeOf('conditions', i);
      const context = decide(config.context, signal, [{ kind: 'condition', text, place }], conditionFunctions, placeOf, report);
      if (context === undefined) return;
      attempt(place, text, report, () => new Compiler(CONTEXTS[context], conditionFunctions(context), style).condition(text));
      conditions[context] = [...(conditions[context] ?? []), text];
    });
    if (config.conditions.length === 0) decide(config.context ?? 'resource', signal, [], conditionFunctions, placeOf, report);
    return { conditions, style, errorMode: config.error_mode };
  };
  return groupList('conditions', conditionShape, 'OTTL conditions, or groups of them; what meets one of them is dropped.', read);
}

/** A list of conditions about one thing, as `traces.span` has it. */
export function conditionsAbout(context: ContextName, describe: string): Field<readonly string[] | undefined> {
  const compiler = new Compiler(CONTEXTS[context], conditionFunctions(context), 'plain');
  const schema = z.pipe(
    optionalTextList({ describe }),
    z.transform((texts: readonly string[] | undefined, issues) => {
      const report = reportTo(issues, texts);
      for (const [i, text] of (texts ?? []).entries()) attempt([i], text, report, () => compiler.condition(text));
      return texts;
    }),
  );
  documentSchema(schema, { type: 'list', description: describe });
  return schema;
}

/** The context that a group names, or that of its paths; undefined where it reported why there is none. */
function decide(
  given: ContextName | undefined,
  signal: OttlSignal,
  sources: readonly Source[],
  functionsOf: typeof statementFunctions,
  placeOf: PlaceOf,
  report: Report,
): ContextName | undefined {
  const known = CONTEXTS_OF[signal];
  if (given !== undefined) {
    if (known.includes(given)) return given;
    report(placeOf('context'), `("${given}") is nothing that ${signal} have; use one of ${known.join(', ')}`);
    return undefined;
  }
  const names = new NameCollector();
  let isReadable = true;
  for (const source of sources) isReadable = attempt(source.place, source.text, report, () => collectNames(source, names)) && isReadable;
  // Nothing can be said about the group where one of its texts cannot be read.
  if (!isReadable) return undefined;
  let context: ContextName | undefined;
  attempt(
    sources.length === 1 ? (sources[0] as Source).place : placeOf('context'),
    sources.map(({ text }) => text).join('; '),
    report,
    () => {
      context = inferContext(names, known, functionsOf);
    },
  );
  return context;
}

/** A list of texts (one group together) or of groups; never texts in front of groups. */
function groupList<S extends Shape, G>(
  key: 'statements' | 'conditions',
  shape: S,
  describe: string,
  read: (config: Output<S>, placeOf: PlaceOf, report: Report) => G | undefined,
): Field<readonly G[] | undefined> {
  const one = section(shape, { describe: 'A group.' });
  const schema = decoder((input, issues): readonly G[] | undefined => {
    const list = asValue(input);
    if (list === undefined) return undefined;
    const report = reportTo(issues, list);
    if (!Array.isArray(list)) {
      report([], 'wants a list', { problem: 'OTLP_CONFIG_TYPE' });
      return undefined;
    }
    const groups: G[] = [];
    const add = (group: G | undefined): void => void (group !== undefined && groups.push(group));
    const texts: { readonly text: string; readonly at: number }[] = [];
    list.forEach((raw: unknown, i) => {
      const text = raw instanceof Expanded ? raw.original : raw;
      if (typeof text === 'string') texts.push({ text, at: i });
      else if (raw === null) report([i], `is empty; write one of the ${key} or a group of them`);
      else if (texts.length > 0) report([i], `is a group behind ${key} without one; write all of them in groups`);
      else {
        const parsed = one.safeParse(raw);
        for (const issue of parsed.error?.issues ?? []) report([i, ...issue.path.map(asStep)], issue.message, paramsOf(issue));
        if (parsed.success) add(read(parsed.data, (inner, place) => (place === undefined ? [i] : [i, inner, place]), report));
      }
    });
    const first = texts[0];
    if (first !== undefined && key === 'conditions' && groups.length > 0) report([first.at], 'is a condition behind groups');
    if (first !== undefined) {
      const config = one.safeParse({ [key]: texts.map(({ text }) => text) });
      const placeOf: PlaceOf = (_, place) => (place === undefined ? [first.at] : [texts[place]?.at ?? first.at]);
      if (config.success) add(read(config.data, placeOf, report));
    }
    return groups;
  });
  const doc: FieldDoc = { type: 'section', description: describe, list: true, orText: true, fields: shape };
  documentSchema(schema, doc);
  return schema;
}

/** Whether it went without an OttlError, which is reported with the text and its column. */
function attempt(path: readonly PathStep[], text: string, report: Report, run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof OttlError)) throw error;
    const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
    report(path, `${JSON.stringify(shown)}, column ${error.column}: ${error.message}`);
    return false;
  }
}

/** Of a statement in an error, characters. */
const MAX_SHOWN = 200;

function reportTo({ issues }: Context, input: unknown): Report {
  return (path, message, params = { problem: 'OTLP_CONFIG_VALUE' }) =>
    void issues.push({ code: 'custom', message, path: [...path], input, params });
}

function paramsOf(issue: z.core.$ZodIssue): Readonly<Record<string, unknown>> {
  if (issue.code === 'unrecognized_keys') return { problem: 'OTLP_CONFIG_UNKNOWN_KEY', keys: issue.keys };
  return issue.code === 'custom' ? (issue.params ?? {}) : { problem: 'OTLP_CONFIG_TYPE' };
}

function asStep(step: PropertyKey): PathStep {
  return typeof step === 'number' ? step : String(step);
}

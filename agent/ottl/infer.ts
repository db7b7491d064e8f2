import { CONTEXTS, type ContextName } from './contexts/contexts.ts';
import { OttlError } from './errors.ts';
import { conditionFunctions, type FunctionSet, isKnownFunction } from './functions/functions.ts';
import { parseCondition, parseStatement } from './parser.ts';
import type { NameCollector, Names } from './visit.ts';

/** The more a context is about one thing, the earlier: pkg/ottl/context_inferrer.go. */
const PRIORITY = ['log', 'datapoint', 'metric', 'spanevent', 'span', 'scope', 'instrumentation_scope', 'resource'];

/** One text of a group, and where it stands. */
export interface Source {
  readonly kind: 'statement' | 'condition';
  readonly text: string;
  readonly place: readonly (string | number)[];
}

/** Adds what a text names; throws an OttlError where it cannot be read. */
export function collectNames({ kind, text }: Source, names: NameCollector): void {
  if (kind === 'condition') {
    names.condition(parseCondition(text));
    return;
  }
  const { editor, where } = parseStatement(text);
  names.call(editor);
  if (where !== undefined) names.condition(where);
}

/**
 * The context of texts that do not say it: that of the most particular path; where it lacks a function or an enum symbol that is used,
 * the most particular one of those that also know that path and have them all. Throws an OttlError.
 */
export function inferContext(
  names: Names,
  candidates: readonly ContextName[],
  functionsOf: (context: ContextName) => FunctionSet,
): ContextName {
  const known = candidates.join(', ');
  const written = mostParticular(names);
  if (written === undefined)
    throw new OttlError(
      `no path says what this is about; begin paths with one of ${known}, as in ${candidates.at(-1)}.attributes["key"]`,
      0,
    );
  const own = candidates.find((each) => each === written);
  if (own === undefined) throw new OttlError(`nothing can be about "${written}" here; begin paths with one of ${known}`, 0);
  // A function that nobody knows is found when the text is compiled, and told with its place.
  const isKnown = (name: string): boolean =>
    candidates.some((each) => isKnownFunction(name, functionsOf(each)) || isKnownFunction(name, conditionFunctions(each)));
  const used = { paths: names.paths, functions: new Set([...names.functions].filter(isKnown)), enums: names.enums };
  const problem = lacking(own, used, functionsOf(own));
  if (problem === undefined) return own;
  const narrower = candidates
    .filter((each) => each !== own && CONTEXTS[each].pathContexts.includes(own))
    .sort((a, b) => PRIORITY.indexOf(a) - PRIORITY.indexOf(b))
    .find((each) => lacking(each, used, functionsOf(each)) === undefined);
  if (narrower === undefined) throw new OttlError(`this is about a ${own}, which ${problem}`, 0);
  return narrower;
}

function mostParticular({ paths }: Names): string | undefined {
  let found: string | undefined;
  let best = 0;
  for (const { context = '' } of paths) {
    const place = PRIORITY.indexOf(context);
    const priority = place < 0 ? Number.POSITIVE_INFINITY : place;
    if (found === undefined || found === '' || priority < best) {
      found = context;
      best = priority;
    }
  }
  return found === '' ? undefined : found;
}

/** What a context lacks of what is used; undefined where it has everything. */
function lacking(context: ContextName, { functions, enums }: Names, known: FunctionSet): string | undefined {
  for (const name of functions) if (!isKnownFunction(name, known)) return `knows no function ${name}`;
  for (const name of enums) if (!Object.hasOwn(CONTEXTS[context].enums, name)) return `knows no enum symbol ${name}`;
  return undefined;
}

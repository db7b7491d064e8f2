import { CONTEXTS, type ContextName } from './contexts/contexts.ts';
import { OttlError } from './errors.ts';
import { type FunctionSet, isKnownFunction, statementFunctions } from './functions/functions.ts';
import { parseCondition, parseStatement } from './parser.ts';
import { NameCollector, type Names } from './visit.ts';

/** The more a context is about one thing, the earlier: pkg/ottl/context_inferrer.go. */
const PRIORITY = ['log', 'datapoint', 'metric', 'spanevent', 'span', 'scope', 'instrumentation_scope', 'resource'];

/** One text of a group; a mistake in it is told with its place. */
export interface Source {
  readonly kind: 'statement' | 'condition';
  readonly text: string;
}

/**
 * The context of a group of statements that does not say it: that of the most particular path; where it lacks a function or an enum symbol
 * that is used, the most particular one of those that also know that path and has them all. Throws an OttlError.
 */
export function inferContext(
  sources: readonly Source[],
  candidates: readonly ContextName[],
  functionsOf = statementFunctions,
): ContextName {
  const names = new NameCollector();
  for (const { kind, text } of sources) {
    if (kind === 'condition') {
      names.condition(parseCondition(text));
      continue;
    }
    const { editor, where } = parseStatement(text);
    names.call(editor);
    if (where !== undefined) names.condition(where);
  }
  const written = mostParticular(names);
  const known = candidates.join(', ');
  if (written === undefined) {
    throw new OttlError(
      `no path says what this is about: begin paths with one of ${known}, as in ${candidates.at(-1)}.attributes["key"]`,
      0,
    );
  }
  const own = candidates.find((each) => each === written);
  if (own === undefined && !(written in CONTEXTS) && !PRIORITY.includes(written) && written !== 'otelcol')
    throw new OttlError(`"${written}" is no context; paths begin with one of ${known}`, 0);
  if (own !== undefined && lacking(own, names, functionsOf(own)) === undefined) return own;
  if (own !== undefined) {
    const narrower = candidates
      .filter((each) => each !== own && CONTEXTS[each].pathContexts.includes(own))
      .sort((a, b) => PRIORITY.indexOf(a) - PRIORITY.indexOf(b))
      .find((each) => lacking(each, names, functionsOf(each)) === undefined);
    if (narrower !== undefined) return narrower;
    throw new OttlError(`this is about a ${own}, which ${lacking(own, names, functionsOf(own))}`, 0);
  }
  throw new OttlError(`nothing is about ${written} alone; paths begin with one of ${known}`, 0);
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

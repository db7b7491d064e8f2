import type { GoRegExp } from '../../config/go-regexp.ts';
import type { AnyValue } from '../../otlp/view/any-value.ts';
import { constant, type Getter } from '../access.ts';
import { Failure } from '../errors.ts';
import type { Item } from '../item.ts';
import { type ConverterArgument, converter, literalString, mapPath, optional, path, string } from '../kinds.ts';
import { entriesOf } from '../values.ts';
import { define, type FunctionDefinition } from './define.ts';
import { glob, patternOf, regExp } from './patterns.ts';

const REPLACEMENT = { replacement: string, function: optional(converter), replacement_format: optional(string) };

/** Editors of pkg/ottl/ottlfuncs that replace text: `_match` the whole text by a glob, `_pattern` parts of it by a regular expression. */
export const REPLACE_EDITORS: readonly FunctionDefinition[] = [
  define('replace_match', { target: path, pattern: string, ...REPLACEMENT }, (args) => {
    const compiled = patternOf(args.pattern, glob);
    return (item) => {
      const expression = compiled(item);
      const value = args.target.get(item);
      const replacement = wholeReplacement(args, item);
      if (typeof value === 'string' && expression.test(value)) args.target.set(item, replacement);
      return undefined;
    };
  }),

  define('replace_all_matches', { target: mapPath, pattern: string, ...REPLACEMENT }, (args) => {
    const compiled = patternOf(args.pattern, glob);
    return (item) => {
      const expression = compiled(item);
      args.target.get(item);
      const replacement = wholeReplacement(args, item);
      args.target.edit(item, (edited) => edited.mapTexts((text) => (expression.test(text) ? replacement : text)));
      return undefined;
    };
  }),

  define('replace_pattern', { target: path, regex_pattern: string, ...REPLACEMENT }, (args) => {
    const compiled = patternOf(args.regex_pattern, regExp);
    return (item) => {
      const value = args.target.get(item);
      if (value === undefined) return undefined;
      const template = args.replacement.get(item);
      if (typeof value !== 'string') return undefined;
      const expression = compiled(item);
      if (expression.test(value)) args.target.set(item, replaced(value, expression, template, args, item));
      return undefined;
    };
  }),

  define('replace_all_patterns', { target: mapPath, mode: literalString, regex_pattern: string, ...REPLACEMENT }, (args) => {
    if (args.mode !== 'key' && args.mode !== 'value') throw new Failure(`the mode is "key" or "value", not "${args.mode}"`);
    const compiled = patternOf(args.regex_pattern, regExp);
    return (item) => {
      const found = args.target.get(item);
      const template = args.replacement.get(item);
      const expression = compiled(item);
      if (args.mode === 'value') {
        args.target.edit(item, (edited) =>
          edited.mapTexts((text) => {
            if (args.function !== undefined && !expression.test(text)) return text;
            return tried(() => replaced(text, expression, template, args, item)) ?? text;
          }),
        );
        return undefined;
      }
      const renamed = new Map<string, AnyValue>();
      let changed = false;
      for (const [key, value] of entriesOf(found)) {
        const isMatch = expression.test(key);
        changed ||= isMatch;
        // A key whose replacement fails is lost with its value, as upstream.
        const name = isMatch ? tried(() => replaced(key, expression, template, args, item)) : key;
        if (name !== undefined) renamed.set(name, value);
      }
      if (changed) args.target.set(item, renamed);
      return undefined;
    };
  }),
];

interface ReplacementArguments {
  readonly replacement: Getter<string>;
  readonly function: ConverterArgument | undefined;
  readonly replacement_format: Getter<string> | undefined;
}

/** Every match replaced by the template, or by what a converter makes of the template. */
function replaced(text: string, expression: GoRegExp, template: string, args: ReplacementArguments, item: Item): string {
  const convert = args.function;
  if (convert === undefined) return expression.replaceAll(text, template);
  return expression.replaceEach(text, (at) => {
    const input = constant(expression.expand(template, text, at));
    return formatted(convert({ get: input.get }).get(item), args, item);
  });
}

/** The replacement of a whole text; the converter makes it of the `replacement`. */
function wholeReplacement(args: ReplacementArguments, item: Item): string {
  if (args.function === undefined) return args.replacement.get(item);
  return formatted(args.function(args.replacement).get(item), args, item);
}

function formatted(value: unknown, args: ReplacementArguments, item: Item): string {
  if (typeof value !== 'string') throw new Failure('the replacement is no text');
  const format = args.replacement_format?.get(item);
  if (format === undefined) return value;
  // Upstream: `^(.*?%s.*?)$` has to match, which is one line, and `%[^s]` must not; a second %s has no argument left.
  if (!/^[^\n]*%s[^\n]*$/u.test(format) || /%[^s]/u.test(format)) throw new Failure('replacement_format wants %s and no other verb');
  let isFirst = true;
  return format.replace(/%s|%$/gu, (verb) => {
    if (verb === '%') return '%!(NOVERB)';
    const text = isFirst ? value : '%!s(MISSING)';
    isFirst = false;
    return text;
  });
}

function tried(make: () => string): string | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

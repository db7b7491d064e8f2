import { compileGoRegExp, GoRegExp } from '../../config/go-regexp.ts';
import { remembered } from '../../otlp/view/text.ts';
import type { Getter } from '../access.ts';
import { Failure } from '../errors.ts';
import type { Item } from '../item.ts';

/** Patterns that come from data are kept, as compiling one costs far more than using it. */
const MAX_KEPT = 256;

/** What is matched against: a literal pattern is compiled, and refused, at start; one that data gives when it is needed. */
export function patternOf<P>(getter: Getter<string>, compile: (text: string) => P): (item: Item) => P {
  if (getter.constant !== undefined) {
    const compiled = compile(getter.constant.value);
    return () => compiled;
  }
  const kept = new Map<string, P>();
  return (item) => {
    const text = getter.get(item);
    const known = kept.get(text);
    if (known !== undefined) return known;
    const compiled = compile(text);
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value as string);
    kept.set(text, compiled);
    return compiled;
  };
}

export function regExp(text: string): GoRegExp {
  const compiled = compileGoRegExp(text);
  if (compiled instanceof GoRegExp) return compiled;
  throw new Failure(`${JSON.stringify(text)} is no regular expression of Go: ${compiled.wrong}`);
}

/** A pattern for keys, which are the same all the time: what it says of those seen is kept. */
export function keyPattern(text: string): { readonly test: (key: string) => boolean; readonly fails: (key: string) => boolean } {
  const expression = regExp(text);
  const test = remembered((key) => expression.test(key));
  return { test, fails: (key) => !test(key) };
}

/**
 * Globs of github.com/gobwas/glob without separators, as replace_match takes them: `*` and `**` any text, `?` one character, `[abc]`,
 * `[!a-z]`, `{a,b*}`, `\` takes the meaning from what follows. They become regular expressions for the whole text.
 */
export function glob(text: string): GoRegExp {
  const chars = [...text];
  let out = '';
  let depth = 0;
  for (let i = 0; i < chars.length; i += 1) {
    const char = chars[i] as string;
    if (char === '*') {
      if (chars[i + 1] === '*') i += 1;
      out += '.*';
    } else if (char === '?') out += '.';
    else if (char === '{') {
      depth += 1;
      out += '(?:';
    } else if (char === ',' && depth > 0) out += '|';
    else if (char === '}' && depth > 0) {
      depth -= 1;
      out += ')';
    } else if (char === '[') {
      const [set, end] = globSet(chars, i + 1, text);
      out += set;
      i = end;
    } else if (char === '\\') {
      i += 1;
      if (i < chars.length) out += quoted(chars[i] as string);
    } else out += quoted(char);
  }
  return regExp(`(?s)\\A(?:${out}${')'.repeat(depth)})\\z`);
}

/** A set from behind its bracket: its regular expression, and where it ends. */
function globSet(chars: readonly string[], from: number, text: string): readonly [string, number] {
  const wrong = (why: string): Failure => new Failure(`${JSON.stringify(text)} is no glob: ${why}`);
  const not = chars[from] === '!';
  let i = not ? from + 1 : from;
  const negation = not ? '^' : '';
  if (chars[i + 1] === '-') {
    const [low, high] = [chars[i], chars[i + 2]];
    if (low === undefined || high === undefined || chars[i + 3] !== ']') throw wrong('a range is one character, -, one character');
    if ((high.codePointAt(0) as number) < (low.codePointAt(0) as number)) throw wrong(`${high} comes before ${low}`);
    return [`[${negation}${quoted(low)}-${quoted(high)}]`, i + 3];
  }
  let set = '';
  for (; chars[i] !== ']'; i += 1) {
    if (chars[i] === '\\') i += 1;
    if (chars[i] === undefined) throw wrong('a set has no end');
    set += quoted(chars[i] as string);
  }
  if (set === '') throw wrong('a set is empty');
  return [`[${negation}${set}]`, i];
}

function quoted(char: string): string {
  return /[\\^$.|?*+()[\]{}-]/u.test(char) ? `\\${char}` : char;
}

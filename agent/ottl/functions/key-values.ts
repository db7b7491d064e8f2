import { Failure } from '../errors.ts';
import { goTrimmed } from './text.ts';

/** `a=1 b="x y"` as a map, like internal/coreinternal/parseutils: quotes keep delimiters and are dropped, also within a text. */
export function keyValues(text: string, delimiter: string, pairDelimiter: string): ReadonlyMap<string, string> {
  if (text === '') throw new Failure('an empty text has no keys and values');
  const result = new Map<string, string>();
  for (const pair of splitOutsideQuotes(text, pairDelimiter)) {
    const at = pair.indexOf(delimiter);
    if (at < 0) throw new Failure(`${JSON.stringify(pair)} has no ${JSON.stringify(delimiter)} in it`);
    result.set(goTrimmed(pair.slice(0, at)), goTrimmed(pair.slice(at + delimiter.length)));
  }
  return result;
}

function splitOutsideQuotes(text: string, delimiter: string): readonly string[] {
  const result: string[] = [];
  let current = '';
  let quote = '';
  let isEscaped = false;
  for (let i = 0; i < text.length; i += 1) {
    if (quote === '' && text.startsWith(delimiter, i)) {
      if (current !== '') result.push(current);
      current = '';
      i += delimiter.length - 1;
      continue;
    }
    const char = text.charAt(i);
    if (!isEscaped && quote === '' && (char === '"' || char === "'")) {
      quote = char;
      continue;
    }
    if (!isEscaped && char === quote) {
      quote = '';
      continue;
    }
    isEscaped = !isEscaped && char === '\\';
    current += char;
  }
  if (quote !== '') throw new Failure('a quote is never closed');
  return current === '' ? result : [...result, current];
}

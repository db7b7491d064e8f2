import { OttlError } from './errors.ts';

export type TokenKind =
  | 'bytes'
  | 'float'
  | 'int'
  | 'string'
  | 'nil'
  | 'not'
  | 'or'
  | 'and'
  | 'comparison'
  | 'arrow'
  | 'sign'
  | 'factor'
  | 'boolean'
  | 'equal'
  | 'punctuation'
  | 'upper'
  | 'lower'
  | 'underscore'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string its content. */
  readonly text: string;
  readonly at: number;
}

/**
 * The tokens of pkg/ottl/grammar.go, buildLexer(): the first rule that matches wins, not the longest one. `\s`, `\d` and `\b` are
 * ASCII there. The rules are tried on what is left, so that a word boundary in front of a rule says nothing: `Anil` is `A` and `nil`.
 */
const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ['bytes', /0x[a-fA-F0-9]+/y],
  ['float', /(?:[0-9]+\.[0-9]*|[0-9]*\.[0-9]+)(?:[eE][-+]?[0-9]+)?/y],
  ['int', /[0-9]+/y],
  ['string', /"(?:\\[^\n]|[^\\"])*"/y],
  ['nil', /nil\b/y],
  ['not', /not\b/y],
  ['or', /or\b/y],
  ['and', /and\b/y],
  ['comparison', /==|!=|>=|<=|>|</y],
  ['arrow', /=>/y],
  ['sign', /[+-]/y],
  ['factor', /[/*]/y],
  ['boolean', /(?:true|false)\b/y],
  ['equal', /=/y],
  ['punctuation', /[(){}:,.[\]]/y],
  ['upper', /[A-Z][A-Z0-9_]*/y],
  ['lower', /[a-z][a-z0-9_]*/y],
  ['underscore', /_\b/y],
];

const WHITESPACE = /[\t\n\f\r ]+/y;

/** Longest statement that is read; a longer one is a mistake. */
export const MAX_STATEMENT_LENGTH = 100_000;

/** Cuts a statement into tokens; the last one is `end`. */
export function tokenize(statement: string): Token[] {
  if (statement.length > MAX_STATEMENT_LENGTH) throw new OttlError(`is longer than ${MAX_STATEMENT_LENGTH} characters`, 0);
  const tokens: Token[] = [];
  let at = 0;
  next: while (at < statement.length) {
    WHITESPACE.lastIndex = at;
    if (WHITESPACE.test(statement)) {
      at = WHITESPACE.lastIndex;
      continue;
    }
    for (const [kind, rule] of RULES) {
      rule.lastIndex = at;
      const text = rule.exec(statement)?.[0];
      if (text === undefined) continue;
      tokens.push({ kind, text: kind === 'string' ? unquote(text, at) : text, at });
      at += text.length;
      continue next;
    }
    const open = statement[at] === '"' ? 'a text that does not end' : `unexpected ${JSON.stringify(statement.slice(at, at + 16))}`;
    throw new OttlError(open, at);
  }
  tokens.push({ kind: 'end', text: '', at: statement.length });
  return tokens;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** strconv.UnquoteChar of Go over a text in double quotes; \xFF is the code point U+00FF, as participle makes a rune of it. */
function unquote(quoted: string, at: number): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  let out = '';
  let pos = 1;
  while (pos < quoted.length - 1) {
    if (quoted[pos] !== '\\') {
      out += quoted[pos];
      pos += 1;
      continue;
    }
    const simple = SIMPLE_ESCAPES[quoted[pos + 1] as string];
    if (simple !== undefined) {
      out += simple;
      pos += 2;
      continue;
    }
    const coded = /^\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/u.exec(quoted.slice(pos, pos + 10));
    const code = coded === null ? -1 : Number.parseInt(coded[1] ?? coded[2] ?? coded[3] ?? coded[4] ?? '', coded[2] === undefined ? 16 : 8);
    const octalTooLarge = coded?.[2] !== undefined && code > 0xff;
    if (coded === null || code > 0x10ffff || octalTooLarge || (code >= 0xd800 && code <= 0xdfff)) {
      const written = quoted.slice(pos, pos + 2);
      throw new OttlError(
        `unknown escape ${written} in a text; a backslash itself is written \\\\, so the regular expression \\d is "\\\\d"`,
        at + pos,
      );
    }
    out += String.fromCodePoint(code);
    pos += coded[0].length;
  }
  return out;
}

const MAX_INT64 = 2n ** 63n - 1n;

/** The value of an `int` token by strconv.ParseInt with base 0: a leading zero is octal. */
export function integerOf(text: string, at: number): bigint {
  if (/^0[0-9]/u.test(text) && !/^[0-7]+$/u.test(text)) throw new OttlError(`${text}: a leading zero makes a number octal`, at);
  const value = /^0[0-7]/u.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text);
  if (value > MAX_INT64) throw new OttlError(`${text} does not fit 64 bits`, at);
  return value;
}

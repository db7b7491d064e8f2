import { OttlError } from './errors.ts';
import { type Token, type TokenKind, tokenize } from './lexer.ts';

/** Far more than anybody writes, and far less than the call stack holds. */
const MAX_DEPTH = 200;

/** A place among the tokens of a text that alternatives are tried from, and what is known of why nothing fitted. */
export class Cursor {
  readonly #tokens: readonly Token[];
  /** Index of the next token; set back where an alternative did not fit. */
  pos = 0;
  #depth = 0;
  /** The furthest token that could not be used, and what was wanted there. */
  #furthest = 0;
  #wanted = new Set<string>();

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  /** The token `ahead` of the next one; the last one, `end`, is behind all. */
  ahead(count: number): Token | undefined {
    return this.#tokens[this.pos + count];
  }

  peek(): Token {
    return this.#tokens[this.pos] as Token;
  }

  /** 1 takes the next token, -1 shows the one before. */
  token(step: 1 | -1): Token {
    const token = this.#tokens[step === 1 ? this.pos : this.pos - 1] as Token;
    if (step === 1) this.pos += 1;
    return token;
  }

  /** The next token where it is of this kind. */
  take(kind: TokenKind): Token | undefined {
    if (this.peek().kind === kind) return this.token(1);
    return this.none(WANTED[kind]);
  }

  /** The same for one text of it. */
  takeText(kind: TokenKind, text: string): boolean {
    if (this.peek().kind !== kind || this.peek().text !== text) return false;
    this.pos += 1;
    return true;
  }

  punctuation(text: string): boolean {
    if (this.takeText('punctuation', text)) return true;
    this.none(`"${text}"`);
    return false;
  }

  /** Notes what would have fitted here. */
  none(wanted: string | undefined): undefined {
    if (this.pos > this.#furthest) {
      this.#furthest = this.pos;
      this.#wanted = new Set();
    }
    if (this.pos === this.#furthest && wanted !== undefined) this.#wanted.add(wanted);
  }

  /** Ends the reading: the furthest token that nothing fitted. */
  fail(...wanted: readonly string[]): never {
    for (const one of wanted) this.none(one);
    const token = this.#tokens[this.#furthest] as Token;
    const found = token.kind === 'end' ? 'the end' : token.kind === 'string' ? `the text ${JSON.stringify(token.text)}` : `"${token.text}"`;
    const list = [...this.#wanted];
    throw new OttlError(`unexpected ${found}${list.length === 0 ? '' : `, wanted ${list.join(' or ')}`}`, token.at);
  }

  /** Counts how deep things are in each other. */
  deeper<T>(inner: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new OttlError(`is nested more than ${MAX_DEPTH} deep`, this.peek().at);
    const result = inner();
    this.#depth -= 1;
    return result;
  }
}

/** How an error calls what is missing; the others go without saying. */
const WANTED: Partial<Record<TokenKind, string>> = {
  comparison: 'a comparison (==, !=, <, <=, >, >=)',
  lower: 'a name',
  equal: undefined,
};

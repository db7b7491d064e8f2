import type {
  Argument,
  Call,
  ComparisonOperator,
  Condition,
  Field,
  Key,
  MathNode,
  MathOperator,
  Operand,
  Path,
  Statement,
  Value,
} from './ast.ts';
import { OttlError } from './errors.ts';
import { type Token, type TokenKind, tokenize } from './lexer.ts';

/**
 * The grammar of pkg/ottl/grammar.go. participle runs it as ordered choices without a way back into a choice that was made, and so does
 * this parser: an alternative gives undefined, the furthest token that nothing could be made of is what the error shows.
 * Lambda expressions are behind a feature gate upstream that is off; they are refused here, too.
 */
export function parseStatement(text: string): Statement {
  return new Parser(text).statement();
}

/** A condition of a filter, or what stands behind `where`. */
export function parseCondition(text: string): Condition {
  return new Parser(text).wholeCondition();
}

/** Far more than anybody writes, and far less than the call stack holds. */
const MAX_DEPTH = 200;

const MAX_INT64 = 2n ** 63n - 1n;

class Parser {
  readonly #tokens: readonly Token[];
  #pos = 0;
  #depth = 0;
  /** The furthest token that could not be used, and what was wanted there. */
  #furthest = 0;
  #wanted = new Set<string>();
  /** Operands by where they begin: an operand is tried as a value of its own and again as the start of a calculation. */
  readonly #operands = new Map<number, { readonly operand: Operand; readonly end: number } | undefined>();

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  statement(): Statement {
    const name = this.#take('upper') === undefined ? undefined : this.#token(-1);
    if (name !== undefined) throw new OttlError(`a statement begins with an editor, whose name is in lower case, as set(...)`, name.at);
    const editor = this.#call('lower') ?? this.#fail();
    const bracket = editor.keys[0];
    if (bracket !== undefined) throw new OttlError(`only paths and converters can be indexed, not ${editor.name}(...)`, bracket.at);
    const where = this.#takeText('lower', 'where') ? (this.#condition() ?? this.#fail()) : undefined;
    if (this.#peek().kind !== 'end') this.#fail('where', 'the end');
    return { editor, where };
  }

  wholeCondition(): Condition {
    const condition = this.#condition() ?? this.#fail();
    if (this.#peek().kind !== 'end') this.#fail('and', 'or', 'the end');
    return condition;
  }

  // Conditions: terms by `or`, values by `and`.

  #condition(): Condition | undefined {
    const terms = this.#chain('or', () => this.#term());
    return terms === undefined || terms.length > 1 ? terms && { kind: 'or', conditions: terms } : terms[0];
  }

  #term(): Condition | undefined {
    const values = this.#chain('and', () => this.#booleanValue());
    return values === undefined || values.length > 1 ? values && { kind: 'and', conditions: values } : values[0];
  }

  #chain<T>(separator: 'or' | 'and', part: () => T | undefined): T[] | undefined {
    const first = part();
    if (first === undefined) return undefined;
    const parts = [first];
    for (;;) {
      const before = this.#pos;
      const next = this.#take(separator) === undefined ? undefined : part();
      if (next === undefined) {
        this.#pos = before;
        return parts;
      }
      parts.push(next);
    }
  }

  #booleanValue(): Condition | undefined {
    const before = this.#pos;
    const not = this.#take('not') !== undefined;
    const value = this.#deeper(() => this.#comparison() ?? this.#constant() ?? this.#group());
    if (value === undefined) {
      this.#pos = before;
      return undefined;
    }
    return not ? { kind: 'not', condition: value } : value;
  }

  #comparison(): Condition | undefined {
    const before = this.#pos;
    const { at } = this.#peek();
    const left = this.#value();
    const operator = left === undefined ? undefined : this.#take('comparison');
    const right = operator === undefined ? undefined : this.#value();
    if (left === undefined || operator === undefined || right === undefined) {
      this.#pos = before;
      return undefined;
    }
    return { kind: 'compare', operator: operator.text as ComparisonOperator, left, right, at };
  }

  #constant(): Condition | undefined {
    const boolean = this.#take('boolean');
    if (boolean !== undefined) return { kind: 'constant', value: boolean.text === 'true' };
    const before = this.#pos;
    const operand = this.#operand();
    if (operand?.kind === 'converter') return { kind: 'converter', call: operand.call };
    this.#pos = before;
    return undefined;
  }

  #group(): Condition | undefined {
    const before = this.#pos;
    const condition = this.#punctuation('(') ? this.#condition() : undefined;
    if (condition !== undefined && this.#punctuation(')')) return condition;
    this.#pos = before;
    return undefined;
  }

  // Values.

  #value(): Value | undefined {
    return this.#deeper(() => this.#anyValue());
  }

  #anyValue(): Value | undefined {
    const { kind, text, at } = this.#peek();
    if (kind === 'arrow' || this.#isLambda()) throw new OttlError('lambda expressions are not supported', at);
    if (kind === 'nil') return this.#token(1) && { kind: 'nil', at };
    const before = this.#pos;
    const operand = this.#operand();
    if (operand !== undefined && !isOperator(this.#peek().kind)) return operand;
    this.#pos = before;
    const expression = this.#sum();
    if (expression !== undefined) return { kind: 'math', expression, at };
    this.#pos = before;
    if (kind === 'bytes') {
      if (text.length % 2 === 1) throw new OttlError(`${text} has an odd number of digits`, at);
      return this.#token(1) && { kind: 'bytes', value: Uint8Array.from(Buffer.from(text.slice(2), 'hex')), at };
    }
    if (kind === 'string') return this.#token(1) && { kind: 'string', value: text, at };
    if (kind === 'boolean') return this.#token(1) && { kind: 'boolean', value: text === 'true', at };
    if (kind === 'upper' && this.#tokens[this.#pos + 1]?.kind !== 'lower') return this.#token(1) && { kind: 'enum', name: text, at };
    return this.#map() ?? this.#list() ?? this.#none('a value');
  }

  /** `(a, b) =>` */
  #isLambda(): boolean {
    if (this.#peek().text !== '(' || this.#peek().kind !== 'punctuation') return false;
    let pos = this.#pos + 1;
    while (['lower', 'underscore'].includes(this.#tokens[pos]?.kind ?? '') || this.#tokens[pos]?.text === ',') pos += 1;
    return this.#tokens[pos]?.text === ')' && this.#tokens[pos + 1]?.kind === 'arrow';
  }

  #map(): Value | undefined {
    const before = this.#pos;
    const { at } = this.#peek();
    if (!this.#punctuation('{')) return undefined;
    const entries: (readonly [string, Value])[] = [];
    for (;;) {
      const start = this.#pos;
      const key = this.#take('string');
      const value = key !== undefined && this.#punctuation(':') ? this.#value() : undefined;
      if (key === undefined || value === undefined) {
        this.#pos = start;
        break;
      }
      entries.push([key.text, value]);
      this.#punctuation(',');
    }
    if (this.#punctuation('}')) return { kind: 'map', entries, at };
    this.#pos = before;
    return undefined;
  }

  #list(): Value | undefined {
    const before = this.#pos;
    const { at } = this.#peek();
    if (!this.#punctuation('[')) return undefined;
    const items: Value[] = [];
    // Upstream's rule is `'[' (@@)* (',' @@)* ']'`: the first values need no comma between them.
    for (let value = this.#value(); value !== undefined; value = this.#value()) items.push(value);
    for (let value = this.#valueBehindComma(); value !== undefined; value = this.#valueBehindComma()) items.push(value);
    if (this.#punctuation(']')) return { kind: 'list', items, at };
    this.#pos = before;
    return undefined;
  }

  #valueBehindComma(): Value | undefined {
    const before = this.#pos;
    const value = this.#punctuation(',') ? this.#value() : undefined;
    if (value === undefined) this.#pos = before;
    return value;
  }

  // Calculations: sums of products of operands with a sign.

  #sum(): MathNode | undefined {
    return this.#binary('sign', () => this.#binary('factor', () => this.#signed()));
  }

  #binary(operators: 'sign' | 'factor', part: () => MathNode | undefined): MathNode | undefined {
    let left = part();
    while (left !== undefined) {
      const before = this.#pos;
      const operator = this.#take(operators);
      const right: MathNode | undefined = operator === undefined ? undefined : part();
      if (operator === undefined || right === undefined) {
        this.#pos = before;
        return left;
      }
      left = { kind: 'binary', operator: operator.text as MathOperator, left, right, at: operator.at };
    }
    return undefined;
  }

  #signed(): MathNode | undefined {
    const before = this.#pos;
    const sign = this.#take('sign');
    const of = this.#deeper(() => this.#mathOperand());
    if (of === undefined) {
      this.#pos = before;
      return undefined;
    }
    return sign === undefined ? of : { kind: 'sign', sign: sign.text as '+' | '-', of, at: sign.at };
  }

  #mathOperand(): MathNode | undefined {
    const before = this.#pos;
    const operand = this.#operand();
    if (operand !== undefined) return { kind: 'operand', operand, at: operand.at };
    const inner = this.#punctuation('(') ? this.#sum() : undefined;
    if (inner !== undefined && this.#punctuation(')')) return inner;
    this.#pos = before;
    return undefined;
  }

  #operand(): Operand | undefined {
    const start = this.#pos;
    if (!this.#operands.has(start)) {
      const operand = this.#readOperand();
      this.#operands.set(start, operand && { operand, end: this.#pos });
      if (operand === undefined) this.#pos = start;
      return operand;
    }
    const known = this.#operands.get(start);
    if (known !== undefined) this.#pos = known.end;
    return known?.operand;
  }

  #readOperand(): Operand | undefined {
    const { kind, text, at } = this.#peek();
    if (kind === 'float') {
      const value = Number(text);
      if (!Number.isFinite(value)) throw new OttlError(`${text} does not fit a double`, at);
      return this.#token(1) && { kind: 'float', value, at };
    }
    if (kind === 'int') return this.#token(1) && { kind: 'int', value: int64(text, at), at };
    if (kind === 'lower') {
      const editor = this.#call('lower');
      if (editor !== undefined) throw new OttlError(`${editor.name}: converters begin with an upper-case letter`, at);
      const path = this.#path();
      return path && { kind: 'path', path, at };
    }
    const call = this.#call('upper');
    return call && { kind: 'converter', call, at };
  }

  #call(first: 'upper' | 'lower'): Call | undefined {
    const before = this.#pos;
    const { at } = this.#peek();
    const name = this.#name(first);
    const args = name !== undefined && this.#punctuation('(') ? this.#arguments() : undefined;
    if (name === undefined || args === undefined) {
      this.#pos = before;
      return undefined;
    }
    return { name, args, keys: this.#keys(), at };
  }

  /** `isMatch`, `SHA256`: tokens of letters in a row; spaces between them do not count, as upstream. */
  #name(first: 'upper' | 'lower'): string | undefined {
    let name = this.#take(first)?.text;
    while (name !== undefined && (this.#peek().kind === 'upper' || this.#peek().kind === 'lower')) name += this.#token(1).text;
    return name;
  }

  #arguments(): Argument[] | undefined {
    const args: Argument[] = [];
    if (this.#punctuation(')')) return args;
    for (;;) {
      const argument = this.#argument();
      if (argument === undefined) return undefined;
      args.push(argument);
      if (this.#punctuation(')')) return args;
      if (!this.#punctuation(',')) return undefined;
    }
  }

  #argument(): Argument | undefined {
    const before = this.#pos;
    const { at } = this.#peek();
    let name = this.#name('lower');
    if (name === undefined || this.#take('equal') === undefined) {
      name = undefined;
      this.#pos = before;
    }
    const start = this.#peek().at;
    const value = this.#value();
    if (value !== undefined) return { name, value, at };
    const functionName = this.#name('upper');
    return functionName === undefined ? undefined : { name, value: { kind: 'function', name: functionName, at: start }, at };
  }

  #path(): Path | undefined {
    const { at } = this.#peek();
    const second = this.#tokens[this.#pos + 1];
    const hasContext = this.#peek().kind === 'lower' && second?.text === '.' && second.kind === 'punctuation';
    const context = hasContext ? this.#token(1).text : undefined;
    if (hasContext) this.#punctuation('.');
    const fields: Field[] = [];
    for (;;) {
      const before = this.#pos;
      const name = fields.length === 0 || this.#punctuation('.') ? this.#take('lower') : undefined;
      if (name === undefined) {
        this.#pos = before;
        return fields.length === 0 ? undefined : { context, fields, at };
      }
      fields.push({ name: name.text, keys: this.#keys(), at: name.at });
    }
  }

  #keys(): Key[] {
    const keys: Key[] = [];
    for (;;) {
      const before = this.#pos;
      const key = this.#punctuation('[') ? this.#key() : undefined;
      if (key === undefined || !this.#punctuation(']')) {
        this.#pos = before;
        return keys;
      }
      keys.push(key);
    }
  }

  #key(): Key | undefined {
    const { kind, text, at } = this.#peek();
    if (kind === 'string') return this.#token(1) && { kind: 'string', value: text, at };
    if (kind === 'int') return this.#token(1) && { kind: 'int', value: int64(text, at), at };
    const expression = this.#deeper(() => this.#sum());
    return expression && { kind: 'math', expression, at };
  }

  // Tokens.

  #peek(): Token {
    return this.#tokens[this.#pos] as Token;
  }

  /** 1 takes the next token, -1 shows the one before. */
  #token(step: 1 | -1): Token {
    const token = this.#tokens[step === 1 ? this.#pos : this.#pos - 1] as Token;
    if (step === 1) this.#pos += 1;
    return token;
  }

  #take(kind: TokenKind): Token | undefined {
    if (this.#peek().kind === kind) return this.#token(1);
    return this.#none(WANTED[kind]);
  }

  #takeText(kind: TokenKind, text: string): boolean {
    if (this.#peek().kind !== kind || this.#peek().text !== text) return false;
    this.#pos += 1;
    return true;
  }

  #punctuation(text: string): boolean {
    if (this.#takeText('punctuation', text)) return true;
    this.#none(`"${text}"`);
    return false;
  }

  #none(wanted: string | undefined): undefined {
    if (this.#pos > this.#furthest) {
      this.#furthest = this.#pos;
      this.#wanted = new Set();
    }
    if (this.#pos === this.#furthest && wanted !== undefined) this.#wanted.add(wanted);
  }

  #fail(...wanted: readonly string[]): never {
    for (const one of wanted) this.#none(one);
    const token = this.#tokens[this.#furthest] as Token;
    const found = token.kind === 'end' ? 'the end' : token.kind === 'string' ? `the text ${JSON.stringify(token.text)}` : `"${token.text}"`;
    const list = [...this.#wanted];
    throw new OttlError(`unexpected ${found}${list.length === 0 ? '' : `, wanted ${list.join(' or ')}`}`, token.at);
  }

  #deeper<T>(inner: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new OttlError(`is nested more than ${MAX_DEPTH} deep`, this.#peek().at);
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

function isOperator(kind: TokenKind): boolean {
  return kind === 'sign' || kind === 'factor';
}

/** strconv.ParseInt with base 0: a leading zero is octal. */
function int64(text: string, at: number): bigint {
  if (/^0[0-9]/u.test(text) && !/^[0-7]+$/u.test(text)) throw new OttlError(`${text}: a leading zero makes a number octal`, at);
  const value = /^0[0-7]/u.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text);
  if (value > MAX_INT64) throw new OttlError(`${text} does not fit 64 bits`, at);
  return value;
}

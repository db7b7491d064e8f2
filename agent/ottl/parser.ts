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
import { Cursor } from './cursor.ts';
import { OttlError } from './errors.ts';
import { integerOf, type TokenKind } from './lexer.ts';

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

class Parser {
  readonly #cursor: Cursor;
  /** Operands by where they begin: an operand is tried as a value of its own and again as the start of a calculation. */
  readonly #operands = new Map<number, { readonly operand: Operand; readonly end: number } | undefined>();

  constructor(text: string) {
    this.#cursor = new Cursor(text);
  }

  statement(): Statement {
    const name = this.#cursor.take('upper') === undefined ? undefined : this.#cursor.token(-1);
    if (name !== undefined) throw new OttlError(`a statement begins with an editor, whose name is in lower case, as set(...)`, name.at);
    const editor = this.#call('lower') ?? this.#cursor.fail();
    const bracket = editor.keys[0];
    if (bracket !== undefined) throw new OttlError(`only paths and converters can be indexed, not ${editor.name}(...)`, bracket.at);
    const where = this.#cursor.takeText('lower', 'where') ? (this.#condition() ?? this.#cursor.fail()) : undefined;
    if (this.#cursor.peek().kind !== 'end') this.#cursor.fail('where', 'the end');
    return { editor, where };
  }

  wholeCondition(): Condition {
    const condition = this.#condition() ?? this.#cursor.fail();
    if (this.#cursor.peek().kind !== 'end') this.#cursor.fail('and', 'or', 'the end');
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
      const before = this.#cursor.pos;
      const next = this.#cursor.take(separator) === undefined ? undefined : part();
      if (next === undefined) {
        this.#cursor.pos = before;
        return parts;
      }
      parts.push(next);
    }
  }

  #booleanValue(): Condition | undefined {
    const before = this.#cursor.pos;
    const not = this.#cursor.take('not') !== undefined;
    const value = this.#cursor.deeper(() => this.#comparison() ?? this.#constant() ?? this.#group());
    if (value === undefined) {
      this.#cursor.pos = before;
      return undefined;
    }
    return not ? { kind: 'not', condition: value } : value;
  }

  #comparison(): Condition | undefined {
    const before = this.#cursor.pos;
    const { at } = this.#cursor.peek();
    const left = this.#value();
    const operator = left === undefined ? undefined : this.#cursor.take('comparison');
    const right = operator === undefined ? undefined : this.#value();
    if (left === undefined || operator === undefined || right === undefined) {
      this.#cursor.pos = before;
      return undefined;
    }
    return { kind: 'compare', operator: operator.text as ComparisonOperator, left, right, at };
  }

  #constant(): Condition | undefined {
    const boolean = this.#cursor.take('boolean');
    if (boolean !== undefined) return { kind: 'constant', value: boolean.text === 'true' };
    const before = this.#cursor.pos;
    const operand = this.#operand();
    if (operand?.kind === 'converter') return { kind: 'converter', call: operand.call };
    this.#cursor.pos = before;
    return undefined;
  }

  #group(): Condition | undefined {
    const before = this.#cursor.pos;
    const condition = this.#cursor.punctuation('(') ? this.#condition() : undefined;
    if (condition !== undefined && this.#cursor.punctuation(')')) return condition;
    this.#cursor.pos = before;
    return undefined;
  }

  // Values.

  #value(): Value | undefined {
    return this.#cursor.deeper(() => this.#anyValue());
  }

  #anyValue(): Value | undefined {
    const { kind, text, at } = this.#cursor.peek();
    if (kind === 'arrow' || this.#isLambda()) throw new OttlError('lambda expressions are not supported', at);
    if (kind === 'nil') return this.#cursor.token(1) && { kind: 'nil', at };
    const before = this.#cursor.pos;
    const operand = this.#operand();
    if (operand !== undefined && !isOperator(this.#cursor.peek().kind)) return operand;
    this.#cursor.pos = before;
    const expression = this.#sum();
    if (expression !== undefined) return { kind: 'math', expression, at };
    this.#cursor.pos = before;
    if (kind === 'bytes') {
      if (text.length % 2 === 1) throw new OttlError(`${text} has an odd number of digits`, at);
      return this.#cursor.token(1) && { kind: 'bytes', value: Uint8Array.from(Buffer.from(text.slice(2), 'hex')), at };
    }
    if (kind === 'string') return this.#cursor.token(1) && { kind: 'string', value: text, at };
    if (kind === 'boolean') return this.#cursor.token(1) && { kind: 'boolean', value: text === 'true', at };
    if (kind === 'upper' && this.#cursor.ahead(1)?.kind !== 'lower') return this.#cursor.token(1) && { kind: 'enum', name: text, at };
    return this.#map() ?? this.#list() ?? this.#cursor.none('a value');
  }

  /** `(a, b) =>` */
  #isLambda(): boolean {
    if (this.#cursor.peek().text !== '(' || this.#cursor.peek().kind !== 'punctuation') return false;
    let ahead = 1;
    while (['lower', 'underscore'].includes(this.#cursor.ahead(ahead)?.kind ?? '') || this.#cursor.ahead(ahead)?.text === ',') ahead += 1;
    return this.#cursor.ahead(ahead)?.text === ')' && this.#cursor.ahead(ahead + 1)?.kind === 'arrow';
  }

  #map(): Value | undefined {
    const before = this.#cursor.pos;
    const { at } = this.#cursor.peek();
    if (!this.#cursor.punctuation('{')) return undefined;
    const entries: (readonly [string, Value])[] = [];
    for (;;) {
      const start = this.#cursor.pos;
      const key = this.#cursor.take('string');
      const value = key !== undefined && this.#cursor.punctuation(':') ? this.#value() : undefined;
      if (key === undefined || value === undefined) {
        this.#cursor.pos = start;
        break;
      }
      entries.push([key.text, value]);
      this.#cursor.punctuation(',');
    }
    if (this.#cursor.punctuation('}')) return { kind: 'map', entries, at };
    this.#cursor.pos = before;
    return undefined;
  }

  #list(): Value | undefined {
    const before = this.#cursor.pos;
    const { at } = this.#cursor.peek();
    if (!this.#cursor.punctuation('[')) return undefined;
    const items: Value[] = [];
    // Upstream's rule is `'[' (@@)* (',' @@)* ']'`: the first values need no comma between them.
    for (let value = this.#value(); value !== undefined; value = this.#value()) items.push(value);
    for (let value = this.#valueBehindComma(); value !== undefined; value = this.#valueBehindComma()) items.push(value);
    if (this.#cursor.punctuation(']')) return { kind: 'list', items, at };
    this.#cursor.pos = before;
    return undefined;
  }

  #valueBehindComma(): Value | undefined {
    const before = this.#cursor.pos;
    const value = this.#cursor.punctuation(',') ? this.#value() : undefined;
    if (value === undefined) this.#cursor.pos = before;
    return value;
  }

  // Calculations: sums of products of operands with a sign.

  #sum(): MathNode | undefined {
    return this.#binary('sign', () => this.#binary('factor', () => this.#signed()));
  }

  #binary(operators: 'sign' | 'factor', part: () => MathNode | undefined): MathNode | undefined {
    let left = part();
    while (left !== undefined) {
      const before = this.#cursor.pos;
      const operator = this.#cursor.take(operators);
      const right: MathNode | undefined = operator === undefined ? undefined : part();
      if (operator === undefined || right === undefined) {
        this.#cursor.pos = before;
        return left;
      }
      left = { kind: 'binary', operator: operator.text as MathOperator, left, right, at: operator.at };
    }
    return undefined;
  }

  #signed(): MathNode | undefined {
    const before = this.#cursor.pos;
    const sign = this.#cursor.take('sign');
    const of = this.#cursor.deeper(() => this.#mathOperand());
    if (of === undefined) {
      this.#cursor.pos = before;
      return undefined;
    }
    return sign === undefined ? of : { kind: 'sign', sign: sign.text as '+' | '-', of, at: sign.at };
  }

  #mathOperand(): MathNode | undefined {
    const before = this.#cursor.pos;
    const operand = this.#operand();
    if (operand !== undefined) return { kind: 'operand', operand, at: operand.at };
    const inner = this.#cursor.punctuation('(') ? this.#sum() : undefined;
    if (inner !== undefined && this.#cursor.punctuation(')')) return inner;
    this.#cursor.pos = before;
    return undefined;
  }

  #operand(): Operand | undefined {
    const start = this.#cursor.pos;
    if (!this.#operands.has(start)) {
      const operand = this.#readOperand();
      this.#operands.set(start, operand && { operand, end: this.#cursor.pos });
      if (operand === undefined) this.#cursor.pos = start;
      return operand;
    }
    const known = this.#operands.get(start);
    if (known !== undefined) this.#cursor.pos = known.end;
    return known?.operand;
  }

  #readOperand(): Operand | undefined {
    const { kind, text, at } = this.#cursor.peek();
    if (kind === 'float') {
      const value = Number(text);
      if (!Number.isFinite(value)) throw new OttlError(`${text} does not fit a double`, at);
      return this.#cursor.token(1) && { kind: 'float', value, at };
    }
    if (kind === 'int') return this.#cursor.token(1) && { kind: 'int', value: integerOf(text, at), at };
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
    const before = this.#cursor.pos;
    const { at } = this.#cursor.peek();
    const name = this.#name(first);
    const args = name !== undefined && this.#cursor.punctuation('(') ? this.#arguments() : undefined;
    if (name === undefined || args === undefined) {
      this.#cursor.pos = before;
      return undefined;
    }
    return { name, args, keys: this.#keys(), at };
  }

  /** `isMatch`, `SHA256`: tokens of letters in a row; spaces between them do not count, as upstream. */
  #name(first: 'upper' | 'lower'): string | undefined {
    let name = this.#cursor.take(first)?.text;
    while (name !== undefined && (this.#cursor.peek().kind === 'upper' || this.#cursor.peek().kind === 'lower'))
      name += this.#cursor.token(1).text;
    return name;
  }

  #arguments(): Argument[] | undefined {
    const args: Argument[] = [];
    if (this.#cursor.punctuation(')')) return args;
    for (;;) {
      const argument = this.#argument();
      if (argument === undefined) return undefined;
      args.push(argument);
      if (this.#cursor.punctuation(')')) return args;
      if (!this.#cursor.punctuation(',')) return undefined;
    }
  }

  #argument(): Argument | undefined {
    const before = this.#cursor.pos;
    const { at } = this.#cursor.peek();
    let name = this.#name('lower');
    if (name === undefined || this.#cursor.take('equal') === undefined) {
      name = undefined;
      this.#cursor.pos = before;
    }
    const start = this.#cursor.peek().at;
    const value = this.#value();
    if (value !== undefined) return { name, value, at };
    const functionName = this.#name('upper');
    return functionName === undefined ? undefined : { name, value: { kind: 'function', name: functionName, at: start }, at };
  }

  #path(): Path | undefined {
    const { at } = this.#cursor.peek();
    const second = this.#cursor.ahead(1);
    const hasContext = this.#cursor.peek().kind === 'lower' && second?.text === '.' && second.kind === 'punctuation';
    const context = hasContext ? this.#cursor.token(1).text : undefined;
    if (hasContext) this.#cursor.punctuation('.');
    const fields: Field[] = [];
    for (;;) {
      const before = this.#cursor.pos;
      const name = fields.length === 0 || this.#cursor.punctuation('.') ? this.#cursor.take('lower') : undefined;
      if (name === undefined) {
        this.#cursor.pos = before;
        return fields.length === 0 ? undefined : { context, fields, at };
      }
      fields.push({ name: name.text, keys: this.#keys(), at: name.at });
    }
  }

  #keys(): Key[] {
    const keys: Key[] = [];
    for (;;) {
      const before = this.#cursor.pos;
      const key = this.#cursor.punctuation('[') ? this.#key() : undefined;
      if (key === undefined || !this.#cursor.punctuation(']')) {
        this.#cursor.pos = before;
        return keys;
      }
      keys.push(key);
    }
  }

  #key(): Key | undefined {
    const { kind, text, at } = this.#cursor.peek();
    if (kind === 'string') return this.#cursor.token(1) && { kind: 'string', value: text, at };
    if (kind === 'int') return this.#cursor.token(1) && { kind: 'int', value: integerOf(text, at), at };
    const expression = this.#cursor.deeper(() => this.#sum());
    return expression && { kind: 'math', expression, at };
  }
}

function isOperator(kind: TokenKind): boolean {
  return kind === 'sign' || kind === 'factor';
}

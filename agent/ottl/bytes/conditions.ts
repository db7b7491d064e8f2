import { compileGoRegExp, GoRegExp } from '../../config/go-regexp.ts';
import { WIRE_LEN, WIRE_VARINT } from '../../otlp/wire.ts';
import type { Call, ComparisonOperator, Condition, Field, Path, Value as ValueNode } from '../ast.ts';
import { Compiler, type PathStyle } from '../compile.ts';
import { AROUND, CONTEXTS, ownerOf } from '../contexts/contexts.ts';
import { conditionFunctions } from '../functions/functions.ts';
import type { Item } from '../item.ts';
import { parseCondition } from '../parser.ts';
import { printCondition } from '../print.ts';
import type { Value } from '../values.ts';
import {
  type ByteItem,
  type ByteSource,
  type ByteTest,
  intAt,
  LOG,
  type Place,
  placeOfAttribute,
  placeOfField,
  SPAN,
  statusCodeAt,
} from './byte-item.ts';
import { intComparison, textComparison, textMatch, valueComparison, valueMatch } from './leaves.ts';

/**
 * OTTL conditions about spans and log records as tests of their bytes, for what most conditions are: comparisons of an attribute, the name,
 * kind, status code, severity or body with something known, IsMatch of them, IsRootSpan(), and anything of resource and scope, combined
 * with and, or, not. Everything else has no such test, and then the Compiler's closures over views answer.
 *
 * The answers are those of the Compiler (test/agent/ottl/byte-conditions.test.ts asks both), and where that one fails this one throws.
 */
export class ByteCompiler {
  readonly #source: ByteSource;
  readonly #context: 'span' | 'log';
  readonly #style: PathStyle;
  readonly #general: Compiler;

  constructor(source: ByteSource, style: PathStyle) {
    this.#source = source;
    this.#context = source.signal === 'traces' ? 'span' : 'log';
    this.#style = style;
    this.#general = new Compiler(CONTEXTS[this.#context], conditionFunctions(this.#context), style);
  }

  /** undefined where there is no such test. */
  condition(text: string): ByteTest | undefined {
    return this.#test(parseCondition(text));
  }

  #test(condition: Condition): ByteTest | undefined {
    switch (condition.kind) {
      case 'constant':
        return () => condition.value;
      case 'not': {
        const test = this.#test(condition.condition);
        return test && ((at) => !test(at));
      }
      case 'and':
      case 'or':
        return this.#combined(condition.kind === 'or', condition.conditions);
      case 'compare':
        return this.#compare(condition) ?? this.#around(condition, [condition.left, condition.right]);
      case 'converter':
        return this.#converter(condition.call) ?? this.#around(condition, argumentsOf(condition.call));
    }
  }

  #combined(isOr: boolean, conditions: readonly Condition[]): ByteTest | undefined {
    const tests = conditions.map((each) => this.#test(each)).filter((each) => each !== undefined);
    if (tests.length < conditions.length) return undefined;
    return tests.reduceRight((rest, test) => (isOr ? (at) => test(at) || rest(at) : (at) => test(at) && rest(at)));
  }

  #compare({ left, right, operator }: Condition & { readonly kind: 'compare' }): ByteTest | undefined {
    const [of, with_, how] = left.kind === 'path' ? [left, right, operator] : [right, left, MIRRORED[operator]];
    const constant = this.#constant(with_);
    const about = of.kind === 'path' ? this.#located(of.path) : undefined;
    if (constant === undefined || about === undefined) return undefined;
    const text = this.#textField(about);
    if (text !== undefined) return textComparison(this.#source.field(text, WIRE_LEN), how, constant.value);
    const int = this.#intField(about);
    if (int !== undefined) return intComparison(int, how, constant.value);
    const place = this.#value(about);
    return place && valueComparison(place, how, constant.value);
  }

  #converter({ name, args, keys }: Call): ByteTest | undefined {
    if (keys.length > 0) return undefined;
    if (name === 'IsRootSpan' && args.length === 0 && this.#context === 'span') return this.#rootSpan();
    const [target, pattern] = args;
    if (name !== 'IsMatch' || args.length !== 2 || target === undefined || target.name !== undefined) return undefined;
    if (pattern?.name !== undefined || pattern?.value.kind !== 'string' || target.value.kind !== 'path') return undefined;
    const compiled = compileGoRegExp(pattern.value.value);
    const about = this.#located(target.value.path);
    if (!(compiled instanceof GoRegExp) || about === undefined) return undefined;
    const text = this.#textField(about);
    if (text !== undefined) return textMatch(this.#source.field(text, WIRE_LEN), compiled);
    const place = this.#value(about);
    return place && valueMatch(place, compiled);
  }

  #rootSpan(): ByteTest {
    const field = this.#source.field(SPAN.parentSpanId, WIRE_LEN);
    return ({ buf, fields }) => {
      for (let pos = fields.from[field] as number; pos < (fields.end[field] as number); pos += 1) if (buf[pos] !== 0) return false;
      return true;
    };
  }

  /** What the Compiler makes of a condition about nothing but resource and scope. */
  #around(condition: Condition, values: readonly (ValueNode | undefined)[]): ByteTest | undefined {
    if (condition.kind === 'converter' && (condition.call.name !== 'IsMatch' || condition.call.keys.length > 0)) return undefined;
    const surrounds = (value: ValueNode | undefined): boolean =>
      value !== undefined && (value.kind === 'path' ? this.#isAround(value.path) : this.#constant(value) !== undefined);
    if (!values.every(surrounds)) return undefined;
    const { test } = this.#general.condition(printCondition(condition));
    return this.#source.around((item: Item) => test(item));
  }

  #isAround(path: Path): boolean {
    const { owner, fields } = ownerOf(CONTEXTS[this.#context], path, this.#style);
    return AROUND.has(owner) && fields.every(({ keys }) => keys.every((key) => key.kind !== 'math'));
  }

  /** What a value is that needs no item. */
  #constant(value: ValueNode): { readonly value: Value } | undefined {
    return value.kind === 'path' || value.kind === 'converter' ? undefined : this.#general.getter(value).constant;
  }

  #textField({ names, keys }: About): number | undefined {
    if (keys.length > 0) return undefined;
    if (this.#context === 'span') return names === 'name' ? SPAN.name : undefined;
    return names === 'severity_text' ? LOG.severityText : undefined;
  }

  #intField({ names, keys }: About): ((at: ByteItem) => number) | undefined {
    if (keys.length > 0) return undefined;
    if (this.#context === 'log') return names === 'severity_number' ? this.#int(LOG.severityNumber) : undefined;
    if (names === 'kind') return this.#int(SPAN.kind);
    if (names !== 'status.code') return undefined;
    this.#source.field(SPAN.status, WIRE_LEN);
    return statusCodeAt;
  }

  #int(number: number): (at: ByteItem) => number {
    const field = this.#source.field(number, WIRE_VARINT);
    return (at) => intAt(at, field);
  }

  #value({ names, keys }: About): Place | undefined {
    if (names === 'body' && keys.length === 0 && this.#context === 'log') return placeOfField(this.#source.field(LOG.body, WIRE_LEN));
    const [key] = keys;
    if (names !== 'attributes' || keys.length !== 1 || key?.kind !== 'string') return undefined;
    const place = this.#source.attribute(key.value);
    return place === undefined ? undefined : placeOfAttribute(place);
  }

  /** A path of the item itself, keys only behind its last name. */
  #located(path: Path): About | undefined {
    const { owner, fields } = ownerOf(CONTEXTS[this.#context], path, this.#style);
    const last = fields.at(-1);
    if (owner !== this.#context || last === undefined || fields.some((field) => field !== last && field.keys.length > 0)) return undefined;
    return { names: fields.map(({ name }) => name).join('.'), keys: last.keys };
  }
}

/** A path below the item: `status.code`, `attributes` with a key. */
interface About {
  readonly names: string;
  readonly keys: Field['keys'];
}

const MIRRORED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function argumentsOf({ args }: Call): readonly (ValueNode | undefined)[] {
  return args.map(({ value }) => (value.kind === 'function' ? undefined : value));
}

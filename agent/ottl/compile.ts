import { type Accessor, constant, type Getter, type KeyGetter } from './access.ts';
import type { Call, Condition, Field, Key, MathNode, Operand, Path, Value as ValueNode } from './ast.ts';
import { compare } from './compare.ts';
import { type ContextDefinition, resolvePath } from './contexts/contexts.ts';
import { Segment } from './contexts/segment.ts';
import { Failure, OttlError } from './errors.ts';
import { buildArguments } from './functions/arguments.ts';
import type { FunctionDefinition } from './functions/define.ts';
import { type FunctionSet, unknownFunction } from './functions/functions.ts';
import { indexed, mapElement } from './indexing.ts';
import type { Item } from './item.ts';
import { type ConverterArgument, type Scope, string } from './kinds.ts';
import { calculate, negated } from './math.ts';
import { parseCondition, parseStatement } from './parser.ts';
import { printPath } from './print.ts';
import { GoSlice, typeName, type Value } from './values.ts';

/**
 * How a path names its context:
 *  - `named`: it must (`span.name`), as in statements whose context is inferred;
 *  - `prepended`: it may, the statement's own one is put in front of those that do not, as in groups with `context`;
 *  - `plain`: it may not; `resource.attributes` are the first names of a path, as in filter's traces.span.
 */
export type PathStyle = 'named' | 'prepended' | 'plain';

export interface CompiledStatement {
  readonly text: string;
  /** What stands behind `where`; a statement without it is always run. */
  readonly where: (item: Item) => boolean;
  readonly run: (item: Item) => void;
}

export interface CompiledCondition {
  readonly text: string;
  readonly test: (item: Item) => boolean;
}

/** A condition, and what it is where that is known at start. */
interface Test {
  readonly test: (item: Item) => boolean;
  readonly constant?: boolean;
}

/** Makes closures of statements, for one context. Every mistake is an OttlError with its place. */
export class Compiler implements Scope {
  readonly #context: ContextDefinition;
  readonly #functions: FunctionSet;
  readonly #style: PathStyle;

  constructor(context: ContextDefinition, functions: FunctionSet, style: PathStyle) {
    this.#context = context;
    this.#functions = functions;
    this.#style = style;
  }

  statement(text: string): CompiledStatement {
    const { editor, where } = parseStatement(text);
    const run = this.#call(editor);
    const condition = where === undefined ? ALWAYS : this.#test(where);
    return { text, where: condition.test, run };
  }

  condition(text: string): CompiledCondition {
    return { text, test: this.#test(parseCondition(text)).test };
  }

  getter(value: ValueNode): Getter {
    switch (value.kind) {
      case 'nil':
        return constant(undefined);
      case 'string':
      case 'boolean':
      case 'bytes':
        return constant(value.value);
      case 'enum':
        return constant(BigInt(this.#enum(value.name, value.at)));
      case 'list':
        return this.#list(value.items.map((each) => this.getter(each)));
      case 'map':
        return this.#map(
          value.entries.map(([key, each]) => [key, this.getter(each)] as const),
          value.at,
        );
      case 'math':
        return this.#math(value.expression);
      default:
        return this.#operand(value);
    }
  }

  path(path: Path): Accessor {
    const { context, fields } = this.#located(path);
    const last = fields.reduceRight<Segment | undefined>(
      (next, field) => new Segment(field.name, this.#keys(field.keys), next, field.at),
      undefined,
    ) as Segment;
    const accessor = resolvePath(this.#context, context, last, printPath(path));
    last.proveUsed();
    return accessor;
  }

  converter(name: string, at: number): ConverterArgument {
    const definition = this.#function(name, at);
    const [parameter, ...more] = Object.keys(definition.parameters);
    // Upstream looks at the number of arguments when the converter is called, and crashes where its argument is of another type.
    if (parameter === undefined || more.length > 0 || definition.parameters[parameter] !== string) {
      const get = (): never => {
        throw new Failure(`${name} is no converter of one text`);
      };
      return () => ({ get });
    }
    return (input) => ({ get: definition.create({ [parameter]: input }) });
  }

  /** Where a path begins, by the style. */
  #located(path: Path): { readonly context: string; readonly fields: readonly Field[] } {
    const known = path.context !== undefined && this.#context.pathContexts.includes(path.context);
    if (known && this.#style !== 'plain') return { context: path.context as string, fields: path.fields };
    const whole = path.context === undefined ? path.fields : [{ name: path.context, keys: [], at: path.at }, ...path.fields];
    if (this.#style === 'plain') return { context: '', fields: whole };
    if (this.#style === 'prepended') return { context: this.#context.name, fields: whole };
    const names = this.#context.pathContexts.join(', ');
    throw new OttlError(`the path ${printPath(path)} has to begin with its context, one of ${names}`, path.at);
  }

  #enum(name: string, at: number): number {
    const number = Object.hasOwn(this.#context.enums, name) ? this.#context.enums[name] : undefined;
    if (number !== undefined) return number;
    const known = Object.keys(this.#context.enums);
    const list = known.length === 0 ? `the context ${this.#context.name} has none` : `${this.#context.name} knows ${known.join(', ')}`;
    throw new OttlError(`unknown enum symbol ${name}; ${list}`, at);
  }

  #operand(operand: Operand): Getter {
    switch (operand.kind) {
      case 'int':
      case 'float':
        return constant(operand.value);
      case 'path':
        return this.path(operand.path);
      case 'converter':
        return this.#converterCall(operand.call);
    }
  }

  #converterCall(call: Call): Getter {
    const run = this.#call(call);
    const keys = this.#keys(call.keys);
    return { get: keys.length === 0 ? run : (item) => indexed(run(item), keys, item) };
  }

  #call(call: Call): (item: Item) => Value {
    const definition = this.#function(call.name, call.at);
    const args = buildArguments(definition, call, this);
    try {
      return definition.create(args);
    } catch (error) {
      if (error instanceof Failure) throw new OttlError(`${call.name}: ${error.message}`, call.at);
      throw error;
    }
  }

  #function(name: string, at: number): FunctionDefinition {
    return this.#functions.get(name) ?? unknownFunction(name, this.#functions, at);
  }

  #list(items: readonly Getter[]): Getter {
    const get = (item: Item): Value =>
      new GoSlice(
        'any',
        items.map((each) => each.get(item)),
      );
    return items.every((each) => each.constant !== undefined) ? constant(get(NO_ITEM)) : { get };
  }

  #map(entries: readonly (readonly [string, Getter])[], at: number): Getter {
    const get = (item: Item): Value => new Map(entries.map(([key, each]) => [key, mapElement(each.get(item))] as const));
    if (entries.some(([, each]) => each.constant === undefined)) return { get };
    try {
      return constant(get(NO_ITEM));
    } catch (error) {
      if (error instanceof Failure) throw new OttlError(error.message, at);
      throw error;
    }
  }

  #math(node: MathNode): Getter {
    switch (node.kind) {
      case 'operand':
        return this.#operand(node.operand);
      case 'sign': {
        const of = this.#math(node.of);
        if (node.sign === '+') return of;
        if (of.constant !== undefined && node.of.kind === 'operand') return constant(negated(of.constant.value));
        return { get: (item) => negated(of.get(item)) };
      }
      case 'binary': {
        const { operator } = node;
        const left = this.#math(node.left);
        const right = this.#math(node.right);
        return { get: (item) => calculate(left.get(item), operator, right.get(item)) };
      }
    }
  }

  #keys(keys: readonly Key[]): readonly KeyGetter[] {
    return keys.map((key) => (key.kind === 'math' ? { kind: 'expression', getter: this.#math(key.expression) } : key));
  }

  #test(condition: Condition): Test {
    switch (condition.kind) {
      case 'constant':
        return { test: () => condition.value, constant: condition.value };
      case 'not': {
        const { test, constant: known } = this.#test(condition.condition);
        return { test: (item) => !test(item), ...(known === undefined ? {} : { constant: !known }) };
      }
      case 'and':
      case 'or':
        return combined(
          condition.kind === 'or',
          condition.conditions.map((each) => this.#test(each)),
        );
      case 'converter': {
        const getter = this.#converterCall(condition.call);
        return { test: (item) => truth(getter.get(item), condition.call.name) };
      }
      case 'compare': {
        const { operator } = condition;
        const left = this.getter(condition.left);
        const right = this.getter(condition.right);
        if (left.constant !== undefined && right.constant !== undefined) {
          const result = compare(left.constant.value, right.constant.value, operator);
          return { test: () => result, constant: result };
        }
        return { test: (item) => compare(left.get(item), right.get(item), operator) };
      }
    }
  }
}

const ALWAYS: Test = { test: () => true, constant: true };

/** For getters that look at no item. */
const NO_ITEM = undefined as unknown as Item;

function truth(value: Value, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new Failure(`${name} gave a ${typeName(value)} where a boolean is wanted`);
}

/** `and` and `or` without the parts that say nothing, so that a literal also saves what stands beside it, as upstream. */
function combined(isOr: boolean, parts: readonly Test[]): Test {
  if (parts.some((part) => part.constant === isOr)) return { test: () => isOr, constant: isOr };
  const open = parts.filter((part) => part.constant === undefined);
  if (open.length === 0) return { test: () => !isOr, constant: !isOr };
  if (open.length === 1) return open[0] as Test;
  const tests = open.map((part) => part.test);
  return { test: isOr ? (item) => tests.some((test) => test(item)) : (item) => tests.every((test) => test(item)) };
}

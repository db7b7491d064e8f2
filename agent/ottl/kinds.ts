import type { AnyValue } from '../otlp/view/any-value.ts';
import type { AttributesView } from '../otlp/view/attributes.ts';
import { type Accessor, constant, type Getter } from './access.ts';
import type { FunctionName, Path, Value as ValueNode } from './ast.ts';
import {
  boolLike,
  bytesLike,
  doubleLike,
  intLike,
  stringLike,
  wantBool,
  wantDouble,
  wantInt,
  wantList,
  wantMap,
  wantString,
} from './convert.ts';
import { Failure, OttlError } from './errors.ts';
import type { Item } from './item.ts';
import { isMap, type MapValue, type Value } from './values.ts';

/** What a kind of argument needs of the compiler. */
export interface Scope {
  getter(value: ValueNode): Getter;
  path(path: Path): Accessor;
  /** A converter handed over by its name, made for the text that it is to be called with. */
  converter(name: string, at: number): ConverterArgument;
}

/** The `function` argument of the replace editors. */
export type ConverterArgument = (input: Getter<string>) => Getter;

/** One kind of argument: what it takes, and what a function gets of it. See buildArg in pkg/ottl/functions.go. */
export interface Kind<T> {
  /** Completes "wants ...". */
  readonly wants: string;
  readonly isOptional: boolean;
  build(value: ValueNode | FunctionName, scope: Scope): T;
}

function kind<T>(wants: string, build: (value: ValueNode, scope: Scope) => T): Kind<T> {
  return {
    wants,
    isOptional: false,
    build: (value, scope) => {
      if (value.kind === 'function') throw new OttlError(`wants ${wants}, not the name of a converter`, value.at);
      return build(value, scope);
    },
  };
}

/** A getter whose values are turned into one type; literals are turned, and refused, at start. */
function typed<T>(wants: string, turn: (value: Value) => T): Kind<Getter<T>> {
  return kind(wants, (value, scope) => {
    const getter = scope.getter(value);
    if (getter.constant === undefined) return { get: (item) => turn(getter.get(item)) };
    try {
      return constant(turn(getter.constant.value));
    } catch (error) {
      if (error instanceof Failure) throw new OttlError(`wants ${wants}: ${error.message}`, value.at);
      throw error;
    }
  });
}

function literal<T>(wants: string, read: (value: ValueNode) => T | undefined): Kind<T> {
  return kind(wants, (value) => {
    const found = read(value);
    if (found === undefined) throw new OttlError(`wants ${wants}, written as such`, value.at);
    return found;
  });
}

export function optional<T>(inner: Kind<T>): Kind<T | undefined> {
  return { ...inner, isOptional: true };
}

/** `["a", "b"]`: a list literal whose elements are of one kind. */
export function listOf<T>(inner: Kind<T>): Kind<readonly T[]> {
  return kind(`a list, each of it ${inner.wants}`, (value, scope) => {
    if (value.kind !== 'list') throw new OttlError(`wants a list, written as such`, value.at);
    return value.items.map((each) => inner.build(each, scope));
  });
}

export const anything: Kind<Getter> = kind('a value', (value, scope) => scope.getter(value));
export const string = typed('a text', wantString);
export const int = typed('an integer', wantInt);
export const double = typed('a double', wantDouble);
export const bool = typed('a boolean', wantBool);
export const map = typed('a map', wantMap);
export const list = typed('a list', wantList);
export const likeString = typed('something with a text', stringLike);
export const likeInt = typed('something with a number', intLike);
export const likeDouble = typed('something with a number', doubleLike);
export const likeBool = typed('something that is true or false', boolLike);
export const likeBytes = typed('something with bytes', bytesLike);

export const literalString = literal('a text', (value) => (value.kind === 'string' ? value.value : undefined));
export const literalInt = literal('an integer', (value) => (value.kind === 'int' ? value.value : undefined));
export const literalBool = literal('true or false', (value) => (value.kind === 'boolean' ? value.value : undefined));

/** Something that can be read and written: a path. */
export const path: Kind<Accessor> = kind('a path', (value, scope) => {
  if (value.kind !== 'path') throw new OttlError('wants a path, as attributes["key"] or name', value.at);
  return scope.path(value.path);
});

/** A path to a map. `edit` gives it to be changed, and writes it back. */
export interface MapTarget {
  get(item: Item): MapValue;
  set(item: Item, value: ReadonlyMap<string, AnyValue>): void;
  edit(item: Item, change: (map: EditableMap) => void): void;
}

/** What attributes and plain maps have in common. */
export interface EditableMap {
  readonly size: number;
  has(key: string): boolean;
  get(key: string): AnyValue;
  set(key: string, value: AnyValue): void;
  delete(key: string): boolean;
  deleteIf(test: (key: string) => boolean): void;
  entries(): Iterable<readonly [string, AnyValue]>;
  mapValues(change: (value: AnyValue) => AnyValue): void;
  /** The same for texts alone; `change` gives ASCII of no more than `unlessLonger` bytes back as it is. */
  mapTexts(change: (text: string) => string, unlessLonger?: number): void;
}

export const mapPath: Kind<MapTarget> = kind('a path to a map', (value, scope) => {
  const accessor = path.build(value, scope);
  const get = (item: Item): MapValue => {
    const found = accessor.get(item);
    if (!isMap(found)) return wantMap(found);
    return found;
  };
  return {
    get,
    set: (item, changed) => accessor.set(item, changed),
    edit: (item, change) => {
      const found = get(item);
      // Attributes change where they are; any other map is a value, so that its copy is changed and set.
      if (!(found instanceof Map)) {
        change(found as AttributesView);
        return;
      }
      const copy = new PlainMap(found as ReadonlyMap<string, AnyValue>);
      change(copy);
      accessor.set(item, copy.map);
    },
  };
});

class PlainMap implements EditableMap {
  readonly map: Map<string, AnyValue>;
  constructor(map: ReadonlyMap<string, AnyValue>) {
    this.map = new Map(map);
  }

  get size(): number {
    return this.map.size;
  }

  has(key: string): boolean {
    return this.map.has(key);
  }

  get(key: string): AnyValue {
    return this.map.get(key);
  }

  set(key: string, value: AnyValue): void {
    this.map.set(key, value);
  }

  delete(key: string): boolean {
    return this.map.delete(key);
  }

  deleteIf(test: (key: string) => boolean): void {
    for (const key of [...this.map.keys()]) if (test(key)) this.map.delete(key);
  }

  entries(): Iterable<readonly [string, AnyValue]> {
    return [...this.map];
  }

  mapValues(change: (value: AnyValue) => AnyValue): void {
    for (const [key, value] of this.map) this.map.set(key, change(value));
  }

  mapTexts(change: (text: string) => string): void {
    this.mapValues((value) => (typeof value === 'string' ? change(value) : value));
  }
}

/** The name of a converter: `SHA256`. An upper-case name alone is read as an enum symbol. */
export const converter: Kind<ConverterArgument> = {
  wants: 'the name of a converter',
  isOptional: false,
  build: (value, scope) => {
    if (value.kind !== 'function' && value.kind !== 'enum') throw new OttlError('wants the name of a converter, as SHA256', value.at);
    return scope.converter(value.name, value.at);
  },
};

import type { AnyValue } from '../otlp/view/any-value.ts';
import { AttributesView } from '../otlp/view/attributes.ts';
import type { KeyGetter } from './access.ts';
import { fromRaw } from './convert.ts';
import { Failure } from './errors.ts';
import type { Item } from './item.ts';
import { frozen, GoSlice, isList, isMap, type MapValue, typeName, type Value } from './values.ts';

/** Indexing of values, as contexts/internal/ctxutil (paths) and pkg/ottl/expression.go (converters) do it. */

/** Padding that an index behind the end of a new list may make; upstream has no limit, and one statement could eat the memory. */
const MAX_NEW_LENGTH = 10_000n;

/** `attributes["a"][0]`: absent keys are nil, a list's end and other kinds of value are failures. */
export function getIn(map: MapValue, keys: readonly KeyGetter[], item: Item): Value {
  const name = nameOf(keys[0] as KeyGetter, item);
  if (!map.has(name)) return undefined;
  return getInValue(map.get(name), keys, 1, item);
}

/** The same below a value. */
export function getInValue(value: AnyValue, keys: readonly KeyGetter[], from: number, item: Item): AnyValue {
  let current = value;
  for (let i = from; i < keys.length; i += 1) {
    const key = keys[i] as KeyGetter;
    if (isMap(current)) {
      const name = nameOf(key, item);
      if (!current.has(name)) return undefined;
      current = current.get(name);
    } else if (isList(current)) {
      current = current[placeIn(current, key, item)];
    } else {
      throw new Failure(`a ${typeName(current)} cannot be indexed`);
    }
  }
  return current;
}

/** Sets `attributes["a"][0]`; what is missing on the way is made, also where the value then turns out to be none, as upstream. */
export function setIn(map: AttributesView | Map<string, AnyValue>, keys: readonly KeyGetter[], value: Value, item: Item): void {
  const name = nameOf(keys[0] as KeyGetter, item);
  // One that is new and has nothing in it is what most statements make.
  if (keys.length === 1 && typeof value === 'string' && !map.has(name)) {
    map.set(name, value);
    return;
  }
  const current = map.get(name);
  const result = placed(current, keys, 1, value, item);
  if (result.value !== current || !map.has(name)) map.set(name, result.value);
  if (result.failure !== undefined) throw result.failure;
}

/** The same below a value, which is not changed: the new one is returned, with what went wrong. */
export function placed(
  current: AnyValue,
  keys: readonly KeyGetter[],
  from: number,
  value: Value,
  item: Item,
): { readonly value: AnyValue; readonly failure?: Failure } {
  try {
    return place(current, keys, from, value, item);
  } catch (error) {
    if (error instanceof Failure) return { value: current, failure: error };
    throw error;
  }
}

function place(
  current: AnyValue,
  keys: readonly KeyGetter[],
  from: number,
  value: Value,
  item: Item,
): { readonly value: AnyValue; readonly failure?: Failure } {
  const key = keys[from];
  if (key === undefined) return { value: assigned(current, value) };
  if (isMap(current)) {
    const name = nameOf(key, item);
    const inner = placed(current.get(name), keys, from + 1, value, item);
    return { ...inner, value: new Map(current).set(name, inner.value) };
  }
  if (isList(current)) {
    const index = placeIn(current, key, item);
    const inner = placed(current[index], keys, from + 1, value, item);
    return { ...inner, value: current.with(index, inner.value) };
  }
  if (current !== undefined) throw new Failure(`a ${typeName(current)} cannot be indexed`);
  // An empty value becomes a list or a map, whichever the key wants.
  const wanted = key.kind === 'expression' ? key.getter.get(item) : key.value;
  if (typeof wanted === 'bigint') {
    if (wanted > MAX_NEW_LENGTH) throw new Failure(`index ${wanted} of a new list`);
    const inner = placed(undefined, keys, from + 1, value, item);
    const padding = new Array<AnyValue>(Math.max(0, Number(wanted))).fill(undefined);
    return { ...inner, value: [...padding, inner.value] };
  }
  if (typeof wanted !== 'string') throw new Failure(`a ${typeName(wanted)} is neither a key nor an index`);
  const inner = placed(undefined, keys, from + 1, value, item);
  return { ...inner, value: new Map([[wanted, inner.value]]) };
}

/** ctxutil.SetValue: what a value becomes that is set to `value`; nil leaves it. */
export function assigned(current: AnyValue, value: Value): AnyValue {
  if (value === undefined) return current;
  if (typeof value !== 'object' || value instanceof Uint8Array || isList(value)) return value;
  if (isMap(value)) return frozen(value);
  if (value instanceof GoSlice && value.of !== 'uint64') {
    return value.items.map((each, i) => {
      try {
        return assigned(undefined, each);
      } catch (error) {
        // Only the last one's error is looked at upstream.
        if (i === value.items.length - 1) throw error;
        return undefined;
      }
    });
  }
  throw new Failure(`a ${typeName(value)} cannot be set here`);
}

/** ctxutil.SetMap: the whole map. */
export function assignMap(target: AttributesView | Map<string, AnyValue>, value: Value): void {
  if (value === undefined || value === target) return;
  if (!isMap(value)) throw new Failure(`a ${typeName(value)} cannot replace a map`);
  if (target instanceof AttributesView) {
    target.replaceAll(frozen(value));
    return;
  }
  const entries = [...frozen(value)];
  target.clear();
  for (const [key, each] of entries) target.set(key, each);
}

/** What a converter gave, indexed: here also absent keys are failures. */
export function indexed(value: Value, keys: readonly KeyGetter[], item: Item): Value {
  let current = value;
  for (const key of keys) {
    const wanted = key.kind === 'expression' ? key.getter.get(item) : key.value;
    if (typeof wanted === 'string') {
      if (!isMap(current)) throw new Failure(`a ${typeName(current)} has no keys`);
      if (!current.has(wanted)) throw new Failure(`there is no key ${JSON.stringify(wanted)}`);
      current = current.get(wanted);
    } else if (typeof wanted === 'bigint') {
      const items: readonly Value[] | undefined = current instanceof GoSlice && current.of !== 'uint64' ? current.items : undefined;
      const list = items ?? (isList(current) || current instanceof Uint8Array ? (current as readonly Value[]) : undefined);
      if (list === undefined) throw new Failure(`a ${typeName(current)} has no places`);
      if (wanted < 0n || wanted >= BigInt(list.length)) throw new Failure(`index ${wanted} is out of bounds`);
      current = list[Number(wanted)];
      if (typeof current === 'number' && list instanceof Uint8Array) current = BigInt(current);
    } else {
      throw new Failure(`a ${typeName(wanted)} is neither a key nor an index`);
    }
  }
  return current;
}

/** Elements of a map literal: lists of it may hold maps, and those no maps again. */
export function mapElement(value: Value): AnyValue {
  if (isMap(value)) return frozen(value);
  if (value instanceof GoSlice && value.of === 'any') return value.items.map((each) => (isMap(each) ? frozen(each) : fromRaw(each)));
  return fromRaw(value);
}

function nameOf(key: KeyGetter, item: Item): string {
  const name = key.kind === 'expression' ? key.getter.get(item) : key.value;
  if (typeof name !== 'string') throw new Failure(`a map wants a text as key, not a ${typeName(name)}`);
  return name;
}

function placeIn(list: readonly AnyValue[], key: KeyGetter, item: Item): number {
  const place = key.kind === 'expression' ? key.getter.get(item) : key.value;
  if (typeof place !== 'bigint') throw new Failure(`a list wants an integer as index, not a ${typeName(place)}`);
  if (place < 0n || place >= BigInt(list.length)) throw new Failure(`index ${place} is out of bounds`);
  return Number(place);
}

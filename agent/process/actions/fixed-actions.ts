import { copyBytes } from '../../otlp/edit-items.ts';
import type { ItemFields } from '../../otlp/item-fields.ts';
import { encodeAnyValue, encodeKeyValue } from '../../otlp/view/any-value.ts';
import { bytesField } from '../../otlp/view/scalars.ts';
import { varintSize, WIRE_LEN, writeVarint } from '../../otlp/wire.ts';
import type { AttributeAction } from './action.ts';

/** What becomes of one attribute when all actions were done with it. */
interface Outcome {
  /** Of the attribute that came in: `set` is the field `value` of its KeyValue. */
  readonly came: 'kept' | 'removed' | { readonly set: Uint8Array };
  /** One put behind all fields, tag included, and by which action, as they stand in that order. */
  readonly added: { readonly field: Uint8Array; readonly by: number } | undefined;
}

/**
 * Actions whose outcome is known at start for each of their keys, whether it came or not: insert, update and upsert of a fixed value, and
 * delete of a key. What they do to an item is where these keys lie in it, and so nothing is made for it; AttributeList takes five times as
 * long (test/bench/agent-processors.mjs).
 */
export class FixedActions {
  /** Bytes that they add to an item at most. */
  readonly growth: number;
  readonly #field: number;
  readonly #places: readonly number[];
  /** By place in `#places`: of an attribute that came, and of one that did not. */
  readonly #present: readonly Outcome[];
  readonly #absent: readonly Outcome[];
  /** Places of attributes that came and are changed, in the order of the bytes, and how many there are. */
  readonly #changed: Int32Array;
  #changes = 0;
  #adds = false;

  /** `placeOf` gives the place of a key in ItemFields. undefined where the actions are others, or a key cannot be looked for. */
  static of(actions: readonly AttributeAction[], field: number, placeOf: (key: string) => number | undefined): FixedActions | undefined {
    if (!actions.every(isFixed)) return undefined;
    const keys = [...new Set(actions.map(({ key }) => key))];
    const places = keys.map(placeOf).filter((place) => place !== undefined);
    return places.length < keys.length ? undefined : new FixedActions(actions, field, keys, places);
  }

  private constructor(actions: readonly AttributeAction[], field: number, keys: readonly string[], places: readonly number[]) {
    this.#field = field;
    this.#places = places;
    this.#present = keys.map((key) => outcome(actions, field, key, true));
    this.#absent = keys.map((key) => outcome(actions, field, key, false));
    this.#changed = new Int32Array(keys.length);
    this.growth = [...this.#present, ...this.#absent].reduce((sum, each) => sum + growthOf(each), 0);
  }

  /** Whether an item changes, whose keys lie so. */
  decide({ valueEnd, keyStart }: ItemFields): boolean {
    this.#changes = 0;
    this.#adds = false;
    for (let i = 0; i < this.#places.length; i += 1) {
      const place = this.#places[i] as number;
      const came = valueEnd[place] !== -1;
      const result = (came ? this.#present : this.#absent)[i] as Outcome;
      if (result.added !== undefined) this.#adds = true;
      if (!came || result.came === 'kept') continue;
      let at = this.#changes;
      this.#changes += 1;
      for (; at > 0 && (keyStart[this.#places[this.#changed[at - 1] as number] as number] as number) > (keyStart[place] as number); at -= 1)
        this.#changed[at] = this.#changed[at - 1] as number;
      this.#changed[at] = i;
    }
    return this.#changes > 0 || this.#adds;
  }

  /** Directly after `decide`: the item at [from, end) as it is now; returns the position behind it. */
  write(fields: ItemFields, buf: Uint8Array, from: number, end: number, out: Uint8Array, at: number): number {
    let pos = at;
    let copied = from;
    for (let c = 0; c < this.#changes; c += 1) {
      const i = this.#changed[c] as number;
      const place = this.#places[i] as number;
      const { came } = this.#present[i] as Outcome;
      const start = fields.keyStart[place] as number;
      copyBytes(buf, copied, start, out, pos);
      pos += start - copied;
      copied = fields.valueEnd[place] as number;
      if (typeof came !== 'object') continue;
      const key = fields.keyFrom[place] as number;
      const keyBytes = (fields.keyEnd[place] as number) - key;
      out[pos] = (this.#field << 3) | WIRE_LEN;
      pos = writeVarint(out, pos + 1, keyBytes + came.set.length);
      copyBytes(buf, key, key + keyBytes, out, pos);
      copyBytes(came.set, 0, came.set.length, out, pos + keyBytes);
      pos += keyBytes + came.set.length;
    }
    copyBytes(buf, copied, end, out, pos);
    pos += end - copied;
    return this.#adds ? this.#writeAdded(fields, out, pos) : pos;
  }

  /** In the order of the actions that added them; few, so that looking for the next one is no work. */
  #writeAdded({ valueEnd }: ItemFields, out: Uint8Array, at: number): number {
    let pos = at;
    for (let last = -1; ; ) {
      let next: Outcome['added'];
      for (let i = 0; i < this.#places.length; i += 1) {
        const { added } = (valueEnd[this.#places[i] as number] === -1 ? this.#absent : this.#present)[i] as Outcome;
        if (added !== undefined && added.by > last && (next === undefined || added.by < next.by)) next = added;
      }
      if (next === undefined) return pos;
      copyBytes(next.field, 0, next.field.length, out, pos);
      pos += next.field.length;
      last = next.by;
    }
  }
}

function isFixed({ action, fromAttribute, fromMetadata, pattern }: AttributeAction): boolean {
  if (action === 'delete') return pattern === undefined;
  return (action === 'insert' || action === 'update' || action === 'upsert') && fromAttribute === undefined && fromMetadata === undefined;
}

/** The actions of one key, one after the other, as AttributeList would do them. */
function outcome(actions: readonly AttributeAction[], field: number, key: string, came: boolean): Outcome {
  let original: Outcome['came'] | undefined = came ? 'kept' : undefined;
  let added: { readonly raw: Uint8Array; readonly by: number } | undefined;
  for (const [by, { action, key: of, value, defaultValue }] of actions.entries()) {
    if (of !== key) continue;
    const isThere = added !== undefined || (original !== undefined && original !== 'removed');
    if (action === 'delete') {
      if (added !== undefined) added = undefined;
      else if (isThere) original = 'removed';
      continue;
    }
    const raw = encodeAnyValue(value ?? defaultValue);
    if (!isThere) {
      if (action !== 'update') added = { raw, by };
    } else if (action !== 'insert') {
      if (added !== undefined) added = { raw, by: added.by };
      else original = { set: bytesField(2, raw) };
    }
  }
  return {
    came: original ?? 'kept',
    added: added && { field: bytesField(field, encodeKeyValue(key, added.raw)), by: added.by },
  };
}

function growthOf({ came, added }: Outcome): number {
  const set = typeof came === 'object' ? came.set.length + varintSize(came.set.length) : 0;
  return set + (added?.field.length ?? 0);
}

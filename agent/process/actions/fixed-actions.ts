import { copyBytes } from '../../otlp/edit-items.ts';
import type { ItemFields } from '../../otlp/item-fields.ts';
import { encodeAnyValue, encodeKeyValue } from '../../otlp/view/any-value.ts';
import { bytesField } from '../../otlp/view/scalars.ts';
import { varintSize, WIRE_LEN, writeVarint } from '../../otlp/wire.ts';
import { textFrom } from '../../ottl/bytes/byte-item.ts';
import type { AttributeAction } from './action.ts';
import { HASHED_BYTES, writeHashedText } from './convert.ts';

/** What becomes of one attribute when all actions were done with it. */
interface Outcome {
  /** Of the attribute that came in: `set` is the field `value` of its KeyValue. */
  readonly came: 'kept' | 'removed' | 'hashed' | { readonly set: Uint8Array };
  /** One put behind all fields, tag included, and by which action, as they stand in that order. */
  readonly added: { readonly field: Uint8Array; readonly by: number } | undefined;
}

/**
 * Actions whose outcome is known at start for each of their keys, whether it came or not: insert, update and upsert of a fixed value,
 * delete of a key, and hash of a text where nothing else is done to it. What they do to an item is where these keys lie in it, and so nothing is made for it; AttributeList takes five times as
 * long (test/bench/agent-processors-alone.mjs).
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
  /** Places of attributes that are hashed. */
  readonly #hashed: readonly number[];
  #changes = 0;
  #adds = 0;
  #onlyAdd: Uint8Array = new Uint8Array(0);

  /** `placeOf` gives the place of a key in ItemFields. undefined where the actions are others, or a key cannot be looked for. */
  static of(actions: readonly AttributeAction[], field: number, placeOf: (key: string) => number | undefined): FixedActions | undefined {
    const keys = [...new Set(actions.map(({ key }) => key))];
    const isHash = (key: string): boolean =>
      actions.some((each) => each.key === key && each.action === 'hash' && each.pattern === undefined);
    const alone = (key: string): boolean => actions.filter((each) => each.key === key).length === 1;
    if (!actions.every((each) => isFixed(each) || (isHash(each.key) && alone(each.key)))) return undefined;
    const places = keys.map(placeOf).filter((place) => place !== undefined);
    return places.length < keys.length ? undefined : new FixedActions(actions, field, keys, places);
  }

  private constructor(actions: readonly AttributeAction[], field: number, keys: readonly string[], places: readonly number[]) {
    this.#field = field;
    this.#places = places;
    this.#present = keys.map((key) => outcome(actions, field, key, true));
    this.#absent = keys.map((key) => outcome(actions, field, key, false));
    this.#changed = new Int32Array(keys.length);
    this.#hashed = places.filter((_, i) => this.#present[i]?.came === 'hashed');
    this.growth = [...this.#present, ...this.#absent].reduce((sum, each) => sum + growthOf(each), 0);
  }

  /** Whether they are known for an item whose keys lie so: what is hashed has to be a text. */
  knows(buf: Uint8Array, { valueFrom, valueEnd }: ItemFields): boolean {
    for (let i = 0; i < this.#hashed.length; i += 1) {
      const place = this.#hashed[i] as number;
      const end = valueEnd[place] as number;
      if (end !== -1 && textFrom(buf, valueFrom[place] as number, end) < 0) return false;
    }
    return true;
  }

  /** Whether such an item changes. */
  decide({ valueEnd, keyStart }: ItemFields): boolean {
    this.#changes = 0;
    this.#adds = 0;
    for (let i = 0; i < this.#places.length; i += 1) {
      const place = this.#places[i] as number;
      const came = valueEnd[place] !== -1;
      const result = (came ? this.#present : this.#absent)[i] as Outcome;
      if (result.added !== undefined) {
        this.#adds += 1;
        this.#onlyAdd = result.added.field;
      }
      if (!came || result.came === 'kept') continue;
      let at = this.#changes;
      this.#changes += 1;
      for (; at > 0 && (keyStart[this.#places[this.#changed[at - 1] as number] as number] as number) > (keyStart[place] as number); at -= 1)
        this.#changed[at] = this.#changed[at - 1] as number;
      this.#changed[at] = i;
    }
    return this.#changes > 0 || this.#adds > 0;
  }

  /** Directly after `decide`: the item at [from, end) as it is now; returns the position behind it. */
  write(fields: ItemFields, buf: Buffer, from: number, end: number, out: Buffer, at: number): number {
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
      if (came === 'removed' || came === 'kept') continue;
      const key = fields.keyFrom[place] as number;
      const keyBytes = (fields.keyEnd[place] as number) - key;
      const valueBytes = came === 'hashed' ? HASHED_FIELD_BYTES : came.set.length;
      out[pos] = (this.#field << 3) | WIRE_LEN;
      pos = writeVarint(out, pos + 1, keyBytes + valueBytes);
      copyBytes(buf, key, key + keyBytes, out, pos);
      pos += keyBytes;
      if (came === 'hashed') {
        out[pos] = VALUE_TAG;
        out[pos + 1] = HASHED_BYTES;
        writeHashedText(buf, textFrom(buf, fields.valueFrom[place] as number, copied), copied, out, pos + 2);
      } else {
        copyBytes(came.set, 0, came.set.length, out, pos);
      }
      pos += valueBytes;
    }
    copyBytes(buf, copied, end, out, pos);
    pos += end - copied;
    if (this.#adds === 0) return pos;
    if (this.#adds > 1) return this.#writeAdded(fields, out, pos);
    copyBytes(this.#onlyAdd, 0, this.#onlyAdd.length, out, pos);
    return pos + this.#onlyAdd.length;
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

const VALUE_TAG = (2 << 3) | WIRE_LEN;
/** The field `value` of a KeyValue: tag, length, AnyValue. */
const HASHED_FIELD_BYTES = 2 + HASHED_BYTES;

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
    if (action === 'hash') return { came: came ? 'hashed' : 'kept', added: undefined };
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
  const bytes = typeof came === 'object' ? came.set.length : came === 'hashed' ? HASHED_FIELD_BYTES : 0;
  const set = bytes + varintSize(bytes);
  return set + (added?.field.length ?? 0);
}

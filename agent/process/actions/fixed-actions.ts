import { copyBytes } from '../../otlp/edit-items.ts';
import type { ItemFields } from '../../otlp/item-fields.ts';
import { encodeAnyValue, encodeKeyValue } from '../../otlp/view/any-value.ts';
import { bytesField, textField } from '../../otlp/view/scalars.ts';
import { isAscii } from '../../otlp/view/text.ts';
import { varintSize, WIRE_FIXED64, WIRE_LEN, writeVarint } from '../../otlp/wire.ts';
import { textFrom } from '../../ottl/bytes/byte-item.ts';
import type { AttributeAction } from './action.ts';
import { HASHED_BYTES, writeHashedText } from './convert.ts';

/** What becomes of one attribute when all actions were done with it. */
interface Outcome {
  /** Of the attribute that came in: `set` is the field `value` of its KeyValue. */
  readonly came: 'kept' | 'removed' | 'hashed' | 'copied' | { readonly set: Uint8Array };
  /** One put behind all fields, tag included, and by which action, as they stand in that order; of a copy the field `key` alone. */
  readonly added: { readonly field: Uint8Array; readonly by: number } | undefined;
}

/**
 * Actions whose outcome is known at start for each of their keys, whether it came or not: insert, update and upsert of a fixed value,
 * delete of a key, hash of a text and copy of another attribute where nothing else is done to them. What they do to an item is where these keys lie in it, and so nothing is made for it; AttributeList takes five times as
 * long (test/bench/agent-processors-alone.mjs).
 */
export class FixedActions {
  /** Bytes that they add to an item at most. */
  growth: number;
  /** The same without what is copied. */
  readonly #fixedGrowth: number;
  readonly #field: number;
  readonly #places: readonly number[];
  /** By place in `#places`: of an attribute that came, and of one that did not. */
  readonly #present: readonly Outcome[];
  readonly #absent: readonly Outcome[];
  /** Places of attributes that came and are changed, in the order of the bytes, and how many there are. */
  readonly #changed: Int32Array;
  /** Places of attributes that are hashed. */
  readonly #hashed: readonly number[];
  /** By place in `#places`: that of the attribute whose value is copied, or NONE. */
  readonly #sources: readonly number[];
  readonly #copies: boolean;
  #changes = 0;
  #adds = 0;
  #onlyAdd: Uint8Array = new Uint8Array(0);

  /** `placeOf` gives the place of a key in ItemFields. undefined where the actions are others, or a key cannot be looked for. */
  static of(actions: readonly AttributeAction[], field: number, placeOf: (key: string) => number | undefined): FixedActions | undefined {
    const keys = [...new Set(actions.map(({ key }) => key))];
    const isHash = (key: string): boolean =>
      actions.some((each) => each.key === key && each.action === 'hash' && each.pattern === undefined);
    const alone = (key: string): boolean => actions.filter((each) => each.key === key).length === 1;
    const untouched = (key: string): boolean => actions.every((each) => each.key !== key);
    const isCopy = (each: AttributeAction): boolean => sets(each) && each.fromMetadata === undefined && each.defaultValue === undefined;
    const sources = keys.map((key) => actions.find((each) => each.key === key)?.fromAttribute);
    for (const each of actions) {
      if (isFixed(each) || (isHash(each.key) && alone(each.key))) continue;
      if (each.fromAttribute === undefined || !isCopy(each) || !alone(each.key) || !untouched(each.fromAttribute)) return undefined;
    }
    const places = keys.map(placeOf).filter((place) => place !== undefined);
    const copied = sources.map((key) => (key === undefined ? NONE : placeOf(key))).filter((place) => place !== undefined);
    return places.length + copied.length < 2 * keys.length ? undefined : new FixedActions(actions, field, keys, places, copied);
  }

  private constructor(
    actions: readonly AttributeAction[],
    field: number,
    keys: readonly string[],
    places: readonly number[],
    sources: readonly number[],
  ) {
    this.#field = field;
    this.#places = places;
    this.#sources = sources;
    this.#copies = sources.some((source) => source !== NONE);
    this.#present = keys.map((key) => outcome(actions, field, key, true));
    this.#absent = keys.map((key) => outcome(actions, field, key, false));
    this.#changed = new Int32Array(keys.length);
    this.#hashed = places.filter((_, i) => this.#present[i]?.came === 'hashed');
    this.#fixedGrowth = [...this.#present, ...this.#absent].reduce((sum, each) => sum + growthOf(each), 0);
    this.growth = this.#fixedGrowth;
  }

  /** Whether what is copied is a value that decoding and encoding leave as it is, and not the empty one. */
  copiesPlainly(buf: Uint8Array, { valueFrom, valueEnd }: ItemFields): boolean {
    for (let i = 0; i < this.#sources.length; i += 1) {
      const source = this.#sources[i] as number;
      if (source === NONE || valueEnd[source] === -1) continue;
      if (!isPlainValue(buf, valueFrom[source] as number, valueEnd[source] as number)) return false;
    }
    return true;
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
  decide({ valueFrom, valueEnd, keyStart }: ItemFields): boolean {
    this.#changes = 0;
    this.#adds = 0;
    this.growth = this.#fixedGrowth;
    for (let i = 0; i < this.#places.length; i += 1) {
      const place = this.#places[i] as number;
      const came = valueEnd[place] !== -1;
      const result = (came ? this.#present : this.#absent)[i] as Outcome;
      if (this.#copies) {
        const source = this.#sources[i] as number;
        if (source !== NONE) {
          if (valueEnd[source] === -1) continue;
          this.growth += HEADERS_BYTES + (valueEnd[source] as number) - (valueFrom[source] as number);
        }
      }
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
      const source = this.#sources[i] as number;
      const valueBytes = came === 'hashed' ? HASHED_FIELD_BYTES : came === 'copied' ? valueFieldBytes(fields, source) : came.set.length;
      out[pos] = (this.#field << 3) | WIRE_LEN;
      pos = writeVarint(out, pos + 1, keyBytes + valueBytes);
      copyBytes(buf, key, key + keyBytes, out, pos);
      pos += keyBytes;
      if (came === 'hashed') {
        out[pos] = VALUE_TAG;
        out[pos + 1] = HASHED_BYTES;
        writeHashedText(buf, textFrom(buf, fields.valueFrom[place] as number, copied), copied, out, pos + 2);
      } else if (came === 'copied') {
        writeValueOf(fields, source, buf, out, pos);
      } else {
        copyBytes(came.set, 0, came.set.length, out, pos);
      }
      pos += valueBytes;
    }
    copyBytes(buf, copied, end, out, pos);
    pos += end - copied;
    if (this.#adds === 0) return pos;
    if (this.#adds > 1 || this.#copies) return this.#writeAdded(fields, buf, out, pos);
    copyBytes(this.#onlyAdd, 0, this.#onlyAdd.length, out, pos);
    return pos + this.#onlyAdd.length;
  }

  /** In the order of the actions that added them; few, so that looking for the next one is no work. */
  #writeAdded(fields: ItemFields, buf: Uint8Array, out: Uint8Array, at: number): number {
    const { valueEnd } = fields;
    let pos = at;
    for (let last = -1; ; ) {
      let next: Outcome['added'];
      let source = NONE;
      for (let i = 0; i < this.#places.length; i += 1) {
        const { added } = (valueEnd[this.#places[i] as number] === -1 ? this.#absent : this.#present)[i] as Outcome;
        if (added === undefined || added.by <= last || (next !== undefined && added.by > next.by)) continue;
        const from = this.#sources[i] as number;
        if (from !== NONE && valueEnd[from] === -1) continue;
        next = added;
        source = from;
      }
      if (next === undefined) return pos;
      if (source !== NONE) {
        out[pos] = (this.#field << 3) | WIRE_LEN;
        pos = writeVarint(out, pos + 1, next.field.length + valueFieldBytes(fields, source));
      }
      copyBytes(next.field, 0, next.field.length, out, pos);
      pos += next.field.length;
      if (source !== NONE) pos = writeValueOf(fields, source, buf, out, pos);
      last = next.by;
    }
  }
}

/** In place of a source: nothing is copied. */
const NONE = -1;
const VALUE_TAG = (2 << 3) | WIRE_LEN;
/** Tag and length of an attribute and of its value. */
const HEADERS_BYTES = 12;

/** Bytes of the field `value` with the value of the attribute at `source`. */
function valueFieldBytes({ valueFrom, valueEnd }: ItemFields, source: number): number {
  const bytes = (valueEnd[source] as number) - (valueFrom[source] as number);
  return 1 + varintSize(bytes) + bytes;
}

/** Writes that field; returns the position behind it. */
function writeValueOf({ valueFrom, valueEnd }: ItemFields, source: number, buf: Uint8Array, out: Uint8Array, at: number): number {
  const from = valueFrom[source] as number;
  const end = valueEnd[source] as number;
  out[at] = VALUE_TAG;
  const pos = writeVarint(out, at + 1, end - from);
  copyBytes(buf, from, end, out, pos);
  return pos + end - from;
}

/** A text of ASCII, a number or a boolean, written as SDKs write them. */
function isPlainValue(buf: Uint8Array, from: number, end: number): boolean {
  const text = textFrom(buf, from, end);
  if (text >= 0) return text - from === 1 + varintSize(end - text) && isAscii(buf, text, end);
  if (end - from < 2) return false;
  const last = buf[end - 1] as number;
  switch (buf[from]) {
    case BOOL_TAG:
      return end - from === 2 && last <= 1;
    case INT_TAG:
      for (let pos = from + 1; pos < end - 1; pos += 1) if ((buf[pos] as number) < 0x80) return false;
      return last < 0x80 && (last !== 0 || end - from === 2) && end - from < 10;
    case DOUBLE_TAG:
      // Of the many NaN JavaScript may make one.
      return end - from === 9 && !((last & 0x7f) === 0x7f && (buf[end - 2] as number) >= 0xf0);
    default:
      return false;
  }
}

const BOOL_TAG = 2 << 3;
const INT_TAG = 3 << 3;
const DOUBLE_TAG = (4 << 3) | WIRE_FIXED64;
/** The field `value` of a KeyValue: tag, length, AnyValue. */
const HASHED_FIELD_BYTES = 2 + HASHED_BYTES;

function isFixed(each: AttributeAction): boolean {
  if (each.action === 'delete') return each.pattern === undefined;
  return sets(each) && each.fromAttribute === undefined && each.fromMetadata === undefined;
}

function sets({ action }: AttributeAction): boolean {
  return action === 'insert' || action === 'update' || action === 'upsert';
}

/** The actions of one key, one after the other, as AttributeList would do them. */
function outcome(actions: readonly AttributeAction[], field: number, key: string, came: boolean): Outcome {
  let original: Outcome['came'] | undefined = came ? 'kept' : undefined;
  let added: { readonly raw: Uint8Array; readonly by: number } | undefined;
  for (const [by, { action, key: of, value, defaultValue, fromAttribute }] of actions.entries()) {
    if (of !== key) continue;
    if (fromAttribute !== undefined && came) return { came: action === 'insert' ? 'kept' : 'copied', added: undefined };
    if (fromAttribute !== undefined) return { came: 'kept', added: action === 'update' ? undefined : { field: textField(1, key), by } };
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

import { type AnyValue, decodeAnyValue, keyOf, readKeyValue, valueAt } from '../otlp/view/any-value.ts';
import type { AttributesView } from '../otlp/view/attributes.ts';
import type { MessageView } from '../otlp/view/message.ts';
import { position, readLength, WIRE_LEN } from '../otlp/wire.ts';

/** A key that is looked for: as text, and as it lies in the bytes. */
export interface WantedKey {
  readonly text: string;
  readonly bytes: Buffer;
}

/** What `find` gives where a key is not there; undefined is the empty value. */
export const ABSENT = Symbol('absent');

/** Attributes in which a key can be looked for. */
export interface Findable {
  find(key: WantedKey): AnyValue | typeof ABSENT;
}

export function findable(view: AttributesView): Findable {
  return { find: ({ text }) => (view.has(text) ? view.get(text) : ABSENT) };
}

const KEY_TAG = (1 << 3) | WIRE_LEN;
const VALUE_TAG = (2 << 3) | WIRE_LEN;

/**
 * The attributes of one item, searched where they lie. An AttributesView makes an object of each of them, which pays for who reads
 * several or writes; for one key it takes three times as long (test/bench/agent-components: count by one attribute).
 */
export class ItemAttributes implements Findable {
  readonly #item: MessageView;
  readonly #tag: number;

  /** `field`: the number of the item's attributes: 9 of spans, 3 of span events, 6 of log records. */
  constructor(item: MessageView, field: number) {
    this.#item = item;
    this.#tag = (field << 3) | WIRE_LEN;
  }

  find(key: WantedKey): AnyValue | typeof ABSENT {
    const { table, tableEnd, source } = this.#item;
    for (let i = 0; i < tableEnd; i += 4) {
      if (table[i] !== this.#tag) continue;
      const from = table[i + 2] as number;
      const end = table[i + 3] as number;
      const valueFrom = plainValue(source, from, end);
      if (valueFrom < 0) {
        const range = readKeyValue(source, from, end);
        if (keyOf(source, range, undefined) !== key.text) continue;
        const value = valueAt(source, range);
        return decodeAnyValue(value.source, value.from, value.end);
      }
      const length = source[from + 1] as number;
      if (length !== key.bytes.length || key.bytes.compare(source, from + 2, from + 2 + length) !== 0) continue;
      return decodeAnyValue(source, valueFrom, end);
    }
    return ABSENT;
  }
}

/** Where the value of a KeyValue begins that is written as all SDKs write it: a key of less than 128 bytes, then the value; else -1. */
function plainValue(buf: Buffer, from: number, end: number): number {
  const valueTag = from + 2 + (buf[from + 1] as number);
  if (buf[from] !== KEY_TAG || (buf[from + 1] as number) >= 0x80 || valueTag >= end || buf[valueTag] !== VALUE_TAG) return -1;
  return readLength(buf, valueTag + 1, end) === end ? position() : -1;
}

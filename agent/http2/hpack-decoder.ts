import { Field } from './field.ts';
import { DEFAULT_TABLE_BYTES } from './frames.ts';
import { STATIC_COUNT, STATIC_FIELDS } from './hpack-static.ts';
import { huffmanDecode } from './huffman.ts';

/** We never announce another SETTINGS_HEADER_TABLE_SIZE: 4096 holds what OTLP clients repeat, and is all that one connection can pin. */
const MAX_TABLE_BYTES = DEFAULT_TABLE_BYTES;
/** Entries have 32 bytes at least, so that a ring of this many never overflows. */
const RING = MAX_TABLE_BYTES / 32;
/** Of integers: far above any length or index that can be right, and so low that no sum overflows (RFC 7541, 5.1 asks for a limit). */
const MAX_INTEGER = 2 ** 24;

/** Where Huffman strings are decoded, one after the other; grows to the longest string that was let in. */
let scratch = new Uint8Array(4096);

/**
 * Decodes header blocks of one connection (RFC 7541), in order, as each changes the table for the next:
 *
 *   1xxxxxxx  field of a table            001xxxxx  new size of the dynamic table, at the beginning of a block only
 *   01xxxxxx  literal, and remember it    000xxxxx  literal (0001: and let nobody remember it)
 */
export class HpackDecoder {
  /** Of the last block; the first `count`. What is beyond the limit of the header list was decoded, and is not here. */
  readonly fields: Field[] = [];
  count = 0;
  /** Size of the last header list, what was left out of `fields` included. */
  listBytes = 0;
  /** Changes with the dynamic table: the same block says the same where this is the same. */
  generation = 0;
  readonly #maxListBytes: number;
  /** The dynamic table, a ring: the newest is before `#next`. Indexes of the protocol count from the newest. */
  readonly #ring: (Field | undefined)[] = new Array<Field | undefined>(RING).fill(undefined);
  #next = 0;
  #entries = 0;
  #tableBytes = 0;
  #tableLimit = MAX_TABLE_BYTES;
  #bytes: Uint8Array = scratch;
  #at = 0;
  #end = 0;

  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** False where the block is broken: the table is not the encoder's any more, and the connection has to end (RFC 9113, 4.3). */
  decode(bytes: Uint8Array, from: number, to: number): boolean {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.count = 0;
    this.listBytes = 0;
    let begun = false;
    while (this.#at < to) {
      const first = bytes[this.#at] as number;
      if (first >= 0x80) {
        const field = this.#field(this.#integer(7));
        if (field === undefined) return false;
        this.#add(field);
      } else if (first >= 0x20 && first < 0x40) {
        if (begun || !this.#resize(this.#integer(5))) return false;
        continue;
      } else {
        const field = this.#literal(first >= 0x40 ? 6 : 4);
        if (field === undefined) return false;
        if (first >= 0x40) this.#insert(field);
        this.#add(field);
      }
      begun = true;
    }
    return true;
  }

  #add(field: Field): void {
    this.listBytes += field.bytes;
    if (this.listBytes > this.#maxListBytes) return;
    this.fields[this.count] = field;
    this.count += 1;
  }

  #field(index: number): Field | undefined {
    if (index <= STATIC_COUNT) return index <= 0 ? undefined : STATIC_FIELDS[index];
    const back = index - STATIC_COUNT;
    return back > this.#entries ? undefined : this.#ring[(this.#next - back + RING) % RING];
  }

  #literal(prefixBits: number): Field | undefined {
    const index = this.#integer(prefixBits);
    if (index < 0) return undefined;
    if (index === 0) {
      const name = this.#string();
      const value = this.#string();
      return name === undefined || value === undefined ? undefined : new Field(name, value);
    }
    const named = this.#field(index);
    const value = this.#string();
    return named === undefined || value === undefined ? undefined : new Field(named.name, value, named.nameKind);
  }

  /** An entry larger than the table empties it (RFC 7541, 4.4). */
  #insert(field: Field): void {
    this.generation += 1;
    this.#evict(this.#tableLimit - field.bytes);
    if (field.bytes > this.#tableLimit) return;
    this.#ring[this.#next] = field;
    this.#next = (this.#next + 1) % RING;
    this.#entries += 1;
    this.#tableBytes += field.bytes;
  }

  #resize(bytes: number): boolean {
    if (bytes < 0 || bytes > MAX_TABLE_BYTES) return false;
    this.generation += 1;
    this.#tableLimit = bytes;
    this.#evict(bytes);
    return true;
  }

  #evict(toBytes: number): void {
    while (this.#entries > 0 && this.#tableBytes > toBytes) {
      const oldest = (this.#next - this.#entries + RING) % RING;
      this.#tableBytes -= (this.#ring[oldest] as Field).bytes;
      this.#ring[oldest] = undefined;
      this.#entries -= 1;
    }
  }

  /** RFC 7541, 5.1. -1 where it does not end or is too large. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (this.#bytes[this.#at] as number) & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let factor = 1; factor < MAX_INTEGER; factor *= 128) {
      if (this.#at >= this.#end) return -1;
      const byte = this.#bytes[this.#at] as number;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value <= MAX_INTEGER ? value : -1;
    }
    return -1;
  }

  /** RFC 7541, 5.2: octets, or their Huffman code. One character for each octet. */
  #string(): string | undefined {
    if (this.#at >= this.#end) return undefined;
    const huffman = (this.#bytes[this.#at] as number) >= 0x80;
    const length = this.#integer(7);
    if (length < 0 || length > this.#end - this.#at) return undefined;
    const from = this.#at;
    this.#at += length;
    if (!huffman) return latin1(this.#bytes, from, this.#at);
    if (length * 2 > scratch.length) scratch = new Uint8Array(length * 2);
    const decoded = huffmanDecode(this.#bytes, from, this.#at, scratch);
    return decoded < 0 ? undefined : latin1(scratch, 0, decoded);
  }
}

/** Buffer's own, which takes any Uint8Array. */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, from, to);
}

import type { Signal } from '../config/settings.ts';
import type { Piece } from '../runtime/chunk.ts';
import { Gather } from './gather.ts';
import { countResource, lenHeader, position, readLength, readTag, skipField, varintSize, WIRE_LEN } from './wire.ts';

/**
 * Cuts a request that is larger than a batch may be, down to single items: spans, data points, log records. Around what lies on both
 * sides of a cut the envelopes are written again, so that every piece is a request of its own; neighbours stay one slice of the shared
 * memory. `items`: no piece is above the maximum. `bytes`: none is, but for one whose single item and its envelopes are.
 *
 *   request    | ResourceA: | ScopeA: a b c d e | ScopeB: f |              cut behind every third item
 *   pieces     | ResourceA: | ScopeA: a b c |
 *              | ResourceA: | ScopeA:       d e | ScopeB: f |
 *
 * A metric is an envelope, too: its name, description, unit, temporality stand again in each piece that has points of it. Envelopes
 * without items are left away (spec: no empty envelopes). Profiles are never cut, as all parts need the one dictionary.
 */
export function splitRequest(signal: Signal, slices: readonly Uint8Array[], max: number, measure: 'items' | 'bytes'): Piece[] {
  const request = slices.length === 1 ? (slices[0] as Uint8Array) : Buffer.concat(slices);
  const cutter = new Cutter(signal, request, measure === 'items' ? max : Number.POSITIVE_INFINITY, measure === 'bytes' ? max : undefined);
  return signal === 'profiles' ? cutter.whole() : cutter.run();
}

/**
 * What is repeated makes a request larger: as some hundred bytes for each piece, or, made for it, a resource of 60 MiB thousands of
 * times. Beyond so many times its own size, or this where that is more, the rest of it stays one piece.
 */
const MOST_TIMES = 4;
const ALWAYS_BYTES = 1024 * 1024;
/** What a piece costs beside its bytes: a chunk, a request, an answer. */
const PIECE_BYTES = 256;
/** More pieces of an envelope's own fields than SDKs write are put into one, once, instead of repeating all of their slices. */
const MAX_OWN_SLICES = 4;

/** A message that holds others: the bytes of its own that every piece repeats, and what of its children is in the piece at hand. */
interface Envelope {
  readonly field: number;
  /** All of its fields but the children. */
  readonly own: readonly Uint8Array[];
  readonly ownBytes: number;
  children: Gather;
}

/** The fields that hold the next level, by depth: request, ResourceX, ScopeX, and for metrics Metric and its data. */
const CHILDREN: Readonly<Record<'metrics' | 'others', readonly (readonly number[])[]>> = {
  // Metric: gauge 5, sum 7, histogram 9, exponential_histogram 10, summary 11; data_points = 1 in each.
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
  others: [[1], [2], [2]],
};

class Cutter {
  readonly #signal: Signal;
  readonly #buf: Uint8Array;
  #maxItems: number;
  #maxBytes: number;
  /** Bytes that may still be repeated. */
  #left: number;
  readonly #levels: readonly (readonly number[])[];
  readonly #open: Envelope[] = [];
  readonly #pieces: Piece[] = [];
  /** Of the piece at hand: closed ResourceX, then the open envelopes. */
  #closed = new Gather();
  #items = 0;
  /** Set by `#count`: there are envelopes without any item. */
  #hollow = false;

  constructor(signal: Signal, buf: Uint8Array, maxItems: number, maxBytes: number | undefined) {
    this.#signal = signal;
    this.#buf = buf;
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY;
    this.#left = Math.max(MOST_TIMES * buf.length, ALWAYS_BYTES);
    this.#levels = CHILDREN[signal === 'metrics' ? 'metrics' : 'others'];
  }

  whole(): Piece[] {
    return [{ slices: [this.#buf], bytes: this.#buf.length, items: this.#count(0, this.#buf.length, 0) }];
  }

  run(): Piece[] {
    // Top-level fields that are no ResourceX are unknown ones: they stay with the first piece.
    this.#closed.addAll(this.#own(0, this.#buf.length, 0));
    this.#children(0, this.#buf.length, 0);
    if (this.#items > 0 || this.#pieces.length === 0) this.#finishPiece();
    return this.#pieces;
  }

  /** Walks by numbers: an object for each item would be gigabytes for items of two bytes. */
  #children(from: number, end: number, depth: number): void {
    const buf = this.#buf;
    const isItem = depth === this.#levels.length - 1;
    let pos = from;
    while (pos < end) {
      const start = pos;
      const tag = readTag(buf, pos, end);
      const at = position();
      pos = skipField(buf, tag, at, end);
      if (!this.#isChild(tag, depth)) continue;
      if (!isItem) {
        readLength(buf, at, end);
        this.#child(tag >>> 3, start, position(), pos, depth);
        continue;
      }
      // What is too large even alone goes alone.
      if (this.#items > 0 && !this.#fits(1, pos - start)) this.#finishPiece();
      this.#take(start, pos, 1);
    }
  }

  /** A message that holds items, with its tag at `start`. */
  #child(field: number, start: number, from: number, end: number, depth: number): void {
    this.#hollow = false;
    const items = this.#count(from, end, depth + 1);
    if (items === 0) return;
    // A piece that is full anyway is finished before, so that the child may go whole into the next one.
    if (this.#items === this.#maxItems) this.#finishPiece();
    if (!this.#hollow && this.#fits(items, end - start)) {
      this.#take(start, end, items);
      return;
    }
    // As much of it as fits, then the rest in further pieces.
    const own = this.#own(from, end, depth + 1);
    const ownBytes = own.reduce((sum, slice) => sum + slice.length, 0);
    this.#open.push({ field, own, ownBytes, children: new Gather() });
    this.#children(from, end, depth + 1);
    const envelope = this.#open.pop() as Envelope;
    if (envelope.children.bytes > 0) this.#innermost().addAll(closed(envelope));
  }

  #take(from: number, end: number, items: number): void {
    this.#innermost().add(this.#buf, from, end);
    this.#items += items;
  }

  #innermost(): Gather {
    return this.#open.at(-1)?.children ?? this.#closed;
  }

  /** Whether the piece at hand would stay within its limits with so much more in the innermost envelope. */
  #fits(items: number, bytes: number): boolean {
    if (this.#items + items > this.#maxItems) return false;
    if (this.#maxBytes === Number.POSITIVE_INFINITY) return true;
    let size = bytes;
    for (let i = this.#open.length - 1; i >= 0; i -= 1) {
      const { field, ownBytes, children } = this.#open[i] as Envelope;
      size += ownBytes + children.bytes;
      size += varintSize(field * 8) + varintSize(size);
    }
    return this.#closed.bytes + size <= this.#maxBytes;
  }

  /** Closes every envelope with what is in it, and leaves it open and empty for the next piece. */
  #finishPiece(): void {
    let inner: readonly Uint8Array[] = [];
    for (let i = this.#open.length - 1; i >= 0; i -= 1) {
      const envelope = this.#open[i] as Envelope;
      envelope.children.addAll(inner);
      inner = envelope.children.bytes > 0 ? closed(envelope) : [];
      envelope.children = new Gather();
      this.#left -= envelope.ownBytes;
    }
    this.#closed.addAll(inner);
    this.#pieces.push({ slices: this.#closed.slices(), bytes: this.#closed.bytes, items: this.#items });
    this.#closed = new Gather();
    this.#items = 0;
    this.#left -= PIECE_BYTES;
    if (this.#left > 0) return;
    this.#maxItems = Number.POSITIVE_INFINITY;
    this.#maxBytes = Number.POSITIVE_INFINITY;
  }

  /** The fields of a message that are no children, in as few slices as possible. */
  #own(from: number, end: number, depth: number): readonly Uint8Array[] {
    const own = new Gather();
    let ownFrom = from;
    let pos = from;
    while (pos < end) {
      const start = pos;
      const tag = readTag(this.#buf, pos, end);
      pos = skipField(this.#buf, tag, position(), end);
      if (!this.#isChild(tag, depth)) continue;
      own.add(this.#buf, ownFrom, start);
      ownFrom = pos;
    }
    own.add(this.#buf, ownFrom, end);
    const slices = own.slices();
    return slices.length <= MAX_OWN_SLICES ? slices : [Buffer.concat(slices)];
  }

  /** Items in a message at this depth. */
  #count(from: number, end: number, depth: number): number {
    if (depth === this.#levels.length) return 1;
    const buf = this.#buf;
    let items = 0;
    let pos = from;
    while (pos < end) {
      const tag = readTag(buf, pos, end);
      const at = position();
      pos = skipField(buf, tag, at, end);
      if (!this.#isChild(tag, depth)) continue;
      readLength(buf, at, end);
      items += this.#signal === 'profiles' ? countResource('profiles', buf, position(), pos) : this.#count(position(), pos, depth + 1);
    }
    if (items === 0) this.#hollow = true;
    return items;
  }

  #isChild(tag: number, depth: number): boolean {
    return (tag & 7) === WIRE_LEN && (this.#levels[depth] as readonly number[]).includes(tag >>> 3);
  }
}

/** An envelope as it is written: header, its own fields, its children. */
function closed({ field, own, ownBytes, children }: Envelope): readonly Uint8Array[] {
  return [lenHeader(field, ownBytes + children.bytes), ...own, ...children.slices()];
}

import type { Signal } from '../config/settings.ts';
import type { Piece } from '../runtime/chunk.ts';
import { countResource, fieldOf, lenHeader, type TopField, topFields, varintSize, WIRE_LEN } from './wire.ts';

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
  if (signal === 'profiles') return [{ slices: [request], bytes: request.length, items: countAll(signal, request) }];
  const cutter = new Cutter(signal, request, measure === 'items' ? max : Number.POSITIVE_INFINITY, measure === 'bytes' ? max : undefined);
  return cutter.run();
}

/** A message that holds others: the bytes of its own that every piece repeats, and what of its children is in the piece at hand. */
interface Envelope {
  readonly field: number;
  /** All of its fields but the children. */
  readonly own: readonly Uint8Array[];
  readonly ownBytes: number;
  children: Uint8Array[];
  childBytes: number;
}

/** The fields that hold the next level, by depth: request, ResourceX, ScopeX, and for metrics Metric and its data. */
const CHILDREN: Readonly<Record<'metrics' | 'others', readonly (readonly number[])[]>> = {
  // Metric: gauge 5, sum 7, histogram 9, exponential_histogram 10, summary 11; data_points = 1 in each.
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
  others: [[1], [2], [2]],
};

class Cutter {
  readonly #buf: Uint8Array;
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #levels: readonly (readonly number[])[];
  readonly #open: Envelope[] = [];
  readonly #pieces: Piece[] = [];
  /** Of the piece at hand: closed ResourceX, then the open envelopes. */
  #closed: Uint8Array[] = [];
  #closedBytes = 0;
  #items = 0;
  #hollow = false;

  constructor(signal: Signal, buf: Uint8Array, maxItems: number, maxBytes: number | undefined) {
    this.#buf = buf;
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY;
    this.#levels = CHILDREN[signal === 'metrics' ? 'metrics' : 'others'];
  }

  run(): Piece[] {
    // Top-level fields that are no ResourceX are unknown ones: they stay with the first piece.
    const { own } = this.#fields(0, this.#buf.length, 0);
    for (const slice of own) this.#add(slice);
    this.#children(0, this.#buf.length, 0);
    if (this.#items > 0 || this.#pieces.length === 0) this.#finishPiece();
    return this.#pieces;
  }

  #children(from: number, end: number, depth: number): void {
    for (const child of this.#fields(from, end, depth).children) {
      this.#hollow = false;
      const items = this.#count(child, depth);
      if (items === 0) continue;
      // A piece that is full anyway is finished before, so that the child may go whole into the next one.
      if (this.#items === this.#maxItems) this.#finishPiece();
      const slice = this.#buf.subarray(child.start, child.end);
      if (!this.#hollow && this.#fits(items, slice.length)) this.#take(slice, items);
      else if (depth === this.#levels.length - 1) {
        // A single item: what is too large even alone goes alone.
        if (this.#items > 0) this.#finishPiece();
        this.#take(slice, items);
      } else this.#enter(child, depth);
    }
  }

  /** The child does not fit whole: as much of it as does, then the rest in further pieces. */
  #enter(child: TopField, depth: number): void {
    const { own } = this.#fields(child.bodyStart, child.end, depth + 1);
    const ownBytes = own.reduce((sum, slice) => sum + slice.length, 0);
    this.#open.push({ field: fieldOf(child.tag), own, ownBytes, children: [], childBytes: 0 });
    this.#children(child.bodyStart, child.end, depth + 1);
    const envelope = this.#open.pop() as Envelope;
    if (envelope.childBytes > 0) for (const slice of closed(envelope)) this.#add(slice);
  }

  #take(slice: Uint8Array, items: number): void {
    this.#add(slice);
    this.#items += items;
  }

  #add(slice: Uint8Array): void {
    const envelope = this.#open.at(-1);
    const list = envelope?.children ?? this.#closed;
    append(list, slice);
    if (envelope === undefined) this.#closedBytes += slice.length;
    else envelope.childBytes += slice.length;
  }

  /** Whether the piece at hand would stay within its limits with this in the innermost envelope. */
  #fits(items: number, bytes: number): boolean {
    if (this.#items + items > this.#maxItems) return false;
    if (this.#maxBytes === Number.POSITIVE_INFINITY) return true;
    let size = bytes;
    for (let i = this.#open.length - 1; i >= 0; i -= 1) {
      const { field, ownBytes, childBytes } = this.#open[i] as Envelope;
      size += ownBytes + childBytes;
      size += varintSize(field * 8) + varintSize(size);
    }
    return this.#closedBytes + size <= this.#maxBytes;
  }

  /** Closes every envelope with what is in it, and leaves it open and empty for the next piece. */
  #finishPiece(): void {
    let inner: Uint8Array[] = [];
    for (let i = this.#open.length - 1; i >= 0; i -= 1) {
      const envelope = this.#open[i] as Envelope;
      for (const slice of inner) {
        append(envelope.children, slice);
        envelope.childBytes += slice.length;
      }
      inner = envelope.childBytes > 0 ? closed(envelope) : [];
      envelope.children = [];
      envelope.childBytes = 0;
    }
    const slices = [...this.#closed];
    for (const slice of inner) append(slices, slice);
    const bytes = slices.reduce((sum, slice) => sum + slice.length, 0);
    this.#pieces.push({ slices, bytes, items: this.#items });
    this.#closed = [];
    this.#closedBytes = 0;
    this.#items = 0;
  }

  /** A message's children, and the rest of it in as few slices as possible. */
  #fields(from: number, end: number, depth: number): { readonly own: Uint8Array[]; readonly children: TopField[] } {
    const wanted = this.#levels[depth] as readonly number[];
    const own: Uint8Array[] = [];
    const children: TopField[] = [];
    let ownFrom = from;
    for (const field of topFields(this.#buf, from, end)) {
      if ((field.tag & 7) !== WIRE_LEN || !wanted.includes(fieldOf(field.tag))) continue;
      if (field.start > ownFrom) own.push(this.#buf.subarray(ownFrom, field.start));
      ownFrom = field.end;
      children.push(field);
    }
    if (end > ownFrom) own.push(this.#buf.subarray(ownFrom, end));
    return { own, children };
  }

  /** Items in a child; `#hollow` says whether there are envelopes without any in it. */
  #count(child: TopField, depth: number): number {
    if (depth === this.#levels.length - 1) return 1;
    let items = 0;
    for (const inner of this.#fields(child.bodyStart, child.end, depth + 1).children) items += this.#count(inner, depth + 1);
    if (items === 0) this.#hollow = true;
    return items;
  }
}

/** An envelope as it is written: header, its own fields, its children. */
function closed({ field, own, ownBytes, children, childBytes }: Envelope): Uint8Array[] {
  return [lenHeader(field, ownBytes + childBytes), ...own, ...children];
}

/** Neighbours in memory become one slice again: fewer writes for what was cut into items and stayed together. */
function append(list: Uint8Array[], slice: Uint8Array): void {
  const last = list.at(-1);
  if (last !== undefined && last.buffer === slice.buffer && last.byteOffset + last.length === slice.byteOffset) {
    list[list.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + slice.length);
  } else {
    list.push(slice);
  }
}

function countAll(signal: Signal, request: Uint8Array): number {
  let items = 0;
  for (const field of topFields(request)) if (field.tag === 10) items += countResource(signal, request, field.bodyStart, field.end);
  return items;
}

import type { Body } from '../process/process.ts';
import { position, readLength, readTag, skipField, varintSize, WIRE_LEN, writeVarint } from './wire.ts';

/** What is to happen to one item. */
export const KEEP = 0;
export const DROP = 1;
export const EDIT = 2;

/** Judges spans or log records one by one, by their bytes: `buf` from `from` to `end` is one Span or LogRecord without its tag. */
export interface ItemEditor {
  /** Bytes that an edit adds to one item at most. */
  readonly growth: number;
  /** KEEP, DROP or EDIT. Throws on bytes that it cannot read. */
  decide(buf: Uint8Array, from: number, end: number): number;
  /** Directly after a `decide` that said EDIT: writes the new content at `at` and returns the position behind it. */
  write(buf: Uint8Array, from: number, end: number, out: Buffer, at: number): number;
}

/**
 * Walks a traces or logs request and writes what is kept of it into one new buffer. Neighbours that stay as they are are copied in one
 * piece, a scope without items left goes, and so does a resource without scopes (spec: no empty envelopes).
 *
 *   request   | 1 len [ResourceX                                        ] |
 *   ResourceX         | 1 Resource | 2 len [ScopeX               ] | 3 ... |
 *   ScopeX                               | 1 Scope | 2 len [item] | 2 len [item] | 3 ... |
 *
 * The lengths of what is written are known only behind it: room for as long a length as before is left, and where the new one takes
 * fewer or more bytes, what follows is moved.
 */
export function editItems(body: Body, request: Uint8Array, editor: ItemEditor): Body | string {
  try {
    return new ItemWriter(request, body.items, editor).run(body);
  } catch (error) {
    return `items cannot be read: ${(error as Error).message}`;
  }
}

/** Where an edited item, its scope and its resource may each need a longer length: 4 bytes more for each of the three. */
const HEADER_GROWTH = 12;

/**
 * Items of two bytes that get forty more each would make gigabytes of a request that was let in as some megabytes. A request that would
 * grow beyond so many times its size, and this, is refused; one of spans with ids cannot.
 */
const MOST_GROWTH = 4;
const ALWAYS_GROWTH = 1024 * 1024;

/** Below this share of its buffer a result is copied, so that a few kept items do not hold the memory of all. */
const SHARE_WORTH_KEEPING = 0.75;

class ItemWriter {
  readonly #buf: Uint8Array;
  readonly #out: Buffer;
  readonly #editor: ItemEditor;
  #at = 0;
  #items = 0;
  #changed = false;

  constructor(request: Uint8Array, items: number, editor: ItemEditor) {
    this.#buf = request;
    const growth = Math.min(items * (editor.growth + HEADER_GROWTH), Math.max(MOST_GROWTH * request.length, ALWAYS_GROWTH));
    this.#out = Buffer.allocUnsafe(request.length + growth);
    this.#editor = editor;
  }

  run(body: Body): Body {
    this.#level(0, this.#buf.length, 0);
    // Writes past the end of a buffer are silent: an editor that grows more than it says must not pass.
    if (this.#at > this.#out.length) throw new Error('an edit took more room than it was given');
    if (!this.#changed) return body;
    if (this.#items === 0) return { slices: [], bytes: 0, items: 0 };
    const written = this.#out.subarray(0, this.#at);
    const kept = this.#at < this.#out.length * SHARE_WORTH_KEEPING ? new Uint8Array(written) : written; // Buffer.from would take it from a shared pool
    return { slices: [kept], bytes: this.#at, items: this.#items };
  }

  /** Depth 0 is the request, 1 a ResourceX, 2 a ScopeX, whose children are the items. Returns how many items were kept in it. */
  #level(from: number, end: number, depth: number): number {
    const childField = depth === 0 ? 1 : 2;
    const buf = this.#buf;
    let kept = 0;
    let unwritten = from;
    let pos = from;
    while (pos < end) {
      const start = pos;
      const tag = readTag(buf, pos, end);
      const valueAt = position();
      if (tag >>> 3 !== childField || (tag & 7) !== WIRE_LEN) {
        pos = skipField(buf, tag, valueAt, end);
        continue;
      }
      const stop = readLength(buf, valueAt, end);
      const bodyAt = position();
      pos = stop;
      if (depth === 2) {
        const verdict = this.#editor.decide(buf, bodyAt, stop);
        if (verdict !== DROP) kept += 1;
        if (verdict === KEEP) continue;
        this.#changed = true;
        this.#copy(unwritten, start);
        unwritten = stop;
        if (verdict === EDIT) this.#edit(bodyAt, stop);
        continue;
      }
      this.#copy(unwritten, start);
      unwritten = stop;
      kept += this.#nested(bodyAt, stop, depth + 1);
    }
    this.#copy(unwritten, end);
    if (depth === 2) this.#items += kept;
    return kept;
  }

  #nested(from: number, end: number, depth: number): number {
    const headerAt = this.#at;
    this.#at += 1 + varintSize(end - from);
    const contentAt = this.#at;
    const kept = this.#level(from, end, depth);
    if (kept === 0) {
      this.#changed = true;
      this.#at = headerAt;
      return 0;
    }
    this.#patchHeader(depth === 1 ? 1 : 2, headerAt, contentAt);
    return kept;
  }

  #edit(from: number, end: number): void {
    if (this.#at + end - from + this.#editor.growth + HEADER_GROWTH > this.#out.length)
      throw new Error('so many tiny items would grow too much');
    const headerAt = this.#at;
    this.#at += 1 + varintSize(end - from);
    const contentAt = this.#at;
    this.#at = this.#editor.write(this.#buf, from, end, this.#out, contentAt);
    this.#patchHeader(2, headerAt, contentAt);
  }

  #patchHeader(field: number, headerAt: number, contentAt: number): void {
    const length = this.#at - contentAt;
    const shouldBeAt = headerAt + 1 + varintSize(length);
    if (shouldBeAt !== contentAt) {
      this.#out.copyWithin(shouldBeAt, contentAt, this.#at);
      this.#at += shouldBeAt - contentAt;
    }
    this.#out[headerAt] = field * 8 + WIRE_LEN;
    writeVarint(this.#out, headerAt + 1, length);
  }

  #copy(from: number, end: number): void {
    if (end <= from) return;
    this.#out.set(this.#buf.subarray(from, end), this.#at);
    this.#at += end - from;
  }
}

import { SMALL_BODY_BYTES, storeBytes, takeStore } from '../admit/slab.ts';
import type { Body } from '../process/process.ts';
import { MalformedError, position, readLength, readTag, skipField, varintSize, WIRE_LEN, writeVarint } from './wire.ts';

/** What is to happen to one item. */
export const KEEP = 0;
export const DROP = 1;
export const EDIT = 2;

/** Judges spans or log records one by one, by their bytes: `buf` from `from` to `end` is one Span or LogRecord without its tag. */
export interface ItemEditor {
  /** Bytes that the edit just decided adds to its item at most; before the first one, what it probably will. */
  readonly growth: number;
  /** How many times its size, and this in bytes where that is more, a request may grow. @default 4 times, 1 MiB */
  readonly limit?: { readonly times: number; readonly bytes: number };
  /** Scopes and resources without items stay. */
  readonly keepsEmpty?: boolean;
  /** Told of each ResourceX, then of each ScopeX, before what is in it; false drops it. */
  resource?(buf: Uint8Array, from: number, end: number): boolean;
  scope?(buf: Uint8Array, from: number, end: number): boolean;
  /** KEEP, DROP or EDIT. Throws on bytes that it cannot read. */
  decide(buf: Uint8Array, from: number, end: number): number;
  /** Directly after a `decide` that said EDIT: writes the new content at `at` and returns the position behind it. */
  write(buf: Uint8Array, from: number, end: number, out: Buffer, at: number): number;
}

/**
 * Walks a traces or logs request and writes what is kept of it into one new buffer. Neighbours that stay as they are are copied in one
 * piece, a scope without items left goes, and so does a resource without scopes (spec: no empty envelopes). Before the first change
 * nothing is written, and where there is none the body comes back as it was.
 *
 *   request   | 1 len [ResourceX                                        ] |
 *   ResourceX         | 1 Resource | 2 len [ScopeX               ] | 3 ... |
 *   ScopeX                               | 1 Scope | 2 len [item] | 2 len [item] | 3 ... |
 *
 * The lengths of what is written are known only behind it: room for as long a length as before is left, and where the new one takes
 * fewer or more bytes, what follows is moved.
 *
 * One new buffer, and not slices of the old one: a slice costs 100 ns to make and the socket about a microsecond to send, a span of
 * 373 bytes is copied in 50 ns (test/bench/agent-processors-alone.mjs).
 */
export function editItems(body: Body, request: Uint8Array, editor: ItemEditor): Body | string {
  try {
    return editItemsOrThrow(body, request, editor);
  } catch (error) {
    return `items cannot be read: ${(error as Error).message}`;
  }
}

/** The same, for those who do something else where it throws. */
export function editItemsOrThrow(body: Body, request: Uint8Array, editor: ItemEditor): Body {
  return new ItemWriter(request, body.items, editor).run(body);
}

/** Where an edited item, its scope and its resource may each need a longer length: 4 bytes more for each of the three. */
const HEADER_GROWTH = 12;

/**
 * Items of two bytes that get forty more each would make gigabytes of a request that was let in as some megabytes. A request that would
 * grow beyond so many times its size, and this, is refused; one of spans with ids cannot.
 */
const LIMIT = { times: 4, bytes: 1024 * 1024 };

/**
 * Up to here the output is written into memory that is used again and copied once it is whole, into a store of its size: fresh memory
 * costs page faults and work for the garbage collector, ten times what copying takes, so that little of it is asked for.
 */
const SCRATCH_BYTES = 1024 * 1024;
/** Below this share of its own buffer a larger output is copied, too. */
const SHARE_WORTH_KEEPING = 0.75;
/** Of one request at a time: an editor runs from its beginning to its end. */
let scratch: Buffer | undefined;

/**
 * Up to here a loop copies faster than Buffer's copy (40 ns). That wants no Buffer, and other than `set` no view of the range, which took
 * half as long again and was garbage for each item.
 */
const SHORT_BYTES = 24;
const { copy } = Buffer.prototype;

/** The level is not written yet: nothing in it changed. */
const UNWRITTEN = -1;

const SCOPE = 2;
const ITEM_TAG = (2 << 3) | WIRE_LEN;

class ItemWriter {
  readonly #buf: Uint8Array;
  readonly #editor: ItemEditor;
  readonly #expected: number;
  readonly #most: number;
  #out: Buffer = NOTHING;
  #at = 0;
  /** The input from here to what is looked at stays as it is and is still to be copied. */
  #unwritten = 0;
  #items = 0;
  #changed = false;
  /** Of the ResourceX (1) and ScopeX (2) at hand: its tag and its content in the input, its header in the output. */
  readonly #start = [0, 0, 0];
  readonly #body = [0, 0, 0];
  readonly #end = [0, 0, 0];
  readonly #header = [UNWRITTEN, UNWRITTEN, UNWRITTEN];

  constructor(request: Uint8Array, items: number, editor: ItemEditor) {
    const { times, bytes } = editor.limit ?? LIMIT;
    this.#buf = request;
    this.#editor = editor;
    this.#most = request.length + Math.max(times * request.length, bytes);
    this.#expected = Math.min(request.length + items * (editor.growth + HEADER_GROWTH), this.#most);
  }

  run(body: Body): Body {
    const { length } = this.#buf;
    this.#level(0, length, 0);
    if (!this.#changed) return body;
    if (this.#items === 0) return { slices: [], bytes: 0, items: 0 };
    this.#copyUpTo(length);
    return this.#finish();
  }

  /** What was written, in memory of its size: a few kept items must not hold the memory of all. */
  #finish(): Body {
    const bytes = this.#at;
    const items = this.#items;
    const written = this.#out.subarray(0, bytes);
    if (this.#out !== scratch && bytes > this.#out.length * SHARE_WORTH_KEEPING) return { slices: [written], bytes, items };
    if (bytes < SMALL_BODY_BYTES) {
      const kept = Buffer.allocUnsafeSlow(bytes);
      kept.set(written);
      return { slices: [kept], bytes, items };
    }
    const store = takeStore(storeBytes(bytes));
    store.set(written);
    return { slices: [store.subarray(0, bytes)], bytes, items, store };
  }

  /** Depth 0 is the request, 1 a ResourceX, 2 a ScopeX. Returns how many items were kept in it. */
  #level(from: number, end: number, depth: number): number {
    if (depth === SCOPE) return this.#scopeItems(from, end);
    const level = depth + 1;
    const buf = this.#buf;
    const editor = this.#editor;
    let kept = 0;
    let pos = from;
    while (pos < end) {
      const start = pos;
      const tag = readTag(buf, pos, end);
      if (tag >>> 3 !== level || (tag & 7) !== WIRE_LEN) {
        pos = skipField(buf, tag, position(), end);
        continue;
      }
      const stop = readLength(buf, position(), end);
      const body = position();
      this.#start[level] = start;
      this.#body[level] = body;
      this.#end[level] = stop;
      this.#header[level] = UNWRITTEN;
      const enters = level === SCOPE ? editor.scope?.(buf, body, stop) : editor.resource?.(buf, body, stop);
      const inside = enters === false ? 0 : this.#level(body, stop, level);
      if (inside === 0 && (enters === false || editor.keepsEmpty !== true)) this.#drop(level, start, stop);
      else if (this.#header[level] !== UNWRITTEN) {
        this.#copyUpTo(stop);
        this.#patchHeader(level, this.#header[level] as number, this.#contentAt(level));
      }
      kept += inside;
      pos = stop;
    }
    return kept;
  }

  #scopeItems(from: number, end: number): number {
    const buf = this.#buf;
    const editor = this.#editor;
    let kept = 0;
    let pos = from;
    while (pos < end) {
      const start = pos;
      if (buf[pos] === ITEM_TAG) {
        pos = readLength(buf, pos + 1, end);
      } else {
        const tag = readTag(buf, pos, end);
        if (tag !== ITEM_TAG) {
          pos = skipField(buf, tag, position(), end);
          continue;
        }
        pos = readLength(buf, position(), end);
      }
      const body = position();
      const verdict = editor.decide(buf, body, pos);
      if (verdict !== DROP) kept += 1;
      if (verdict === KEEP) continue;
      this.#writeUpTo(start, SCOPE);
      this.#unwritten = pos;
      if (verdict === EDIT) this.#edit(body, pos);
    }
    this.#items += kept;
    return kept;
  }

  #drop(level: number, start: number, stop: number): void {
    if (this.#header[level] === UNWRITTEN) this.#writeUpTo(start, level - 1);
    else this.#at = this.#header[level] as number;
    this.#unwritten = stop;
  }

  /** Copies what stays up to `pos`, with new headers for the levels around it. */
  #writeUpTo(pos: number, level: number): void {
    if (!this.#changed) {
      this.#changed = true;
      this.#out = memoryFor(this.#expected);
    }
    for (let i = 1; i <= level; i += 1) {
      if (this.#header[i] !== UNWRITTEN) continue;
      this.#copyUpTo(this.#start[i] as number);
      this.#header[i] = this.#at;
      this.#at = this.#contentAt(i);
      this.#unwritten = this.#body[i] as number;
    }
    this.#copyUpTo(pos);
  }

  /** Where the content of a level begins in the output, until its length is known. */
  #contentAt(level: number): number {
    return (this.#header[level] as number) + 1 + varintSize((this.#end[level] as number) - (this.#body[level] as number));
  }

  #edit(from: number, end: number): void {
    const length = end - from;
    const { growth } = this.#editor;
    this.#reserve(length + growth);
    const headerAt = this.#at;
    const contentAt = headerAt + 1 + varintSize(length);
    this.#at = this.#editor.write(this.#buf, from, end, this.#out, contentAt);
    // Writes past the end of a buffer are silent: an editor that grows more than it says must not pass.
    if (this.#at > contentAt + length + growth) throw new Error('an edit took more room than it was given');
    this.#patchHeader(SCOPE, headerAt, contentAt);
  }

  #reserve(bytes: number): void {
    const wanted = this.#at + bytes + HEADER_GROWTH + this.#buf.length - this.#unwritten;
    if (wanted <= this.#out.length) return;
    if (wanted > this.#most) throw new MalformedError('so many tiny items would grow too much', this.#unwritten);
    const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(wanted, 2 * this.#out.length), this.#most));
    larger.set(this.#out.subarray(0, this.#at));
    this.#out = larger;
  }

  #patchHeader(field: number, headerAt: number, contentAt: number): void {
    const out = this.#out;
    const length = this.#at - contentAt;
    const shouldBeAt = headerAt + 1 + varintSize(length);
    if (shouldBeAt !== contentAt) {
      out.copyWithin(shouldBeAt, contentAt, this.#at);
      this.#at += shouldBeAt - contentAt;
    }
    out[headerAt] = field * 8 + WIRE_LEN;
    writeVarint(out, headerAt + 1, length);
  }

  #copyUpTo(pos: number): void {
    const from = this.#unwritten;
    if (pos <= from) return;
    copyBytes(this.#buf, from, pos, this.#out, this.#at);
    this.#at += pos - from;
    this.#unwritten = pos;
  }
}

function memoryFor(bytes: number): Buffer {
  if (bytes > SCRATCH_BYTES) return Buffer.allocUnsafeSlow(bytes);
  scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  return scratch;
}

/** Copies [from, end) to `at`. */
export function copyBytes(buf: Uint8Array, from: number, end: number, out: Uint8Array, at: number): void {
  if (end - from > SHORT_BYTES) copy.call(buf as Buffer, out, at, from, end);
  else for (let pos = from, to = at; pos < end; pos += 1, to += 1) out[to] = buf[pos] as number;
}

const NOTHING = Buffer.alloc(0);

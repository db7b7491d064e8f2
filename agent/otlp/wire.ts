import type { Signal } from '../config/settings.ts';

/**
 * Protobuf without decoding: walk tags, skip by length, count. https://protobuf.dev/programming-guides/encoding/
 *
 *   ExportTraceServiceRequest            metrics                       logs                   profiles
 *     1 ResourceSpans      repeated        1 ResourceMetrics             1 ResourceLogs         1 ResourceProfiles
 *       1 Resource                           1 Resource                    1 Resource             1 Resource
 *       2 ScopeSpans       repeated          2 ScopeMetrics                2 ScopeLogs            2 ScopeProfiles
 *         1 Scope                              1 Scope                       1 Scope                1 Scope
 *         2 Span           repeated            2 Metric                      2 LogRecord            2 Profile
 *                                                5|7|9|10|11 data                                     2 Sample
 *                                                  1 DataPoint                                  2 ProfilesDictionary
 *
 * So one table says how deep the items lie: PATHS below. Only the levels above the items are read; what is inside an item is not.
 * Unknown fields are skipped (spec: they do not fail a request); a known field of the wrong wire type or a length that leaves its
 * parent is malformed.
 */

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LEN = 2;
const WIRE_START_GROUP = 3;
const WIRE_END_GROUP = 4;
export const WIRE_FIXED32 = 5;

/** protobuf's own limit for nested groups is 100; deeper is an attack. */
const MAX_GROUP_DEPTH = 100;

/** The tag bytes (field number << 3 | wire type) that lead from the request to one item. */
const TAG_1_LEN = (1 << 3) | WIRE_LEN;
const TAG_2_LEN = (2 << 3) | WIRE_LEN;

/** Thrown by the walkers and the views; `scan` and the processors turn it into a reason. */
export class MalformedError extends Error {
  readonly offset: number;
  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`);
    this.offset = offset;
  }
}

/** What `scan` found, or why the bytes are no request. */
export type Scan = { readonly ok: true; readonly items: number } | { readonly ok: false; readonly reason: string };

/**
 * Read position of the varint reader. A module variable, as returning value and length together would allocate for each tag
 * (test/bench/agent-scan: an object per tag halves the rate).
 */
let at = 0;

/** Where the last reader stopped. */
export function position(): number {
  return at;
}

/** Reads a varint at `from`, never past `end`, as a number; 64-bit values above 2^53 lose low bits, which only lengths may not have. */
export function readVarint(buf: Uint8Array, from: number, end: number): number {
  let pos = from;
  if (pos >= end) throw new MalformedError('truncated varint', pos);
  let byte = buf[pos] as number;
  pos += 1;
  if (byte < 0x80) {
    at = pos;
    return byte;
  }
  let value = byte & 0x7f;
  let scale = 0x80;
  for (let i = 1; i < 10; i += 1) {
    if (pos >= end) throw new MalformedError('truncated varint', pos);
    byte = buf[pos] as number;
    pos += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      at = pos;
      return value;
    }
    scale *= 0x80;
  }
  throw new MalformedError('varint of more than 10 bytes', from);
}

/** Reads a tag and refuses field number 0 and those above 2^29 - 1. */
export function readTag(buf: Uint8Array, from: number, end: number): number {
  const tag = readVarint(buf, from, end);
  if (tag < 8 || tag > 0xffffffff) throw new MalformedError('illegal tag', from);
  return tag;
}

/** Reads a length and proves that so many bytes follow before `end`; returns the end of the field. */
export function readLength(buf: Uint8Array, from: number, end: number): number {
  const length = readVarint(buf, from, end);
  const stop = at + length;
  if (stop > end) throw new MalformedError(`length ${length} reaches past the end of its message`, from);
  return stop;
}

/** Skips the value of a field whose tag was just read; returns the position behind it. */
export function skipField(buf: Uint8Array, tag: number, from: number, end: number, depth = 0): number {
  switch (tag & 7) {
    case WIRE_VARINT:
      readVarint(buf, from, end);
      return at;
    case WIRE_FIXED64:
      if (from + 8 > end) throw new MalformedError('truncated fixed64', from);
      return from + 8;
    case WIRE_LEN:
      return readLength(buf, from, end);
    case WIRE_FIXED32:
      if (from + 4 > end) throw new MalformedError('truncated fixed32', from);
      return from + 4;
    case WIRE_START_GROUP: {
      if (depth >= MAX_GROUP_DEPTH) throw new MalformedError('groups nested too deeply', from);
      let pos = from;
      for (;;) {
        const inner = readTag(buf, pos, end);
        if ((inner & 7) === WIRE_END_GROUP) {
          if (inner >>> 3 !== tag >>> 3) throw new MalformedError('group ends with another field number', pos);
          return at;
        }
        pos = skipField(buf, inner, at, end, depth + 1);
      }
    }
    default:
      throw new MalformedError(`illegal wire type ${tag & 7}`, from);
  }
}

/** Field number of a tag. */
export function fieldOf(tag: number): number {
  return tag >>> 3;
}

/**
 * The end of a field whose length stands at `from`, where that takes at most three bytes and the field ends by `end`; its content begins at
 * `at` then. -1 for all else, malformed or not, which readLength tells apart. Of every request each item comes by here once: without the
 * loop of readVarint a scan takes half the time (test/bench/agent-processors-alone.mjs, "scan").
 */
function shortLength(buf: Uint8Array, from: number, end: number): number {
  if (from + 3 > end) return -1;
  let length = buf[from] as number;
  let pos = from + 1;
  if (length >= 0x80) {
    const second = buf[pos] as number;
    pos += 1;
    length = (length & 0x7f) | ((second & 0x7f) << 7);
    if (second >= 0x80) {
      const third = buf[pos] as number;
      if (third >= 0x80) return -1;
      pos += 1;
      length |= third << 14;
    }
  }
  at = pos;
  return pos + length <= end ? pos + length : -1;
}

/** How many of field 2 (wire type LEN) lie directly in a message; field 1 must be LEN too. */
function countScope(
  buf: Uint8Array,
  from: number,
  end: number,
  inner: ((b: Uint8Array, f: number, e: number) => number) | undefined,
): number {
  let pos = from;
  let count = 0;
  while (pos < end) {
    // The fast way through the one loop that runs once for each item: a one-byte tag and a short length.
    if (buf[pos] === TAG_2_LEN) {
      let stop = shortLength(buf, pos + 1, end);
      if (stop < 0) stop = readLength(buf, pos + 1, end);
      count += inner === undefined ? 1 : inner(buf, at, stop);
      pos = stop;
      continue;
    }
    const tag = readTag(buf, pos, end);
    const field = tag >>> 3;
    if ((field === 1 || field === 2 || field === 3) && (tag & 7) !== WIRE_LEN)
      throw new MalformedError(`field ${field} has wire type ${tag & 7}`, pos);
    if (field === 2) {
      // A tag written in more bytes than it needs: legal, and nobody does it.
      const stop = readLength(buf, at, end);
      count += inner === undefined ? 1 : inner(buf, at, stop);
      pos = stop;
    } else {
      pos = skipField(buf, tag, at, end);
    }
  }
  return count;
}

/** Metric: gauge 5, sum 7, histogram 9, exponential_histogram 10, summary 11; in each of them data_points = 1. */
function countDataPoints(buf: Uint8Array, from: number, end: number): number {
  let pos = from;
  let count = 0;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const field = tag >>> 3;
    if (field === 5 || field === 7 || field === 9 || field === 10 || field === 11) {
      if ((tag & 7) !== WIRE_LEN) throw new MalformedError(`metric data has wire type ${tag & 7}`, pos);
      const stop = readLength(buf, at, end);
      // A oneof: were it there twice, protobuf merges equal kinds and lets the last of several kinds win. Counting all is an upper bound.
      count += countPoints(buf, at, stop);
      pos = stop;
    } else {
      pos = skipField(buf, tag, at, end);
    }
  }
  return count;
}

function countPoints(buf: Uint8Array, from: number, end: number): number {
  let pos = from;
  let count = 0;
  while (pos < end) {
    if (buf[pos] === TAG_1_LEN) {
      const stop = shortLength(buf, pos + 1, end);
      pos = stop < 0 ? readLength(buf, pos + 1, end) : stop;
      count += 1;
      continue;
    }
    const tag = readTag(buf, pos, end);
    if (tag === TAG_1_LEN) count += 1;
    else if (tag >>> 3 === 1) throw new MalformedError(`data_points has wire type ${tag & 7}`, pos);
    pos = skipField(buf, tag, at, end);
  }
  return count;
}

/** Profile: samples = 2. */
function countSamples(buf: Uint8Array, from: number, end: number): number {
  let pos = from;
  let count = 0;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    if (tag === TAG_2_LEN) count += 1;
    else if (tag >>> 3 === 2) throw new MalformedError(`samples has wire type ${tag & 7}`, pos);
    pos = skipField(buf, tag, at, end);
  }
  return count;
}

const INNER: Readonly<Record<Signal, ((b: Uint8Array, f: number, e: number) => number) | undefined>> = {
  traces: undefined,
  metrics: countDataPoints,
  logs: undefined,
  profiles: countSamples,
};

/** Items in one ResourceX that lies at [from, end). Throws on malformed bytes. */
export function countResource(signal: Signal, buf: Uint8Array, from: number, end: number): number {
  const inner = INNER[signal];
  let pos = from;
  let items = 0;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const field = tag >>> 3;
    if (field === 1 || field === 2 || field === 3) {
      if ((tag & 7) !== WIRE_LEN) throw new MalformedError(`field ${field} has wire type ${tag & 7}`, pos);
      const stop = readLength(buf, at, end);
      if (field === 2) items += countScope(buf, at, stop, inner);
      pos = stop;
    } else {
      pos = skipField(buf, tag, at, end);
    }
  }
  return items;
}

/** Counts the items of a whole request and proves that its outer levels are well formed. 17 ms for 60 MiB, decoding it took 2.5 s. */
export function scan(signal: Signal, buf: Uint8Array): Scan {
  const end = buf.length;
  let pos = 0;
  let items = 0;
  try {
    while (pos < end) {
      const tag = readTag(buf, pos, end);
      const field = tag >>> 3;
      if (field === 1 || (field === 2 && signal === 'profiles')) {
        if ((tag & 7) !== WIRE_LEN) throw new MalformedError(`field ${field} has wire type ${tag & 7}`, pos);
        const stop = readLength(buf, at, end);
        if (field === 1) items += countResource(signal, buf, at, stop);
        pos = stop;
      } else {
        pos = skipField(buf, tag, at, end);
      }
    }
  } catch (error) {
    if (error instanceof MalformedError) return { ok: false, reason: error.message };
    throw error;
  }
  return { ok: true, items };
}

/** One top-level field of a request: where it lies, tag included, and the items in it (0 for all but ResourceX). */
export interface TopField {
  readonly tag: number;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

/** The top-level fields of a message that was scanned before. Throws on malformed bytes. */
export function topFields(buf: Uint8Array, from = 0, end = buf.length): TopField[] {
  const fields: TopField[] = [];
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const valueAt = at;
    const stop = skipField(buf, tag, valueAt, end);
    let bodyStart = valueAt;
    if ((tag & 7) === WIRE_LEN) {
      readVarint(buf, valueAt, end);
      bodyStart = at;
    }
    fields.push({ tag, start: pos, bodyStart, end: stop });
    pos = stop;
  }
  return fields;
}

/** Bytes that `value` takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** Writes a varint below 2^53; returns the position behind it. */
export function writeVarint(buf: Uint8Array, pos: number, value: number): number {
  let rest = value;
  let to = pos;
  while (rest >= 0x80) {
    buf[to] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    to += 1;
  }
  buf[to] = rest;
  return to + 1;
}

/** `tag, length`: what stands before a nested message of `length` bytes. */
export function lenHeader(field: number, length: number): Uint8Array {
  const tag = field * 8 + WIRE_LEN;
  const header = new Uint8Array(varintSize(tag) + varintSize(length));
  writeVarint(header, writeVarint(header, 0, tag), length);
  return header;
}

/** A nested message, string or bytes field, whole. */
export function lenField(field: number, body: Uint8Array): Uint8Array {
  const header = lenHeader(field, body.length);
  const out = new Uint8Array(header.length + body.length);
  out.set(header);
  out.set(body, header.length);
  return out;
}

/** A varint field, whole. */
export function varintField(field: number, value: number): Uint8Array {
  const tag = field * 8 + WIRE_VARINT;
  const out = new Uint8Array(varintSize(tag) + varintSize(value));
  writeVarint(out, writeVarint(out, 0, tag), value);
  return out;
}

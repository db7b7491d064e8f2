import { STATIC_COUNT, STATIC_FIELDS } from './hpack-static.ts';
import type { ResponseHeaders } from './server.ts';

/**
 * Header blocks of answers: fields and names of the static table, all else as literals that nobody has to remember. Without a dynamic
 * table the same headers are the same bytes on every connection, encoded once; with one an answer would be some 60 bytes shorter, and
 * each connection would have its own state.
 */
const blocks = new WeakMap<ResponseHeaders, Uint8Array>();
// Most answers are one pair of constants: two comparisons are cheaper than two look-ups.
let lastHeaders: ResponseHeaders | undefined;
let lastBlock: Uint8Array = new Uint8Array(0);
let otherHeaders: ResponseHeaders | undefined;
let otherBlock: Uint8Array = lastBlock;

/** Of 32 bits. */
const LONGEST_INTEGER_BYTES = 6;

const NAMES = new Map<string, number>();
const FIELDS = new Map<string, number>();
for (let index = STATIC_COUNT; index > 0; index -= 1) {
  const { name, value } = STATIC_FIELDS[index] as { name: string; value: string };
  NAMES.set(name, index);
  FIELDS.set(`${name}\0${value}`, index);
}

/** The block of these headers, which must not change. */
export function responseBlock(headers: ResponseHeaders): Uint8Array {
  if (headers === lastHeaders) return lastBlock;
  if (headers === otherHeaders) return otherBlock;
  let block = blocks.get(headers);
  if (block === undefined) {
    block = encode(headers);
    blocks.set(headers, block);
  }
  otherHeaders = lastHeaders;
  otherBlock = lastBlock;
  lastHeaders = headers;
  lastBlock = block;
  return block;
}

/** Where blocks are put together; grows to the longest one. */
let scratch = Buffer.alloc(1024);
let at = 0;

function encode(headers: ResponseHeaders): Uint8Array {
  at = 0;
  for (const name in headers) {
    const value = headers[name] as string;
    reserve(name.length + value.length);
    const named = NAMES.get(name);
    const whole = named === undefined ? undefined : FIELDS.get(`${name}\0${value}`);
    if (whole !== undefined) {
      putInteger(0x80, 7, whole);
      continue;
    }
    putInteger(0, 4, named ?? 0);
    if (named === undefined) putString(name);
    putString(value);
  }
  return Uint8Array.prototype.slice.call(scratch, 0, at);
}

/** For a field: its octets and three integers. */
function reserve(octets: number): void {
  const needed = at + octets + 3 * LONGEST_INTEGER_BYTES;
  if (needed <= scratch.length) return;
  const larger = Buffer.alloc(needed * 2);
  larger.set(scratch.subarray(0, at));
  scratch = larger;
}

/** One octet for each character. */
function putString(text: string): void {
  putInteger(0, 7, text.length);
  at += scratch.write(text, at, 'latin1');
}

/** RFC 7541, 5.1. */
function putInteger(first: number, prefixBits: number, value: number): void {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    scratch[at++] = first | value;
    return;
  }
  scratch[at++] = first | mask;
  let left = value - mask;
  for (; left >= 128; left >>>= 7) scratch[at++] = (left & 0x7f) | 0x80;
  scratch[at++] = left;
}

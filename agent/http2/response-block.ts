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

function encode(headers: ResponseHeaders): Uint8Array {
  const out: number[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const whole = FIELDS.get(`${name}\0${value}`);
    if (whole !== undefined) {
      putInteger(out, 0x80, 7, whole);
      continue;
    }
    const named = NAMES.get(name);
    putInteger(out, 0, 4, named ?? 0);
    if (named === undefined) putString(out, name);
    putString(out, value);
  }
  return Uint8Array.from(out);
}

function putString(out: number[], text: string): void {
  putInteger(out, 0, 7, text.length);
  for (let i = 0; i < text.length; i += 1) out.push(text.charCodeAt(i) & 0xff);
}

/** RFC 7541, 5.1. */
function putInteger(out: number[], first: number, prefixBits: number, value: number): void {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    out.push(first | value);
    return;
  }
  out.push(first | mask);
  let left = value - mask;
  for (; left >= 128; left >>>= 7) out.push((left & 0x7f) | 0x80);
  out.push(left);
}

/**
 * 64-bit integers as two unsigned halves, as a double keeps 53 bits and a BigInt allocates: timestamps are in every item, twice.
 * Functions that have two results leave them in `low` and `high`, for the reason that wire.ts gives for its position.
 */
export let low = 0;
export let high = 0;

const TWO_32 = 0x1_0000_0000;
const BILLION = 1_000_000_000;

/** Puts a safe integer that is not negative into the halves. */
export function setNumber(value: number): void {
  low = value >>> 0;
  high = Math.floor(value / TWO_32) >>> 0;
}

/** Puts both halves. */
export function setHalves(lowHalf: number, highHalf: number): void {
  low = lowHalf >>> 0;
  high = highHalf >>> 0;
}

/** Two's complement of the halves. */
export function negate(): void {
  low = (~low + 1) >>> 0;
  high = (~high + (low === 0 ? 1 : 0)) >>> 0;
}

/** Reads the digits at [from, end), at least one, into the halves; false where they are 2^64 or more. */
export function readDigits(buf: Uint8Array, from: number, end: number): boolean {
  let start = from;
  while (start < end - 1 && buf[start] === 0x30) start += 1;
  const digits = end - start;
  if (digits > 20) return false;
  if (digits <= 15) {
    setNumber(decimal(buf, start, end));
    return true;
  }
  // upper * 10^9 + lower, where upper has at most 11 digits: in pieces of 16 bits none of the products leaves the 53 bits of a double.
  const upper = decimal(buf, start, end - 9);
  const lower = decimal(buf, end - 9, end);
  const top = Math.floor(upper / 0x10000) * BILLION;
  const rest = (upper % 0x10000) * BILLION + lower;
  const sum = (top % 0x10000) * 0x10000 + rest;
  const above = Math.floor(top / 0x10000) + Math.floor(sum / TWO_32);
  if (above >= TWO_32) return false;
  low = (sum % TWO_32) >>> 0;
  high = above >>> 0;
  return true;
}

function decimal(buf: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let i = from; i < end; i += 1) value = value * 10 + (buf[i] as number) - 0x30;
  return value;
}

/** Writes the halves as an unsigned decimal; returns the position behind it. `buf` has 20 bytes of room. */
export function writeDigits(buf: Uint8Array, at: number, lowHalf: number, highHalf: number): number {
  if (highHalf < 0x20_0000) return writeSafe(buf, at, highHalf * TWO_32 + lowHalf);
  // Long division by 10^9 in digits of 16 bits.
  let quotient = 0;
  let rest = 0;
  for (let i = 0; i < 4; i += 1) {
    const digit = i === 0 ? highHalf >>> 16 : i === 1 ? highHalf & 0xffff : i === 2 ? lowHalf >>> 16 : lowHalf & 0xffff;
    const current = rest * 0x10000 + digit;
    const part = Math.floor(current / BILLION);
    rest = current - part * BILLION;
    quotient = quotient * 0x10000 + part;
  }
  const end = writeSafe(buf, at, quotient);
  for (let i = end + 8; i >= end; i -= 1) {
    const next = Math.floor(rest / 10);
    buf[i] = 0x30 + rest - next * 10;
    rest = next;
  }
  return end + 9;
}

/** Writes a safe integer that is not negative. */
export function writeSafe(buf: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    buf[at] = 0x30 + value;
    return at + 1;
  }
  let size = 1;
  for (let bound = 10; bound <= value; bound *= 10) size += 1;
  let rest = value;
  for (let i = at + size - 1; i >= at; i -= 1) {
    const next = Math.floor(rest / 10);
    buf[i] = 0x30 + rest - next * 10;
    rest = next;
  }
  return at + size;
}

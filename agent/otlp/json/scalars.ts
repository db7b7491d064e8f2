import { high, low, negate, readDigits, setHalves } from './int64.ts';
import type { Kind } from './schema.ts';
import { hexDigit, JsonSyntaxError, MINUS } from './tokens.ts';

/** Digits of an integer that is written with a fraction or an exponent; no 64-bit number has more than 20. */
const DIGITS = new Uint8Array(24);

/**
 * Reads the integer at [from, end) into the halves of int64.ts, as two's complement, and proves that it fits `kind`. ProtoJSON lets a
 * whole number be written with fraction and exponent.
 */
export function readInteger(buf: Buffer, from: number, end: number, kind: Kind): void {
  const negative = buf[from] === MINUS;
  const first = negative ? from + 1 : from;
  const fits = isDigits(buf, first, end) ? readDigits(buf, first, end) : readExact(buf, first, end);
  if (!fits || !inRange(kind, negative)) throw new JsonSyntaxError(`a number that does not fit ${kind}`, from);
  if (negative) negate();
}

function isDigits(buf: Uint8Array, from: number, end: number): boolean {
  for (let i = from; i < end; i += 1) {
    const byte = buf[i] as number;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return end > from;
}

/** `1.5e1` is 15, `1.50` is no integer; false where it is too large. In plain loops, as a body may hold millions of them. */
function readExact(buf: Uint8Array, from: number, end: number): boolean {
  let digits = 0;
  let scale = 0;
  let zeros = 0;
  let pos = from;
  let inFraction = false;
  for (; pos < end; pos += 1) {
    const byte = buf[pos] as number;
    if (byte === 0x2e && !inFraction) {
      inFraction = true;
      continue;
    }
    if (byte < 0x30 || byte > 0x39) break;
    if (inFraction) scale -= 1;
    // Zeros are kept back until another digit follows: those at the end are part of the scale.
    if (byte === 0x30) {
      zeros += 1;
      continue;
    }
    for (; zeros > 0 && digits > 0; zeros -= 1) {
      if (digits === DIGITS.length) return false;
      DIGITS[digits++] = 0x30;
    }
    zeros = 0;
    if (digits === DIGITS.length) return false;
    DIGITS[digits++] = byte;
  }
  if (!isDigits(buf, from, from + 1) || buf[pos - 1] === 0x2e) throw new JsonSyntaxError('no integer', from); // in quotes nobody has looked
  scale += zeros + exponentOf(buf, pos, end, from);
  if (digits === 0) {
    setHalves(0, 0);
    return true;
  }
  if (scale < 0) throw new JsonSyntaxError('no integer', from);
  if (digits + scale > DIGITS.length) return false;
  DIGITS.fill(0x30, digits, digits + scale);
  return readDigits(DIGITS, 0, digits + scale);
}

/** `e+2`, or nothing; past a thousand it makes no difference any more. */
function exponentOf(buf: Uint8Array, from: number, end: number, at: number): number {
  if (from === end && end > at) return 0;
  const sign = buf[from + 1];
  const first = sign === 0x2b || sign === MINUS ? from + 2 : from + 1;
  if (((buf[from] as number) | 0x20) !== 0x65 || !isDigits(buf, first, end)) throw new JsonSyntaxError('no integer', at);
  let exponent = 0;
  for (let pos = first; pos < end && exponent < 1000; pos += 1) exponent = exponent * 10 + (buf[pos] as number) - 0x30;
  return sign === MINUS ? -exponent : exponent;
}

/** Whether the magnitude in the halves fits. */
function inRange(kind: Kind, negative: boolean): boolean {
  switch (kind) {
    case 'uint64':
    case 'fixed64':
      return !negative || (low === 0 && high === 0);
    case 'int64':
    case 'sfixed64':
      return high < 0x8000_0000 || (negative && high === 0x8000_0000 && low === 0);
    case 'uint32':
    case 'fixed32':
      return high === 0 && (!negative || low === 0);
    default:
      return high === 0 && (low < 0x8000_0000 || (negative && low === 0x8000_0000));
  }
}

/** The double at [from, end): a JSON number. Short whole numbers, which are most, without a string. */
export function readDouble(buf: Buffer, from: number, end: number): number {
  const negative = buf[from] === MINUS;
  const first = negative ? from + 1 : from;
  if (end - first <= 15 && isDigits(buf, first, end)) {
    let value = 0;
    for (let i = first; i < end; i += 1) value = value * 10 + (buf[i] as number) - 0x30;
    return negative ? -value : value;
  }
  const value = Number(buf.toString('latin1', from, end));
  if (!Number.isFinite(value)) throw new JsonSyntaxError('a number that does not fit double', from);
  return value;
}

const DECIMAL = /^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/;
/** ProtoJSON's spellings, and the others that the Collector reads. */
const NOT_FINITE = /^([+-]?)(?:inf(?:inity)?|(nan))$/i;

/** A double in quotes: NaN, Infinity, -Infinity, or a number. */
export function doubleOfText(text: string, at: number): number {
  const special = NOT_FINITE.exec(text);
  if (special !== null) {
    if (special[2] !== undefined) return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new JsonSyntaxError('text that is no double', at);
  return value;
}

/** Writes the bytes that the hex digits at [from, end) stand for. */
export function readHex(buf: Uint8Array, from: number, end: number, out: Uint8Array, at: number): void {
  let to = at;
  for (let i = from; i < end; i += 2) {
    const byte = (hexDigit(buf[i]) << 4) | hexDigit(buf[i + 1]);
    if (byte < 0) throw new JsonSyntaxError('an id that is not hexadecimal', from);
    out[to] = byte;
    to += 1;
  }
}

const PADDING = 64;
const LINE_BREAK = 65;
const BASE64 = base64Values();

/** Standard and URL-safe alphabets, as ProtoJSON takes both; -1 is neither. */
function base64Values(): Int8Array {
  const values = new Int8Array(256).fill(-1);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  for (let i = 0; i < alphabet.length; i += 1) values[alphabet.charCodeAt(i)] = i;
  values[0x2b] = 62; // +
  values[0x2d] = 62; // -
  values[0x2f] = 63; // /
  values[0x5f] = 63; // _
  values[0x3d] = PADDING;
  values[0x0a] = LINE_BREAK; // Go's decoder leaves line breaks out, and so the Collector
  values[0x0d] = LINE_BREAK;
  return values;
}

/** Writes the bytes of the base64 at [from, end), padded or not; returns the position behind them. */
export function readBase64(buf: Uint8Array, from: number, end: number, out: Uint8Array, at: number): number {
  let to = at;
  let bits = 0;
  let count = 0;
  let padding = 0;
  for (let i = from; i < end; i += 1) {
    const value = BASE64[buf[i] as number] as number;
    if (value === LINE_BREAK) continue;
    if (value === PADDING) padding += 1;
    if (value < 0 || (padding > 0 && value !== PADDING)) throw new JsonSyntaxError('bytes that are not base64', from);
    if (padding > 0) continue;
    bits = (bits << 6) | value;
    count += 1;
    if (count % 4 === 0) {
      out[to] = (bits >> 16) & 0xff;
      out[to + 1] = (bits >> 8) & 0xff;
      out[to + 2] = bits & 0xff;
      to += 3;
      bits = 0;
    }
  }
  const rest = count % 4;
  if (rest === 1 || padding > 2 || (padding > 0 && (rest + padding) % 4 !== 0)) throw new JsonSyntaxError('base64 of a wrong length', from);
  if (rest === 2) {
    out[to] = (bits >> 4) & 0xff;
    return to + 1;
  }
  if (rest === 3) {
    out[to] = (bits >> 10) & 0xff;
    out[to + 1] = (bits >> 2) & 0xff;
    return to + 2;
  }
  return to;
}

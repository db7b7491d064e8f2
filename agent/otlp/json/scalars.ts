import { high, low, negate, readDigits, setHalves } from './int64.ts';
import type { Kind } from './schema.ts';
import { hexDigit, JsonSyntaxError, MINUS } from './tokens.ts';

/** Longest text of a number with a fraction or exponent that is still taken for an integer (`1e3`, `1.50E+2`). */
const MAX_EXACT_CHARS = 64;
const MAX_EXACT_EXPONENT = 40;

/**
 * Reads the integer at [from, end) into the halves of int64.ts, as two's complement, and proves that it fits `kind`. ProtoJSON lets a
 * whole number be written with fraction and exponent.
 */
export function readInteger(buf: Buffer, from: number, end: number, kind: Kind): void {
  const negative = buf[from] === MINUS;
  const first = negative ? from + 1 : from;
  const fits = isDigits(buf, first, end) ? readDigits(buf, first, end) : readExact(buf.toString('latin1', first, end), from);
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

/** `1.5e1` is 15, `1.5` is no integer. */
function readExact(text: string, at: number): boolean {
  const match = text.length > MAX_EXACT_CHARS ? null : /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) throw new JsonSyntaxError('no integer', at);
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  const exponent = Number(match[3] ?? '0') - fraction.length;
  let mantissa = BigInt(`${match[1]}${fraction}`);
  if (mantissa === 0n) {
    setHalves(0, 0); // whatever its exponent
    return true;
  }
  if (Math.abs(exponent) > MAX_EXACT_EXPONENT) return false;
  if (exponent < 0) {
    const divisor = 10n ** BigInt(-exponent);
    if (mantissa % divisor !== 0n) throw new JsonSyntaxError('no integer', at);
    mantissa /= divisor;
  } else mantissa *= 10n ** BigInt(exponent);
  if (mantissa >= 1n << 64n) return false;
  setHalves(Number(mantissa & 0xffff_ffffn), Number(mantissa >> 32n));
  return true;
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

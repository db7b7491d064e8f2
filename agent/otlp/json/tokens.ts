/**
 * JSON's grammar (RFC 8259) over UTF-8 bytes, strictly, without making values: each function takes a position and returns the one behind
 * what it read. Nothing recurses, so no nesting ends the stack.
 */
export class JsonSyntaxError extends Error {
  constructor(what: string, at: number) {
    super(`${what} at byte ${at}`);
  }
}

/** jsoniter's bound in the Collector, for values that are skipped: one bit of memory for each level. */
const MAX_SKIPPED_DEPTH = 10_000;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const MINUS = 0x2d;
const BACKSLASH = 0x5c;

/** Whether the string, or the number, that was read last needs more than its bytes: it has escapes, or a fraction or exponent. */
export let complex = false;

export function skipSpace(buf: Uint8Array, from: number): number {
  let pos = from;
  for (;;) {
    const byte = buf[pos];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return pos;
    pos += 1;
  }
}

/** 1 for bytes that stand for themselves in a string. One look for each byte instead of three comparisons: half the time of long texts. */
const PLAIN = new Uint8Array(256).fill(1, 0x20);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** Past the closing quote of the string whose opening quote is at `from - 1`; sets `complex` where it has escapes. */
export function skipString(buf: Uint8Array, from: number): number {
  complex = false;
  const end = buf.length;
  let pos = from;
  for (;;) {
    while (pos < end && PLAIN[buf[pos] as number] === 1) pos += 1;
    if (pos >= end) throw new JsonSyntaxError('a string that does not end', from - 1);
    const byte = buf[pos] as number;
    if (byte === QUOTE) return pos + 1;
    if (byte !== BACKSLASH) throw new JsonSyntaxError('a control character in a string', pos);
    complex = true;
    pos = skipEscape(buf, pos);
  }
}

function skipEscape(buf: Uint8Array, at: number): number {
  switch (buf[at + 1]) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2;
    case 0x75: // u
      for (let i = at + 2; i < at + 6; i += 1) if (hexDigit(buf[i]) < 0) throw new JsonSyntaxError('an escape without four hex digits', at);
      return at + 6;
    default:
      throw new JsonSyntaxError('an unknown escape', at);
  }
}

const HEX_DIGITS = new Int8Array(256).fill(-1);
for (let i = 0; i < 10; i += 1) HEX_DIGITS[0x30 + i] = i;
for (let i = 10; i < 16; i += 1) {
  HEX_DIGITS[0x41 + i - 10] = i;
  HEX_DIGITS[0x61 + i - 10] = i;
}

/** The value of a hex digit of either case, or -1. */
export function hexDigit(byte: number | undefined): number {
  return byte === undefined ? -1 : (HEX_DIGITS[byte] as number);
}

/**
 * Writes the characters of the string at [from, end), escapes resolved, to `out` at `at`; returns the position behind them. Never more
 * bytes than were read. Half of a surrogate pair, which a text cut by length has at its end, becomes U+FFFD as in the Collector.
 */
export function resolveEscapes(buf: Uint8Array, from: number, end: number, out: Uint8Array, at: number): number {
  let pos = from;
  let to = at;
  while (pos < end) {
    const byte = buf[pos] as number;
    if (byte !== BACKSLASH) {
      out[to] = byte;
      to += 1;
      pos += 1;
      continue;
    }
    const letter = buf[pos + 1] as number;
    if (letter !== 0x75) {
      out[to] = SHORT_ESCAPES[letter] as number;
      to += 1;
      pos += 2;
      continue;
    }
    let code = fourHex(buf, pos + 2);
    pos += 6;
    if (code >= 0xd800 && code < 0xe000) {
      const second = code < 0xdc00 && buf[pos] === BACKSLASH && buf[pos + 1] === 0x75 ? fourHex(buf, pos + 2) : 0;
      if (second >= 0xdc00 && second < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
        pos += 6;
      } else code = 0xfffd;
    }
    to = writeUtf8(out, to, code);
  }
  return to;
}

const SHORT_ESCAPES: Readonly<Record<number, number>> = {
  34: 0x22,
  92: 0x5c,
  47: 0x2f,
  98: 0x08,
  102: 0x0c,
  110: 0x0a,
  114: 0x0d,
  116: 0x09,
};

function fourHex(buf: Uint8Array, at: number): number {
  return (hexDigit(buf[at]) << 12) | (hexDigit(buf[at + 1]) << 8) | (hexDigit(buf[at + 2]) << 4) | hexDigit(buf[at + 3]);
}

function writeUtf8(out: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    out[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6);
    out[at + 1] = 0x80 | (code & 0x3f);
    return at + 2;
  }
  if (code < 0x10000) {
    out[at] = 0xe0 | (code >> 12);
    out[at + 1] = 0x80 | ((code >> 6) & 0x3f);
    out[at + 2] = 0x80 | (code & 0x3f);
    return at + 3;
  }
  out[at] = 0xf0 | (code >> 18);
  out[at + 1] = 0x80 | ((code >> 12) & 0x3f);
  out[at + 2] = 0x80 | ((code >> 6) & 0x3f);
  out[at + 3] = 0x80 | (code & 0x3f);
  return at + 4;
}

function skipDigits(buf: Uint8Array, from: number): number {
  let pos = from;
  while ((buf[pos] as number) >= 0x30 && (buf[pos] as number) <= 0x39) pos += 1;
  return pos;
}

/** Past the number that begins at `from`; sets `complex` where it has a fraction or an exponent. */
export function skipNumber(buf: Uint8Array, from: number): number {
  complex = false;
  const first = buf[from] === MINUS ? from + 1 : from;
  let pos = skipDigits(buf, first);
  if (pos === first || (buf[first] === 0x30 && pos > first + 1)) throw new JsonSyntaxError('no JSON value', from);
  if (buf[pos] === 0x2e) {
    complex = true;
    const fraction = pos + 1;
    pos = skipDigits(buf, fraction);
    if (pos === fraction) throw new JsonSyntaxError('a number without digits after its point', from);
  }
  if (((buf[pos] as number) | 0x20) === 0x65) {
    complex = true;
    const sign = buf[pos + 1];
    const exponent = sign === 0x2b || sign === MINUS ? pos + 2 : pos + 1;
    pos = skipDigits(buf, exponent);
    if (pos === exponent) throw new JsonSyntaxError('a number without digits in its exponent', from);
  }
  return pos;
}

/** Past `null`, `true` or `false`, whose first letter is at `from`. */
export function skipWord(buf: Uint8Array, from: number, word: 'null' | 'true' | 'false'): number {
  for (let i = 0; i < word.length; i += 1) if (buf[from + i] !== word.charCodeAt(i)) throw new JsonSyntaxError('no JSON value', from);
  return from + word.length;
}

/** Past any value; it begins at `from`. */
export function skipValue(buf: Uint8Array, from: number): number {
  let pos = from;
  const closers: number[] = [];
  for (;;) {
    // A value begins at pos.
    const byte = buf[pos];
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (closers.length >= MAX_SKIPPED_DEPTH) throw new JsonSyntaxError(`more than ${MAX_SKIPPED_DEPTH} levels`, pos);
      const inner = skipSpace(buf, pos + 1);
      if (buf[inner] !== (byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        closers.push(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
        pos = byte === OPEN_OBJECT ? skipKey(buf, inner) : inner;
        continue;
      }
      pos = inner + 1;
    } else if (byte === QUOTE) pos = skipString(buf, pos + 1);
    else if (byte === 0x6e) pos = skipWord(buf, pos, 'null');
    else if (byte === 0x74) pos = skipWord(buf, pos, 'true');
    else if (byte === 0x66) pos = skipWord(buf, pos, 'false');
    else pos = skipNumber(buf, pos);
    // It ended: so may what it lies in.
    for (;;) {
      const closer = closers.at(-1);
      if (closer === undefined) return pos;
      pos = skipSpace(buf, pos);
      if (buf[pos] === COMMA) {
        pos = skipSpace(buf, pos + 1);
        if (closer === CLOSE_OBJECT) pos = skipKey(buf, pos);
        break;
      }
      if (buf[pos] !== closer) throw new JsonSyntaxError(`neither a comma nor '${String.fromCharCode(closer)}'`, pos);
      closers.pop();
      pos += 1;
    }
  }
}

function skipKey(buf: Uint8Array, from: number): number {
  if (buf[from] !== QUOTE) throw new JsonSyntaxError('no key in quotes', from);
  return skipColon(buf, skipString(buf, from + 1));
}

/** Past the colon after a key, to the value. */
export function skipColon(buf: Uint8Array, from: number): number {
  const pos = skipSpace(buf, from);
  if (buf[pos] !== COLON) throw new JsonSyntaxError('no colon after a key', pos);
  return skipSpace(buf, pos + 1);
}

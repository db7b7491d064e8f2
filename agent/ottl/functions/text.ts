/** Texts as Go has them: bytes of UTF-8. */

export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** The first `bytes` bytes, less where a character would be cut: what upstream does by default, and JavaScript cannot but do. */
export function clippedText(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || byteLength(text) <= bytes) return text;
  return byteSlice(text, 0, bytes);
}

/**
 * The bytes [start, end) of a text. Where a character is cut its rest is left out: half a character is no UTF-8, which OTLP forbids.
 * Substring without utf8_safe sends such halves upstream.
 */
export function byteSlice(text: string, start: number, end: number): string {
  const bytes = Buffer.from(text);
  let from = start;
  let to = end;
  while (from < bytes.length && isInside(bytes[from])) from += 1;
  while (to > from && to < bytes.length && isInside(bytes[to])) to -= 1;
  return to <= from ? '' : bytes.toString('utf8', from, to);
}

function isInside(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

const BEYOND_ASCII = /[^\p{ASCII}]/u;

/** strings.ToLower: each character by itself and to one character. JavaScript would end a Greek word with another sigma. */
export function lower(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text.toLowerCase();
  return [...text].map((char) => (char === '\u0130' ? 'i' : oneChar(char.toLowerCase(), char))).join('');
}

/** strings.ToUpper: JavaScript makes two letters of some, as SS of the German sharp s; Go leaves them. */
export function upper(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text.toUpperCase();
  return [...text].map((char) => oneChar(char.toUpperCase(), iotaUpper(char))).join('');
}

function oneChar(changed: string, otherwise: string): string {
  return [...changed].length === 1 ? changed : otherwise;
}

/** Greek letters with an iota below have capitals of their own in the simple mapping. */
function iotaUpper(char: string): string {
  const code = char.codePointAt(0) as number;
  if (code >= 0x1f80 && code <= 0x1faf && (code & 8) === 0) return String.fromCodePoint(code + 8);
  return [0x1fb3, 0x1fc3, 0x1ff3].includes(code) ? String.fromCodePoint(code + 9) : char;
}

/** strings.Trim: without the characters of `cutset` at both ends. */
export function trimmed(text: string, cutset: string): string {
  const cut = new Set(cutset);
  const chars = [...text];
  let from = 0;
  let to = chars.length;
  while (from < to && cut.has(chars[from] as string)) from += 1;
  while (to > from && cut.has(chars[to - 1] as string)) to -= 1;
  return chars.slice(from, to).join('');
}

/** strings.TrimSpace: JavaScript's own takes U+FEFF too, and leaves U+0085. */
export function goTrimmed(text: string): string {
  return text.replace(/^\p{White_Space}+/u, '').replace(/(?<!\p{White_Space})\p{White_Space}+$/u, '');
}

const isUpper = (char: string | undefined): boolean => char !== undefined && char >= 'A' && char <= 'Z';
const isLower = (char: string | undefined): boolean => char !== undefined && char >= 'a' && char <= 'z';
const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9';

/** strcase.ToCamel: `some_name` to `SomeName`; what is no ASCII letter or digit is dropped. */
export function camelCase(text: string): string {
  let out = '';
  let capital = true;
  let afterCapital = false;
  for (const char of goTrimmed(text)) {
    let written = char;
    if (capital) written = isLower(char) ? char.toUpperCase() : char;
    else if (afterCapital && isUpper(char)) written = char.toLowerCase();
    afterCapital = isUpper(char);
    if (isUpper(char) || isLower(char)) {
      out += written;
      capital = false;
    } else if (isDigit(char)) {
      out += char;
      capital = true;
    } else capital = '_ -.'.includes(char);
  }
  return out;
}

/** strcase.ToSnake: `someName` to `some_name`, `JSONData` to `json_data`, `a1` to `a_1`. */
export function snakeCase(text: string): string {
  const chars = [...goTrimmed(text)];
  let out = '';
  chars.forEach((char, i) => {
    const written = isUpper(char) ? char.toLowerCase() : char;
    const next = chars[i + 1];
    const changes =
      (isUpper(char) && (isLower(next) || isDigit(next))) ||
      (isLower(char) && (isUpper(next) || isDigit(next))) ||
      (isDigit(char) && (isUpper(next) || isLower(next)));
    if (!changes) {
      out += ' _-.'.includes(char) ? '_' : written;
      return;
    }
    if (isUpper(char) && isLower(next) && isUpper(chars[i - 1])) out += '_';
    out += written;
    if (isLower(char) || isDigit(char) || isDigit(next)) out += '_';
  });
  return out;
}

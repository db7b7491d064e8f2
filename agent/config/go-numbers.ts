/** Numbers in texts as Go's strconv reads them. */

/** strconv.ParseInt(text, 10, 64); undefined where that fails. */
export function parseGoInt(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,400}$/u.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu;
const HEX = /^([+-]?)0x(?=[.0-9a-f])([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/iu;
const INFINITE = /^([+-]?)inf(?:inity)?$/iu;

/** strconv.ParseFloat(text, 64), underscores between digits and hexadecimal floats included; undefined where that fails. */
export function parseGoFloat(text: string): number | undefined {
  if (/^nan$/iu.test(text)) return Number.NaN;
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (text.includes('_') && !underscoresFit(text)) return undefined;
  const plain = text.replaceAll('_', '');
  const value = DECIMAL.test(plain) ? Number(plain) : parseHex(plain);
  // Out of range is an error, too small is zero.
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

/** An underscore stands between two digits, the prefix 0x being one. */
function underscoresFit(text: string): boolean {
  const hex = /^[+-]?0x/iu.test(text);
  const digit = hex ? '[0-9a-fx]' : '[0-9]';
  return !new RegExp(`^_|_$|(?<!${digit})_|_(?!${digit.replace('x', '')})`, 'iu').test(text);
}

function parseHex(text: string): number | undefined {
  const parts = HEX.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = '', power] = parts;
  if (whole === '' && fraction === '') return undefined;
  const mantissa = Number(BigInt(`0x${whole}${fraction}`));
  const value = mantissa * 2 ** (Number(power) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}

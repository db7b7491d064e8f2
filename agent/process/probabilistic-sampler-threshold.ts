/**
 * Thresholds and randomness of OpenTelemetry's consistent probability sampling: 56 bits, written as up to 14 hex digits. An item is kept
 * where threshold <= randomness. https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 *
 * 56 bits are more than a number holds exactly, and a bigint for each span costs more than the rest of the decision: two halves of 28
 * bits, which are also seven hex digits each.
 */
export interface Bits56 {
  readonly hi: number;
  readonly lo: number;
}

const HALF = 2 ** 28;
const MAX = 2n ** 56n;

/** Probability 1: rejects nothing. */
export const ALWAYS: Bits56 = { hi: 0, lo: 0 };
/** Above every randomness. */
export const NEVER: Bits56 = { hi: HALF, lo: 0 };
/** The highest randomness: kept at every probability but 0. */
export const HIGHEST: Bits56 = { hi: HALF - 1, lo: HALF - 1 };
/** The smallest probability that is not 0. */
export const MIN_PROBABILITY = 2 ** -56;

export function atMost(a: Bits56, b: Bits56): boolean {
  return a.hi < b.hi || (a.hi === b.hi && a.lo <= b.lo);
}

export function below(a: Bits56, b: Bits56): boolean {
  return a.hi < b.hi || (a.hi === b.hi && a.lo < b.lo);
}

const T_VALUE = /^[\da-f]{1,14}$/iu;
const R_VALUE = /^[\da-f]{14}$/iu;

/** `th` of a tracestate: trailing zeros are left out. */
export function parseThreshold(text: string): Bits56 | undefined {
  return T_VALUE.test(text) ? ofHex(text.padEnd(14, '0')) : undefined;
}

/** `rv` of a tracestate: always 14 digits. */
export function parseRandomness(text: string): Bits56 | undefined {
  return R_VALUE.test(text) ? ofHex(text) : undefined;
}

export function formatThreshold(threshold: Bits56): string {
  if (threshold.hi >= HALF) return '';
  const digits = formatRandomness(threshold).replace(/0+$/u, '');
  return digits === '' ? '0' : digits;
}

export function formatRandomness({ hi, lo }: Bits56): string {
  // One digit more in front keeps the leading zeros.
  return (HALF + hi).toString(16).slice(1) + (HALF + lo).toString(16).slice(1);
}

const DIGITS = Buffer.from('0123456789abcdef');

/** The same 14 digits as bytes, without a text in between. */
export function writeRandomness({ hi, lo }: Bits56, out: Uint8Array, at: number): number {
  for (let digit = 0; digit < 7; digit += 1) {
    const shift = 24 - 4 * digit;
    out[at + digit] = DIGITS[(hi >>> shift) & 0xf] as number;
    out[at + 7 + digit] = DIGITS[(lo >>> shift) & 0xf] as number;
  }
  return at + 14;
}

function ofHex(digits: string): Bits56 {
  return { hi: Number.parseInt(digits.slice(0, 7), 16), lo: Number.parseInt(digits.slice(7), 16) };
}

/** The share that a threshold keeps. */
export function probabilityOf({ hi, lo }: Bits56): number {
  return Number(MAX - (BigInt(hi) * BigInt(HALF) + BigInt(lo))) / Number(MAX);
}

/**
 * ProbabilityToThresholdWithPrecision of pkg/sampling 0.155, digit for digit; undefined outside of [2^-56, 1]. `precision` is hex digits,
 * raised near 0 and 1 so that the relative error stays; a negative one shifts everything away, as upstream (which accepts it) does.
 */
export function thresholdOf(probability: number, precision: number): Bits56 | undefined {
  if (!(probability >= MIN_PROBABILITY && probability <= 1)) return undefined;
  if (probability === 1) return ALWAYS;
  const wanted = precision === 0 ? 14 : precision;
  const raised = Math.max(wanted + leadingDigits(probability), wanted + leadingDigits(1 - probability));
  let threshold = MAX - BigInt(Math.round(probability * Number(MAX)));
  const shift = 4 * (14 - Math.min(14, raised));
  if (shift > 64) return ALWAYS;
  if (shift > 0) {
    const bits = BigInt(shift);
    threshold = BigInt.asUintN(64, ((threshold + (1n << (bits - 1n))) >> bits) << bits);
  }
  return { hi: Number(threshold >> 28n), lo: Number(threshold & (BigInt(HALF) - 1n)) };
}

/** Leading hex digits 0 (of a share near 0) or f (near 1), by the exponent of math.Frexp divided as Go divides. */
function leadingDigits(share: number): number {
  return Math.trunc(binaryExponent(share) / -4);
}

const view = new DataView(new ArrayBuffer(8));

/** e of share = m * 2^e with m in [0.5, 1). */
function binaryExponent(share: number): number {
  view.setFloat64(0, share);
  return ((view.getUint16(0) >>> 4) & 0x7ff) - 1022;
}

import { hash } from 'node:crypto';
import { parseGoFloat, parseGoInt } from '../../config/go-numbers.ts';
import type { AnyValue } from '../../otlp/view/any-value.ts';
import { anyValueAsString } from '../../otlp/view/as-string.ts';
import type { ConvertedType } from './action.ts';

/** The content of an AnyValue that is the hash of a text. */
export const HASHED_BYTES = 66;
const HASHED_HEAD = [(1 << 3) | 2, 64] as const;

/** Writes it for the text in [from, end), by its bytes: decoding and encoding them takes longer than SHA-256 does. Returns the end. */
export function writeHashedText(buf: Buffer, from: number, end: number, out: Buffer, at: number): number {
  out[at] = HASHED_HEAD[0];
  out[at + 1] = HASHED_HEAD[1];
  out.write(hash('sha256', buf.subarray(from, end), 'hex'), at + 2, 64, 'latin1');
  return at + HASHED_BYTES;
}

/** sha2Hasher upstream: SHA-256 in hex of a text, or of the little-endian bytes of a number; of what has neither, the empty text. */
export function hashed(value: AnyValue): string {
  const bytes = hashedBytes(value);
  return bytes === undefined ? '' : hash('sha256', bytes, 'hex');
}

function hashedBytes(value: AnyValue): Uint8Array | string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return Uint8Array.of(value ? 1 : 0);
    case 'bigint': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    }
    case 'number': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    }
    default:
      return undefined;
  }
}

/** convertValue upstream; what cannot be converted comes back as it is. */
export function converted(value: AnyValue, to: ConvertedType): AnyValue {
  switch (to) {
    case 'string':
      return anyValueAsString(value);
    case 'int':
      return toInt(value);
    default:
      return toDouble(value);
  }
}

function toInt(value: AnyValue): AnyValue {
  switch (typeof value) {
    case 'number':
      return truncated(value);
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return parseGoInt(value) ?? value;
    default:
      return value;
  }
}

function toDouble(value: AnyValue): AnyValue {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return parseGoFloat(value) ?? value;
    default:
      return value;
  }
}

const LEAST_INT64 = -(1n << 63n);

/** Go's int64(float64) on amd64: what does not fit, NaN too, is the least integer. */
function truncated(value: number): bigint {
  if (!(value >= -(2 ** 63) && value < 2 ** 63)) return LEAST_INT64;
  return BigInt(Math.trunc(value));
}

import { isUtf8 } from 'node:buffer';
import { writeDigits, writeSafe } from './int64.ts';

const HEX = Buffer.from('0123456789abcdef');
const SHORT_TEXT = 48;
/** What one byte of a string may become: `\u0000`. */
const MAX_ESCAPED = 6;
const SHORT_ESCAPES: Readonly<Record<number, number>> = { 8: 0x62, 9: 0x74, 10: 0x6e, 12: 0x66, 13: 0x72, 34: 0x22, 92: 0x5c };

/** JSON as it is written: a buffer that grows by doubling, and one function for each kind of value. */
export class JsonOutput {
  buf: Buffer;
  at = 0;

  constructor(expectedBytes: number) {
    this.buf = Buffer.allocUnsafeSlow(Math.max(256, expectedBytes));
  }

  room(bytes: number): void {
    if (this.at + bytes <= this.buf.length) return;
    const next = Buffer.allocUnsafeSlow(Math.max(this.buf.length * 2, this.at + bytes));
    this.buf.copy(next, 0, 0, this.at);
    this.buf = next;
  }

  byte(value: number): void {
    this.room(1);
    this.buf[this.at++] = value;
  }

  /** Between two elements of a list, and not before its first. */
  separate(): void {
    if (this.buf[this.at - 1] !== 0x5b) this.byte(0x2c); // no element ends with '['
  }

  /** `"key":`, short. */
  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    const { buf, at } = this;
    for (let i = 0; i < bytes.length; i += 1) buf[at + i] = bytes[i] as number;
    this.at = at + bytes.length;
  }

  bool(value: boolean): void {
    this.room(5);
    this.at += this.buf.write(value ? 'true' : 'false', this.at, 'latin1');
  }

  /** A number of 32 bits, signed or not. */
  int(value: number): void {
    this.room(11);
    if (value < 0) this.buf[this.at++] = 0x2d;
    this.at = writeSafe(this.buf, this.at, Math.abs(value));
  }

  /** 64 bits are text in ProtoJSON, as a double would lose the low ones. */
  int64(low: number, high: number, signed: boolean): void {
    this.room(23);
    const { buf } = this;
    buf[this.at++] = 0x22;
    if (signed && high >= 0x8000_0000) {
      const lowHalf = (~low + 1) >>> 0;
      buf[this.at++] = 0x2d;
      this.at = writeDigits(buf, this.at, lowHalf, (~high + (lowHalf === 0 ? 1 : 0)) >>> 0);
    } else this.at = writeDigits(buf, this.at, low, high);
    buf[this.at++] = 0x22;
  }

  /** The shortest text that is the same double again; JSON has no NaN and no infinity, so these are texts. */
  double(value: number): void {
    this.room(32);
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER && Number.isInteger(value) && !Object.is(value, -0)) {
      this.at = writeSafe(this.buf, this.at, value);
      return;
    }
    const text = Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : `"${value}"`;
    this.at += this.buf.write(text, this.at, 'latin1');
  }

  hex(bytes: Uint8Array, from: number, end: number): void {
    this.room(2 * (end - from) + 2);
    const { buf } = this;
    let { at } = this;
    buf[at++] = 0x22;
    for (let i = from; i < end; i += 1) {
      const byte = bytes[i] as number;
      buf[at++] = HEX[byte >> 4] as number;
      buf[at++] = HEX[byte & 15] as number;
    }
    buf[at++] = 0x22;
    this.at = at;
  }

  base64(bytes: Buffer, from: number, end: number): void {
    const text = bytes.toString('base64', from, end);
    this.room(text.length + 2);
    this.buf[this.at++] = 0x22;
    this.at += this.buf.write(text, this.at, 'latin1');
    this.buf[this.at++] = 0x22;
  }

  /** A protobuf string. Bytes that are no UTF-8, which a text must be, become U+FFFD: JSON cannot carry them. */
  text(bytes: Buffer, from: number, end: number): void {
    let ascii = true;
    let plain = true;
    for (let i = from; i < end; i += 1) {
      const byte = bytes[i] as number;
      if (byte >= 0x80) ascii = false;
      else if (byte < 0x20 || byte === 0x22 || byte === 0x5c) plain = false;
    }
    if (!ascii && !isUtf8(bytes.subarray(from, end))) {
      const repaired = Buffer.from(bytes.toString('utf8', from, end));
      this.#quote(repaired, 0, repaired.length, plain);
    } else this.#quote(bytes, from, end, plain);
  }

  #quote(bytes: Buffer, from: number, end: number, plain: boolean): void {
    this.room((end - from) * (plain ? 1 : MAX_ESCAPED) + 2);
    const { buf } = this;
    let { at } = this;
    buf[at++] = 0x22;
    if (!plain) at = escapeText(bytes, from, end, buf, at);
    else if (end - from > SHORT_TEXT) at += bytes.copy(buf, at, from, end);
    else for (let i = from; i < end; i += 1) buf[at++] = bytes[i] as number;
    buf[at++] = 0x22;
    this.at = at;
  }
}

function escapeText(bytes: Buffer, from: number, end: number, out: Buffer, start: number): number {
  let at = start;
  for (let i = from; i < end; i += 1) {
    const byte = bytes[i] as number;
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) {
      out[at++] = byte;
      continue;
    }
    out[at++] = 0x5c;
    const short = SHORT_ESCAPES[byte];
    if (short !== undefined) {
      out[at++] = short;
      continue;
    }
    out[at++] = 0x75;
    out[at++] = 0x30;
    out[at++] = 0x30;
    out[at++] = HEX[byte >> 4] as number;
    out[at++] = HEX[byte & 15] as number;
  }
  return at;
}

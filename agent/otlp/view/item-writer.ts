import { copyBytes } from '../edit-items.ts';
import { varintSize, WIRE_LEN, writeVarint } from '../wire.ts';
import type { BackwardWriter } from './writer.ts';

/** Writes one item after the other from its end to its start, each into the memory that the one before was in. */
export class ItemWriter implements BackwardWriter {
  #memory: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = FIRST_BYTES;
  #bytes = 0;
  /** A range that is still to be copied: it may grow. */
  #pending: Buffer | undefined = undefined;
  #pendingFrom = 0;
  #pendingEnd = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Forgets what was written. */
  begin(): void {
    if (this.#memory.length > MOST_KEPT_BYTES) this.#memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#at = this.#memory.length;
    this.#bytes = 0;
    this.#pending = undefined;
  }

  range(buf: Buffer, from: number, end: number): void {
    if (end <= from) return;
    this.#bytes += end - from;
    if (this.#pending === buf && this.#pendingFrom === end) {
      this.#pendingFrom = from;
      return;
    }
    this.#settle();
    this.#pending = buf;
    this.#pendingFrom = from;
    this.#pendingEnd = end;
  }

  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes += bytes.length;
    this.#at -= bytes.length;
    copyBytes(bytes, 0, bytes.length, this.#memory, this.#at);
  }

  text(value: string): void {
    const { length } = value;
    this.#reserve(length);
    const memory = this.#memory;
    if (length <= SHORT_TEXT) {
      const at = this.#at - length;
      let i = 0;
      for (; i < length; i += 1) {
        const code = value.charCodeAt(i);
        if (code >= 0x80) break;
        memory[at + i] = code;
      }
      if (i === length) {
        this.#at = at;
        this.#bytes += length;
        return;
      }
    }
    const bytes = Buffer.byteLength(value, 'utf8');
    this.#reserve(bytes);
    this.#bytes += bytes;
    this.#at -= bytes;
    this.#memory.write(value, this.#at, bytes, 'utf8');
  }

  header(field: number, before: number): void {
    const length = this.#bytes - before;
    this.#reserve(MOST_HEADER_BYTES);
    const size = varintSize(field * 8 + WIRE_LEN) + varintSize(length);
    this.#bytes += size;
    this.#at -= size;
    writeVarint(this.#memory, writeVarint(this.#memory, this.#at, field * 8 + WIRE_LEN), length);
  }

  /** Puts what was written to `at`; returns the position behind it. */
  copyTo(out: Buffer, at: number): number {
    // What came first may still lie where it was.
    let to = at;
    if (this.#pending !== undefined) {
      copyBytes(this.#pending, this.#pendingFrom, this.#pendingEnd, out, to);
      to += this.#pendingEnd - this.#pendingFrom;
    }
    copyBytes(this.#memory, this.#at, this.#memory.length, out, to);
    return at + this.#bytes;
  }

  #settle(): void {
    const buf = this.#pending;
    if (buf === undefined) return;
    this.#pending = undefined;
    const length = this.#pendingEnd - this.#pendingFrom;
    this.#reserve(length);
    this.#at -= length;
    copyBytes(buf, this.#pendingFrom, this.#pendingEnd, this.#memory, this.#at);
  }

  /** Room for so many bytes in front of what there is. */
  #reserve(bytes: number): void {
    if (this.#pending !== undefined) this.#settle();
    if (this.#at >= bytes) return;
    const written = this.#memory.length - this.#at;
    const larger = Buffer.allocUnsafeSlow(2 * this.#memory.length + bytes);
    copyBytes(this.#memory, this.#at, this.#memory.length, larger, larger.length - written);
    this.#memory = larger;
    this.#at = larger.length - written;
  }
}

const FIRST_BYTES = 8 * 1024;
/** What one large item took is not kept for all that follow. */
const MOST_KEPT_BYTES = 1024 * 1024;
const MOST_HEADER_BYTES = 10;
/** Up to here a loop over ASCII is faster than a call into the encoder. */
const SHORT_TEXT = 64;

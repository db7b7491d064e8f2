import { copyBytes } from '../edit-items.ts';
import { varintSize, WIRE_LEN, writeVarint } from '../wire.ts';
import type { BackwardWriter } from './writer.ts';

/**
 * Writes one item after the other from its end to its start. What stays as it is is not copied before it is known where the item goes;
 * only what is new is written, into memory that is used again.
 *
 *   item      | untouched | new | untouched             | new |
 *   segments  [3 input   ][2   ][1 input               ][0 memory ]      copied in this order, from the last one on
 */
export class ItemWriter implements BackwardWriter {
  #memory: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** What is new and in no segment yet is [at, used). */
  #at = FIRST_BYTES;
  #used = FIRST_BYTES;
  #bytes = 0;
  /** A range that may still grow. */
  #pending: Buffer | undefined = undefined;
  #pendingFrom = 0;
  #pendingEnd = 0;
  readonly #bufs: Buffer[] = [];
  readonly #froms: number[] = [];
  readonly #ends: number[] = [];
  #segments = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Forgets what was written. */
  begin(): void {
    if (this.#memory.length > MOST_KEPT_BYTES) this.#memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
    if (this.#bufs.length > MOST_KEPT_SEGMENTS) this.end();
    this.#at = this.#memory.length;
    this.#used = this.#at;
    this.#bytes = 0;
    this.#pending = undefined;
    this.#segments = 0;
  }

  /** Lets the buffers go that were written of. */
  end(): void {
    this.#pending = undefined;
    this.#bufs.length = 0;
    this.#segments = 0;
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
    const { length } = bytes;
    this.#reserve(length);
    copyBytes(bytes, 0, length, this.#memory, this.#at);
  }

  text(value: string): void {
    const { length } = value;
    if (length <= SHORT_TEXT) {
      this.#room(length);
      const memory = this.#memory;
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
    this.#memory.write(value, this.#at, bytes, 'utf8');
  }

  varint(value: number): void {
    this.#reserve(varintSize(value));
    writeVarint(this.#memory, this.#at, value);
  }

  header(field: number, before: number): void {
    const length = this.#bytes - before;
    if (field < 16 && length < 0x80) {
      this.#reserve(2);
      this.#memory[this.#at] = (field << 3) | WIRE_LEN;
      this.#memory[this.#at + 1] = length;
      return;
    }
    this.varint(length);
    this.varint(field * 8 + WIRE_LEN);
  }

  /** Puts what was written to `at`; returns the position behind it. */
  copyTo(out: Buffer, at: number): number {
    this.#settle();
    this.#flush();
    let pos = at;
    for (let i = this.#segments - 1; i >= 0; i -= 1) {
      const from = this.#froms[i] as number;
      const end = this.#ends[i] as number;
      copyBytes(this.#bufs[i] as Buffer, from, end, out, pos);
      pos += end - from;
    }
    return pos;
  }

  #settle(): void {
    const buf = this.#pending;
    if (buf === undefined) return;
    this.#pending = undefined;
    this.#flush();
    this.#segment(buf, this.#pendingFrom, this.#pendingEnd);
  }

  #flush(): void {
    if (this.#at === this.#used) return;
    this.#segment(this.#memory, this.#at, this.#used);
    this.#used = this.#at;
  }

  #segment(buf: Buffer, from: number, end: number): void {
    const i = this.#segments;
    this.#segments += 1;
    this.#bufs[i] = buf;
    this.#froms[i] = from;
    this.#ends[i] = end;
  }

  /** So many bytes in front of what there is. */
  #reserve(bytes: number): void {
    this.#room(bytes);
    this.#at -= bytes;
    this.#bytes += bytes;
  }

  /** Makes room for them. */
  #room(bytes: number): void {
    if (this.#pending !== undefined) this.#settle();
    if (this.#at >= bytes) return;
    this.#flush();
    this.#memory = Buffer.allocUnsafeSlow(2 * this.#memory.length + bytes);
    this.#at = this.#memory.length;
    this.#used = this.#at;
  }
}

const FIRST_BYTES = 8 * 1024;
/** What one large item took is not kept for all that follow. */
const MOST_KEPT_BYTES = 1024 * 1024;
const MOST_KEPT_SEGMENTS = 1024;
/** Up to here a loop over ASCII is faster than a call into the encoder. */
const SHORT_TEXT = 64;

import { writeVarint } from '../otlp/wire.ts';

/** From here on bytes are shared with the request, below they are copied: a slice of its own costs about as much as copying so many. */
export const SHARE_FROM_BYTES = 4096;
/** Parts up to this lie with others of their target in one block, larger ones have their own, which is not larger than it has to be. */
const OWN_BLOCK_FROM_BYTES = 16 * 1024;
const SMALLEST_BLOCK_BYTES = 4 * 1024;
const LARGEST_BLOCK_BYTES = 64 * 1024;

/**
 * Where the parts of one target are written, one behind the other, so that parts of many small requests lie side by side and leave in few
 * writes. A block of each part's own cost 5 of 6.4 CPU s per million spans at 25 spans a request and four targets. Neighbours in a block
 * wait in one queue, and go at about the same time.
 *
 *   block   | part of request 1 | part of request 2 | part of request 3 |        |
 *                                                   ^ from              ^ at     ^ room
 */
export class PartLane {
  #block: Buffer = Buffer.alloc(0);
  /** Where what is written and no slice yet begins, and ends. */
  #from = 0;
  #at = 0;
  /** The shared block, while a part has blocks of its own. */
  #shared = this.#block;
  #sharedAt = 0;
  #sharedBytes = SMALLEST_BLOCK_BYTES;
  /** Bytes of the part at hand that are still to be copied. */
  #left = 0;
  #slices: Uint8Array[] = [];

  /** Begins a part in which `copied` bytes will be written beside what is shared. */
  begin(copied: number): void {
    this.#slices = [];
    this.#left = copied;
    if (copied >= OWN_BLOCK_FROM_BYTES) {
      this.#use(Buffer.allocUnsafeSlow(Math.min(copied, LARGEST_BLOCK_BYTES)), 0);
      return;
    }
    if (this.#shared.length - this.#sharedAt < copied) {
      while (this.#sharedBytes < copied) this.#sharedBytes *= 2;
      // Not of Node's pool: its neighbours there would stay alive as long as this.
      this.#shared = Buffer.allocUnsafeSlow(this.#sharedBytes);
      this.#sharedAt = 0;
      this.#sharedBytes = Math.min(this.#sharedBytes * 2, LARGEST_BLOCK_BYTES);
    }
    this.#use(this.#shared, this.#sharedAt);
  }

  /** The bytes [from, end) of `buf`, shared where they are many. */
  add(buf: Buffer, from: number, end: number): void {
    const length = end - from;
    if (length >= SHARE_FROM_BYTES) {
      this.#cut();
      this.#slices.push(buf.subarray(from, end));
      return;
    }
    const room = this.#block.length - this.#at;
    if (length <= room) {
      buf.copy(this.#block, this.#at, from, end);
      this.#at += length;
      this.#left -= length;
      return;
    }
    buf.copy(this.#block, this.#at, from, from + room);
    this.#at += room;
    this.#left -= room;
    this.#next();
    this.add(buf, from + room, end);
  }

  /** Tag and length of a message of `length` bytes; both together take `size`. */
  header(tag: number, length: number, size: number): void {
    if (this.#block.length - this.#at < size) this.#next();
    this.#at = writeVarint(this.#block, writeVarint(this.#block, this.#at, tag), length);
    this.#left -= size;
  }

  /** The slices of the part. */
  finish(): readonly Uint8Array[] {
    this.#cut();
    if (this.#block === this.#shared) this.#sharedAt = this.#at;
    else this.#use(this.#shared, this.#sharedAt);
    return this.#slices;
  }

  /** The next block of a part that has its own. */
  #next(): void {
    this.#cut();
    this.#use(Buffer.allocUnsafeSlow(Math.min(this.#left, LARGEST_BLOCK_BYTES)), 0);
  }

  #use(block: Buffer, at: number): void {
    this.#block = block;
    this.#from = at;
    this.#at = at;
  }

  #cut(): void {
    if (this.#at > this.#from) this.#slices.push(this.#block.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

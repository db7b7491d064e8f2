import { FrameType, HEAD_BYTES, putHead } from './frames.ts';

/** Below it bytes are copied behind the head of their frame: a piece of a writev costs more than copying so many. */
const COPY_BELOW_BYTES = 512;
const SCRATCH_BYTES = 16 * 1024;

/**
 * What one writev sends: heads of frames and small slices, put together in scratch memory, and large slices as they are.
 *
 *   scratch   | head | 5 bytes of gRPC |      | head |        | head |
 *   bodies                              slice          slice          slice of at most a frame
 */
export class Burst {
  /** Bytes in it. */
  bytes = 0;
  #pieces: Uint8Array[] = [];
  /** Never written twice, as sockets hold what they were given. */
  #scratch: Buffer = Buffer.alloc(0);
  #from = 0;
  #at = 0;

  /** The head of a DATA frame; so many bytes have to be added next. */
  data(stream: number, length: number, flags: number): void {
    this.#room(HEAD_BYTES);
    putHead(this.#scratch, this.#at, length, FrameType.DATA, flags, stream);
    this.#at += HEAD_BYTES;
    this.bytes += HEAD_BYTES;
  }

  /** A whole frame that is not DATA: its payload is [from, end) of `block`. */
  block(type: number, stream: number, flags: number, block: Uint8Array, from: number, end: number): void {
    this.#room(HEAD_BYTES);
    putHead(this.#scratch, this.#at, end - from, type, flags, stream);
    this.#at += HEAD_BYTES;
    this.bytes += HEAD_BYTES;
    this.add(block, from, end);
  }

  add(slice: Uint8Array, from: number, end: number): void {
    const length = end - from;
    this.bytes += length;
    if (length >= COPY_BELOW_BYTES) {
      this.#seal();
      this.#pieces.push(from === 0 && end === slice.length ? slice : slice.subarray(from, end));
      return;
    }
    this.#room(length);
    for (let i = from; i < end; i += 1) {
      this.#scratch[this.#at] = slice[i] as number;
      this.#at += 1;
    }
  }

  /** All of it; then it is empty. */
  take(): readonly Uint8Array[] {
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.bytes = 0;
    return pieces;
  }

  #room(length: number): void {
    if (this.#at + length <= this.#scratch.length) return;
    this.#seal();
    this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.#from = 0;
    this.#at = 0;
  }

  #seal(): void {
    if (this.#at > this.#from) this.#pieces.push(this.#scratch.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

/** From here on bytes are shared, below they are copied: a slice of its own costs about as much as copying so many. */
const SHARE_FROM_BYTES = 4096;
const SMALLEST_BLOCK_BYTES = 1024;
const LARGEST_BLOCK_BYTES = 64 * 1024;

/**
 * One message that is put together of parts of another one. Large parts are shared; small ones, as single spans, are copied into blocks,
 * so that a hostile request of millions of tiny items makes some thousand slices and not millions of objects.
 */
export class PieceBuilder {
  readonly slices: Uint8Array[] = [];
  bytes = 0;
  items = 0;
  #block: Buffer | undefined;
  #blockFrom = 0;
  #blockEnd = 0;

  /** The bytes [from, end) of `buf`. */
  add(buf: Buffer, from: number, end: number): void {
    const length = end - from;
    this.bytes += length;
    if (length >= SHARE_FROM_BYTES) {
      this.finish();
      this.slices.push(buf.subarray(from, end));
      return;
    }
    let block = this.#block;
    if (block === undefined || this.#blockEnd + length > block.length) {
      this.finish();
      const wanted = block === undefined ? SMALLEST_BLOCK_BYTES : Math.min(block.length * 2, LARGEST_BLOCK_BYTES);
      // A block of its own: slices of Node's pool would keep the pool's neighbours alive.
      block = Buffer.allocUnsafeSlow(Math.max(wanted, length));
      this.#block = block;
      this.#blockFrom = 0;
      this.#blockEnd = 0;
    }
    buf.copy(block, this.#blockEnd, from, end);
    this.#blockEnd += length;
  }

  /** Everything of another one, which is not used any more. */
  addAll(other: PieceBuilder): void {
    for (const slice of other.finish()) this.add(slice as Buffer, 0, slice.length);
    this.items += other.items;
  }

  /** The slices so far; more may be added afterwards. */
  finish(): Uint8Array[] {
    if (this.#block !== undefined && this.#blockEnd > this.#blockFrom) {
      this.slices.push(this.#block.subarray(this.#blockFrom, this.#blockEnd));
      this.#blockFrom = this.#blockEnd;
    }
    return this.slices;
  }
}

/** From here on a piece is kept as it came, where it is most of its memory: copying it twice would cost more than it saves. */
const KEPT_FROM_BYTES = 4 * 1024;
const FIRST_BLOCK_BYTES = 4 * 1024;
const LAST_BLOCK_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * A body whose length nobody has told, as it comes. Small pieces are put side by side: by itself each is an object of 400 bytes, so that
 * chunks of one byte made 1.1 GiB of 17 MiB on the wire, and one that is cut out of a larger read keeps all of that.
 *
 *   pieces   | as it came, >= 4 KiB | block: copied copied | as it came | the same block goes on: copied | free |
 */
export class Pieces {
  /** Memory that it takes until it is joined: what is to be charged. */
  held = 0;
  readonly #pieces: Buffer[] = [];
  /** What of it is filled and not among the pieces yet is [from, at). */
  #block: Buffer = NOTHING;
  #from = 0;
  #at = 0;

  add(bytes: Buffer): void {
    const store = bytes.buffer.byteLength;
    if (bytes.length >= KEPT_FROM_BYTES && 2 * bytes.length >= store) {
      this.#seal();
      this.#pieces.push(bytes);
      this.held += store;
      return;
    }
    for (let from = 0; from < bytes.length; ) {
      if (this.#at === this.#block.length) this.#next();
      const copied = bytes.copy(this.#block, this.#at, from);
      this.#at += copied;
      from += copied;
    }
  }

  /** All of it, into a buffer of its length. */
  joinInto(body: Buffer): void {
    this.#seal();
    let at = 0;
    for (const piece of this.#pieces) at += piece.copy(body, at);
  }

  #next(): void {
    this.#seal();
    this.#block = Buffer.allocUnsafeSlow(Math.min(LAST_BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, 2 * this.#block.length)));
    this.held += this.#block.length;
    this.#from = 0;
    this.#at = 0;
  }

  #seal(): void {
    if (this.#at > this.#from) this.#pieces.push(this.#block.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

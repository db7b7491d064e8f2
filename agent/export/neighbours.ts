/**
 * Slices in order, those that lie side by side in memory as one: bodies of small requests do, in their slab (admit/slab.ts), and so 27
 * requests of 25 spans leave in one write. One view for each row, made when it ends.
 */
export class Neighbours {
  readonly #slices: Uint8Array[] = [];
  /** The row at hand: its first slice, and where it ends. */
  #first: Uint8Array | undefined;
  #end = 0;

  add(slice: Uint8Array): void {
    const first = this.#first;
    if (first !== undefined && this.#end === slice.byteOffset && first.buffer === slice.buffer) {
      this.#end += slice.length;
      return;
    }
    this.#close();
    this.#first = slice;
    this.#end = slice.byteOffset + slice.length;
  }

  /** All of them; nothing is added afterwards. */
  end(): readonly Uint8Array[] {
    this.#close();
    return this.#slices;
  }

  #close(): void {
    const first = this.#first;
    if (first === undefined) return;
    const bytes = this.#end - first.byteOffset;
    this.#slices.push(bytes === first.length ? first : Buffer.from(first.buffer, first.byteOffset, bytes));
  }
}

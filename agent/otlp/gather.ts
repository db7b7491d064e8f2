/** More slices than this, and small ones are copied together instead: a slice costs more than a few hundred bytes do. */
const FEW_SLICES = 64;
const SMALL_BYTES = 512;
const SCRATCH_BYTES = 64 * 1024;

/**
 * Bytes put one behind the other, as few slices as possible: neighbours in one buffer become one slice, and where somebody sends millions
 * of scattered little parts those are copied.
 */
export class Gather {
  bytes = 0;
  readonly #slices: Uint8Array[] = [];
  /** What was added last and is not yet a slice, as more of it may follow. */
  #buf: Uint8Array | undefined;
  #from = 0;
  #end = 0;
  #scratch: Buffer | undefined;
  #scratchAt = 0;

  add(buf: Uint8Array, from: number, end: number): void {
    if (end <= from) return;
    this.bytes += end - from;
    if (this.#buf === buf && this.#end === from) {
      this.#end = end;
    } else if (this.#slices.length < FEW_SLICES || end - from >= SMALL_BYTES) {
      this.#flush();
      this.#begin(buf, from, end);
    } else {
      this.#copy(buf, from, end);
    }
  }

  addAll(slices: readonly Uint8Array[]): void {
    for (const slice of slices) this.add(slice, 0, slice.length);
  }

  /** All of it. Nothing is to be added afterwards. */
  slices(): readonly Uint8Array[] {
    this.#flush();
    return this.#slices;
  }

  #copy(buf: Uint8Array, from: number, end: number): void {
    if (this.#scratch === undefined || this.#scratchAt + end - from > SCRATCH_BYTES) {
      this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
      this.#scratchAt = 0;
    }
    const at = this.#scratchAt;
    for (let pos = from; pos < end; pos += 1) this.#scratch[at + pos - from] = buf[pos] as number;
    this.#scratchAt = at + end - from;
    if (this.#buf === this.#scratch && this.#end === at) {
      this.#end = this.#scratchAt;
    } else {
      this.#flush();
      this.#begin(this.#scratch, at, this.#scratchAt);
    }
  }

  #begin(buf: Uint8Array, from: number, end: number): void {
    this.#buf = buf;
    this.#from = from;
    this.#end = end;
  }

  #flush(): void {
    if (this.#buf !== undefined) this.#slices.push(this.#buf.subarray(this.#from, this.#end));
    this.#buf = undefined;
  }
}

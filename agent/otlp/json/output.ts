/** Says how many bytes a conversion holds beside its input; false where there is no room for them. */
export type Charge = (bytes: number) => boolean;

/** There was no room for more output; what holds the conversion's input answers that. */
export class NoRoomError extends Error {
  constructor(bytes: number) {
    super(`no room for ${bytes} bytes`);
  }
}

const MIN_BYTES = 256;
/** Above, what is unused at the end is given back by a copy. */
const MAX_WASTE = 0.25;

/** A buffer that grows by doubling, and charges what it will take before it takes it: while it grows the old one counts too. */
export class Output {
  buf: Buffer;
  /** Where the next byte goes. */
  at = 0;
  readonly #charge: Charge;

  constructor(expectedBytes: number, charge: Charge) {
    this.#charge = charge;
    const size = Math.max(MIN_BYTES, expectedBytes);
    this.#take(size);
    // Slow: not out of the shared pool, whose pages nobody counts.
    this.buf = Buffer.allocUnsafeSlow(size);
  }

  /** Makes sure that `bytes` can be written at `at`. */
  room(bytes: number): void {
    if (this.at + bytes > this.buf.length) this.#grow(bytes);
  }

  /** What was written, in a buffer of its own of about that size, which alone stays charged. */
  finish(): Buffer {
    const { at, buf } = this;
    if (buf.length - at <= buf.length * MAX_WASTE) return buf.subarray(0, at);
    this.#take(buf.length + at);
    const exact = Buffer.allocUnsafeSlow(at);
    buf.copy(exact, 0, 0, at);
    this.#take(at);
    return exact;
  }

  #grow(bytes: number): void {
    const size = Math.max(this.buf.length * 2, this.at + bytes);
    this.#take(this.buf.length + size);
    const next = Buffer.allocUnsafeSlow(size);
    this.buf.copy(next, 0, 0, this.at);
    this.buf = next;
    this.#take(size);
  }

  #take(bytes: number): void {
    if (!this.#charge(bytes)) throw new NoRoomError(bytes);
  }
}

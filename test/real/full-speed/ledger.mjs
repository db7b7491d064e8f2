/**
 * One byte for each request by its number: in the driver how it was answered, in the next hop how often it came. Both write theirs into a
 * file, and books.ts compares them request by request.
 */
import { writeFileSync } from 'node:fs';

/** In the driver's ledger. */
export const ACCEPTED = 1;
export const REFUSED = 2;
/** Not begun by the agent, as GOAWAY and REFUSED_STREAM say, or without an answer when the connection ended. */
export const LEFT = 3;

export class Ledger {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  get(number) {
    return this.#bytes[number] ?? 0;
  }

  set(number, value) {
    if (number >= this.#bytes.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(number + 1)));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#length = Math.max(this.#length, number + 1);
    this.#bytes[number] = value;
  }

  /** One more of this number, up to 255. */
  add(number) {
    this.set(number, Math.min(255, this.get(number) + 1));
  }

  write(file) {
    writeFileSync(file, this.#bytes.subarray(0, this.#length));
  }
}

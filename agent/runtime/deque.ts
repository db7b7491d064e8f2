/**
 * First in, first out, over a power-of-two ring, so that taking from the front never moves the rest.
 *
 *      head            tail
 *       v               v
 *   [ . a b c d e f g h . . . ]     tail - head = length, both only grow and are masked on access
 */
export class Deque<T> {
  #ring: (T | undefined)[] = new Array(64);
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  push(value: T): void {
    if (this.length === this.#ring.length) this.#grow();
    this.#ring[this.#tail & (this.#ring.length - 1)] = value;
    this.#tail += 1;
  }

  peek(): T | undefined {
    return this.#ring[this.#head & (this.#ring.length - 1)];
  }

  /** The one that was pushed last, or put back where there is only that. */
  peekLast(): T | undefined {
    return this.#head === this.#tail ? undefined : this.#ring[(this.#tail - 1) & (this.#ring.length - 1)];
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const slot = this.#head & (this.#ring.length - 1);
    const value = this.#ring[slot];
    this.#ring[slot] = undefined; // or the ring would keep the bytes of what was sent alive
    this.#head += 1;
    return value;
  }

  /** Puts one back to the front, for the rest of a chunk that was split. */
  unshift(value: T): void {
    if (this.length === this.#ring.length) this.#grow();
    if (this.#head === 0) {
      // Indices only grow: step both up by a whole ring before going below zero.
      this.#head += this.#ring.length;
      this.#tail += this.#ring.length;
    }
    this.#head -= 1;
    this.#ring[this.#head & (this.#ring.length - 1)] = value;
  }

  #grow(): void {
    const next: (T | undefined)[] = new Array(this.#ring.length * 2);
    const count = this.length;
    for (let i = 0; i < count; i += 1) next[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    this.#ring = next;
    this.#head = 0;
    this.#tail = count;
  }
}

const FIRST_STEPS = 1024;
/** Lists that a hostile request has made longer are given back. */
const KEPT_STEPS = 256 * 1024;

/**
 * What is written for each target, in order: a list for each, all in the same typed arrays. The parts are written one after the other then,
 * not all at a time as the request is read: sixty-four places in memory that are written to by turns cost 0.05 CPU s per million spans more
 * (with four it is 0.015 less).
 *
 *   first[target] --> step --next--> step --next--> -1       a step is a range of the request, or a header
 *   last[target] ----------------------^
 */
export class PartSteps {
  /** By step: the one that follows for the same target, -1 behind the last. */
  next = new Int32Array(FIRST_STEPS);
  /** By step: where the range begins and ends; minus the tag of a header, and its length. */
  from = new Int32Array(FIRST_STEPS);
  end = new Int32Array(FIRST_STEPS);
  /** By target: its first step, -1 where it has none. */
  first = new Int32Array(0);
  #last = new Int32Array(0);
  #count = 0;

  /** Empty lists for so many targets. */
  clear(targets: number): void {
    if (this.first.length < targets) {
      this.first = new Int32Array(targets);
      this.#last = new Int32Array(targets);
    }
    this.first.fill(-1);
    this.#last.fill(-1);
    this.#count = 0;
    if (this.next.length > KEPT_STEPS) this.#resize(FIRST_STEPS, 0);
  }

  range(target: number, from: number, end: number): void {
    this.#add(target, from, end);
  }

  header(target: number, tag: number, length: number): void {
    this.#add(target, -tag, length);
  }

  #add(target: number, from: number, end: number): void {
    const step = this.#count;
    if (step === this.next.length) this.#resize(2 * step, step);
    this.next[step] = -1;
    this.from[step] = from;
    this.end[step] = end;
    const last = this.#last[target] as number;
    if (last < 0) this.first[target] = step;
    else this.next[last] = step;
    this.#last[target] = step;
    this.#count = step + 1;
  }

  #resize(length: number, kept: number): void {
    const resized = (list: Int32Array): Int32Array<ArrayBuffer> => {
      const other = new Int32Array(length);
      other.set(list.subarray(0, kept));
      return other;
    };
    this.next = resized(this.next);
    this.from = resized(this.from);
    this.end = resized(this.end);
  }
}

/** What a walk through a request has found, in order. */
export const OPEN = 1;
export const CLOSE = 2;
export const COMMON = 3;
export const RUN = 4;

/** Numbers of one entry. */
export const ENTRY = 5;
const FIRST_ENTRIES = 256;
/** A log that a hostile request has made larger is given back. */
const KEPT_ENTRIES = 64 * 1024;

/**
 * Entries of five numbers in one typed array, as an object for each span would cost more than cutting it does:
 *
 *   OPEN    field   depth  list  count      a message whose items go to several targets; `list` and `count` are filled in by its CLOSE
 *   COMMON  from    end    0     0          fields of the open message that every target of it gets
 *   RUN     from    end    to    items      neighbours that go to one target; items -1: not counted yet
 *   CLOSE
 */
export class CutLog {
  at = new Int32Array(FIRST_ENTRIES * ENTRY);
  /** Behind the last entry. */
  end = 0;

  clear(): void {
    this.end = 0;
    if (this.at.length > KEPT_ENTRIES * ENTRY) this.at = new Int32Array(FIRST_ENTRIES * ENTRY);
  }

  push(kind: number, a: number, b: number, c: number, d: number): void {
    if (this.end === this.at.length) {
      const more = new Int32Array(this.at.length * 2);
      more.set(this.at);
      this.at = more;
    }
    const { at, end } = this;
    at[end] = kind;
    at[end + 1] = a;
    at[end + 2] = b;
    at[end + 3] = c;
    at[end + 4] = d;
    this.end = end + ENTRY;
  }

  common(from: number, end: number): void {
    const last = this.end - ENTRY;
    if (this.at[last] === COMMON && this.at[last + 2] === from) this.at[last + 2] = end;
    else this.push(COMMON, from, end, 0, 0);
  }

  /** `items` is 1, or -1 where the caller does not know. */
  run(from: number, end: number, target: number, items: number): void {
    const { at } = this;
    const last = this.end - ENTRY;
    if (at[last] === RUN && at[last + 2] === from && at[last + 3] === target) {
      at[last + 2] = end;
      if (items > 0) at[last + 4] = (at[last + 4] as number) + items;
    } else {
      this.push(RUN, from, end, target, items);
    }
  }
}

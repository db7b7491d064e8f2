import { Budget } from '../admit/budget.ts';

/**
 * One limit for all workers, in memory that they share. A worker takes leases out of it and counts its bytes against them by itself, so
 * that the path of a request touches what is shared only to look (three loads, some nanoseconds); the sum of all leases never exceeds the
 * limit, and one busy worker may have all of it.
 *
 *   0 ...................... soft ........... limit
 *   [lease of worker 0 | of 1 | of 2 |  free  ]
 *    used ####          #      ######
 *
 * Cells are Int32 of KiB: 2 TiB at most.
 */
export interface SharedCells {
  readonly name: string;
  readonly cells: Int32Array<SharedArrayBuffer>;
}

const LIMIT = 0;
const SOFT = 1;
const LEASED = 2;
const PRESSED = 3;
/** From here on what each worker uses, as it last said. */
const USED = 4;

const NO_LIMIT = -1;
const KIB = 1024;
/** A lease grows by this part of the limit at least: what another worker may be refused too early, until the next look. */
const LEASES_IN_LIMIT = 64;
/** How often a worker gives back what it does not use, and says what it uses. No timer runs in a worker that holds nothing. */
const LOOK_MS = 100;

export function sharedCells(name: string, workers: number): SharedCells {
  const cells = new Int32Array(new SharedArrayBuffer((USED + workers) * Int32Array.BYTES_PER_ELEMENT));
  Atomics.store(cells, LIMIT, NO_LIMIT);
  Atomics.store(cells, SOFT, NO_LIMIT);
  return { name, cells };
}

/** The main thread's side: sets the marks, and sees what all workers use. */
export class WholeBudget extends Budget {
  readonly #cells: Int32Array;

  constructor({ name, cells }: SharedCells) {
    super(name, Number.POSITIVE_INFINITY, 0);
    this.#cells = cells;
    // Fields of Budget, which stay plain numbers where a request passes by.
    Object.defineProperty(this, 'pressed', {
      get: () => Atomics.load(cells, PRESSED) === 1,
      set: (pressed: boolean) => void Atomics.store(cells, PRESSED, pressed ? 1 : 0),
    });
    Object.defineProperty(this, 'used', {
      get: () => {
        let used = 0;
        for (let i = USED; i < cells.length; i += 1) used += Atomics.load(cells, i);
        return used * KIB;
      },
    });
  }

  override resize(limit: number, spike: number): void {
    super.resize(limit, spike);
    // From the constructor of Budget: the cells come after it.
    if (!(#cells in this)) return;
    const kib = (bytes: number): number => (Number.isFinite(bytes) ? Math.floor(bytes / KIB) : NO_LIMIT);
    Atomics.store(this.#cells, SOFT, kib(this.soft));
    Atomics.store(this.#cells, LIMIT, kib(this.limit));
  }
}

/** A worker's side: `limit` is what it has leased. */
export class LeasedBudget extends Budget {
  readonly #cells: Int32Array;
  readonly #mine: number;
  readonly #workers: number;
  #timer: NodeJS.Timeout | undefined;

  constructor({ name, cells }: SharedCells, worker: number) {
    super(name, 0, 0);
    this.#cells = cells;
    this.#mine = USED + worker;
    this.#workers = cells.length - USED;
  }

  /** The main thread sets the marks. */
  override resize(): void {}

  override admits(bytes: number): boolean {
    const soft = Atomics.load(this.#cells, SOFT);
    if (soft === NO_LIMIT) return true;
    const need = this.used + bytes;
    if (Atomics.load(this.#cells, PRESSED) === 1 && need > (soft * KIB) / 4 / this.#workers) return false;
    if (need <= this.limit && Atomics.load(this.#cells, LEASED) <= soft) return true;
    return this.#lease(need, SOFT);
  }

  override fits(bytes: number): boolean {
    const need = this.used + bytes;
    return need <= this.limit || this.#lease(need, LIMIT);
  }

  /** Gives back what is not used any more. */
  look(): void {
    const cells = this.#cells;
    Atomics.store(cells, this.#mine, Math.ceil(this.used / KIB));
    const step = this.#step();
    const keep = Math.ceil(this.used / KIB / step) * step;
    const leased = this.limit / KIB;
    if (keep < leased) {
      this.limit = keep * KIB;
      Atomics.sub(cells, LEASED, leased - keep);
    }
    if (this.used > 0 || this.limit > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #lease(need: number, mark: typeof SOFT | typeof LIMIT): boolean {
    const cells = this.#cells;
    const bound = Atomics.load(cells, mark);
    if (bound === NO_LIMIT) return true;
    const leased = this.limit / KIB;
    const least = Math.max(0, Math.ceil(need / KIB) - leased);
    const step = this.#step();
    const wanted = Math.ceil((leased + least) / step) * step - leased;
    for (;;) {
      const total = Atomics.load(cells, LEASED);
      const room = bound - total;
      if (least > room) return false;
      const more = Math.min(Math.max(least, wanted), room);
      if (Atomics.compareExchange(cells, LEASED, total, total + more) !== total) continue;
      this.limit += more * KIB;
      this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
      return true;
    }
  }

  #step(): number {
    return Math.max(1, Math.ceil(Atomics.load(this.#cells, LIMIT) / LEASES_IN_LIMIT));
  }
}

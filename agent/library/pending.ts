/** What is open since the last look; `done` only where somebody waits for it. */
export interface Generation {
  open: number;
  done: PromiseWithResolvers<void> | undefined;
}

/**
 * Counts requests that have not ended, so that one can wait for all of before a moment while new ones go on coming:
 *
 *   begin begin | settled() | begin begin begin | settled() | begin
 *   '--- older ---'          '------ older ------'           current
 *
 * A number for each generation and no promise for each request.
 */
export class Pending {
  readonly #older = new Set<Generation>();
  #current: Generation = { open: 0, done: undefined };

  /** A request begins; what is returned goes to end(). */
  begin(): Generation {
    this.#current.open += 1;
    return this.#current;
  }

  end(generation: Generation): void {
    generation.open -= 1;
    if (generation.open > 0 || generation.done === undefined) return;
    this.#older.delete(generation);
    generation.done.resolve();
  }

  /** Resolves when everything that has begun by now has ended, however it ended. */
  async settled(): Promise<void> {
    if (this.#current.open > 0) {
      this.#current.done = Promise.withResolvers<void>();
      this.#older.add(this.#current);
      this.#current = { open: 0, done: undefined };
    }
    await Promise.all([...this.#older].flatMap(({ done }) => (done === undefined ? [] : [done.promise])));
  }
}

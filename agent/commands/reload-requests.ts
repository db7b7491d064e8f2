/** Asks for reloads, by SIGHUP or a changed file: one runs at a time, and however many are asked for meanwhile, one more follows. */
export class ReloadRequests {
  #serve: (() => Promise<void>) | undefined;
  #running = false;
  #again = false;

  /** What a request does; requests that came before, while the agent was starting, are served now. */
  serve(reload: () => Promise<void>): void {
    this.#serve = reload;
    if (this.#again) this.request();
  }

  request(): void {
    if (this.#serve === undefined || this.#running) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#running = true;
    void this.#serve().finally(() => {
      this.#running = false;
      if (this.#again) this.request();
    });
  }
}

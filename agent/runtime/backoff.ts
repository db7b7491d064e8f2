/** Exponential waiting times with random jitter, as retry_on_failure and gRPC's connection backoff describe them. */
export interface BackoffSettings {
  readonly initialIntervalMs: number;
  readonly multiplier: number;
  readonly maxIntervalMs: number;
  /** 0.5 spreads a wait over 50 % to 150 % of itself, so that clients which failed together do not return together. */
  readonly randomizationFactor: number;
}

export class Backoff {
  readonly #settings: BackoffSettings;
  readonly #random: () => number;
  #interval: number;

  constructor(settings: BackoffSettings, random: () => number = Math.random) {
    this.#settings = settings;
    this.#random = random;
    this.#interval = settings.initialIntervalMs;
  }

  /** The next wait in milliseconds. */
  next(): number {
    const { randomizationFactor, multiplier, maxIntervalMs } = this.#settings;
    const spread = this.#interval * randomizationFactor;
    const wait = this.#interval - spread + 2 * spread * this.#random();
    this.#interval = Math.min(this.#interval * multiplier, maxIntervalMs);
    return wait;
  }

  reset(): void {
    this.#interval = this.#settings.initialIntervalMs;
  }
}

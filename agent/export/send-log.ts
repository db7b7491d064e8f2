import type { Outcome } from '../runtime/outcome.ts';
import type { Log } from '../telemetry/log.ts';

/** Losses are said at most so often, with the number since the last time. */
const SAY_LOSS_EVERY_MS = 10_000;

/** What an operator reads of an exporter: when sending begins to fail, when it works again, and what is lost. Never a line per request. */
export class SendLog {
  readonly #log: Log;
  readonly #who: { readonly exporter: string; readonly signal: string };
  #failing = false;
  #lost = 0;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(log: Log, exporter: string, signal: string) {
    this.#log = log;
    this.#who = { exporter, signal };
  }

  /** After each attempt. */
  attempted(outcome: Outcome): void {
    if (outcome.kind === 'retry' && !this.#failing) {
      this.#failing = true;
      this.#log.warn('sending fails and is tried again', { ...this.#who, reason: outcome.message });
    } else if (outcome.kind === 'ok' && this.#failing) {
      this.#failing = false;
      this.#log.info('sending works again', this.#who);
    }
  }

  /** Items that are given up. */
  lost(items: number, reason: string): void {
    this.#lost += items;
    const now = performance.now();
    if (now - this.#saidAt < SAY_LOSS_EVERY_MS) return;
    this.#log.error('data was given up', { ...this.#who, items: this.#lost, reason });
    this.#lost = 0;
    this.#saidAt = now;
  }
}

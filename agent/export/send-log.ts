import type { Outcome } from '../runtime/outcome.ts';
import type { Log } from '../telemetry/log.ts';
import type { DeliverySpan, TraceContext } from '../telemetry/own/tracer.ts';

/** Losses are said at most so often, with the number since the last time. */
const SAY_LOSS_EVERY_MS = 10_000;
/** A next hop that takes one request and not the next would be two lines for each of them. */
const SAY_FAILING_EVERY_MS = 10_000;

/** What an operator reads of an exporter: when sending begins to fail, when it works again, and what is lost. Never a line per request. */
export class SendLog {
  readonly #log: Log;
  readonly #who: { readonly exporter: string; readonly signal: string };
  #saidFailing = false;
  #saidFailingAt = Number.NEGATIVE_INFINITY;
  #lost = 0;
  #saidAt = Number.NEGATIVE_INFINITY;
  #rejected = 0;
  #saidPartAt = Number.NEGATIVE_INFINITY;

  constructor(log: Log, exporter: string, signal: string) {
    this.#log = log;
    this.#who = { exporter, signal };
  }

  /** A span for a batch that is sent, where it is sampled. */
  delivery(items: number, bytes: number, requests: number): DeliverySpan | undefined {
    return this.#log.tracer?.delivery({ ...this.#who, items, bytes, requests });
  }

  /** After each attempt; `context` where it has a span. */
  attempted(outcome: Outcome, context?: TraceContext): void {
    if (outcome.kind === 'retry' && !this.#saidFailing) {
      const now = performance.now();
      if (now - this.#saidFailingAt < SAY_FAILING_EVERY_MS) return;
      this.#saidFailing = true;
      this.#saidFailingAt = now;
      this.#log.warn('sending fails and is tried again', { ...this.#who, ...context, reason: outcome.message });
    } else if (outcome.kind === 'ok' && this.#saidFailing) {
      this.#saidFailing = false;
      this.#log.info('sending works again', { ...this.#who, ...context });
    }
    if (outcome.kind === 'ok' && (outcome.rejected > 0 || outcome.message !== '')) this.#partly(outcome.rejected, outcome.message);
  }

  /** partial_success: with rejected items they are lost, without any the next hop has a warning. The words are its own. */
  #partly(rejected: number, message: string): void {
    this.#rejected += rejected;
    const now = performance.now();
    if (now - this.#saidPartAt < SAY_LOSS_EVERY_MS) return;
    if (this.#rejected > 0) this.#log.error('the next hop rejected a part', { ...this.#who, items: this.#rejected, reason: message });
    else this.#log.warn('the next hop took everything and warns', { ...this.#who, reason: message });
    this.#rejected = 0;
    this.#saidPartAt = now;
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

import type { Log } from '../telemetry/log.ts';
import type { ErrorMode } from './error-mode.ts';
import { Failure } from './errors.ts';

/** A failure in a group whose error_mode is propagate: the request is refused with this message. */
export class Refusal extends Error {}

/** A failing statement fails for every item; one line in a minute says so, with how often. */
const LOG_INTERVAL_MS = 60_000;

/** What a processor does about failures, by error_mode. */
export class Failures {
  readonly #log: Log;
  readonly #component: string;
  readonly #now: () => number;
  readonly #counts = new Map<string, { count: number; loggedAt: number }>();
  readonly #count: () => void;

  /** `count` is called for each failure, also for those that nobody is told of. */
  constructor(log: Log, component: string, count: () => void = () => {}, now: () => number = Date.now) {
    this.#log = log;
    this.#component = component;
    this.#count = count;
    this.#now = now;
  }

  /** Takes note of a failure, or throws: a Refusal where it ends the request, the error itself where it is none of OTTL's. */
  handle(error: unknown, mode: ErrorMode, text: string): void {
    if (!(error instanceof Failure)) throw error;
    this.#count();
    if (mode === 'propagate') throw new Refusal(`${text}: ${error.message}`);
    if (mode === 'ignore') this.#tell(text, error.message);
  }

  #tell(text: string, reason: string): void {
    const entry = this.#counts.get(text) ?? { count: 0, loggedAt: Number.NEGATIVE_INFINITY };
    this.#counts.set(text, entry);
    entry.count += 1;
    const now = this.#now();
    if (now - entry.loggedAt < LOG_INTERVAL_MS) return;
    this.#log.warn('statement failed', { component: this.#component, statement: text, reason, failures: entry.count });
    entry.loggedAt = now;
    entry.count = 0;
  }
}

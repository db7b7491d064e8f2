import { OK, type Outcome, worse } from './outcome.ts';

/**
 * The sender's claim on one request: it counts the parts that are outstanding (one for each exporter of a fan-out), keeps the worst
 * outcome and answers exactly once, when the last part is settled. A plain callback, as a promise per request is a microtask per
 * request on the hot path.
 */
export class Receipt {
  /** The sender has gone: whoever still waits to store the request may drop it, nobody was told that it was accepted. */
  abandoned: boolean;
  /** The sender wants to hear of the delivery, also where the exporter answers when it has stored. */
  readonly waits: boolean;
  #outstanding: number;
  #worst: Outcome;
  readonly #answer: (outcome: Outcome) => void;

  constructor(parts: number, answer: (outcome: Outcome) => void, waits = false) {
    this.abandoned = false;
    this.waits = waits;
    this.#outstanding = parts;
    this.#worst = OK;
    this.#answer = answer;
  }

  /** True until the sender has been answered. */
  get open(): boolean {
    return this.#outstanding > 0;
  }

  /** More parts: a request that is split settles once for each piece. */
  expect(more: number): void {
    this.#outstanding += more;
  }

  settle(outcome: Outcome): void {
    if (this.#outstanding === 0) throw new Error('a receipt was settled more often than it has parts');
    this.#worst = worse(this.#worst, outcome);
    this.#outstanding -= 1;
    if (this.#outstanding === 0) this.#answer(this.#worst);
  }
}

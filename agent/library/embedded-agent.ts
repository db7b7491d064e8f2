import { REFUSALS, type Refusal, refuse } from '../admit/errors.ts';
import { timerMs } from '../config/go-duration.ts';
import type { Signal, SocketAddress } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { scan } from '../otlp/wire.ts';
import type { Agent, QueueState } from '../runtime/agent.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { Books } from '../telemetry/books.ts';
import type { Log } from '../telemetry/log.ts';
import { type Audit, type AuditRecord, type Handed, recordOfOutcome, recordOfRefusal } from './audit.ts';
import { Pending } from './pending.ts';
import { outcomeOf, refused, type Verdict } from './verdict.ts';

/** What may be said of one request. */
export interface OfferOptions {
  /** On whose behalf, for the audit. @default the instance's `who` */
  readonly who?: string;
  /**
   * Called once when a request that was taken has ended: delivered, rejected, or lost; with nothing to send before offer() returns. Not
   * called for a refusal.
   */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** Where everything is at this moment. */
export interface Stats {
  /** Every item in exactly one place. */
  readonly books: Books;
  /** One for each exporter and signal. */
  readonly queues: readonly QueueState[];
  /** Bytes of requests that are held, compressed copies included. */
  readonly heldBytes: number;
  /** Calls of the audit hook and of `onOutcome` that threw. */
  readonly hookErrors: number;
}

/**
 * The agent inside of another program: `create()`, `offer()` or `sendRaw()`, `drain()`, `close()`. It has no state outside of itself, so
 * there may be several; nothing of it throws after create().
 */
export class EmbeddedAgent {
  /** Milliseconds that drain() takes at most where it is not told: `agent.drain_deadline`. */
  readonly drainDeadlineMs: number;
  readonly #agent: Agent;
  readonly #who: string;
  readonly #audit: Audit | undefined;
  readonly #log: Log | undefined;
  readonly #pending = new Pending();
  readonly #stop = new AbortController();
  #hookErrors = 0;
  #closing: Promise<void> | undefined;

  /** Use create(). */
  constructor(agent: Agent, who: string, audit: Audit | undefined, log: Log | undefined) {
    this.#agent = agent;
    this.#who = who;
    this.#audit = audit;
    this.#log = log;
    this.drainDeadlineMs = agent.settings.agent.drainDeadlineMs;
  }

  /** Whether it takes requests: not closing, and below its memory limit. */
  get ready(): boolean {
    return this.#agent.ready;
  }

  /** Where it listens, where the configuration has receivers with sockets: by `otlp/grpc` and the like. */
  get addresses(): Readonly<Record<string, SocketAddress>> {
    return this.#agent.addresses;
  }

  /**
   * Hands a request over: the protobuf bytes of an ExportTraceServiceRequest, ...Metrics..., ...Logs... or ...Profiles... . They are not
   * copied: from `taken` on they must not be written to.
   *
   * Synchronous, and never throws. With `block_on_overflow` the queue takes everything, as a call that returns at once cannot be made to
   * wait: set `agent.memory_limit_mib` then, or use sendRaw() and wait for it.
   */
  offer(signal: Signal, bytes: Uint8Array, options: OfferOptions = {}): Verdict {
    const refusal = this.#hand(signal, bytes, options.who ?? this.#who, options.onOutcome);
    return refusal === undefined ? 'taken' : refused(refusal);
  }

  /** The same for those who wait: resolves with how it ended. A refusal is an outcome too (`retry`, or `reject`). Never rejects. */
  sendRaw(signal: Signal, bytes: Uint8Array, options: Pick<OfferOptions, 'who'> = {}): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const refusal = this.#hand(signal, bytes, options.who ?? this.#who, resolve);
    if (refusal !== undefined) resolve(outcomeOf(refusal));
    return promise;
  }

  /** Sends what is queued without waiting for batches to fill, and resolves when everything handed over by now has ended, however. */
  flush(): Promise<void> {
    this.hurry();
    return this.#pending.settled();
  }

  /** What is queued at this moment waits for no batch to fill. */
  hurry(): void {
    this.#agent.hurry();
  }

  /**
   * Takes no more requests, delivers what is queued, and says where everything went. What is left at the deadline is counted as evicted;
   * who waits for it hears of it. A second call gets the result of the first.
   *
   * @param deadlineMs milliseconds; `agent.drain_deadline` where it is left out
   */
  async drain(deadlineMs: number = this.drainDeadlineMs): Promise<Books> {
    const timer = setTimeout(() => this.#stop.abort(), timerMs(deadlineMs));
    const books = await this.#agent.drain(this.#stop.signal);
    clearTimeout(timer);
    return books;
  }

  /** Ends everything: connections, timers, sockets. What is still queued is lost and counted as evicted: call drain() before. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    await this.#agent.drain(this.#stop.signal);
    await this.#agent.close();
  }

  /** `await using agent = await create(...)`: drains within the deadline, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    await this.close();
  }

  /** Where everything is at this moment. Costs a little: not for every request. */
  stats(): Stats {
    const { queues, heldBytes } = this.#agent;
    return { books: this.#agent.books(), queues, heldBytes, hookErrors: this.#hookErrors };
  }

  /** The text that the program serves at /metrics, with the Collector's names: for a server of your own. */
  metrics(): Promise<string> {
    return this.#agent.metrics();
  }

  #hand(signal: Signal, bytes: Uint8Array, who: string, onOutcome: ((outcome: Outcome) => void) | undefined): Refusal | undefined {
    // Made only where somebody reads it: it lives as long as the request.
    const handed: Handed | undefined =
      this.#audit === undefined ? undefined : { who, signal, bytes: bytes?.byteLength ?? 0, at: Date.now(), begunAt: performance.now() };
    const generation = this.#pending.begin();
    const answer = (outcome: Outcome, items: number): void => {
      this.#pending.end(generation);
      if (onOutcome !== undefined) this.#call(() => onOutcome(outcome));
      if (handed !== undefined) this.#record(recordOfOutcome(handed, items, outcome));
    };
    const refusal = this.#offer(signal, bytes, answer);
    if (refusal !== undefined) {
      this.#pending.end(generation);
      // Counted only here: the agent refuses before it looks into a request.
      if (handed !== undefined) this.#record(recordOfRefusal(handed, itemsOf(signal, bytes), refused(refusal)));
    }
    return refusal;
  }

  #offer(signal: Signal, bytes: Uint8Array, answer: (outcome: Outcome, items: number) => void): Refusal | undefined {
    // From JavaScript anything may come, and a program must not end by what it tells of itself.
    if (!isBytes(bytes)) return refuse(REFUSALS.MALFORMED, 'a Uint8Array is wanted');
    if (!SIGNALS.includes(signal)) return refuse(REFUSALS.NO_PIPELINE, String(signal));
    return this.#agent.offer(signal, bytes, answer, 'delivered');
  }

  #record(record: AuditRecord): void {
    this.#call(() => this.#audit?.(record));
  }

  /** Hooks are the program's: what they throw must not end a delivery half way. */
  #call(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.#hookErrors += 1;
      this.#log?.error('a hook of the program threw', { error: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Of any realm; a DataView or an Uint16Array has another idea of its length. */
function isBytes(bytes: unknown): bytes is Uint8Array {
  return ArrayBuffer.isView(bytes) && (bytes as Partial<Uint8Array>)[Symbol.toStringTag] === 'Uint8Array';
}

function itemsOf(signal: Signal, bytes: Uint8Array): number {
  if (!SIGNALS.includes(signal) || !isBytes(bytes)) return 0;
  const found = scan(signal, bytes);
  return found.ok ? found.items : 0;
}

import type { BatchSettings, ExporterSettings, Signal } from '../config/settings.ts';
import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { MemoryQueue } from '../queue/memory-queue.ts';
import type { Chunk, Hold } from '../runtime/chunk.ts';
import { GrpcStatus, grpcStatusName } from '../runtime/grpc-status.ts';
import { OK, type Outcome, type RetryOutcome, type Verdict } from '../runtime/outcome.ts';
import { ExporterCounters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
import type { Ending, Sending } from './attempt.ts';
import { Batcher } from './batch.ts';
import { deliver } from './deliver.ts';
import type { Outlet } from './outlet.ts';
import { SendLog } from './send-log.ts';
import { Throttle } from './throttle.ts';
import type { Transport } from './transport.ts';

/** Without a sending_queue the Collector sends on the caller's goroutine, as many at a time as there are callers. */
const CONSUMERS_WITHOUT_QUEUE = 1000;

/** Takes over a chunk that a line does not deliver, and why; false where it cannot, and the line counts it as its own. */
export type GiveBack = (chunk: Chunk, outcome: RetryOutcome) => boolean;

const HANDED_BACK: RetryOutcome = {
  kind: 'retry',
  afterMs: undefined,
  code: GrpcStatus.UNAVAILABLE,
  message: 'the upstream is not used any more',
};

/**
 * export: one exporter for one signal, with its queue in front of it.
 * In:       chunks, by `offer`. Out: requests to the next hop; the receipt is settled when stored or, with wait_for_result, when delivered.
 * May drop: what the next hop refuses for good, what its retries run out for, and what is left at the drain deadline; each is counted.
 * Counters: otelcol_exporter_{sent,send_failed,enqueue_failed}_*, evicted, in_flight_requests.
 * Bench:    test/bench/agent-hop.
 */
export class ExportLine implements Outlet {
  readonly id: string;
  readonly signal: Signal;
  readonly parts: readonly ExporterCounters[];
  readonly counters: ExporterCounters;
  readonly #settings: ExporterSettings;
  readonly #transport: Transport;
  readonly #queue: MemoryQueue;
  readonly #batcher: Batcher;
  readonly #consumers: number;
  /** The sender is answered when its data is delivered, not when it is stored. */
  readonly #waits: boolean;
  readonly #log: Log;
  /** Of a balancer that has other lines. */
  readonly #giveBack: GiveBack | undefined;
  #sending: Sending;
  #abort = new AbortController();
  #flushTimer: NodeJS.Timeout | undefined;
  #draining = false;
  /** `performance.now()`: chunks from before it are due. */
  #hurriedAt = Number.NEGATIVE_INFINITY;
  #onIdle: (() => void) | undefined;

  constructor(
    settings: ExporterSettings,
    signal: Signal,
    batch: BatchSettings | undefined,
    transport: Transport,
    log: Log,
    giveBack?: GiveBack,
  ) {
    const { queue } = settings;
    this.#giveBack = giveBack;
    const merge = queue.batch ?? batch;
    this.id = settings.id;
    this.signal = signal;
    this.#settings = settings;
    this.#transport = transport;
    this.#log = log;
    this.counters = new ExporterCounters(settings.id, signal, transport.labels, queue.enabled);
    this.parts = [this.counters];
    this.#queue = new MemoryQueue(
      queue,
      this.counters,
      (chunk) => this.#stored(chunk),
      (chunk) => this.#evicted(chunk),
    );
    this.#batcher = new Batcher(merge, SIGNAL_FACTS[signal].mergeable);
    this.#consumers = queue.enabled ? queue.consumers : CONSUMERS_WITHOUT_QUEUE;
    // A batch processor in front of an exporter without queue answers when it has stored, as upstream's does.
    this.#waits = queue.enabled ? queue.waitForResult : merge === undefined;
    this.#sending = {
      transport,
      retry: settings.retry,
      relays: this.#waits && !settings.retry.enabled,
      throttle: new Throttle(this.#consumers, () => this.#pump()),
      counters: this.counters,
      abort: this.#abort.signal,
      log: new SendLog(log, settings.id, signal),
    };
  }

  hasRoom(items: number, bytes: number): boolean {
    return this.#queue.hasRoom(items, bytes);
  }

  takesMembers(items: number, bytes: number): boolean {
    const settings = this.#settings;
    if ((settings.kind !== 'otlp_grpc' && settings.kind !== 'otlp_http') || settings.gzipMembers !== true) return false;
    return this.#batcher.keepsWhole(items, bytes);
  }

  offer(chunk: Chunk): Verdict {
    const verdict = this.#queue.offer(chunk);
    if (verdict === 'taken') this.sendDue();
    return verdict;
  }

  /**
   * The youngest chunk that waits, where one more request of this size, written behind it into `hold`, may become a part of it: batches are
   * made here, and whoever sent it need not hear of its delivery.
   */
  extendable(hold: Hold, items: number, bytes: number): Chunk | undefined {
    if (this.#waits) return undefined;
    const chunk = this.#queue.youngestWithRoom(items, bytes);
    if (chunk === undefined || !chunk.extendsWith(hold)) return undefined;
    const { capacity, sizer } = this.#settings.queue;
    const fits = this.#batcher.staysSmall(chunk.items + items, chunk.bytes + bytes, chunk.requests + 1, capacity, sizer);
    return fits ? chunk : undefined;
  }

  /** The request has been written behind the chunk that `extendable` named. Sends nothing: that is for `sendDue`. */
  extend(chunk: Chunk, items: number, bytes: number): void {
    chunk.extend(bytes, items);
    this.#queue.extended(items, bytes);
  }

  /** Items accepted elsewhere in a fan-out that this exporter had no room for. */
  enqueueFailed(chunk: Chunk): void {
    this.counters.offered += chunk.items;
    this.counters.enqueueFailed += chunk.items;
    const message = `the queue of ${this.#settings.id} is full`;
    chunk.settle(this.#waits || chunk.waits ? { kind: 'retry', afterMs: undefined, code: GrpcStatus.UNAVAILABLE, message } : OK);
    chunk.release();
  }

  /** From now on nothing waits for a batch to fill. */
  flush(): void {
    this.#draining = true;
    this.#pump();
  }

  /** What is queued at this moment waits for no batch to fill; what comes later does. */
  hurry(): void {
    this.#hurriedAt = performance.now();
    this.#pump();
  }

  /**
   * Gives back what waits, and what is between two attempts; what is on the wire ends as it ends. Chunks that nobody takes over are
   * counted as evicted. The line may be used again.
   */
  handBack(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#sending = { ...this.#sending, abort: this.#abort.signal };
    for (const chunk of this.#queue.clear()) {
      this.counters.queued -= chunk.items;
      if (this.#givesBack(chunk, HANDED_BACK)) continue;
      this.counters.evicted += chunk.items;
      this.#evicted(chunk);
    }
  }

  /**
   * Sends all that is queued, without waiting for batches to fill. What is left when `deadline` fires is counted as evicted.
   * Order: flush and finish first, then stop retry waits and attempts, then clear; the connections are closed by close().
   */
  async drain(deadline: AbortSignal): Promise<void> {
    this.flush();
    if (!this.#idle()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      if (deadline.aborted) resolve();
      else deadline.addEventListener('abort', () => resolve(), { once: true });
      await promise;
    }
    if (this.#idle()) return;
    this.#abort.abort();
    for (const chunk of this.#queue.clear()) {
      this.counters.queued -= chunk.items;
      this.counters.evicted += chunk.items;
      this.#evicted(chunk);
    }
    await this.#transport.close();
    while (this.counters.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    this.#log.warn('drain deadline reached', { exporter: this.#settings.id, signal: this.counters.signal, evicted: this.counters.evicted });
  }

  async close(): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#sending.throttle.close();
    this.#abort.abort();
    await this.#transport.close();
  }

  #idle(): boolean {
    return this.counters.inFlight === 0 && this.#queue.length === 0 && this.#queue.parked === 0;
  }

  #isHurried(): boolean {
    const oldest = this.#queue.peek();
    return oldest !== undefined && (this.#draining || oldest.receivedAt <= this.#hurriedAt);
  }

  #stored(chunk: Chunk): void {
    if (!this.#waits && !chunk.waits) chunk.settle(OK);
  }

  #evicted(chunk: Chunk): void {
    chunk.settle({ kind: 'retry', afterMs: undefined, code: GrpcStatus.UNAVAILABLE, message: 'the request left the queue undelivered' });
    chunk.release();
  }

  /** While the oldest waits for its time, one more is only looked at when it fills a batch: the clock would be read for each otherwise. */
  sendDue(): void {
    if (this.#flushTimer === undefined || this.#draining || this.#batcher.isFull(this.#queue)) this.#pump();
  }

  /** Starts as many deliveries as are due and allowed. Synchronous; called when something came in, ended or became old enough. */
  #pump(): void {
    while (this.#maySend()) {
      const now = performance.now();
      const due = this.#isHurried() ? 0 : this.#batcher.dueIn(this.#queue, now);
      if (due === undefined) break;
      if (due > 0) {
        this.#flushTimer ??= setTimeout(() => this.#flushDue(), due).unref();
        break;
      }
      this.#launch(this.#batcher.take(this.#queue));
    }
    if (this.#onIdle !== undefined && this.#idle()) this.#onIdle();
  }

  /**
   * What a throttled line may not send stays in the queue: there it merges into fewer requests, and drop_oldest can reach it. Unless its
   * senders wait and retry by themselves: they hear of the pause from attempt().
   */
  #maySend(): boolean {
    const { throttle, relays } = this.#sending;
    return this.counters.inFlight < (relays ? this.#consumers : throttle.limit) && (relays || !throttle.paused);
  }

  #flushDue(): void {
    this.#flushTimer = undefined;
    this.#pump();
  }

  #launch(batch: Chunk[]): void {
    this.counters.inFlight += 1;
    // deliver() turns every failure into an ending; a rejection would be a bug and must not pass unseen.
    void deliver(batch, this.#sending, (chunk, ending) => this.#ended(chunk, ending)).then(() => {
      this.counters.inFlight -= 1;
      this.#pump();
    });
  }

  #ended(chunk: Chunk, ending: Ending): void {
    const { counters } = this;
    if (ending.outcome.kind === 'retry' && this.#givesBack(chunk, ending.outcome)) {
      this.#queue.done(chunk);
      return;
    }
    if (ending.kind === 'evicted') counters.evicted += chunk.items;
    else {
      const failed = ending.outcome.kind === 'ok' ? Math.min(ending.outcome.rejected, chunk.items) : chunk.items;
      counters.sendFailed += failed;
      if (failed > 0) this.#lost(failed, ending.outcome);
      counters.sent += chunk.items - failed;
    }
    this.#queue.done(chunk);
    chunk.settle(ending.outcome);
    chunk.release();
  }

  /** What is given back was never offered here, as the books have it. */
  #givesBack(chunk: Chunk, outcome: RetryOutcome): boolean {
    if (this.#giveBack?.(chunk, outcome) !== true) return false;
    this.counters.offered -= chunk.items;
    return true;
  }

  #lost(items: number, outcome: Outcome): void {
    this.counters.lost(lossReason(outcome, this.#settings.retry.enabled), items);
    // What partial_success rejects is said with the server's words when the answer comes (SendLog).
    if (outcome.kind !== 'ok') this.#sending.log.lost(items, outcome.message);
  }
}

/** Why items were given up, as a label: a closed set, as the server's own words are without bound. */
function lossReason(outcome: Outcome, retries: boolean): string {
  switch (outcome.kind) {
    case 'ok':
      return 'partial_success';
    case 'retry':
      return retries ? 'retries_exhausted' : 'not_retried';
    case 'reject':
      return outcome.taken === true ? 'answer_unreadable' : grpcStatusName(outcome.code);
  }
}

/**
 * ended spans -> QueueGuard -> BatchSpanProcessor (SDK) -> ConcurrentSpanExporter -> OTLP exporter (SDK)
 *
 * The two parts of our own wrap the SDK's, in the SDK's interfaces, because the SDK reports neither of what the metrics must say:
 * the guard counts what the full queue refuses, the exporter counts what was delivered and what was lost.
 */
import { type Context, TraceFlags } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { BatchSpanProcessor, type ReadableSpan, type Span, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Settings } from '../config/settings.ts';
import type { SpanLedger } from './span-ledger.ts';

/** An exporter that knows how many spans of its last successful request the receiver rejected. */
export interface CountingExporter extends SpanExporter {
  takeRejected(): number;
}

/** Tells when exports begin to fail and when they work again; never once per batch. */
export type OnState = (state: 'failing' | 'working', error?: Error) => void;

const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** One queue, up to `concurrency` exports under way. */
export function createSpanPipeline(
  exporter: CountingExporter,
  batch: Settings['batch'],
  ledger: SpanLedger,
  onState: OnState,
): SpanProcessor {
  const concurrent = new ConcurrentSpanExporter(exporter, batch.concurrency, ledger, onState);
  const processor = new BatchSpanProcessor({
    exporter: concurrent,
    maxQueueSize: batch.queueSize,
    maxExportBatchSize: batch.exportSize,
    scheduledDelayMillis: batch.delayMs,
    // The processor's own timeout would give up on a batch that is still being sent. The exporter's timeout bounds every export.
    exportTimeoutMillis: NO_TIMEOUT_MS,
  });
  return new QueueGuard(processor, concurrent, batch.queueSize, ledger);
}

/** Keeps the count of the queue and refuses where the BatchSpanProcessor would refuse without telling. */
class QueueGuard implements SpanProcessor {
  readonly #inner: BatchSpanProcessor;
  readonly #exporter: ConcurrentSpanExporter;
  readonly #capacity: number;
  readonly #ledger: SpanLedger;
  #closed = false;

  constructor(inner: BatchSpanProcessor, exporter: ConcurrentSpanExporter, capacity: number, ledger: SpanLedger) {
    this.#inner = inner;
    this.#exporter = exporter;
    this.#capacity = capacity;
    this.#ledger = ledger;
  }

  onStart(span: Span, parent: Context): void {
    this.#inner.onStart(span, parent);
  }

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#closed) {
      this.#ledger.dropped.shutdown++;
    } else if (this.#ledger.queued >= this.#capacity) {
      this.#ledger.dropped.queue_full++;
    } else {
      // Counted before it is handed on: a full batch is exported, and taken off the count, within this call.
      this.#ledger.queued++;
      this.#inner.onEnd(span);
    }
  }

  async forceFlush(): Promise<void> {
    await this.#inner.forceFlush();
    await this.#exporter.forceFlush();
  }

  shutdown(): Promise<void> {
    this.#closed = true;
    return this.#inner.shutdown();
  }
}

/**
 * The BatchSpanProcessor sends one batch and waits for its answer before the next, so one slow answer stops the queue; and the SDK
 * exporter's own `concurrencyLimit` does not queue what is over it, it fails it. So this exporter says "done" as soon as there is
 * room for the next batch, and holds the answer back while `limit` requests are under way. The results go to the ledger.
 */
export class ConcurrentSpanExporter implements SpanExporter {
  readonly #inner: CountingExporter;
  readonly #limit: number;
  readonly #ledger: SpanLedger;
  readonly #onState: OnState;
  /** Batches over the limit: the processor hands over its whole queue at once when it is shut down. */
  readonly #waiting: ReadableSpan[][] = [];
  readonly #heldBack: ((result: ExportResult) => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #running = 0;
  #failing = false;

  constructor(inner: CountingExporter, limit: number, ledger: SpanLedger, onState: OnState) {
    this.#inner = inner;
    this.#limit = limit;
    this.#ledger = ledger;
    this.#onState = onState;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#ledger.queued -= spans.length;
    this.#ledger.inFlight += spans.length;
    if (this.#running < this.#limit) this.#send(spans);
    else this.#waiting.push(spans);
    if (this.#running < this.#limit) done({ code: ExportResultCode.SUCCESS });
    else this.#heldBack.push(done);
  }

  #send(spans: ReadableSpan[]): void {
    this.#running++;
    this.#inner.export(spans, (result) => {
      this.#running--;
      this.#record(spans.length, result);
      const next = this.#waiting.shift();
      if (next) this.#send(next);
      else for (const done of this.#heldBack.splice(0)) done({ code: ExportResultCode.SUCCESS });
      if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  #record(count: number, result: ExportResult): void {
    const ok = result.code === ExportResultCode.SUCCESS;
    const rejected = ok ? Math.min(this.#inner.takeRejected(), count) : 0;
    // After giveUp() the spans are counted as lost already.
    if (this.#ledger.inFlight >= count) {
      this.#ledger.inFlight -= count;
      this.#ledger.exported += ok ? count - rejected : 0;
      this.#ledger.dropped.rejected += rejected;
      this.#ledger.dropped.export_failed += ok ? 0 : count;
    }
    if (this.#failing === ok) {
      this.#failing = !ok;
      this.#onState(ok ? 'working' : 'failing', result.error);
    }
  }

  /** Resolves when nothing is under way. */
  forceFlush(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
    await this.#inner.shutdown();
  }
}

import type { Signal } from '../config/settings.ts';
import type { ExportLine } from '../export/export-line.ts';
import type { Body, Processor } from '../process/process.ts';
import { Chunk } from '../runtime/chunk.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import { Receipt } from '../runtime/receipt.ts';
import type { ProcessorCounters, ReceiverCounters } from '../telemetry/counters.ts';
import { type Budget, Grant } from './budget.ts';
import { REFUSALS, type Refusal, refuse } from './errors.ts';

/** A pipeline as admit sees it: what happens to the bytes, and where they go. */
export interface PipelineEntry {
  readonly processors: readonly { readonly processor: Processor | undefined; readonly counters: ProcessorCounters }[];
  readonly exporters: readonly ExportLine[];
}

/** Shared by all admissions of an agent: whether it still takes new requests. */
export interface Gate {
  open: boolean;
}

/**
 * admit: decides whether a request comes in, before its body is read, and hands what was read to the pipelines.
 * In:       a request's declared size, then its bytes. Out: chunks in the queues of the exporters.
 * May drop: nothing: what it does not take, its sender is told.
 * Counters: otelcol_receiver_{accepted,refused,failed}_*, otelcol_processor_memory_limiter_*, otelcol_processor_{incoming,outgoing}_items.
 * Bench:    test/bench/agent-throughput.
 */
export class Admission {
  readonly signal: Signal;
  readonly counters: ReceiverCounters;
  readonly #budgets: readonly Budget[];
  readonly #pipelines: readonly PipelineEntry[];
  readonly #lines: readonly ExportLine[];
  readonly #limiters: readonly ProcessorCounters[];
  readonly #gate: Gate;

  constructor(signal: Signal, counters: ReceiverCounters, budgets: readonly Budget[], pipelines: readonly PipelineEntry[], gate: Gate) {
    this.signal = signal;
    this.counters = counters;
    this.#budgets = budgets;
    this.#pipelines = pipelines;
    this.#lines = pipelines.flatMap((pipeline) => pipeline.exporters);
    this.#limiters = pipelines.flatMap((p) => p.processors.map((one) => one.counters)).filter((one) => one.kind === 'memory_limiter');
    this.#gate = gate;
  }

  /** Before the body: `declaredBytes` is its length where the sender told, else 0. */
  open(declaredBytes: number): Grant | Refusal {
    if (!this.#gate.open) return refuse(REFUSALS.DRAINING);
    for (const budget of this.#budgets) {
      if (budget.admits(declaredBytes)) continue;
      for (const limiter of this.#limiters) limiter.refusedRequests += 1;
      return refuse(REFUSALS.MEMORY);
    }
    if (!this.#hasRoom(0, declaredBytes)) return refuse(REFUSALS.QUEUE_FULL);
    const grant = new Grant(this.#budgets);
    grant.resize(declaredBytes);
    return grant;
  }

  /**
   * After the body was read and scanned. Takes the grant over in any case. `answer` is called exactly once, during this call (stored) or
   * later (wait_for_result, a blocked queue); a refusal is returned and not answered.
   */
  offer(body: Uint8Array, items: number, grant: Grant, answer: (outcome: Outcome) => void): Refusal | Receipt {
    const { counters } = this;
    counters.received += items;
    if (body.length === 0 || (items === 0 && this.signal !== 'profiles')) {
      // Nothing in it: success, and no empty envelope goes on (spec: an empty request is answered with success).
      grant.release();
      answer(OK);
      return new Receipt(0, answer);
    }
    if (!this.#hasRoom(items, body.length)) {
      grant.release();
      counters.refused += items;
      return refuse(REFUSALS.QUEUE_FULL);
    }
    const bodies: Body[] = [];
    for (const pipeline of this.#pipelines) {
      const processed = run(pipeline, { slices: [body], bytes: body.length }, items);
      if (typeof processed === 'string') {
        grant.release();
        counters.refused += items;
        return refuse(REFUSALS.MALFORMED, processed);
      }
      bodies.push(processed);
    }
    return this.#store(bodies, body.length, items, grant, answer);
  }

  #store(bodies: readonly Body[], received: number, items: number, grant: Grant, answer: (outcome: Outcome) => void): Receipt {
    const { counters } = this;
    counters.pending += items;
    const receipt = new Receipt(this.#lines.length, (outcome) => {
      counters.pending -= items;
      const refused = outcome.kind === 'ok' ? Math.min(outcome.rejected, items) : items;
      counters.refused += refused;
      counters.accepted += items - refused;
      answer(outcome);
    });
    // All pipelines share the received bytes; what a rewrite adds is charged once for each of them.
    let bytes = received;
    for (const body of bodies) bytes += Math.max(0, body.bytes - received);
    grant.adjust(bytes);
    grant.retain(this.#lines.length); // and one owner is this function: released below, when all have theirs
    const now = performance.now();
    for (let i = 0; i < bodies.length; i += 1) {
      const body = bodies[i] as Body;
      for (const line of (this.#pipelines[i] as PipelineEntry).exporters) {
        const chunk = new Chunk(this.signal, body.slices, body.bytes, items, now, receipt, grant);
        // One full destination does not stop the others: its items are counted as lost there (enqueue_failed), see docs.
        if (line.offer(chunk) === 'full') line.enqueueFailed(chunk);
      }
    }
    grant.release();
    return receipt;
  }

  /** Some destination has room. */
  #hasRoom(items: number, bytes: number): boolean {
    for (const line of this.#lines) if (line.hasRoom(items, bytes)) return true;
    return false;
  }
}

function run(pipeline: PipelineEntry, body: Body, items: number): Body | string {
  let current = body;
  for (const { processor, counters } of pipeline.processors) {
    counters.incoming += items;
    if (processor !== undefined) {
      const next = processor.process(current);
      if (typeof next === 'string') return next;
      current = next;
    } else {
      counters.accepted += items; // memory_limiter: it has decided in open() and resize()
    }
    counters.outgoing += items;
  }
  return current;
}

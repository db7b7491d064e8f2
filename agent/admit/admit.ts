import type { Signal } from '../config/settings.ts';
import type { Outlet } from '../export/outlet.ts';
import type { Body, Metadata } from '../process/process.ts';
import { Chunk } from '../runtime/chunk.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import { Receipt } from '../runtime/receipt.ts';
import type { ProcessorCounters, ReceiverCounters } from '../telemetry/counters.ts';
import { type Budget, chargeAll, Grant, REQUEST_BYTES } from './budget.ts';
import { REFUSALS, type Refusal, refuse } from './errors.ts';
import { type Delivery, flow, outletsOf, type PipelineEntry, processorsOf } from './flow.ts';
import { Slabs } from './slab.ts';

/** Shared by all admissions of an agent: whether it still takes new requests. */
export interface Gate {
  open: boolean;
}

/** Where the requests of one door go; a reload puts another one in its place between two requests. */
export class Route {
  readonly counters: ReceiverCounters;
  readonly budgets: readonly Budget[];
  readonly pipelines: readonly PipelineEntry[];
  readonly outlets: readonly Outlet[];
  readonly limiters: readonly ProcessorCounters[];
  /** No processor that acts on bytes, and no connector. */
  readonly #opaque: boolean;
  /** A connector on it may make new data. */
  readonly derives: boolean;
  readonly slabs: Slabs;

  constructor(counters: ReceiverCounters, budgets: readonly Budget[], pipelines: readonly PipelineEntry[]) {
    this.counters = counters;
    this.budgets = budgets;
    this.derives = pipelines.some((pipeline) => pipeline.connectors.length > 0);
    this.slabs = new Slabs((bytes) => chargeAll(budgets, bytes));
    this.pipelines = pipelines;
    this.outlets = [...new Set(pipelines.flatMap((pipeline) => [...outletsOf(pipeline)]))];
    this.#opaque = pipelines.every(
      ({ processors, connectors }) => connectors.length === 0 && processors.every((one) => one.processor === undefined),
    );
    this.limiters = pipelines.flatMap(processorsOf).filter((one) => one.kind === 'memory_limiter');
  }

  /** Whether a request of this size may travel as the gzip that it came as: nothing on its way looks inside, and every next hop takes it. */
  takesMembers(items: number, bytes: number): boolean {
    if (!this.#opaque) return false;
    for (const outlet of this.outlets) if (!outlet.takesMembers(items, bytes)) return false;
    return true;
  }

  /** Some destination has room, or there is none that could be full. */
  hasRoom(items: number, bytes: number): boolean {
    for (const outlet of this.outlets) if (outlet.hasRoom(items, bytes)) return true;
    return this.outlets.length === 0;
  }
}

/**
 * admit: decides whether a request comes in, before its body is read, and hands what was read to the pipelines.
 * In:       a request's declared size, then its bytes. Out: chunks in the queues of the exporters.
 * May drop: nothing: what it does not take, its sender is told.
 * Counters: otelcol_receiver_{accepted,refused,failed}_*, otelcol_processor_memory_limiter_*, otelcol_processor_{incoming,outgoing}_items.
 * Bench:    test/bench/agent-hop.
 */
export class Admission {
  readonly signal: Signal;
  readonly counters: ReceiverCounters;
  readonly #gate: Gate;
  #route: Route;
  #shut = false;

  constructor(signal: Signal, route: Route, gate: Gate) {
    this.signal = signal;
    this.counters = route.counters;
    this.#route = route;
    this.#gate = gate;
  }

  /** From the next request on; what is being read ends up on the new route too. */
  reroute(route: Route): void {
    this.#route = route;
  }

  /** No pipeline takes this signal any more: what is being read is told to come again, by then the door is gone. */
  shut(): void {
    this.#shut = true;
  }

  /** Before the body: `declaredBytes` is its length where the sender told, else 0. */
  open(declaredBytes: number): Grant | Refusal {
    const route = this.#route;
    if (!this.#gate.open || this.#shut) return refuse(REFUSALS.DRAINING);
    for (const budget of route.budgets) {
      if (budget.admits(REQUEST_BYTES + declaredBytes)) continue;
      for (const limiter of route.limiters) limiter.refusedRequests += 1;
      return refuse(REFUSALS.MEMORY);
    }
    if (!route.hasRoom(0, declaredBytes)) return refuse(REFUSALS.QUEUE_FULL);
    const grant = new Grant(route.budgets, route.slabs);
    grant.begin();
    grant.resize(declaredBytes);
    return grant;
  }

  /**
   * Whether a request may be offered as the gzip that it came as; asked right before offer(), as a reload may change it.
   */
  takesMembers(items: number, bytes: number): boolean {
    return this.#route.takesMembers(items, bytes);
  }

  /**
   * After the body was read and scanned. Takes the grant over in any case. `answer` is called exactly once, during this call (stored) or
   * later (wait_for_result, a blocked queue, `waits`: when it is delivered in any case); a refusal is returned and not answered.
   * `inflatedBytes` says that `received` is gzip that travels as it came, and what it becomes.
   */
  offer(
    received: Uint8Array,
    items: number,
    grant: Grant,
    answer: (outcome: Outcome) => void,
    metadata?: Metadata,
    waits = false,
    inflatedBytes?: number,
  ): Refusal | Receipt {
    const { counters } = this;
    const route = this.#route;
    counters.received += items;
    const bytes = inflatedBytes ?? received.length;
    if (bytes === 0 || (items === 0 && this.signal !== 'profiles')) {
      // Nothing in it: success, and no empty envelope goes on (spec: an empty request is answered with success).
      return this.#nothingToStore(items, grant, answer);
    }
    if (this.#shut || !route.hasRoom(items, bytes)) {
      grant.release();
      counters.refused += items;
      return refuse(this.#shut ? REFUSALS.DRAINING : REFUSALS.QUEUE_FULL);
    }
    const body: Body = { slices: [received], bytes, items, packed: inflatedBytes !== undefined };
    const deliveries: Delivery[] = [];
    for (const pipeline of route.pipelines) {
      const problem = flow(pipeline, body, metadata, false, deliveries);
      if (problem === undefined) continue;
      grant.release();
      counters.refused += items;
      return typeof problem === 'string' ? refuse(REFUSALS.MALFORMED, problem) : refuse(REFUSALS.PROCESSOR, problem.reason);
    }
    const own = route.derives ? deliveries.filter((delivery) => !delivery.derived) : deliveries;
    if (own.length < deliveries.length) this.#storeDerived(route, deliveries, metadata);
    if (own.length === 0) return this.#nothingToStore(items, grant, answer);
    return this.#store(own, received, items, grant, answer, metadata, waits);
  }

  #nothingToStore(items: number, grant: Grant, answer: (outcome: Outcome) => void): Receipt {
    grant.release();
    this.counters.accepted += items;
    answer(OK);
    return new Receipt(0, answer);
  }

  #store(
    deliveries: readonly Delivery[],
    received: Uint8Array,
    items: number,
    grant: Grant,
    answer: (outcome: Outcome) => void,
    metadata: Metadata | undefined,
    waits: boolean,
  ): Receipt {
    const { counters } = this;
    counters.pending += items;
    const settled = (outcome: Outcome): void => {
      counters.pending -= items;
      const refused = outcome.kind === 'ok' ? Math.min(outcome.rejected, items) : items;
      counters.refused += refused;
      counters.accepted += items - refused;
      answer(outcome);
    };
    const receipt = new Receipt(deliveries.length, settled, waits);
    account(deliveries, received, grant);
    grant.retain(deliveries.length); // and one owner is this function: released below, when all have theirs
    const now = performance.now();
    for (const { outlet, body } of deliveries) {
      const chunk = new Chunk(this.signal, body.slices, body.bytes, body.items, now, receipt, grant, false, metadata, body.packed);
      // One full destination does not stop the others: its items are counted as lost there (enqueue_failed), see docs.
      if (outlet.offer(chunk) === 'full') outlet.enqueueFailed(chunk);
    }
    grant.release();
    return receipt;
  }

  /** Each is a request of its own that nobody waits for; what has no room is counted as enqueue_failed. */
  #storeDerived(route: Route, deliveries: readonly Delivery[], metadata: Metadata | undefined): void {
    for (const { outlet, body, derived } of deliveries) {
      if (!derived) continue;
      const grant = new Grant(route.budgets);
      grant.begin();
      const fits = grant.resize(body.bytes);
      const receipt = new Receipt(1, () => {});
      const chunk = new Chunk(outlet.signal, body.slices, body.bytes, body.items, performance.now(), receipt, grant, false, metadata);
      if (!fits || outlet.offer(chunk) === 'full') outlet.enqueueFailed(chunk);
    }
  }
}

/**
 * Charges what is held for what is stored: the received buffer once, if any slice of it is still used (however small, it keeps the whole,
 * as a slab keeps all that lies in it), and what processors wrote anew.
 */
function account(deliveries: readonly Delivery[], received: Uint8Array, grant: Grant): void {
  let bytes = 0;
  let usesReceived = false;
  let last: Body | undefined;
  for (const { body } of deliveries) {
    if (body === last) continue; // exporters of one pipeline share everything
    last = body;
    if (body.store !== undefined) {
      bytes += body.store.length;
      grant.keepStore(body.store);
      continue;
    }
    for (const slice of body.slices) {
      if (slice.buffer === received.buffer) usesReceived = true;
      else bytes += slice.length;
    }
  }
  if (!usesReceived) grant.leaveBody();
  grant.adjust(usesReceived ? bytes + received.length : bytes);
}

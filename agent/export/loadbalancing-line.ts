import { createPolicy } from '../balance/create-policy.ts';
import type { Endpoint } from '../balance/endpoint.ts';
import { createKeyer } from '../balance/keys.ts';
import { probeOf } from '../balance/probe.ts';
import { KeySplitter } from '../balance/split-by-key.ts';
import { type Change, Upstreams } from '../balance/upstreams.ts';
import type { BatchSettings, Signal } from '../config/settings.ts';
import { MemoryQueue } from '../queue/memory-queue.ts';
import type { Resolver } from '../resolve/resolver.ts';
import { aborted } from '../runtime/aborted.ts';
import type { Chunk } from '../runtime/chunk.ts';
import { Deque } from '../runtime/deque.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { OK, type Outcome, type RetryOutcome, type Verdict } from '../runtime/outcome.ts';
import { BalanceCounters, balancersOf } from '../telemetry/balance-metrics.ts';
import { type Counters, ExporterCounters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
import type { ExportLine } from './export-line.ts';
import type { Fate } from './grpc-call.ts';
import type { LoadBalancingSettings } from './loadbalancing-config.ts';
import { type Extend, HashRouter, type Placed, PolicyRouter, type Roomy, type Router } from './loadbalancing-router.ts';
import { type UpstreamHost, upstreamLine } from './loadbalancing-upstream.ts';
import type { Outlet } from './outlet.ts';

/** While draining: between two looks at what lines gave back to each other. */
const LOOK_AGAIN_MS = 10;
/** Upstreams that have gone and still have series of their own. */
const MAX_RETIRED = 200;

/** What surrounds it. */
export interface LoadBalancingHost {
  readonly log: Log;
  readonly counters: Counters;
}

/**
 * export: one exporter for one signal over many upstreams, each with a line of its own.
 * In:       chunks, by `offer`; the request is cut by key on the wire, or goes whole where the balancer knows no keys. Out: to the lines.
 * May drop: what its lines drop; what is given back at the drain deadline, or finds no upstream until then, is counted as evicted.
 * Counters: those of its lines, otelcol_loadbalancer_*; what waits here for an upstream is the part of it without an address.
 * Bench:    test/bench/agent-components.
 *
 *              .-- a, c --> [queue | batch | retry] upstream 1
 *   chunk --split-- b ----> [queue | batch | retry] upstream 2 --gone, sick--> given back, split again, to the others
 *              '-- d -----> [queue | batch | retry] upstream 3
 *     no upstream, no room: waits in sending_queue, where that is on; else the sender is told
 */
export class LoadBalancingLine implements Outlet {
  readonly id: string;
  readonly signal: Signal;
  readonly #settings: LoadBalancingSettings;
  readonly #host: LoadBalancingHost;
  readonly #template: UpstreamHost;
  readonly #router: Router;
  readonly #upstreams: Upstreams;
  readonly #balance: BalanceCounters;
  readonly #lines = new Map<Endpoint, ExportLine>();
  /** Of upstreams that have left: what is on the wire ends. */
  readonly #leaving = new Set<ExportLine>();
  /** Of upstreams that have gone, the oldest first. */
  readonly #retired: ExporterCounters[] = [];
  /** What is in none of the lines: it waits here for one. */
  readonly #own: ExporterCounters;
  readonly #waiting: MemoryQueue | undefined;
  /** Given back by a line, and without a new place yet. Their memory is counted; they are not refused a second time. */
  readonly #homeless = new Deque<Chunk>();
  readonly #senderWaits: boolean;
  #placing = false;
  #looking = false;
  #flushing = false;
  #draining = false;
  #onPlaced: (() => void) | undefined;

  constructor(
    settings: LoadBalancingSettings,
    signal: Signal,
    batch: BatchSettings | undefined,
    resolver: Resolver,
    host: LoadBalancingHost,
  ) {
    const { queue, upstream } = settings;
    this.id = settings.id;
    this.signal = signal;
    this.#settings = settings;
    this.#host = host;
    const merge = queue.batch ?? batch;
    this.#template = { id: settings.id, signal, template: upstream, batch: merge, log: host.log };
    this.#router = createRouter(settings, signal);
    this.#balance = new BalanceCounters(settings.id, signal, resolver);
    balancersOf(host.counters).add(this.#balance);
    this.#own = new ExporterCounters(settings.id, signal, {}, queue.enabled);
    host.counters.exporters.push(this.#own);
    this.#senderWaits = upstream.queue.enabled ? upstream.queue.waitForResult : (upstream.queue.batch ?? merge) === undefined;
    if (queue.enabled) {
      this.#waiting = new MemoryQueue(
        queue,
        this.#own,
        // wait_for_result of this queue: until a line has it, as upstream's waits for its inner exporter.
        (chunk) => (queue.waitForResult ? undefined : this.#stored(chunk)),
        (chunk) => this.#evicted(chunk),
      );
    }
    this.#upstreams = new Upstreams(resolver, settings.health, {
      id: settings.id,
      log: host.log,
      probe: probeOf(settings.health.type),
      changed: (change) => this.#changed(change),
    });
  }

  /** Asks the resolver; resolves after its first answer or failure. */
  start(): Promise<void> {
    return this.#upstreams.start();
  }

  get parts(): readonly ExporterCounters[] {
    return [this.#own, ...[...this.#lines.values(), ...this.#leaving].map((line) => line.counters)];
  }

  /** Exactly what offer() would do: admit counts what is refused after a yes as lost. */
  hasRoom(items: number, bytes: number): boolean {
    if (this.#isInTurn()) for (const endpoint of this.#upstreams.live) if (this.#roomy(endpoint, items, bytes)) return true;
    return this.#waiting?.hasRoom(items, bytes) === true;
  }

  /** Requests are cut by key. */
  takesMembers(): boolean {
    return false;
  }

  offer(chunk: Chunk): Verdict {
    if (this.#isInTurn() && this.#place(chunk, undefined)) return 'taken';
    return this.#waiting?.offer(chunk) ?? 'full';
  }

  enqueueFailed(chunk: Chunk): void {
    this.#own.offered += chunk.items;
    this.#own.enqueueFailed += chunk.items;
    const message = `no upstream of ${this.id} has room`;
    const failed: Outcome = { kind: 'retry', afterMs: undefined, code: GrpcStatus.UNAVAILABLE, message };
    chunk.settle(this.#senderWaits || chunk.waits ? failed : OK);
    chunk.release();
  }

  flush(): void {
    this.#flushing = true;
    for (const line of this.#lines.values()) line.flush();
    this.#placeWaiting();
  }

  hurry(): void {
    for (const line of this.#lines.values()) line.hurry();
  }

  /** Order: what waits here goes into lines, lines drain side by side, and what still has no place at the deadline is counted as evicted. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.flush();
    if (!this.#isPlaced()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onPlaced = resolve;
      await Promise.race([promise, aborted(deadline)]);
    }
    await Promise.all([...this.#lines.values(), ...this.#leaving].map((line) => line.drain(deadline)));
    // A line that drained may have given something back to one that had drained before it.
    while (!deadline.aborted && (!this.#isPlaced() || this.parts.some((part) => part.queued > 0))) {
      await Promise.all([...this.#lines.values(), ...this.#leaving].map((line) => line.drain(deadline)));
      this.#placeWaiting();
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    this.#draining = true;
    this.#evictWaiting();
    await Promise.all([...this.#lines.values(), ...this.#leaving].map((line) => line.drain(deadline)));
  }

  async close(): Promise<void> {
    this.#draining = true;
    balancersOf(this.#host.counters).delete(this.#balance);
    await this.#upstreams.close();
    await Promise.all([...this.#lines.values(), ...this.#leaving].map((line) => line.close()));
  }

  /** Nothing waits that came before. */
  #isInTurn(): boolean {
    return this.#waiting === undefined || this.#waiting.length === 0;
  }

  /** True where every part of it is in a line. */
  #place(chunk: Chunk, avoid: Endpoint | undefined): boolean {
    if (this.#settings.balancer === 'least_connections')
      for (const [endpoint, line] of this.#lines) endpoint.active = line.counters.queueSize;
    const placed = this.#router.route(chunk, this.#roomy, avoid);
    const first = placed?.[0];
    if (placed === undefined || first === undefined) return false;
    if (placed.length === 1) {
      if (this.#lineOf(first).offer(chunk) === 'full') return false;
      this.#countSpilled(first, chunk);
      return true;
    }
    // Its sender is answered when it is stored, and all of it is now: in parts of others, or in parts of its own.
    const mayExtend = !this.#senderWaits && !chunk.waits && chunk.metadata === undefined;
    const extended: ExportLine[] = [];
    const extend: Extend = (place, last, items, bytes, write) => {
      const one = placed[place] as Placed;
      if (!mayExtend || one.spilled) return false;
      const line = this.#lineOf(one);
      const row = line.extendable(last, items, bytes);
      if (row === undefined) return false;
      write(place);
      line.extend(row, items, bytes);
      extended.push(line);
      return true;
    };
    for (const { place, chunk: piece } of this.#router.cut(chunk, extend)) {
      const one = placed[place] as Placed;
      // Two spilled parts may have looked at the same last place.
      if (this.#lineOf(one).offer(piece) === 'full') this.#keep(piece);
      else this.#countSpilled(one, piece);
    }
    // Only when nothing is being cut any more: a sending that fails at once may give chunks back, which are cut again.
    for (const line of extended) line.sendDue();
    return true;
  }

  readonly #roomy: Roomy = (endpoint, items, bytes) => this.#lines.get(endpoint)?.hasRoom(items, bytes) === true;

  #lineOf({ endpoint }: Placed): ExportLine {
    return this.#lines.get(endpoint) as ExportLine;
  }

  #countSpilled({ spilled }: Placed, chunk: Chunk): void {
    if (spilled) this.#balance.spilled += chunk.items;
  }

  /**
   * A line gives a chunk back. It goes to the others where its upstream has left or is left out, and, with retry_on_failure of this
   * exporter, also where the retries of its line are over.
   */
  #givenBack(endpoint: Endpoint, chunk: Chunk, outcome: RetryOutcome): boolean {
    if (this.#draining) return false;
    const used = this.#lines.has(endpoint) && this.#upstreams.live.includes(endpoint);
    if (used && !this.#mayReroute(chunk)) return false;
    const others = this.#upstreams.live.some((one) => one !== endpoint);
    // The only one there is: its line counts what it could not deliver, unless this exporter goes on trying.
    if (this.#lines.has(endpoint) && !others && !this.#mayReroute(chunk)) return false;
    this.#balance.rerouted += chunk.items;
    // One request after the other: cut again together, they would be refused together for one of them.
    for (const one of requestsOf(chunk)) if (!this.#place(one, others ? endpoint : undefined)) this.#keep(one);
    this.#host.log.debug('rerouted', { exporter: this.id, from: endpoint.key, items: chunk.items, reason: outcome.message });
    return true;
  }

  /** retry_on_failure of the exporter itself, which is off unless it is switched on. */
  #mayReroute(chunk: Chunk): boolean {
    const { enabled, maxElapsedMs } = this.#settings.retry;
    return enabled && (maxElapsedMs === 0 || performance.now() - chunk.receivedAt < maxElapsedMs);
  }

  #keep(chunk: Chunk): void {
    this.#own.offered += chunk.items;
    this.#own.queued += chunk.items;
    this.#homeless.push(chunk);
    this.#stored(chunk);
  }

  /** Those that were given back first, then the queue, each in its order. */
  #placeWaiting(): void {
    if (this.#placing) return;
    this.#placing = true;
    for (let chunk = this.#homeless.peek(); chunk !== undefined && this.#place(chunk, undefined); chunk = this.#homeless.peek()) {
      this.#homeless.shift();
      this.#own.offered -= chunk.items;
      this.#own.queued -= chunk.items;
    }
    for (let chunk = this.#waiting?.peek(); chunk !== undefined && this.#place(chunk, undefined); chunk = this.#waiting?.peek()) {
      this.#waiting?.take();
      this.#waiting?.done(chunk);
      this.#own.offered -= chunk.items;
    }
    this.#placing = false;
    if (this.#isPlaced()) this.#onPlaced?.();
  }

  #isPlaced(): boolean {
    return this.#homeless.length === 0 && (this.#waiting === undefined || (this.#waiting.length === 0 && this.#waiting.parked === 0));
  }

  #stored(chunk: Chunk): void {
    if (!this.#senderWaits && !chunk.waits) chunk.settle(OK);
  }

  #evicted(chunk: Chunk): void {
    chunk.settle({ kind: 'retry', afterMs: undefined, code: GrpcStatus.UNAVAILABLE, message: 'the request found no upstream' });
    chunk.release();
  }

  #evictWaiting(): void {
    const left = this.#waiting?.clear() ?? [];
    for (let chunk = this.#homeless.shift(); chunk !== undefined; chunk = this.#homeless.shift()) left.push(chunk);
    for (const chunk of left) {
      this.#own.queued -= chunk.items;
      this.#own.evicted += chunk.items;
      this.#evicted(chunk);
    }
  }

  #attempted(endpoint: Endpoint, outcome: Outcome, fate: Fate): void {
    if (outcome.kind !== 'retry' || outcome.afterMs !== undefined) this.#upstreams.succeeded(endpoint);
    else if (fate !== 'refused') this.#upstreams.failed(endpoint, outcome.message);
    if (this.#looking || this.#isPlaced()) return;
    // Behind the line's own accounts of this attempt: then there is room.
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      this.#placeWaiting();
    });
  }

  #changed({ added, removed, ejected }: Change): void {
    for (const endpoint of added) {
      const line = upstreamLine(
        this.#template,
        endpoint,
        this.#balance.backend(endpoint.key),
        (outcome, fate) => this.#attempted(endpoint, outcome, fate),
        (chunk, outcome) => this.#givenBack(endpoint, chunk, outcome),
      );
      if (this.#flushing) line.flush();
      this.#lines.set(endpoint, line);
      this.#host.counters.exporters.push(line.counters);
    }
    const gone = removed.map((endpoint) => [endpoint, this.#lines.get(endpoint) as ExportLine] as const);
    for (const [endpoint, line] of gone) {
      this.#lines.delete(endpoint);
      this.#balance.backends.delete(endpoint.key);
      this.#leaving.add(line);
    }
    this.#balance.ejections += ejected.length;
    this.#balance.ejected = this.#upstreams.all.filter((one) => one.sick).length;
    this.#router.use(this.#upstreams.all, this.#upstreams.live);
    // Only now, when the router knows who is left.
    for (const [, line] of gone) this.#leave(line);
    if (!this.#draining && this.#upstreams.live.some((one) => !one.sick))
      for (const endpoint of ejected) this.#lines.get(endpoint)?.handBack();
    this.#placeWaiting();
  }

  /** No new traffic; what waits goes to the others, what is on the wire ends. */
  #leave(line: ExportLine): void {
    line.handBack();
    const never = new AbortController();
    void line.drain(never.signal).then(async () => {
      await line.close();
      if (this.#leaving.delete(line)) this.#retire(line.counters);
    });
  }

  /** The series of an upstream that has gone stay for a while; in a cluster where pods come and go they would be without number. */
  #retire(ended: ExporterCounters): void {
    const { counters } = this.#host;
    counters.retire(ended);
    if (!counters.exporters.includes(ended)) return; // another line of the same address has inherited it
    this.#retired.push(ended);
    if (this.#retired.length <= MAX_RETIRED) return;
    const oldest = this.#retired.shift() as ExporterCounters;
    const at = counters.exporters.indexOf(oldest);
    if (at < 0) return;
    counters.exporters.splice(at, 1);
    this.#own.inherit(oldest);
  }
}

/** Each request of a chunk by itself. */
function requestsOf(chunk: Chunk): readonly Chunk[] {
  const halves = chunk.halves();
  return halves === undefined ? [chunk] : halves.flatMap(requestsOf);
}

function createRouter({ balancer, ring, routing }: LoadBalancingSettings, signal: Signal): Router {
  if (balancer !== 'consistent_hash') return new PolicyRouter(createPolicy(balancer));
  const keys = routing[signal];
  if (keys === undefined) throw new Error(`no routing key for ${signal}`);
  return new HashRouter(new KeySplitter(signal, createKeyer(signal, keys)), ring);
}

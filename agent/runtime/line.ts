import type { Gate } from '../admit/admit.ts';
import { batchOfExporter } from '../config/batches.ts';
import type { AgentSettings, PipelineSettings, Signal, SocketAddress } from '../config/settings.ts';
import { createOutlet } from '../export/create-outlet.ts';
import type { Outlet } from '../export/outlet.ts';
import { Budgets, compileMiddle, Doors, type MakeBudget, type Middle, routeOf, type Transport } from '../pipeline.ts';
import { type Prepared, prepareProcessors } from '../process/prepare.ts';
import { GrpcReceiver } from '../receive/grpc.ts';
import { HttpReceiver } from '../receive/http.ts';
import type { Admissions, Receiver } from '../receive/receive.ts';
import { type Books, booksOf } from '../telemetry/books.ts';
import { Counters, type ExporterCounters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
import { type MetricDefinition, metricDefinitions } from '../telemetry/metrics.ts';
import { aborted } from './aborted.ts';
import type { DataLine } from './data-line.ts';
import { fingerprint, type Kept } from './fingerprint.ts';

/** A receiver of one transport that settings ask for. */
interface WantedReceiver {
  readonly name: string;
  readonly id: string;
  readonly transport: Transport;
  readonly print: string;
  readonly address: string;
  make(admissions: Admissions): Receiver;
}

/** The step to other settings, made and bound and not yet taken: one of both, once. */
export interface Reload {
  /** Where the receivers will listen. */
  readonly addresses: Readonly<Record<string, SocketAddress>>;
  /** Takes them over; what is gone finishes within the deadline. */
  commit(deadlineMs: number): void;
  /** Ends what was made for them; all stays as it was. */
  abandon(): Promise<void>;
}

/**
 * Receivers, routes and exporters of the settings that hold at the moment, and the step to other ones:
 *
 *   1. prepare   new exporters are made, new addresses bound; whatever fails here leaves everything as it was
 *   2. commit    synchronous: doors lead to the new routes, listeners hand their connections to the new receivers
 *   3. retire    receivers and exporters that are gone finish what they have, with the drain deadline
 *
 * Exporters whose settings did not change keep their queues and connections, receivers their connections.
 */
export class Line implements DataLine {
  readonly counters = new Counters();
  readonly gate: Gate = { open: true };
  readonly budgets: Budgets;
  readonly baselineBytes: number;
  readonly #log: Log;
  #settings: AgentSettings | undefined;
  #middle: Middle | undefined;
  #outlets = new Map<string, Kept<Outlet>>();
  #receivers = new Map<string, Kept<Receiver>>();
  readonly #doors = new Map<string, Doors>();
  readonly #retiring = new Set<Promise<void>>();
  /** Of those that retire: the end of the agent is theirs, too. */
  readonly #deadlines = new Set<AbortController>();
  readonly #retired = new Set<Outlet | Receiver>();

  constructor(log: Log, baselineBytes: number, makeBudget?: MakeBudget) {
    this.#log = log;
    this.baselineBytes = baselineBytes;
    this.budgets = new Budgets(baselineBytes, makeBudget);
  }

  /** Where its receivers listen, by their names. */
  get addresses(): Readonly<Record<string, SocketAddress>> {
    return addressesOf(this.#receivers);
  }

  get exporters(): readonly ExporterCounters[] {
    return this.counters.exporters;
  }

  get heldBytes(): number {
    return this.budgets.always.used;
  }

  books(): Books {
    return booksOf(this.counters);
  }

  async metrics(startedAt: number): Promise<readonly MetricDefinition[]> {
    return metricDefinitions(this.counters, () => this.heldBytes, startedAt);
  }

  hurry(): void {
    for (const outlet of this.outlets) outlet.hurry();
  }

  /** By `<receiver id>/grpc` and `<receiver id>/http`. */
  get receivers(): ReadonlyMap<string, Receiver> {
    return new Map([...this.#receivers].map(([name, { part }]) => [name, part]));
  }

  get outlets(): readonly Outlet[] {
    return [...this.#outlets.values()].map(({ part }) => part);
  }

  /** For data that comes by a function call instead of a socket. */
  get library(): Admissions {
    return this.#doorsOf('library').admissions;
  }

  /** The first settings: nothing is bound or dialled before start(). */
  async build(settings: AgentSettings): Promise<void> {
    const prepared = await prepareProcessors(settings, this.#log);
    this.#outlets = await this.#makeOutlets(settings);
    this.#commitMiddle(settings, prepared);
    for (const wanted of wantedReceivers(settings, this.counters)) {
      const part = wanted.make(this.#doorsOf(wanted.name).admissions);
      this.#receivers.set(wanted.name, { print: wanted.print, part });
    }
  }

  async start(): Promise<void> {
    await this.bind();
    this.open();
  }

  /** Binds all receivers; rejects with the configuration key where a port cannot be had. Connections wait for open(). */
  async bind(): Promise<void> {
    for (const { part } of this.#receivers.values()) await part.bind();
  }

  open(): void {
    for (const { part } of this.#receivers.values()) part.start();
  }

  async reload(settings: AgentSettings, deadlineMs: number): Promise<void> {
    (await this.prepare(settings)).commit(deadlineMs);
  }

  /** Other settings, with no request refused; rejects and changes nothing where they cannot be had. One step at a time. */
  async prepare(settings: AgentSettings): Promise<Reload> {
    const before = { outlets: this.#outlets, receivers: this.#receivers, middle: this.#middle, settings: this.#settings };
    const prepared = await prepareProcessors(settings, this.#log);
    const outlets = await this.#makeOutlets(settings);
    const fresh = [...outlets.values()].filter(({ part }) => ![...before.outlets.values()].some((old) => old.part === part));
    const bound: Receiver[] = [];
    const receivers = new Map<string, Kept<Receiver>>();
    const takeovers: { readonly from: Receiver; readonly to: Receiver }[] = [];
    const abandon = async (): Promise<void> => {
      await Promise.all(bound.map((receiver) => receiver.close()));
      await Promise.all(fresh.map(({ part }) => this.#end(part)));
    };
    try {
      for (const wanted of wantedReceivers(settings, this.counters)) {
        const old = before.receivers.get(wanted.name);
        if (old?.print === wanted.print) {
          receivers.set(wanted.name, old);
          continue;
        }
        const part = wanted.make(this.#doorsOf(wanted.name).admissions);
        receivers.set(wanted.name, { print: wanted.print, part });
        const listens = addressOf(before.settings, wanted.name);
        if (old !== undefined && listens === wanted.address) takeovers.push({ from: old.part, to: part });
        else {
          await part.bind();
          bound.push(part);
        }
      }
    } catch (error) {
      await abandon();
      throw error;
    }
    const addresses = { ...addressesOf(receivers) };
    for (const [name, { part }] of receivers) {
      const from = takeovers.find(({ to }) => to === part)?.from;
      if (from !== undefined) addresses[name] = from.address;
    }
    // Nothing can fail in it, and nothing waits.
    const commit = (deadlineMs: number): void => {
      this.#outlets = outlets;
      this.#receivers = receivers;
      this.#commitMiddle(settings, prepared);
      for (const receiver of bound) receiver.start();
      for (const { from, to } of takeovers) to.start(from.handOver());
      before.middle?.close();
      const kept = new Set<Outlet | Receiver>([...outlets.values(), ...receivers.values()].map(({ part }) => part));
      for (const { part } of before.receivers.values()) if (!kept.has(part)) this.#retire(part, deadlineMs);
      for (const { part } of before.outlets.values()) if (!kept.has(part)) this.#retire(part, deadlineMs);
    };
    return { addresses, commit, abandon };
  }

  /** SIGTERM; the order is told at Agent.drain(). */
  async drain(deadline: AbortSignal): Promise<void> {
    this.gate.open = false;
    for (const part of this.#retired) if ('endIdle' in part) part.endIdle();
    // Side by side: with wait_for_result a request under way is answered by what the exporter flushes.
    const read = Promise.all([...this.receivers.values()].map((receiver) => receiver.drain(deadline)));
    for (const outlet of this.outlets) outlet.flush();
    await Promise.race([read, aborted(deadline)]);
    const hurry = (): void => {
      for (const one of this.#deadlines) one.abort();
    };
    deadline.addEventListener('abort', hurry, { once: true });
    if (deadline.aborted) hurry();
    await Promise.all(this.outlets.map((outlet) => outlet.drain(deadline)));
    // They end at the deadline as well, with what is left counted.
    await Promise.all(this.#retiring);
    deadline.removeEventListener('abort', hurry);
  }

  async close(): Promise<void> {
    this.gate.open = false;
    await Promise.all([...this.receivers.values()].map((receiver) => receiver.close()));
    await Promise.all(this.outlets.map((outlet) => outlet.close()));
    await Promise.all([...this.#retired].map((part) => part.close()));
    this.#middle?.close();
  }

  async #makeOutlets(settings: AgentSettings): Promise<Map<string, Kept<Outlet>>> {
    const made = new Map<string, Kept<Outlet>>();
    for (const pipeline of settings.pipelines) {
      for (const id of exportersOf(settings, pipeline)) {
        const name = `${pipeline.signal} ${id}`;
        if (made.has(name)) continue;
        const own = settings.exporters[id];
        if (own === undefined) throw new Error(`pipeline ${pipeline.id} names exporter ${id}, which is not in the settings`);
        const batch = batchOfExporter(settings.pipelines, pipeline.signal, id);
        const print = fingerprint(own, batch);
        const old = this.#outlets.get(name);
        if (old?.print === print) made.set(name, old);
        else {
          const host = { log: this.#log, counters: this.counters };
          try {
            made.set(name, { print, part: await createOutlet(own, pipeline.signal, batch, host) });
          } catch (error) {
            // A file that cannot be opened: those that were made before it hold files and timers.
            for (const [other, { part }] of made) if (this.#outlets.get(other)?.part !== part) await this.#end(part);
            throw error;
          }
        }
      }
    }
    return made;
  }

  #commitMiddle(settings: AgentSettings, prepared: Prepared): void {
    this.#settings = settings;
    this.budgets.apply(settings);
    const outlet = (signal: Signal, id: string): Outlet => {
      const found = this.#outlets.get(`${signal} ${id}`);
      if (found === undefined) throw new Error(`exporter ${id} was not made for ${signal}`);
      return found.part;
    };
    const middle = compileMiddle(settings, this.counters, this.#log, outlet, prepared);
    this.#middle = middle;
    const reroute = (name: string, id: string, transport: Transport): void =>
      this.#doorsOf(name).reroute(
        (signal: Signal) => routeOf(settings, middle, this.budgets, this.counters, id, transport, signal),
        this.gate,
      );
    for (const { name, id, transport } of wantedReceivers(settings, this.counters)) reroute(name, id, transport);
    reroute('library', 'library', 'library');
  }

  #doorsOf(name: string): Doors {
    const found = this.#doors.get(name) ?? new Doors();
    this.#doors.set(name, found);
    return found;
  }

  /** In the background: it finishes what it has, at the latest until the deadline. */
  #retire(part: Outlet | Receiver, deadlineMs: number): void {
    this.#retired.add(part);
    const run = async (): Promise<void> => {
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), deadlineMs).unref();
      this.#deadlines.add(deadline);
      await part.drain(deadline.signal);
      clearTimeout(timer);
      this.#deadlines.delete(deadline);
      await this.#end(part);
    };
    const running = run().finally(() => {
      this.#retiring.delete(running);
      this.#retired.delete(part);
    });
    this.#retiring.add(running);
  }

  async #end(part: Outlet | Receiver): Promise<void> {
    await part.close();
    if ('parts' in part) for (const counters of part.parts) this.counters.retire(counters);
  }
}

function addressesOf(receivers: ReadonlyMap<string, Kept<Receiver>>): Record<string, SocketAddress> {
  return Object.fromEntries([...receivers].map(([name, { part }]) => [name, part.address]));
}

function exportersOf(settings: AgentSettings, pipeline: PipelineSettings): readonly string[] {
  return pipeline.exporters.filter((id) => settings.connectors[id] === undefined);
}

function wantedReceivers(settings: AgentSettings, counters: Counters): WantedReceiver[] {
  return Object.entries(settings.receivers).flatMap(([id, { grpc, http }]) => {
    const key = `receivers.${id}.protocols`;
    const wanted: WantedReceiver[] = [];
    if (grpc !== undefined) {
      const make = (admissions: Admissions): Receiver => new GrpcReceiver(grpc, `${key}.grpc.endpoint`, admissions, counters);
      const name = `${id}/grpc`;
      wanted.push({ name, id, transport: 'grpc', print: fingerprint(grpc), address: fingerprint(grpc.address), make });
    }
    if (http !== undefined) {
      const make = (admissions: Admissions): Receiver => new HttpReceiver(http, `${key}.http.endpoint`, admissions, counters);
      const name = `${id}/http`;
      wanted.push({ name, id, transport: 'http', print: fingerprint(http), address: fingerprint(http.address), make });
    }
    return wanted;
  });
}

function addressOf(settings: AgentSettings | undefined, name: string): string | undefined {
  const [id, transport] = [name.slice(0, name.lastIndexOf('/')), name.slice(name.lastIndexOf('/') + 1) as 'grpc' | 'http'];
  return settings === undefined ? undefined : fingerprint(settings.receivers[id]?.[transport]?.address);
}

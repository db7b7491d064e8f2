import type { Gate } from '../admit/admit.ts';
import { batchOfExporter } from '../config/batches.ts';
import type { AgentSettings, PipelineSettings, Signal } from '../config/settings.ts';
import { createOutlet } from '../export/create-outlet.ts';
import type { Outlet } from '../export/outlet.ts';
import { Budgets, compileMiddle, Doors, type Middle, routeOf, type Transport } from '../pipeline.ts';
import { type Prepared, prepareProcessors } from '../process/prepare.ts';
import { GrpcReceiver } from '../receive/grpc.ts';
import { HttpReceiver } from '../receive/http.ts';
import type { Admissions, Receiver } from '../receive/receive.ts';
import { Counters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
import { aborted } from './aborted.ts';
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

/**
 * Receivers, routes and exporters of the settings that hold at the moment, and the step to other ones:
 *
 *   1. prepare   new exporters are made, new addresses bound; whatever fails here leaves everything as it was
 *   2. commit    synchronous: doors lead to the new routes, listeners hand their connections to the new receivers
 *   3. retire    receivers and exporters that are gone finish what they have, with the drain deadline
 *
 * Exporters whose settings did not change keep their queues and connections, receivers their connections.
 */
export class Line {
  readonly counters = new Counters();
  readonly gate: Gate = { open: true };
  readonly budgets: Budgets;
  readonly #log: Log;
  #settings: AgentSettings | undefined;
  #middle: Middle | undefined;
  #outlets = new Map<string, Kept<Outlet>>();
  #receivers = new Map<string, Kept<Receiver>>();
  readonly #doors = new Map<string, Doors>();
  readonly #retiring = new Set<Promise<void>>();
  readonly #retired = new Set<Outlet | Receiver>();

  constructor(log: Log, baselineBytes: number) {
    this.#log = log;
    this.budgets = new Budgets(baselineBytes);
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

  /** Binds all receivers; rejects with the configuration key where a port cannot be had. */
  async start(): Promise<void> {
    for (const { part } of this.#receivers.values()) await part.bind();
    for (const { part } of this.#receivers.values()) part.start();
  }

  /** Other settings, with no request refused; rejects and changes nothing where they cannot be had. */
  async reload(settings: AgentSettings, deadlineMs: number): Promise<void> {
    const before = { outlets: this.#outlets, receivers: this.#receivers, middle: this.#middle, settings: this.#settings };
    const prepared = await prepareProcessors(settings, this.#log);
    const outlets = await this.#makeOutlets(settings);
    const fresh = [...outlets.values()].filter(({ part }) => ![...before.outlets.values()].some((old) => old.part === part));
    const bound: Receiver[] = [];
    const receivers = new Map<string, Kept<Receiver>>();
    const takeovers: { readonly from: Receiver; readonly to: Receiver }[] = [];
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
      await Promise.all(bound.map((receiver) => receiver.close()));
      await Promise.all(fresh.map(({ part }) => this.#end(part)));
      throw error;
    }
    // From here on nothing can fail and nothing waits.
    this.#outlets = outlets;
    this.#receivers = receivers;
    this.#commitMiddle(settings, prepared);
    for (const receiver of bound) receiver.start();
    for (const { from, to } of takeovers) to.start(from.handOver());
    before.middle?.close();
    const kept = new Set<Outlet | Receiver>([...outlets.values(), ...receivers.values()].map(({ part }) => part));
    for (const { part } of before.receivers.values()) if (!kept.has(part)) this.#retire(part, deadlineMs);
    for (const { part } of before.outlets.values()) if (!kept.has(part)) this.#retire(part, deadlineMs);
  }

  /** SIGTERM; the order is told at Agent.drain(). */
  async drain(deadline: AbortSignal): Promise<void> {
    this.gate.open = false;
    // Side by side: with wait_for_result a request under way is answered by what the exporter flushes.
    const read = Promise.all([...this.receivers.values()].map((receiver) => receiver.drain(deadline)));
    for (const outlet of this.outlets) outlet.flush();
    await Promise.race([read, aborted(deadline)]);
    await Promise.all(this.outlets.map((outlet) => outlet.drain(deadline)));
    await Promise.race([Promise.all(this.#retiring), aborted(deadline)]);
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
      await part.drain(deadline.signal);
      clearTimeout(timer);
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

import type { MessagePort } from 'node:worker_threads';
import { dropSpareStores, shareSpareStores } from '../admit/slab.ts';
import type { TelemetrySettings } from '../config/settings.ts';
import { Line, type Reload } from '../runtime/line.ts';
import type { Books } from '../telemetry/books.ts';
import type { Log } from '../telemetry/log.ts';
import { Tracer } from '../telemetry/own/tracer.ts';
import { unpack } from './crossing.ts';
import {
  type Addresses,
  failureOf,
  type Notice,
  type Pulse,
  type Question,
  type Said,
  type Snapshot,
  type Verbs,
  type WorkerStart,
} from './protocol.ts';
import { LeasedBudget, type SharedCells } from './shared-budget.ts';

/**
 * A worker thread: a whole line, from sockets to sockets, that does what the main thread says. What it has not: signals, files of the
 * configuration, servers for health and metrics, registration. An error that nobody catches ends the process (worker-handle.ts).
 */
export function serveWorker(port: MessagePort, { index, count }: WorkerStart): void {
  shareSpareStores(count);
  const worker = new WorkerLine(index, (said) => port.postMessage(said));
  port.on('message', (message: Question | Notice) => {
    if (typeof message === 'string') worker.hear(message);
    else void worker.answer(message).then((said) => port.postMessage(said));
  });
}

type Handlers = { readonly [V in keyof Verbs]: (told: Parameters<Verbs[V]>[0]) => ReturnType<Verbs[V]> | Promise<ReturnType<Verbs[V]>> };

class WorkerLine {
  readonly #index: number;
  readonly #say: (said: Said) => void;
  readonly #budgets = new Map<string, SharedCells>();
  readonly #deadline = new AbortController();
  #line: Line | undefined;
  #reload: Reload | undefined;

  constructor(index: number, say: (said: Said) => void) {
    this.#index = index;
    this.#say = say;
  }

  async answer({ id, verb, told }: Question): Promise<Said> {
    try {
      return { kind: 'answer', id, value: await this.#handlers[verb](told as never) };
    } catch (error) {
      return { kind: 'failure', id, error: failureOf(error) };
    }
  }

  hear(notice: Notice): void {
    switch (notice) {
      case 'deadline':
        this.#deadline.abort();
        return;
      case 'hurry':
        this.#line?.hurry();
        return;
      case 'collect':
        dropSpareStores();
        (globalThis as { gc?: () => void }).gc?.(); // here as the flag was set when this thread started
        return;
    }
  }

  readonly #handlers: Handlers = {
    build: async ({ settings: packed, budgets }) => {
      this.#learn(budgets);
      const settings = unpack(packed);
      // Memory that the process needs for itself is taken off by the main thread, which sets the limits.
      this.#line = new Line(this.#log(settings.telemetry), 0, (name) => this.#budget(name));
      await this.#line.build(settings);
    },
    bind: async () => {
      await this.#running.bind();
      return this.#running.addresses;
    },
    open: () => this.#running.open(),
    prepare: async ({ settings, budgets }): Promise<Addresses> => {
      this.#learn(budgets);
      this.#reload = await this.#running.prepare(unpack(settings));
      return this.#reload.addresses;
    },
    commit: ({ deadlineMs }) => {
      this.#reload?.commit(deadlineMs);
      this.#reload = undefined;
    },
    abandon: async () => {
      await this.#reload?.abandon();
      this.#reload = undefined;
    },
    drain: async () => {
      await this.#running.drain(this.#deadline.signal);
      return await this.#snapshot();
    },
    snapshot: () => this.#snapshot(),
    pulse: async (): Promise<Pulse> => {
      const { receivers, counters } = this.#running;
      const connections = await Promise.all([...receivers.values()].map((receiver) => receiver.connections()));
      return {
        connections: connections.reduce((sum, one) => sum + one, 0),
        items: counters.receivers.reduce((sum, one) => sum + one.received, 0),
      };
    },
    close: async () => {
      await this.#line?.close();
      return this.#line === undefined ? undefined : await this.#snapshot();
    },
  };

  get #running(): Line {
    if (this.#line === undefined) throw new Error('a worker was asked before it was built');
    return this.#line;
  }

  #learn(budgets: readonly SharedCells[]): void {
    for (const cells of budgets) this.#budgets.set(cells.name, cells);
  }

  #budget(name: string): LeasedBudget {
    const cells = this.#budgets.get(name);
    if (cells === undefined) throw new Error(`the budget ${name} was not told`);
    return new LeasedBudget(cells, this.#index);
  }

  async #snapshot(): Promise<Snapshot> {
    const line = this.#running;
    const books: Books = line.books();
    const definitions = await line.metrics(0);
    return {
      books,
      exporters: line.exporters.map(({ exporter, signal, queueSize, queueCapacity, inFlight, failing }) => ({
        exporter,
        signal,
        queueSize,
        queueCapacity,
        inFlight,
        failing,
      })),
      heldBytes: line.heldBytes,
      metrics: definitions.map(({ samples, ...rest }) => ({ ...rest, samples: [...samples()] })),
    };
  }

  /** Lines go to the log of the process, with the worker that says them; spans to its sender of spans. */
  #log({ logs, traces }: TelemetrySettings): Log {
    const at = (level: 'debug' | 'info' | 'warn' | 'error'): Log['info'] => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(logs.level)) return () => {};
      return (event, fields) => this.#say({ kind: 'log', level, event, fields: { ...fields, worker: this.#index } });
    };
    const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
    return traces === undefined ? log : { ...log, tracer: new Tracer(traces.ratio, (span) => this.#say({ kind: 'span', span })) };
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

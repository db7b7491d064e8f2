import type { EventLoopUtilization } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Log } from '../telemetry/log.ts';
import {
  type Notice,
  type Question,
  type Said,
  type Snapshot,
  type Verb,
  type Verbs,
  WorkerFailure,
  type WorkerStart,
} from './protocol.ts';
import type { Place } from './share.ts';

const MIB = 1024 * 1024;
/** Below it a line hardly starts. */
const LEAST_HEAP_MIB = 64;

const HEAP_FLAG = /--max[-_]old[-_]space[-_]size/u;

/** The heap limit of the process is that of all workers together, as they hold the requests. */
function heapShareMib(workers: number): number {
  return Math.max(LEAST_HEAP_MIB, Math.floor(getHeapStatistics().heap_size_limit / MIB / workers));
}

/** The main thread's end of one worker. */
export class WorkerHandle {
  readonly index: number;
  readonly #worker: Worker;
  readonly #log: Log;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #exited = Promise.withResolvers<undefined>();
  #questions = 0;
  #closing = false;
  #loop: EventLoopUtilization | undefined;

  constructor(entry: URL, place: Place, log: Log) {
    this.index = place.index;
    this.#log = log;
    const data: WorkerStart = { otlpAgentWorker: true, index: place.index, count: place.count };
    const heap = heapShareMib(place.count);
    // The flag, where it is given, wins over the limit of a thread, which looks at it when it starts.
    if (HEAP_FLAG.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '))) setFlagsFromString(`--max-old-space-size=${heap}`);
    this.#worker = new Worker(entry, {
      workerData: data,
      name: `otlp-agent-${place.index}`,
      resourceLimits: { maxOldGenerationSizeMb: heap },
    });
    this.#worker.on('message', (said: Said) => this.#hear(said));
    this.#worker.on('error', (error) => this.#crashed(error));
    this.#worker.on('exit', (code) => {
      this.#exited.resolve(undefined);
      if (!this.#closing) this.#crashed(new Error(`it ended with code ${code}`));
    });
  }

  ask<V extends Verb>(
    verb: V,
    ...told: Parameters<Verbs[V]>[0] extends undefined ? [] : Parameters<Verbs[V]>
  ): Promise<ReturnType<Verbs[V]>> {
    const id = this.#questions;
    this.#questions += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#asked.set(id, answer);
    const question: Question = { id, verb, told: told[0] };
    this.#worker.postMessage(question);
    return answer.promise as Promise<ReturnType<Verbs[V]>>;
  }

  tell(notice: Notice): void {
    this.#worker.postMessage(notice);
  }

  /** Share of the time since the last call for which it was busy, from 0 to 1. */
  busy(): number {
    const now = this.#worker.performance.eventLoopUtilization();
    const { utilization } = this.#worker.performance.eventLoopUtilization(now, this.#loop);
    this.#loop = now;
    return utilization;
  }

  /** Ends its connections, then the thread; with its last counts. */
  async close(): Promise<Snapshot | undefined> {
    if (this.#closing) return undefined;
    this.#closing = true;
    const last = await Promise.race([this.ask('close'), this.#exited.promise]);
    await this.#worker.terminate();
    return last ?? undefined;
  }

  #hear(said: Said): void {
    switch (said.kind) {
      case 'answer':
        this.#take(said.id)?.resolve(said.value);
        return;
      case 'failure':
        this.#take(said.id)?.reject(new WorkerFailure(said.error));
        return;
      case 'log':
        this.#log[said.level](said.event, said.fields);
        return;
      case 'span':
        this.#log.tracer?.take(said.span);
        return;
    }
  }

  #take(id: number): PromiseWithResolvers<unknown> | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  /**
   * A worker without its thread is an agent with less capacity and connections that nobody serves: the process ends as it does for any
   * error that nobody caught (exit code 70), and whoever runs it starts it again.
   */
  #crashed(error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#log.error('a worker crashed, the process ends', { worker: this.index, error: error.message });
    throw new Error(`worker ${this.index} crashed: ${error.message}`, { cause: error });
  }
}

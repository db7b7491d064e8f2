import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../bench/lib/child.mjs';
import { newFolder, waitFor } from '../support/index.ts';
import { type AgentUnderLoad, LONG_MS } from './agent.ts';

const DRIVER = fileURLToPath(new URL('driver.mjs', import.meta.url));
/** Of a span, as in the benches. */
export const SPAN_BYTES = 373;

type Child = Awaited<ReturnType<typeof startChild>>;

export interface Load {
  readonly protocol: 'grpc' | 'http';
  /** Of each request. */
  readonly spans: number;
  readonly encoding?: 'identity' | 'gzip' | 'zstd';
  readonly connections?: number;
  readonly inFlight?: number;
}

/** How many requests make so many spans. */
export function requestsOf(spans: number, load: Load): number {
  return Math.ceil(spans / load.spans);
}

/** What the senders saw; all are requests. */
export interface Sent {
  readonly sent: number;
  /** By how they were answered: `ok`, `14 OTLP_QUEUE_FULL retry`, `503 OTLP_QUEUE_FULL retry`, `untaken`, `unanswered` ... */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Connections that were told to go. */
  readonly goaways: number;
  readonly connections: number;
  readonly ledger: Buffer;
}

interface Progress {
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  readonly connections: number;
}

/** The senders, in a process of their own (driver.mjs). */
export class Driver {
  readonly #child: Child;
  readonly #folder = newFolder('driver');
  readonly load: Load;

  private constructor(child: Child, load: Load) {
    this.#child = child;
    this.load = load;
  }

  static async start(agent: AgentUnderLoad, load: Load): Promise<Driver> {
    const child = await startChild(DRIVER);
    const { protocol, connections = protocol === 'grpc' ? 4 : 32, inFlight = 32, encoding = 'identity' } = load;
    const port = agent.ports[protocol];
    await child.ask({ start: { protocol, port, spans: load.spans, spanBytes: SPAN_BYTES, encoding, connections, inFlight } });
    return new Driver(child, load);
  }

  /** Requests, and connections at the moment. */
  progress(): Promise<Progress> {
    return this.#child.ask('progress') as Promise<Progress>;
  }

  /** So many more from now on. */
  async more(what: 'accepted' | 'refused', requests: number): Promise<void> {
    const before = (await this.progress())[what];
    await waitFor(async () => (await this.progress())[what] >= before + requests, {
      what: `${requests} more requests that are ${what}`,
      timeoutMs: LONG_MS,
      intervalMs: 20,
    });
  }

  /** Connections that end are not replaced any more: before the agent ends, as nobody knows who is at its port then. */
  async stay(): Promise<void> {
    await this.#child.ask('stay');
  }

  /** No more requests; resolves when each has its answer. */
  async stop(): Promise<Sent> {
    const file = join(this.#folder, 'ledger');
    const told = (await this.#child.ask({ stop: file })) as Omit<Sent, 'ledger'>;
    return { ...told, ledger: readFileSync(file) };
  }

  async end(): Promise<void> {
    await this.#child.end();
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../bench/lib/child.mjs';
import { freePort, newFolder, waitFor } from '../support/index.ts';
import { LONG_MS } from './agent.ts';

const SINK = fileURLToPath(new URL('sink.mjs', import.meta.url));

type Child = Awaited<ReturnType<typeof startChild>>;

/** Counts of the next hops. */
export interface Delivered {
  /** Spans, those that came again included. */
  readonly items: number;
  readonly requests: number;
  readonly refusals: number;
  /** Requests that were taken and not answered, and their spans. */
  readonly cuts: number;
  readonly cutItems: number;
  readonly problems: readonly string[];
  /** Spans by hop. */
  readonly hops: readonly number[];
}

export type Mode = { readonly kind: 'take' | 'refuse' | 'cut' | 'stopped'; readonly delayMs?: number };

/** The next hops, in a process of their own (sink.mjs). */
export class Hops {
  readonly #child: Child;
  readonly folder = newFolder('hops');

  private constructor(child: Child) {
    this.#child = child;
  }

  static async start(protocol: 'grpc' | 'http' = 'grpc', count = 1, coding = 'none'): Promise<Hops> {
    // Below the ports of outgoing connections: one that stops gets its port again.
    const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
    return new Hops(await startChild(SINK, { argv: [protocol, ports.join(), coding] }));
  }

  get ports(): number[] {
    return (this.#child.hello as { ports: number[] }).ports;
  }

  /** Resolves when it holds. */
  async turn(mode: Mode, hop = 0): Promise<void> {
    await this.#child.ask({ mode: { hop, ...mode } });
  }

  progress(): Promise<Delivered> {
    return this.#child.ask('progress') as Promise<Delivered>;
  }

  async until(what: string, wanted: (now: Delivered) => boolean): Promise<void> {
    await waitFor(async () => wanted(await this.progress()), { what, timeoutMs: LONG_MS, intervalMs: 20 });
  }

  async finish(): Promise<Delivered & { readonly delivered: Buffer; readonly cut: Buffer }> {
    const counted = (await this.#child.ask({ finish: this.folder })) as Delivered;
    return { ...counted, delivered: readFileSync(join(this.folder, 'delivered')), cut: readFileSync(join(this.folder, 'cut')) };
  }

  async end(): Promise<void> {
    await this.#child.end();
  }
}

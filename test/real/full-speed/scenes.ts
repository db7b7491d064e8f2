import { AgentUnderLoad } from './agent.ts';
import type { Shape } from './configuration.ts';
import { Driver, type Load } from './driver.ts';
import { Hops } from './hops.ts';

/** A load, and the agent that it meets. */
export interface Case {
  readonly what: string;
  readonly load: Load;
  readonly shape?: Partial<Shape>;
}

/** Small requests are the ones that cost the receiver, large ones those that cost memory. */
export const LOADS: readonly Case[] = [
  { what: 'gRPC, 25 spans', load: { protocol: 'grpc', spans: 25 } },
  { what: 'gRPC, 512 spans', load: { protocol: 'grpc', spans: 512, inFlight: 8 } },
  { what: 'HTTP, 25 spans', load: { protocol: 'http', spans: 25 } },
  { what: 'HTTP, 512 spans', load: { protocol: 'http', spans: 512 } },
];
/** More connections than one for each worker. */
export const TWO_WORKERS: Case = {
  what: 'gRPC, 25 spans, two workers',
  load: { protocol: 'grpc', spans: 25, connections: 16 },
  shape: { workers: 2 },
};

export interface Scene {
  readonly hops: Hops;
  readonly agent: AgentUnderLoad;
  readonly driver: Driver;
}

/** Everything that a test has started, ended in the other order. */
export class Scenes {
  readonly #open: { end(): Promise<unknown> }[] = [];

  /** Next hops, the agent in front of them, and senders as fast as it takes their requests. */
  async begin(load: Load, shape: Partial<Shape> = {}, upstreams = 1): Promise<Scene> {
    const hops = await Hops.start(shape.exporter === 'otlp_http' ? 'http' : 'grpc', upstreams, shape.compression);
    this.#open.push(hops);
    const agent = await AgentUnderLoad.start({ hops: hops.ports, ...shape });
    this.#open.push({ end: () => agent.kill() });
    const driver = await Driver.start(agent, load);
    this.#open.push(driver);
    return { hops, agent, driver };
  }

  async end(): Promise<void> {
    for (const one of this.#open.splice(0).reverse()) await one.end();
  }
}

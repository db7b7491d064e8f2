import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrpcServerSettings, Http2Codec } from '../../../../agent/config/settings.ts';
import { finish, type Running, startAgent, until } from '../../kit/agent.ts';
import { request } from '../../kit/otlp.ts';
import { frame, RawGrpc } from '../../kit/raw-http2.ts';
import { grpcExporter } from '../../kit/settings.ts';
import { grpcSink, type Sink } from '../../kit/sink.ts';
import { RawClient } from './raw-client.ts';

export const CODECS: readonly Http2Codec[] = ['own', 'node'];

/** Pings as often as one likes: those that are policed have a test of their own (grpc-connections.test.ts). */
const KEEPALIVE: GrpcServerSettings['keepalive'] = {
  maxConnectionIdleMs: 0,
  maxConnectionAgeMs: 0,
  maxConnectionAgeGraceMs: 0,
  timeMs: 0,
  timeoutMs: 20_000,
  minPingIntervalMs: 0,
  permitWithoutStream: true,
};

/** An answer that a loaded machine brings late is no reason to send again: what the neighbour sent arrives once. */
const UNHURRIED_MS = 60_000;

/** An agent with one codec, its next hop, and a client that behaves and whose calls all have to arrive. */
export class HostileTarget {
  readonly running: Running;
  readonly #sink: Sink;
  readonly #neighbour: RawGrpc;
  readonly #clients: RawClient[] = [];
  #spans = 0;

  private constructor(running: Running, sink: Sink) {
    this.running = running;
    this.#sink = sink;
    this.#neighbour = new RawGrpc(running.grpcPort);
  }

  static async start(codec: Http2Codec, grpc: Partial<GrpcServerSettings> = {}): Promise<HostileTarget> {
    const sink = await grpcSink();
    const running = await startAgent({
      exporters: [grpcExporter(sink.port, { timeoutMs: UNHURRIED_MS })],
      grpc: { codec, keepalive: KEEPALIVE, ...grpc },
    });
    return new HostileTarget(running, sink);
  }

  get port(): number {
    return this.running.grpcPort;
  }

  /** Socket of a hostile client, without a byte sent; closed when the target ends. */
  connect(): RawClient {
    return this.#keep(new RawClient(this.port));
  }

  /** The same, with preface and SETTINGS sent. */
  speak(...pairs: readonly (readonly [number, number])[]): RawClient {
    return this.#keep(RawClient.speaking(this.port, ...pairs));
  }

  /** The neighbour on its own connection gets its answer. */
  async servesOthers(): Promise<void> {
    const answer = await this.#neighbour.call([frame(request('traces', 1, `good-${this.#spans}`))]);
    expect(answer.grpcStatus, 'of the neighbour').toBe('0');
    this.#spans += 1;
  }

  /** All that is in otlp_agent_connection_errors, by kind. */
  async faults(): Promise<Readonly<Record<string, number>>> {
    const text = await this.running.agent.metrics();
    return Object.fromEntries(
      [...text.matchAll(/otlp_agent_connection_errors\{kind="(\w+)"\} (\d+)/g)].map(([, kind, value]) => [kind as string, Number(value)]),
    );
  }

  /** The neighbour's spans arrived once each, and the books balance; nothing of the hostile is held. */
  async end(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#neighbour.close();
    const books = await finish(this.running);
    expect(this.running.agent.heldBytes).toBe(0);
    await until(() => this.#sink.delivered() >= this.#spans);
    await this.#sink.close();
    expect([books.total.accepted, this.#sink.delivered()]).toEqual([this.#spans, this.#spans]);
  }

  #keep(client: RawClient): RawClient {
    this.#clients.push(client);
    return client;
  }
}

/** What a client does on one connection, and what the server has to make of it (RawClient.verdict). */
export interface HostileCase {
  readonly what: string;
  /** SETTINGS of the client. */
  readonly settings?: readonly (readonly [number, number])[];
  /** Without preface and SETTINGS: `send` brings its own. */
  readonly silent?: boolean;
  readonly send: (client: RawClient) => void | Promise<void>;
  /** One verdict, or several of which each is allowed. */
  readonly expect: string | readonly string[];
  /** What node:http2 makes of it instead, where that is known to be something else. */
  readonly node?: string;
  /** No further stream can be opened on its connection. @default false */
  readonly isLast?: boolean;
  /** The stream that is looked at. @default 1 */
  readonly stream?: number;
}

const total = (faults: Readonly<Record<string, number>>): number => Object.values(faults).reduce((sum, one) => sum + one, 0);

/** A suite of cases over both codecs; beside each, a client on another connection goes on being served. */
export function hostileCases(title: string, list: readonly HostileCase[], grpc?: Partial<GrpcServerSettings>): void {
  describe.each(CODECS)(`${title}, codec %s`, (codec) => {
    let target: HostileTarget;
    beforeAll(async () => {
      target = await HostileTarget.start(codec, grpc);
    });
    afterAll(() => target.end());

    it.each(list)('$what', async (one) => {
      const before = total(await target.faults());
      const client = one.silent === true ? target.connect() : target.speak(...(one.settings ?? []));
      await one.send(client);
      const allowed = codec === 'node' && one.node !== undefined ? [one.node] : [one.expect].flat();
      const verdict = await client.verdict(one.stream);
      expect(allowed).toContain(verdict);
      const over = verdict.startsWith('connection') || verdict === 'closed';
      if (!over && one.isLast !== true) expect(await client.serves(), 'the connection goes on').toBe(true);
      if (over && codec === 'own') expect(total(await target.faults()) - before, 'counted').toBe(1);
      client.close();
      await target.servesOthers();
    });
  });
}

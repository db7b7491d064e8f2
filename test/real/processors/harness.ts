import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { SIGNALS, type Signal } from '../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';
import { type Agent, createAgent } from '../../../agent/runtime/agent.ts';
import { assertBooksBalance, recordingLog, until } from '../../agent/kit/agent.ts';
import type { Message } from '../../agent/kit/otlp.ts';
import { describeReal, freePort, newFolder, startOtelcol, writeConfig } from '../support/index.ts';
import { canonical } from './canonical.ts';
import { generate, type Vocabulary } from './generate.ts';

/**
 * The same configuration and the same requests through the real Collector and through this agent, compared after canonical decoding.
 *
 *   describeAgainstCollector('attributes', [
 *     { name: 'upsert', processors: { attributes: { actions: [...] } }, signals: ['traces'], vocabulary: { keys: ['user.id'] } },
 *   ], { exceptions: EXCEPTIONS });
 *
 * makes one test for each configuration and signal: 200 generated requests (seed printed in the test's name), each sent to both as
 * OTLP/HTTP; what arrives behind them must be equal, status included, or covered by an exception with a reason. An exception that no
 * request needs fails the file. All configurations run in one Collector and one agent, each behind its own port, so a file costs one start
 * (about 1 s) and 1-2 ms for each request.
 *
 * With connectors, write `connectors` and `pipelines` as in a file: `otlp` and `otlp_http` mean the harness's receiver and exporter, and what
 * arrives is compared by the signal of the pipeline that sent it. For other questions (JSON, headers, statuses) use `startPair()`: `send()`
 * gives what each side answered and delivered.
 */
export interface Configuration {
  readonly name: string;
  readonly processors?: Readonly<Record<string, unknown>>;
  readonly connectors?: Readonly<Record<string, unknown>>;
  /** @default one for each signal with all processors in their order */
  readonly pipelines?: Readonly<
    Record<
      string,
      { readonly receivers: readonly string[]; readonly processors?: readonly string[]; readonly exporters: readonly string[] }
    >
  >;
  /** Signals that requests are generated for. @default traces, metrics, logs */
  readonly signals?: readonly Signal[];
  readonly vocabulary?: Vocabulary;
  /** @default 200 */
  readonly requests?: number;
  /** @default the environment variable OTLP_COMPARE_SEED, or 1 */
  readonly seed?: number;
  /** Of the requests. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of generated ones. */
  readonly bodies?: (signal: Signal) => readonly Buffer[];
}

/** A difference that was looked at by a person. */
export interface Exception {
  readonly name: string;
  readonly reason: string;
  /** Whether it explains this difference. */
  covers(difference: Difference): boolean;
}

export interface Difference {
  readonly configuration: string;
  readonly signal: Signal;
  readonly request: Message;
  readonly theirs: Seen;
  readonly ours: Seen;
}

/** One side's doing with one request, comparable. */
export interface Seen {
  readonly status: number;
  readonly delivered: readonly { readonly signal: Signal; readonly request: Message }[];
}

export interface AgainstOptions {
  /** @default 'otelcol' (0.155) */
  readonly program?: 'otelcol' | 'otelcol-0.160';
  readonly exceptions?: readonly Exception[];
  /** More of the configuration file of both, merged at the top: `{ extensions: ... }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Changes both sides before they are compared, where something cannot be equal (a time of now). */
  readonly adjust?: (seen: Seen) => Seen;
}

export function describeAgainstCollector(title: string, configurations: readonly Configuration[], options: AgainstOptions = {}): void {
  const program = options.program ?? 'otelcol';
  describeReal([program], `${title} as in the Collector`, () => {
    let pair: Pair;
    const used = new Set<string>();
    const adjust = options.adjust ?? ((seen: Seen): Seen => seen);
    beforeAll(async () => {
      pair = await startPair(configurations, options);
    });
    afterAll(async () => {
      await pair?.close();
    });
    for (const configuration of configurations) {
      for (const signal of configuration.signals ?? DEFAULT_SIGNALS) {
        const count = configuration.requests ?? 200;
        const seed = configuration.seed ?? Number(process.env.OTLP_COMPARE_SEED ?? 1);
        it(`${configuration.name}: ${count} requests of ${signal} (seed ${seed})`, async () => {
          const bodies = configuration.bodies?.(signal) ?? generate(signal, seed, count, configuration.vocabulary);
          for (const body of bodies) {
            const both = await pair.send(configuration.name, signal, body, configuration.headers);
            const theirs = adjust(seen(both.theirs));
            const ours = adjust(seen(both.ours));
            if (same(theirs, ours)) continue;
            const difference = { configuration: configuration.name, signal, request: canonical(signal, body), theirs, ours };
            const excused = (options.exceptions ?? []).find((one) => one.covers(difference));
            if (excused === undefined) expect({ request: difference.request, ...ours }).toEqual({ request: difference.request, ...theirs });
            else used.add(excused.name);
          }
        });
      }
    }
    it('needs each of its exceptions', () => {
      expect([...used].sort()).toEqual((options.exceptions ?? []).map(({ name }) => name).sort());
    });
  });
}

const DEFAULT_SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];

function same(a: Seen, b: Seen): boolean {
  return JSON.stringify(a) === JSON.stringify(b) || equalDeep(a, b);
}

function equalDeep(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a);
  return (
    left.length === Object.keys(b).length && left.every(([key, value]) => key in b && equalDeep(value, (b as Record<string, unknown>)[key]))
  );
}

/** An outcome as it is compared. */
export function seen(outcome: SideOutcome): Seen {
  const delivered = outcome.delivered.map((each) => ({ signal: each.signal, request: canonical(each.signal, each.body) }));
  // Several pipelines may deliver in any order.
  const ordered = delivered.sort((a, b) => SIGNALS.indexOf(a.signal) - SIGNALS.indexOf(b.signal));
  // A request in which nothing is left may be sent empty or not at all.
  return { status: outcome.status, delivered: ordered.filter((each) => Object.keys(each.request).length > 0) };
}

export interface Delivered {
  readonly signal: Signal;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface SideOutcome {
  readonly status: number;
  readonly body: Buffer;
  readonly delivered: readonly Delivered[];
}

/** A Collector and an agent of the same configurations. */
export interface Pair {
  /**
   * One request to both, one after the other on each side: nothing else is under way, so what arrives belongs to it. What a connector
   * derives is delivered after the agent's answer, and waited for.
   */
  send(
    configuration: string,
    signal: Signal,
    body: Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly theirs: SideOutcome; readonly ours: SideOutcome }>;
  readonly agent: Agent;
  close(): Promise<void>;
}

export async function startPair(configurations: readonly Configuration[], options: AgainstOptions = {}): Promise<Pair> {
  const theirSink = await startSink();
  const ourSink = await startSink();
  const theirs = await render(configurations, theirSink.port);
  const ours = await render(configurations, ourSink.port);
  const collector = await startOtelcol({
    config: theirs.config,
    args: ['--feature-gates=+service.profilesSupport'],
    program: options.program ?? 'otelcol',
    ...(options.env && { env: options.env }),
  });
  const file = writeConfig(newFolder('agent'), 'agent.yaml', ours.config);
  const agent = await createAgent(load({ configs: [file], environment: options.env ?? {} }).settings, { log: recordingLog([]) });
  await agent.start();
  const sendOne = async (
    port: number,
    sink: Sink,
    signal: Signal,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    settled: () => Promise<void>,
  ): Promise<SideOutcome> => {
    sink.take();
    const response = await fetch(`http://127.0.0.1:${port}${SIGNAL_FACTS[signal].httpPath}`, {
      method: 'POST',
      body: body as RequestInit['body'],
      headers: { 'content-type': 'application/x-protobuf', ...headers },
    });
    const answer = Buffer.from(await response.arrayBuffer());
    await settled();
    return { status: response.status, body: answer, delivered: sink.take() };
  };
  return {
    agent,
    send: async (name, signal, body, headers = {}) => {
      const i = configurations.findIndex((one) => one.name === name);
      const [theirOutcome, ourOutcome] = await Promise.all([
        sendOne(theirs.ports[i] as number, theirSink, signal, body, headers, async () => {}),
        sendOne(ours.ports[i] as number, ourSink, signal, body, headers, () => until(() => agent.books().total.queued === 0)),
      ]);
      return { theirs: theirOutcome, ours: ourOutcome };
    },
    close: async () => {
      await agent.drain(60_000);
      await agent.close();
      assertBooksBalance(agent);
      await collector.stop();
      theirSink.close();
      ourSink.close();
    },
  };
}

/** One file of all configurations: component ids get the configuration's number, so that they do not meet. */
async function render(configurations: readonly Configuration[], sinkPort: number): Promise<{ config: object; ports: number[] }> {
  const ports: number[] = [];
  const receivers: Record<string, unknown> = {};
  const processors: Record<string, unknown> = {};
  const connectors: Record<string, unknown> = {};
  const exporters: Record<string, unknown> = {};
  const pipelines: Record<string, unknown> = {};
  for (const [i, one] of configurations.entries()) {
    const port = await freePort();
    ports.push(port);
    const own = (id: string): string => (id.includes('/') ? `${id}.${i}` : `${id}/${i}`);
    receivers[own('otlp')] = { protocols: { http: { endpoint: `127.0.0.1:${port}`, include_metadata: true } } };
    exporters[own('otlp_http')] = {
      endpoint: `http://127.0.0.1:${sinkPort}`,
      tls: { insecure: true },
      compression: 'none',
      // No queue and no retry: the answer comes when the sink has the data.
      sending_queue: { enabled: false },
      retry_on_failure: { enabled: false },
    };
    for (const [id, config] of Object.entries(one.processors ?? {})) processors[own(id)] = config;
    for (const [id, config] of Object.entries(one.connectors ?? {})) connectors[own(id)] = config;
    const plan =
      one.pipelines ??
      Object.fromEntries(
        (one.signals ?? DEFAULT_SIGNALS).map((signal) => [
          signal,
          { receivers: ['otlp'], processors: Object.keys(one.processors ?? {}), exporters: ['otlp_http'] },
        ]),
      );
    for (const [id, pipeline] of Object.entries(plan)) {
      pipelines[own(id)] = {
        receivers: pipeline.receivers.map(own),
        processors: (pipeline.processors ?? []).map(own),
        exporters: pipeline.exporters.map(own),
      };
    }
  }
  const config = {
    receivers,
    ...(Object.keys(processors).length === 0 ? {} : { processors }),
    ...(Object.keys(connectors).length === 0 ? {} : { connectors }),
    exporters,
    service: { telemetry: { metrics: { level: 'none' } }, pipelines },
  };
  return { config, ports };
}

interface Sink {
  readonly port: number;
  /** What came since it was last asked. */
  take(): Delivered[];
  close(): void;
}

async function startSink(): Promise<Sink> {
  let delivered: Delivered[] = [];
  const server: Server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const signal = SIGNALS.find((one) => SIGNAL_FACTS[one].httpPath === incoming.url) ?? 'traces';
      const headers = Object.fromEntries(Object.entries(incoming.headers).map(([key, value]) => [key, String(value)]));
      delivered.push({ signal, body: Buffer.concat(parts), headers });
      response.writeHead(200, { 'content-type': 'application/x-protobuf' });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take: () => {
      const taken = delivered;
      delivered = [];
      return taken;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

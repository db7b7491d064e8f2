import { afterEach, describe, expect, it } from 'vitest';
import type { GrpcServerSettings } from '../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../agent/otlp/signals.ts';
import { decodeStatus } from '../../agent/otlp/status.ts';
import { pingProxy } from '../agent/http2/kit/ping-proxy.ts';
import { CODECS } from '../agent/http2/kit/target.ts';
import { finish, type Running, startAgent } from '../agent/kit/agent.ts';
import { decode, request } from '../agent/kit/otlp.ts';
import { grpcExporter, KEEPALIVE, QUEUE, RETRY } from '../agent/kit/settings.ts';
import { type GrpcAnswer, grpcSink, type Sink } from '../agent/kit/sink.ts';
import { type Call, GRPC_CALLERS, type GrpcCaller } from './support/grpc-callers.ts';
import { describeReal, waitFor } from './support/index.ts';

/** gRPC clients that people use, against both codecs: each call is answered, each span arrives once, and the books balance. */

const TRACES = SIGNAL_FACTS.traces.grpcPath;
const callNamed = (name: string, more: Partial<Call> = {}): Call => ({ path: TRACES, body: request('traces', 1, name), ...more });
const callsNamed = (count: number, more: Partial<Call> = {}): Call[] =>
  Array.from({ length: count }, (_, i) => callNamed(`call-${i}`, more));
/** Long enough for a JVM to start its first call, on a machine that does much else. */
const DEADLINE_MS = 3000;

interface Resources {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly { readonly value?: { readonly stringValue?: string } }[] };
  }[];
}

/** service.name of everything that arrived, sorted. */
function arrived(sink: Sink): string[] {
  const all = sink.received.flatMap((one) => (decode('traces', one.body) as Resources).resourceSpans ?? []);
  return all.map((one) => one.resource?.attributes?.[0]?.value?.stringValue ?? '').sort();
}

const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `call-${i}-0`).sort();

for (const caller of GRPC_CALLERS) {
  const suite = (): void => {
    describe.each(CODECS)('http2_codec: %s', (codec) => clientSuite(caller, codec));
  };
  if (caller.programs.length === 0) describe(caller.name, suite);
  else describeReal(caller.programs, caller.name, suite);
}

function clientSuite({ call, keepaliveMs, resends }: GrpcCaller, codec: GrpcServerSettings['codec']): void {
  let sink: Sink;
  let running: Running;
  /** The client's way to the agent, which counts connections and pings. */
  let way: Awaited<ReturnType<typeof pingProxy>>;
  const start = async (
    options: {
      readonly answer?: () => GrpcAnswer | undefined | Promise<GrpcAnswer | undefined>;
      readonly waitForResult?: boolean;
      readonly grpc?: Partial<GrpcServerSettings>;
    } = {},
  ): Promise<void> => {
    sink = await grpcSink(options.answer);
    const exporter = grpcExporter(sink.port, {
      queue: { ...QUEUE, capacity: 100_000, consumers: 100, waitForResult: options.waitForResult ?? false },
      retry: { ...RETRY, enabled: false },
      timeoutMs: 60_000,
    });
    running = await startAgent({ exporters: [exporter], grpc: { codec, keepalive: KEEPALIVE, ...options.grpc } });
    way = await pingProxy(running.grpcPort);
  };
  /** Drained, balanced, and what arrived. */
  const end = async (): Promise<string[]> => {
    await finish(running, 60_000);
    return arrived(sink);
  };
  afterEach(async () => {
    await way.close();
    await sink.close();
  });

  it('is answered OK, uncompressed and gzip, small and of a megabyte', async () => {
    await start();
    const large = request('traces', 4000, 'call-3');
    expect(large.length).toBeGreaterThan(200_000);
    const calls = [
      callNamed('call-0'),
      callNamed('call-1', { gzip: true }),
      { path: TRACES, body: new Uint8Array(0) },
      { path: TRACES, body: large },
      { path: TRACES, body: large, gzip: true },
    ];
    for (const answer of await call(way.port, calls)) expect(answer).toMatchObject({ code: 0, response: Buffer.alloc(0) });
    expect(await end()).toEqual(['call-0-0', 'call-1-0', 'call-3-0', 'call-3-0']);
  });

  it('reads a status with its message and its details', async () => {
    await start({ answer: () => ({ code: 14, message: 'not today: 100 %, größer\n' }), waitForResult: true });
    const [refused, unknown, broken] = await call(way.port, [
      callNamed('call-0'),
      { path: '/no.such.Service/Export', body: new Uint8Array(0) },
      { path: TRACES, body: Buffer.from('this is no protobuf') },
    ]);
    expect(refused).toMatchObject({ code: 14, details: expect.stringContaining('not today: 100 %, größer') as string });
    const status = decodeStatus(refused?.statusDetails ?? new Uint8Array(0));
    expect(status?.retryAfterMs).toBeGreaterThan(0);
    expect([unknown?.code, broken?.code]).toEqual([12, 3]);
    await end();
  });

  it('makes 1000 calls at the same time on one connection', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let waiting = 0;
    await start({
      waitForResult: true,
      answer: () => {
        waiting += 1;
        // All that the agent hands on at a time: the calls of the client are under way together.
        if (waiting === 100) resolve(undefined);
        return promise;
      },
      grpc: { maxConcurrentStreams: 1000 },
    });
    const answers = await call(way.port, callsNamed(1000));
    expect(answers.filter((one) => one.code !== 0)).toEqual([]);
    expect(way.taken).toBe(1);
    expect(await end()).toEqual(named(1000));
  });

  it('makes more calls than max_concurrent_streams allows, and none fails', async () => {
    await start({ grpc: { maxConcurrentStreams: 5 } });
    const answers = await call(way.port, callsNamed(300));
    expect(answers.filter((one) => one.code !== 0)).toEqual([]);
    expect(await end()).toEqual(named(300));
  });

  it('goes on through GOAWAY after GOAWAY, and no call fails or is made twice', async () => {
    const calls = codec === 'own' ? 5000 : 1000;
    await start({ grpc: { keepalive: { ...KEEPALIVE, maxConnectionAgeMs: 60 } } });
    const answers = await call(way.port, callsNamed(calls), { parallel: 10 });
    expect(way.taken).toBeGreaterThan(1);
    const failed = answers.flatMap((one, i) => (one.code === 0 ? [] : [{ name: `call-${i}-0`, ...one }]));
    const names = await end();
    const refused = way.goodbyes().filter((one) => one.refused > 0);
    // The own codec refuses a call only where its client was silent for all of a goodbye. node:http2 refuses each that is on its way to it
    // when it says goodbye (node-session.ts), and whoever sends such a call again may meet the next goodbye.
    if (codec === 'own') expect(refused.filter((one) => !one.unheard)).toEqual([]);
    expect(failed.filter((one) => one.code !== 14)).toEqual([]);
    const refusals = refused.reduce((sum, one) => sum + one.refused, 0);
    expect(failed.length * (1 + resends), JSON.stringify(failed.slice(0, 3))).toBeLessThanOrEqual(refusals);
    // What was refused did not come, and all else came once.
    const lost = new Set(failed.map((one) => one.name));
    expect(names).toEqual(named(calls).filter((one) => !lost.has(one)));
  });

  it('gives up at its deadline, and the connection goes on', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    await start({ waitForResult: true, answer: () => promise });
    const given = call(way.port, [
      callNamed('call-0', { timeoutMs: DEADLINE_MS }),
      callNamed('call-1', { timeoutMs: DEADLINE_MS }),
      callNamed('call-2'),
    ]);
    // The one that waits is answered when those that gave up have done so, on either side.
    const gaveUp = async (): Promise<number> =>
      [...(await running.agent.metrics()).matchAll(/otlp_agent_receiver_requests\{.*OTLP_(?:DEADLINE|CLIENT_GONE).*\} (\d+)/g)].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      );
    await waitFor(async () => (await gaveUp()) === 2, { what: 'two calls that gave up' });
    resolve(undefined);
    expect((await given).map((one) => one.code)).toEqual([4, 4, 0]);
    expect(way.taken).toBe(1);
    // What was taken is delivered, whoever waits for it.
    expect(await end()).toEqual(named(3));
  });

  it('pings while a call is under way, and is answered', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    await start({ waitForResult: true, answer: () => promise });
    const given = call(way.port, [callNamed('call-0')], { keepaliveMs });
    await way.answeredPing(keepaliveMs / 2);
    resolve(undefined);
    expect((await given).map((one) => one.code)).toEqual([0]);
    expect(way.taken).toBe(1);
    expect(await end()).toEqual(named(1));
  });
}

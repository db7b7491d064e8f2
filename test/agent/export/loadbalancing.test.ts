import { afterEach, describe, expect, it } from 'vitest';
import { HashRing } from '../../../agent/balance/hash-ring.ts';
import { DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import type { QueueSettings, Signal } from '../../../agent/config/settings.ts';
import type { LoadBalancingSettings } from '../../../agent/export/loadbalancing-config.ts';
import { LoadBalancingLine } from '../../../agent/export/loadbalancing-line.ts';
import type { Resolver, Upstream } from '../../../agent/resolve/resolver.ts';
import { Chunk } from '../../../agent/runtime/chunk.ts';
import type { Outcome } from '../../../agent/runtime/outcome.ts';
import { Receipt } from '../../../agent/runtime/receipt.ts';
import { Counters } from '../../../agent/telemetry/counters.ts';
import { finish, GrpcClient, type Running, recordingLog, startAgent, until } from '../kit/agent.ts';
import { attribute, decode, encode, type Message, request } from '../kit/otlp.ts';
import { grpcExporter, QUEUE, RETRY } from '../kit/settings.ts';
import { type GrpcAnswer, grpcSink, type Received, type Sink } from '../kit/sink.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const keep = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};

const OFF: QueueSettings = { ...QUEUE, enabled: false, consumers: 1, capacity: 1, waitForResult: true };
const upstreamsOf = (sinks: readonly Sink[]): Upstream[] => sinks.map(({ port }, i) => ({ host: '127.0.0.1', port, weight: i + 1 }));

function loadBalancing(sinks: readonly Sink[], more: Partial<LoadBalancingSettings> = {}): LoadBalancingSettings {
  return {
    kind: 'loadbalancing',
    id: 'loadbalancing',
    upstream: { ...grpcExporter(1), authority: '' },
    resolver: { kind: 'static', upstreams: upstreamsOf(sinks) },
    balancer: 'consistent_hash',
    ring: 'collector_0.155',
    routing: {
      traces: { key: 'traceID', attributes: [] },
      logs: { key: 'service', attributes: [] },
      metrics: { key: 'service', attributes: [] },
    },
    health: { ...DEFAULT_HEALTH, type: 'none' },
    timeoutMs: 5000,
    queue: OFF,
    retry: { ...RETRY, enabled: false },
    ...more,
  };
}

const pipelines = (...signals: Signal[]) =>
  signals.map((signal) => ({ id: signal, signal, receivers: ['otlp'], processors: [], exporters: ['loadbalancing'] }));

const sinksOf = async (count: number, answer?: (one: Received) => GrpcAnswer | undefined): Promise<Sink[]> =>
  await Promise.all(Array.from({ length: count }, async () => keep(await grpcSink(answer))));

const traceId = (n: number): Buffer => Buffer.from(`${n}`.padStart(16, '0'));
/** One span for each trace id, in two resources. */
function traces(...ids: number[]): Buffer {
  const spans = ids.map((n) => ({ traceId: traceId(n), spanId: Buffer.alloc(8, 1), name: `span ${n}` }));
  const half = Math.ceil(spans.length / 2);
  const resource = (name: string, list: Message[]): Message => ({
    resource: { attributes: [attribute('service.name', name)] },
    scopeSpans: [{ scope: { name: 'test' }, spans: list }],
  });
  return encode('traces', {
    resourceSpans: [resource('a', spans.slice(0, half)), resource('b', spans.slice(half))].filter((_, i) => i === 0 || spans.length > half),
  });
}

/** Names of all spans that a sink has got. */
function spanNames(sink: Sink): string[] {
  return sink.received.flatMap(({ body }) =>
    ((decode('traces', body).resourceSpans ?? []) as Message[]).flatMap((resource) =>
      ((resource.scopeSpans ?? []) as Message[]).flatMap((scope) => ((scope.spans ?? []) as Message[]).map((span) => String(span.name))),
    ),
  );
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

async function sendTraces(running: Running, ids: readonly number[], perRequest = 20): Promise<void> {
  const client = keep(new GrpcClient(running.grpcPort));
  for (let i = 0; i < ids.length; i += perRequest) await client.export('traces', traces(...ids.slice(i, i + perRequest)));
}

describe('consistent_hash', () => {
  it('each span goes to the upstream that the ring of the Collector gives its trace, and nowhere else', async () => {
    const sinks = await sinksOf(3);
    const running = await startAgent({ exporters: [loadBalancing(sinks)], pipelines: pipelines('traces') });
    await sendTraces(running, range(0, 400));
    expect((await finish(running)).total).toMatchObject({ accepted: 400, sent: 400, sendFailed: 0, queued: 0 });
    const ring = new HashRing(sinks.map(({ port }) => `127.0.0.1:${port}`));
    const owner = (n: number): string => ring.names[ring.ownerOf(ring.placeOf(traceId(n)))] as string;
    for (const sink of sinks) {
      const expected = range(0, 400).filter((n) => owner(n) === `127.0.0.1:${sink.port}`);
      expect(spanNames(sink).sort()).toEqual(expected.map((n) => `span ${n}`).sort());
    }
  });

  it('logs and metrics by service: whole resources', async () => {
    const sinks = await sinksOf(2);
    const running = await startAgent({ exporters: [loadBalancing(sinks)], pipelines: pipelines('logs', 'metrics') });
    const client = keep(new GrpcClient(running.grpcPort));
    for (let i = 0; i < 30; i += 1) {
      await client.export('logs', request('logs', 2, `service-${i % 10}`));
      await client.export('metrics', request('metrics', 3, `service-${i % 10}`));
    }
    expect((await finish(running)).total).toMatchObject({ accepted: 150, sent: 150 });
    const services = sinks.map((sink) => new Set(sink.received.map(({ body }) => /service-\d/.exec(body.toString('latin1'))?.[0])));
    expect([...(services[0] as Set<string>)].filter((name) => services[1]?.has(name))).toEqual([]);
    expect((services[0]?.size ?? 0) + (services[1]?.size ?? 0)).toBe(10);
  });

  it('one upstream that refuses for now neither blocks the others nor makes duplicates there', async () => {
    let refused = 0;
    const bad = keep(await grpcSink(() => (refused++ < 6 ? { code: 14 } : undefined)));
    const good = await sinksOf(2);
    // Left out never: what is to be seen is the line of that upstream alone.
    const settings = loadBalancing([bad, ...good], { health: { ...DEFAULT_HEALTH, type: 'none', ejectAfter: 0 } });
    const running = await startAgent({ exporters: [settings], pipelines: pipelines('traces') });
    await sendTraces(running, range(0, 300));
    const theirs = good.reduce((sum, sink) => sum + new Set(spanNames(sink)).size, 0);
    expect(theirs).toBeGreaterThan(100);
    expect((await finish(running)).total).toMatchObject({ accepted: 300, sent: 300, sendFailed: 0 });
    const names = good.flatMap(spanNames);
    expect(new Set(names).size).toBe(names.length);
    const delivered = bad.received.slice(6).flatMap(({ body }) => body.toString('latin1').match(/span \d+/g) ?? []);
    expect(new Set([...names, ...delivered]).size).toBe(300);
  });

  it('an upstream that is away is left out, what waited for it goes to the others: nothing lost, once each', async () => {
    const [gone, ...rest] = await sinksOf(3);
    const sinks = [gone as Sink, ...rest];
    const running = await startAgent({ exporters: [loadBalancing(sinks)], pipelines: pipelines('traces') });
    await gone?.close();
    await sendTraces(running, range(0, 300));
    expect((await finish(running)).total).toMatchObject({ accepted: 300, sent: 300, sendFailed: 0, evicted: 0 });
    const names = rest.flatMap(spanNames);
    expect(names).toHaveLength(300);
    expect(new Set(names).size).toBe(300);
  });

  it('a full queue of one upstream spills over to the next, and only when all are full the sender is told', async () => {
    const release = Promise.withResolvers<void>();
    const sinks = [
      keep(await grpcSink(() => release.promise.then(() => undefined))),
      keep(await grpcSink(() => release.promise.then(() => undefined))),
    ];
    const upstream = { ...grpcExporter(1), authority: '', queue: { ...QUEUE, capacity: 5, consumers: 1 }, timeoutMs: 60_000 };
    const running = await startAgent({ exporters: [loadBalancing(sinks, { upstream })], pipelines: pipelines('traces') });
    const client = keep(new GrpcClient(running.grpcPort));
    let taken = 0;
    const same = traces(7); // one key: one owner
    for (let i = 0; i < 12; i += 1) {
      const told = await client.export('traces', same).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
      if (told === 0) taken += 1;
      else expect(told).toBe(14);
    }
    expect(taken).toBe(10);
    release.resolve();
    expect((await finish(running)).total).toMatchObject({ accepted: 10, sent: 10 });
    expect(sinks.map((sink) => sink.delivered())).toEqual([5, 5]);
  });

  it('a request that is broken inside of an item goes on as it is, to one upstream', async () => {
    const sinks = await sinksOf(2);
    const running = await startAgent({ exporters: [loadBalancing(sinks)], pipelines: pipelines('traces') });
    const client = keep(new GrpcClient(running.grpcPort));
    // ResourceSpans > ScopeSpans > Span whose trace_id claims 127 bytes and has one
    const broken = Buffer.from([0x0a, 7, 0x12, 5, 0x12, 3, 0x0a, 127, 1]);
    await client.export('traces', broken);
    expect((await finish(running)).total).toMatchObject({ accepted: 1, sent: 1 });
    expect(sinks.flatMap((sink) => sink.received.map(({ body }) => body))).toEqual([broken]);
  });
});

describe('the other balancers', () => {
  it.each([
    ['round_robin', [30, 30, 30]],
    ['weighted_round_robin', [15, 30, 45]],
  ] as const)('%s: whole requests by share', async (balancer, expected) => {
    const sinks = await sinksOf(3);
    const running = await startAgent({ exporters: [loadBalancing(sinks, { balancer })], pipelines: pipelines('traces') });
    await sendTraces(running, range(0, 90), 1);
    await finish(running);
    expect(sinks.map((sink) => sink.received.length)).toEqual(expected);
  });

  it('least_connections: who does not answer gets no more', async () => {
    const stuck = keep(await grpcSink(() => new Promise(() => {})));
    const quick = keep(await grpcSink());
    const upstream = { ...grpcExporter(1), authority: '', timeoutMs: 400 };
    const settings = loadBalancing([stuck, quick], { balancer: 'least_connections', upstream });
    const running = await startAgent({ exporters: [settings], pipelines: pipelines('traces') });
    await sendTraces(running, range(0, 60), 1);
    await until(() => quick.delivered() >= 50);
    expect(stuck.received.length).toBeLessThanOrEqual(10);
    await stuck.close();
    expect((await finish(running)).total).toMatchObject({ accepted: 60, sent: 60 });
    expect(new Set(spanNames(quick)).size).toBe(60);
  });
});

describe('many upstreams that come and go', () => {
  class ListResolver implements Resolver {
    readonly kind = 'static';
    readonly status = { ok: true, message: 'by hand' };
    readonly counts = { resolutions: 1, failures: 0, changes: 1, upstreams: 0 };
    set: (upstreams: readonly Upstream[]) => void = () => {};
    start(onChange: (upstreams: readonly Upstream[]) => void): Promise<void> {
      this.set = onChange;
      return Promise.resolve();
    }
    close(): Promise<void> {
      return Promise.resolve();
    }
  }

  const HOLD = { retain: () => {}, release: () => {}, charge: () => {} };

  function line(more: Partial<LoadBalancingSettings> = {}) {
    const resolver = new ListResolver();
    const counters = new Counters();
    const made = new LoadBalancingLine(loadBalancing([], more), 'traces', undefined, resolver, { log: recordingLog([]), counters });
    keep({ close: () => made.close() });
    void made.start();
    const outcomes: Outcome[] = [];
    const offer = (...ids: number[]) => {
      const body = traces(...ids);
      return made.offer(
        new Chunk('traces', [body], body.length, ids.length, performance.now(), new Receipt(1, (outcome) => outcomes.push(outcome)), HOLD),
      );
    };
    const total = () => {
      const sum = { offered: 0, sent: 0, sendFailed: 0, enqueueFailed: 0, evicted: 0, queued: 0 };
      for (const one of counters.exporters) for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += one[key];
      expect(sum.offered).toBe(sum.sent + sum.sendFailed + sum.enqueueFailed + sum.evicted + sum.queued);
      return sum;
    };
    return { resolver, line: made, offer, total, outcomes, counters };
  }
  const drain = (made: LoadBalancingLine, ms = 5000): Promise<void> => made.drain(AbortSignal.timeout(ms));

  it('without any upstream the sender is told; with sending_queue it waits for one', async () => {
    const without = line();
    expect(without.line.hasRoom(0, 0)).toBe(false);
    expect(without.offer(1)).toBe('full');
    const sinks = await sinksOf(1);
    const withQueue = line({ queue: { ...QUEUE, capacity: 2 } });
    expect([withQueue.offer(1), withQueue.offer(2), withQueue.offer(3)]).toEqual(['taken', 'taken', 'full']);
    expect(withQueue.outcomes.map(({ kind }) => kind)).toEqual(['ok', 'ok']);
    withQueue.resolver.set(upstreamsOf(sinks));
    await drain(withQueue.line);
    expect(withQueue.total()).toMatchObject({ offered: 2, sent: 2 });
    expect(sinks[0]?.delivered()).toBe(2);
  });

  it('one that leaves: no new traffic, what waited goes to the others by its key, what was on the wire ends there', async () => {
    const answer = Promise.withResolvers<undefined>();
    const leaver = keep(await grpcSink(() => answer.promise));
    const others = await sinksOf(2);
    const upstream = { ...grpcExporter(1), authority: '', queue: { ...QUEUE, consumers: 1 } };
    const { resolver, line: made, offer, total } = line({ upstream });
    resolver.set(upstreamsOf([leaver, ...others]));
    for (const n of range(0, 120)) expect(offer(n)).toBe('taken');
    await until(() => leaver.received.length === 1 && others.every((sink) => sink.received.length > 10));
    resolver.set(upstreamsOf(others));
    for (const n of range(120, 240)) expect(offer(n)).toBe('taken');
    await until(() => others.reduce((sum, sink) => sum + sink.delivered(), 0) === 239);
    expect(leaver.received).toHaveLength(1);
    answer.resolve(undefined);
    await drain(made);
    expect(total()).toMatchObject({ offered: 240, sent: 240, evicted: 0, queued: 0 });
    const names = [leaver, ...others].flatMap(spanNames);
    expect(new Set(names).size).toBe(240);
    expect(names).toHaveLength(240);
    // Where the ring of those that are left has them.
    const ring = new HashRing(others.map(({ port }) => `127.0.0.1:${port}`));
    const late = (sink: Sink): string[] => spanNames(sink).filter((name) => Number(name.slice(5)) >= 120);
    for (const sink of others)
      for (const name of late(sink))
        expect(ring.names[ring.ownerOf(ring.placeOf(traceId(Number(name.slice(5)))))]).toBe(`127.0.0.1:${sink.port}`);
  });

  it('one that leaves while it is dead: what it had on the wire is routed again, too', async () => {
    const [dead, ...others] = await sinksOf(2);
    const { resolver, line: made, offer, total } = line({ health: { ...DEFAULT_HEALTH, type: 'none', ejectAfter: 0 } });
    resolver.set(upstreamsOf([dead as Sink, ...others]));
    await dead?.close();
    for (const n of range(0, 60)) offer(n);
    await until(() => (others[0] as Sink).delivered() > 10);
    resolver.set(upstreamsOf(others));
    await drain(made);
    expect(total()).toMatchObject({ offered: 60, sent: 60, sendFailed: 0, evicted: 0 });
    expect(new Set(spanNames(others[0] as Sink)).size).toBe(60);
  });

  it('all leave, others come: what waits without a home finds one', async () => {
    const stuck = keep(await grpcSink(() => new Promise(() => {})));
    const [next] = await sinksOf(1);
    const upstream = { ...grpcExporter(1), authority: '', queue: { ...QUEUE, consumers: 1 }, timeoutMs: 200 };
    const { resolver, line: made, offer, total } = line({ upstream });
    resolver.set(upstreamsOf([stuck]));
    for (const n of range(0, 20)) offer(n);
    resolver.set([]);
    expect(offer(99)).toBe('full');
    resolver.set(upstreamsOf([next as Sink]));
    await until(() => new Set(spanNames(next as Sink)).size === 20);
    await drain(made);
    expect(total()).toMatchObject({ offered: 20, sent: 20, queued: 0 });
  });

  it('says that it has room exactly where it would take a chunk: what is refused after a yes counts as lost', async () => {
    const stuck = await Promise.all([0, 1, 2].map(async () => keep(await grpcSink(() => new Promise(() => {})))));
    const upstream = { ...grpcExporter(1), authority: '', queue: { ...QUEUE, capacity: 3, consumers: 1 }, timeoutMs: 60_000 };
    for (const balancer of ['consistent_hash', 'round_robin', 'least_connections'] as const) {
      for (const queue of [OFF, { ...QUEUE, capacity: 2 }]) {
        const { resolver, line: made, offer } = line({ upstream, balancer, queue });
        resolver.set(upstreamsOf(stuck));
        let taken = 0;
        for (const n of range(0, 40)) {
          const yes = made.hasRoom(3, 100);
          const verdict = offer(n, n + 1000, n + 2000);
          expect(verdict === 'taken', `${balancer} ${n}`).toBe(yes);
          if (yes) taken += 1;
        }
        expect(taken).toBeLessThan(20);
        await drain(made, 1);
      }
    }
  });

  it('upstreams without number come and go: their counters are folded into one, and the books still balance', async () => {
    const [sink] = await sinksOf(1);
    const { resolver, line: made, offer, total, counters } = line();
    const { port } = sink as Sink;
    for (let i = 0; i < 260; i += 1) {
      resolver.set([
        { host: `127.0.${1 + (i >> 7)}.${1 + (i & 127)}`, port: 1, weight: 1 },
        { host: '127.0.0.1', port, weight: 1 },
      ]);
      offer(i);
    }
    resolver.set([{ host: '127.0.0.1', port, weight: 1 }]);
    await until(() => (sink as Sink).delivered() === 260);
    await drain(made);
    await until(() => counters.exporters.length <= 203);
    expect(total()).toMatchObject({ offered: 260, sent: 260, queued: 0 });
  });

  it('nobody comes until the deadline: counted as evicted', async () => {
    const { line: made, offer, total, outcomes } = line({ queue: QUEUE });
    for (const n of range(0, 3)) offer(n);
    await drain(made, 30);
    expect(total()).toMatchObject({ offered: 3, evicted: 3, queued: 0 });
    expect(outcomes).toHaveLength(3);
  });

  it('retry_on_failure of the exporter: what one upstream gave up another one gets', async () => {
    const bad = keep(await grpcSink(() => ({ code: 14 })));
    const [good] = await sinksOf(1);
    const upstream = { ...grpcExporter(1), authority: '', retry: { ...RETRY, enabled: false } };
    const health = { ...DEFAULT_HEALTH, type: 'none' as const, ejectAfter: 0 };
    const without = line({ upstream, health });
    without.resolver.set(upstreamsOf([bad, good as Sink]));
    for (const n of range(0, 40)) without.offer(n);
    await drain(without.line);
    expect(without.total().sendFailed).toBeGreaterThan(5);
    const withRetry = line({ upstream, health, retry: { ...RETRY, enabled: true, maxElapsedMs: 0 } });
    withRetry.resolver.set(upstreamsOf([bad, good as Sink]));
    for (const n of range(0, 40)) withRetry.offer(n);
    await drain(withRetry.line);
    expect(withRetry.total()).toMatchObject({ offered: 40, sent: 40, sendFailed: 0 });
  });

  it('fifty upstreams come and go at random under load: everything arrives, the books balance', async () => {
    const sinks = await sinksOf(6);
    const { resolver, line: made, offer, total } = line();
    resolver.set(upstreamsOf(sinks));
    let sent = 0;
    for (let turn = 0; turn < 50; turn += 1) {
      for (const n of range(sent, sent + 20)) expect(offer(n)).toBe('taken');
      sent += 20;
      const left = sinks.filter((_, i) => (turn * 7 + i * 13) % 5 > 1);
      resolver.set(upstreamsOf(left.length === 0 ? sinks : left));
      if (turn % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await drain(made);
    expect(total()).toMatchObject({ offered: sent, sent, sendFailed: 0, evicted: 0, queued: 0 });
    const names = sinks.flatMap(spanNames);
    expect(names).toHaveLength(sent);
    expect(new Set(names).size).toBe(sent);
  });
});

it('queue_size 10000 with drop_oldest: the newest ten thousand are kept, the rest is counted, senders are never refused', async () => {
  const release = Promise.withResolvers<void>();
  const sink = keep(await grpcSink(() => release.promise.then(() => undefined)));
  const queue: QueueSettings = { ...QUEUE, capacity: 10_000, overflow: 'drop_oldest', consumers: 10 };
  const running = await startAgent({
    exporters: [grpcExporter(sink.port, { queue, timeoutMs: 60_000 })],
    pipelines: [{ ...(pipelines('traces')[0] as never as object), exporters: ['otlp_grpc'] } as never],
  });
  const client = keep(new GrpcClient(running.grpcPort));
  const total = 12_500;
  for (let i = 0; i < total; i += 100) await Promise.all(range(i, i + 100).map((n) => client.export('traces', traces(n))));
  const before = running.agent.books().total;
  expect(before).toMatchObject({ accepted: total, refused: 0, queued: 10_000, evicted: 2_500 });
  release.resolve();
  expect((await finish(running, 30_000)).total).toMatchObject({ accepted: total, sent: 10_000, evicted: 2_500, sendFailed: 0 });
  const numbers = spanNames(sink).map((name) => Number(name.slice(5)));
  expect(new Set(numbers).size).toBe(10_000);
  // The ten in flight stay, and behind them the newest.
  expect(numbers.filter((n) => n >= 2_500 + 100).length).toBeGreaterThanOrEqual(9_800);
}, 60_000);

import { afterEach, describe, expect, it } from 'vitest';
import { HashRing } from '../../../agent/balance/hash-ring.ts';
import { DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import { finish, GrpcClient, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, QUEUE } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { closeAll, keep, loadBalancing, pipelines, range, sinksOf, spanNames, traceId, traces } from './loadbalancing-support.ts';

afterEach(closeAll);

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
    const upstream = { ...grpcExporter(1), authority: '' };
    const settings = loadBalancing([stuck, quick], { balancer: 'least_connections', upstream });
    const running = await startAgent({ exporters: [settings], pipelines: pipelines('traces') });
    for (const n of range(0, 60)) {
      await sendTraces(running, [n], 1);
      // With the next one when the last has arrived: on a busy machine the quick one has work before it, too.
      await until(() => quick.delivered() + stuck.received.length > n);
    }
    expect(stuck.received.length).toBeLessThanOrEqual(10);
    await stuck.close();
    expect((await finish(running)).total).toMatchObject({ accepted: 60, sent: 60 });
    expect(new Set(spanNames(quick)).size).toBe(60);
  });
});

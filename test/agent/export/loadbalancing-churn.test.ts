import { afterEach, describe, expect, it } from 'vitest';
import { HashRing } from '../../../agent/balance/hash-ring.ts';
import { DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import type { LoadBalancingSettings } from '../../../agent/export/loadbalancing-config.ts';
import { LoadBalancingLine } from '../../../agent/export/loadbalancing-line.ts';
import type { Resolver, Upstream } from '../../../agent/resolve/resolver.ts';
import { Chunk } from '../../../agent/runtime/chunk.ts';
import type { Outcome } from '../../../agent/runtime/outcome.ts';
import { Receipt } from '../../../agent/runtime/receipt.ts';
import { Counters } from '../../../agent/telemetry/counters.ts';
import { recordingLog, until } from '../kit/agent.ts';
import { grpcExporter, NO_DEADLINE_MS, QUEUE, RETRY } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { closeAll, keep, loadBalancing, OFF, range, sinksOf, spanNames, traceId, traces, upstreamsOf } from './loadbalancing-support.ts';

afterEach(closeAll);

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

  const HOLD = { charging: () => true, retain: () => {}, release: () => {}, charge: () => {}, taint: () => {} };

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
  const drain = (made: LoadBalancingLine, ms = NO_DEADLINE_MS): Promise<void> => made.drain(AbortSignal.timeout(ms));

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

  it('has no room where only one that is left out has some', async () => {
    const bad = keep(await grpcSink(() => ({ code: 14 })));
    const stuck = keep(await grpcSink(() => new Promise(() => {})));
    const upstream = { ...grpcExporter(1), authority: '', queue: { ...QUEUE, capacity: 4, consumers: 1 }, timeoutMs: 60_000 };
    const health = { ...DEFAULT_HEALTH, type: 'none' as const, ejectAfter: 1, returnAfterMs: 600_000 };
    for (const balancer of ['consistent_hash', 'round_robin'] as const) {
      const { resolver, line: made, offer } = line({ upstream, balancer, health });
      resolver.set(upstreamsOf([bad, stuck]));
      const before = bad.received.length;
      for (let n = 0; bad.received.length === before; n += 1) {
        offer(n);
        await new Promise((resolve) => setImmediate(resolve));
      }
      // Left out by now or in a moment; then the other one fills up.
      await until(() => {
        if (made.hasRoom(1, 100)) offer(7);
        return !made.hasRoom(1, 100);
      });
      expect(offer(8)).toBe('full');
      await drain(made, 1);
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

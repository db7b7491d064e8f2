import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Budget, chargeAll, Grant } from '../../../agent/admit/budget.ts';
import { Slabs } from '../../../agent/admit/slab.ts';
import { DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import type { QueueSettings } from '../../../agent/config/settings.ts';
import { LoadBalancingLine } from '../../../agent/export/loadbalancing-line.ts';
import type { Resolver, Upstream } from '../../../agent/resolve/resolver.ts';
import { Chunk } from '../../../agent/runtime/chunk.ts';
import type { Outcome } from '../../../agent/runtime/outcome.ts';
import { Receipt } from '../../../agent/runtime/receipt.ts';
import { Counters } from '../../../agent/telemetry/counters.ts';
import { recordingLog } from '../kit/agent.ts';
import { grpcExporter, NO_DEADLINE_MS, QUEUE, RETRY } from '../kit/settings.ts';
import type { GrpcAnswer, Received, Sink } from '../kit/sink.ts';
import { closeAll, keep, loadBalancing, range, sinksOf, spanNames, traces, upstreamsOf } from './loadbalancing-support.ts';

afterEach(closeAll);

/** Parts of small requests that wait for the same upstream lie side by side, and are one chunk of several requests. */
const BATCH = { flushTimeoutMs: 60_000, minSize: 100_000, maxSize: 0, sizer: 'items' as const };

async function setUp(answer?: (one: Received) => GrpcAnswer | undefined, queue: Partial<QueueSettings> = {}, count = 2) {
  const sinks = await sinksOf(count, answer);
  const counters = new Counters();
  let set: (upstreams: readonly Upstream[]) => void = () => {};
  const resolver: Resolver = {
    kind: 'static',
    status: { ok: true, message: 'by hand' },
    counts: { resolutions: 1, failures: 0, changes: 1, upstreams: 0 },
    start: (onChange) => {
      set = onChange;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  const upstream = { ...grpcExporter(1), authority: '', queue: { ...QUEUE, capacity: 100_000, batch: BATCH, ...queue }, retry: RETRY };
  const line = new LoadBalancingLine(
    loadBalancing(sinks, { upstream, health: { ...DEFAULT_HEALTH, type: 'none' } }),
    'traces',
    undefined,
    resolver,
    { log: recordingLog([]), counters },
  );
  keep({ close: () => line.close() });
  await line.start();
  set(upstreamsOf(sinks));
  const budget = new Budget('test', Number.POSITIVE_INFINITY, 0);
  const budgets = [budget];
  const slabs = new Slabs((bytes) => chargeAll(budgets, bytes));
  const outcomes: Outcome[] = [];
  const offer = (ids: readonly number[], waits = false) => {
    const request = traces(...ids);
    const grant = new Grant(budgets, slabs);
    const body = grant.allocate(request.length) as Buffer;
    body.set(request);
    const receipt = new Receipt(1, (outcome) => outcomes.push(outcome), waits);
    return line.offer(new Chunk('traces', [body], body.length, ids.length, performance.now(), receipt, grant));
  };
  const total = () => {
    const sum = { offered: 0, sent: 0, sendFailed: 0, evicted: 0, queued: 0, queueSize: 0 };
    for (const one of counters.exporters) for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += one[key];
    return sum;
  };
  return { sinks, line, offer, total, outcomes, budget, leave: (left: readonly Sink[]) => set(upstreamsOf(left)) };
}
const drain = (line: LoadBalancingLine): Promise<void> => line.drain(AbortSignal.timeout(NO_DEADLINE_MS));
const names = (ids: readonly number[]): string[] => ids.map((id) => `span ${id}`).sort();

describe('parts of several requests in one chunk', () => {
  it('arrive once each, and leave no memory behind', async () => {
    const { sinks, line, offer, total, outcomes, budget } = await setUp();
    for (let i = 0; i < 200; i += 1) expect(offer(range(i * 8, i * 8 + 8))).toBe('taken');
    expect(outcomes).toHaveLength(200);
    expect(total()).toMatchObject({ offered: 1600, queued: 1600 });
    await drain(line);
    expect(sinks.flatMap(spanNames).sort()).toEqual(names(range(0, 1600)));
    expect(total()).toMatchObject({ offered: 1600, sent: 1600, queued: 0, queueSize: 0 });
    expect(budget.used).toBe(0);
  });

  it('count as the requests that they are where the queue counts requests', async () => {
    const { offer, total, line } = await setUp(undefined, { sizer: 'requests', capacity: 1000 });
    for (let i = 0; i < 100; i += 1) offer(range(i * 8, i * 8 + 8));
    // One or two parts for each request, as their keys fall.
    expect(total().queueSize).toBeGreaterThanOrEqual(100);
    await drain(line);
    expect(total()).toMatchObject({ sent: 800, queueSize: 0 });
  });

  it('fail alone where one of them is refused for good: only the requests with poison are lost, in the part that has it', async () => {
    const poison = 4 * 37 + 1;
    const { sinks, line, offer, total, budget } = await setUp(({ body }) =>
      body.includes(`span ${poison}`) ? { code: 3, message: 'poison' } : undefined,
    );
    for (let i = 0; i < 120; i += 1) offer(range(1000 + i * 4, 1000 + i * 4 + 4).map((id) => (id === 1000 + poison ? poison : id)));
    await drain(line);
    const { sent, sendFailed, queued } = total();
    expect({ all: sent + sendFailed, queued }).toEqual({ all: 480, queued: 0 });
    // Of the request of four spans, those that go to the same upstream as the poison.
    expect(sendFailed).toBeGreaterThan(0);
    expect(sendFailed).toBeLessThanOrEqual(4);
    const taken = (sink: Sink): Sink => ({ ...sink, received: sink.received.filter(({ body }) => !body.includes(`span ${poison}`)) });
    const arrived = sinks.map(taken).flatMap(spanNames);
    expect(new Set(arrived).size).toBe(arrived.length);
    expect(arrived).toHaveLength(sent);
    expect(budget.used).toBe(0);
  });

  it('go on one by one to the others when their upstream leaves, and nothing is written over them', async () => {
    const { sinks, line, offer, leave, budget, total } = await setUp(undefined, {}, 3);
    for (let i = 0; i < 50; i += 1) offer(range(i * 9, i * 9 + 9));
    leave(sinks.slice(1));
    for (let i = 50; i < 100; i += 1) offer(range(i * 9, i * 9 + 9));
    leave(sinks);
    for (let i = 100; i < 150; i += 1) offer(range(i * 9, i * 9 + 9));
    await drain(line);
    expect(sinks.flatMap(spanNames).sort()).toEqual(names(range(0, 1350)));
    expect(total()).toMatchObject({ offered: 1350, sent: 1350 });
    expect(budget.used).toBe(0);
  });

  it('are never those of a sender that waits: it hears of its own delivery', async () => {
    const { line, offer, outcomes, sinks } = await setUp();
    for (let i = 0; i < 20; i += 1) offer(range(i * 8, i * 8 + 8), i % 2 === 0);
    expect(outcomes).toHaveLength(10);
    await drain(line);
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array.from({ length: 20 }, () => 'ok'));
    expect(sinks.flatMap(spanNames)).toHaveLength(160);
  });

  it('are halved down to each of them, with the bytes and items that they came with', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.nat(9)), { minLength: 1, maxLength: 40 }), (requests) => {
        const store = Buffer.alloc(4096, 0);
        let owners = 1;
        const hold = {
          charging: () => true,
          retain: (more: number) => {
            owners += more;
          },
          release: () => {
            owners -= 1;
          },
          charge: () => {},
          taint: () => {},
          slices: [store.subarray(0, requests[0]?.[0])],
          bytes: requests[0]?.[0] as number,
          items: requests[0]?.[1] as number,
        };
        let at = 0;
        requests.forEach(([bytes], i) => {
          store.fill(i + 1, at, at + bytes);
          at += bytes;
        });
        const none = { charging: () => true, retain: () => {}, release: () => {}, charge: () => {}, taint: () => {} };
        const whole = new Chunk('traces', [store], 1, 1, 0, new Receipt(0, () => {}), none, true);
        const [row] = whole.cut(() => [hold]) as [Chunk];
        for (const [bytes, items] of requests.slice(1)) {
          expect(row.extendsWith(hold)).toBe(true);
          row.extend(bytes, items);
        }
        expect(row.requests).toBe(requests.length);
        const leaves = (chunk: Chunk): Chunk[] => chunk.halves()?.flatMap(leaves) ?? [chunk];
        const found = leaves(row);
        expect(found.map(({ bytes, items }) => [bytes, items])).toEqual(requests);
        found.forEach((one, i) => {
          expect(Buffer.concat(one.slices)).toEqual(Buffer.alloc(requests[i]?.[0] as number, i + 1));
          expect(requests.length > 1 && one.extendsWith(hold)).toBe(false);
        });
        for (const one of found) one.release();
        expect(owners).toBe(0);
      }),
    );
  });
});

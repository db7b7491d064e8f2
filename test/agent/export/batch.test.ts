import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import type { BatchSettings } from '../../../agent/config/settings.ts';
import { Batcher } from '../../../agent/export/batch.ts';
import { createAgent } from '../../../agent/index.ts';
import { MemoryQueue } from '../../../agent/queue/memory-queue.ts';
import { Chunk, type Hold } from '../../../agent/runtime/chunk.ts';
import { Receipt } from '../../../agent/runtime/receipt.ts';
import { ExporterCounters } from '../../../agent/telemetry/counters.ts';
import { assertBooksBalance, post, recordingLog, until } from '../kit/agent.ts';
import { decode, encode, request } from '../kit/otlp.ts';
import { PATHS, QUEUE } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

const HOLD: Hold = { charging: () => true, retain: () => {}, release: () => {}, charge: () => {}, taint: () => {} };

function chunk(items: number, tenant: string | undefined): Chunk {
  const body = request('traces', items);
  const metadata = tenant === undefined ? undefined : new Map([['x-tenant', [tenant]]]);
  return new Chunk('traces', [body], body.length, items, performance.now(), new Receipt(1, () => {}), HOLD, false, metadata);
}

function queueOf(chunks: readonly Chunk[]): MemoryQueue {
  const counters = new ExporterCounters('e', 'traces', {}, true);
  const queue = new MemoryQueue(
    { ...QUEUE, capacity: 1e6 },
    counters,
    () => {},
    () => {},
  );
  for (const one of chunks) expect(queue.offer(one)).toBe('taken');
  return queue;
}

const byTenant = (more: Partial<BatchSettings>): BatchSettings => ({
  flushTimeoutMs: 1,
  minSize: 10,
  maxSize: 0,
  sizer: 'items',
  metadataKeys: ['x-tenant'],
  ...more,
});

const tenantOf = (one: Chunk): string | undefined => one.metadata?.get('x-tenant')?.[0];

describe('a batch with a maximum', () => {
  it('cuts a request once: what stayed above the maximum is not cut again', () => {
    const attributes = [{ key: 'big', value: { stringValue: 'x'.repeat(600_000) } }];
    const spans = Array.from({ length: 500 }, () => ({ name: 'a' }));
    const body = encode('traces', { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] });
    const large = new Chunk('traces', [body], body.length, 500, performance.now(), new Receipt(1, () => {}), HOLD);
    const queue = queueOf([large]);
    const batcher = new Batcher({ flushTimeoutMs: 1, minSize: 1, maxSize: 1, sizer: 'items' }, true);
    const items: number[] = [];
    for (let batch = batcher.take(queue); batch.length > 0; batch = batcher.take(queue)) items.push(...batch.map((one) => one.items));
    expect(items.reduce((a, b) => a + b, 0)).toBe(500);
    expect(items.length).toBeLessThan(10);
  });
});

describe('batches kept apart by metadata', () => {
  it('hold one value each, lose and double nothing, and keep the order of each value', () => {
    const list = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom('a', 'b', 'c', undefined)), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(list, fc.nat({ max: 30 }), fc.constantFrom(0, 7, 30), (all, minSize, maxSize) => {
        fc.pre(maxSize === 0 || maxSize >= minSize);
        const chunks = all.map(([items, tenant]) => chunk(items, tenant));
        const queue = queueOf(chunks);
        const batcher = new Batcher(byTenant({ minSize, maxSize }), true);
        const taken: Chunk[] = [];
        for (let batch = batcher.take(queue); batch.length > 0; batch = batcher.take(queue)) {
          expect(new Set(batch.map(tenantOf)).size).toBe(1);
          const items = batch.reduce((sum, one) => sum + one.items, 0);
          if (maxSize > 0) expect(items).toBeLessThanOrEqual(maxSize);
          taken.push(...batch);
        }
        expect([queue.length, queue.waitingItems, queue.waitingBytes]).toEqual([0, 0, 0]);
        for (const tenant of ['a', 'b', 'c', undefined]) {
          const sum = (list: readonly Chunk[]): number =>
            list.filter((one) => tenantOf(one) === tenant).reduce((n, one) => n + one.items, 0);
          expect(sum(taken)).toBe(sum(chunks));
          const order = chunks.filter((one) => tenantOf(one) === tenant);
          if (maxSize === 0) expect(taken.filter((one) => tenantOf(one) === tenant)).toEqual(order);
        }
      }),
    );
  });

  it('go from the receiver to the next hop with one tenant in each request', async () => {
    const sink = await grpcSink();
    const { settings, notices } = load({
      configs: [
        `yaml:
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0", include_metadata: true } } } }
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${sink.port}
    tls: { insecure: true }
    sending_queue: { batch: { flush_timeout: 100ms, min_size: 1000, partition: { metadata_keys: [X-Tenant] } } }
service: { telemetry: { metrics: { level: none } }, pipelines: { traces: { receivers: [otlp], exporters: [otlp_grpc] } } }`,
      ],
      environment: {},
    });
    expect(notices.map(({ message }) => message)).toContain('needs include_metadata: true in the receivers');
    const agent = await createAgent(settings, { log: recordingLog([]) });
    await agent.start();
    const address = agent.addresses['otlp/http'];
    if (address?.kind !== 'tcp') throw new Error('no port');
    for (let i = 0; i < 30; i += 1) {
      const tenant = ['blue', 'green', 'red'][i % 3] as string;
      await post(address.port, PATHS.traces, request('traces', 2, tenant), { 'x-tenant': tenant });
    }
    await until(() => sink.delivered() === 60);
    for (const { body } of sink.received) {
      const { resourceSpans } = decode('traces', body) as {
        resourceSpans: { resource: { attributes: { value: { stringValue: string } }[] } }[];
      };
      expect(new Set(resourceSpans.map((one) => one.resource.attributes[0]?.value.stringValue)).size).toBe(1);
    }
    expect(sink.received.length).toBeLessThan(30);
    await agent.drain(5000);
    await agent.close();
    assertBooksBalance(agent);
    await sink.close();
  });
});

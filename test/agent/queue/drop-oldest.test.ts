import { afterEach, expect, it } from 'vitest';
import type { QueueSettings } from '../../../agent/config/settings.ts';
import { closeAll, keep, range, spanNames, traces } from '../export/loadbalancing-support.ts';
import { finish, GrpcClient, startAgent } from '../kit/agent.ts';
import { grpcExporter, QUEUE } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

/** Ten thousand calls on a machine that has much else to do. */
const PATIENCE_MS = 150_000;

afterEach(closeAll);

it('queue_size 10000 with drop_oldest: the newest ten thousand are kept, the rest is counted, senders are never refused', async () => {
  const release = Promise.withResolvers<void>();
  const sink = keep(await grpcSink(() => release.promise.then(() => undefined)));
  const queue: QueueSettings = { ...QUEUE, capacity: 10_000, overflow: 'drop_oldest', consumers: 10 };
  const pipelines = [{ id: 'traces', signal: 'traces' as const, receivers: ['otlp'], processors: [], exporters: ['otlp_grpc'] }];
  const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue, timeoutMs: PATIENCE_MS })], pipelines });
  const client = keep(new GrpcClient(running.grpcPort));
  const total = 12_500;
  for (let i = 0; i < total; i += 100) await Promise.all(range(i, i + 100).map((n) => client.export('traces', traces(n))));
  const before = running.agent.books().total;
  expect(before).toMatchObject({ accepted: total, refused: 0, queued: 10_000, evicted: 2_500 });
  release.resolve();
  expect((await finish(running, PATIENCE_MS)).total).toMatchObject({ accepted: total, sent: 10_000, evicted: 2_500, sendFailed: 0 });
  const numbers = spanNames(sink).map((name) => Number(name.slice(5)));
  expect(new Set(numbers).size).toBe(10_000);
  // The ten in flight stay, and behind them the newest.
  expect(numbers.filter((n) => n >= 2_500 + 100).length).toBeGreaterThanOrEqual(9_800);
});

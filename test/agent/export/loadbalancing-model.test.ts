/**
 * Conservation, for any mix of requests, balancers, upstreams that come and go, that refuse for now or for good, and senders that wait:
 * the books balance after each step, what was answered with success is exactly what is counted as sent, and every sender hears once.
 */
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import { LoadBalancingLine } from '../../../agent/export/loadbalancing-line.ts';
import { encodeStatus } from '../../../agent/otlp/status.ts';
import type { Resolver, Upstream } from '../../../agent/resolve/resolver.ts';
import { Chunk } from '../../../agent/runtime/chunk.ts';
import { Receipt } from '../../../agent/runtime/receipt.ts';
import { Counters } from '../../../agent/telemetry/counters.ts';
import { recordingLog } from '../kit/agent.ts';
import { grpcExporter, QUEUE, RETRY } from '../kit/settings.ts';
import type { GrpcAnswer, Sink } from '../kit/sink.ts';
import { closeAll, loadBalancing, OFF, range, sinksOf, traces, upstreamsOf } from './loadbalancing-support.ts';

afterEach(closeAll);

const UPSTREAMS = 4;
const RUNS = 40;
const SEED = Number(process.env.OTLP_BALANCE_SEED ?? Date.now() % 1_000_000);

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

const answers = {
  ok: undefined,
  unavailable: { code: 14 },
  throttled: { code: 14, details: encodeStatus(14, 'later', 5) },
  refused: { code: 3 },
} as const satisfies Record<string, GrpcAnswer | undefined>;
type Answer = keyof typeof answers;

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('offer' as const), from: fc.nat(500), spans: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('list' as const), there: fc.array(fc.nat(UPSTREAMS - 1), { maxLength: UPSTREAMS }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      who: fc.nat(UPSTREAMS - 1),
      how: fc.constantFrom<Answer>('ok', 'ok', 'unavailable', 'throttled', 'refused'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
);

const shape = fc.record({
  balancer: fc.constantFrom('consistent_hash', 'round_robin', 'weighted_round_robin', 'least_connections', 'pick_first'),
  waits: fc.boolean(),
  queued: fc.boolean(),
  reroutes: fc.boolean(),
  // The larger ones let parts of several requests become one chunk.
  capacity: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(1000)),
  minSize: fc.constantFrom(0, 20, 1000),
});

it(`conserves every item (seed ${SEED})`, async () => {
  const how = new Map<number, Answer>();
  // One for each place, whose answer the run sets.
  const scripted: readonly Sink[] = (
    await Promise.all(range(0, UPSTREAMS).map((i) => sinksOf(1, () => answers[how.get(i) ?? 'ok'])))
  ).flat();
  await fc.assert(
    fc.asyncProperty(shape, fc.array(step, { minLength: 10, maxLength: 60 }), async (settings, steps) => {
      how.clear();
      const before = scripted.map((sink) => sink.delivered());
      const counters = new Counters();
      const resolver = new ListResolver();
      const line = new LoadBalancingLine(
        loadBalancing([], {
          balancer: settings.balancer as 'round_robin',
          upstream: {
            ...grpcExporter(1),
            authority: '',
            queue: {
              ...QUEUE,
              capacity: settings.capacity,
              consumers: 3,
              waitForResult: settings.waits,
              ...(settings.minSize > 0
                ? { batch: { flushTimeoutMs: 3, minSize: settings.minSize, maxSize: 0, sizer: 'items' as const } }
                : {}),
            },
            retry: { ...RETRY, initialIntervalMs: 2, maxIntervalMs: 5, maxElapsedMs: 200 },
          },
          health: { ...DEFAULT_HEALTH, type: 'none', returnAfterMs: 5, slowStartMs: 5 },
          queue: settings.queued ? { ...QUEUE, capacity: 5 } : OFF,
          retry: { ...RETRY, enabled: settings.reroutes, maxElapsedMs: 100 },
        }),
        'traces',
        undefined,
        resolver,
        { log: recordingLog([]), counters },
      );
      await line.start();
      let taken = 0;
      let told = 0;
      let held = 0;
      // Memory that the parts of requests have for themselves.
      let charged = 0;
      const charging = (bytes: number): boolean => {
        charged += bytes;
        return true;
      };
      let requests = 0;
      const books = () => {
        const sum = { offered: 0, sent: 0, sendFailed: 0, enqueueFailed: 0, evicted: 0, queued: 0 };
        for (const one of counters.exporters) for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += one[key];
        expect(sum.offered).toBe(sum.sent + sum.sendFailed + sum.enqueueFailed + sum.evicted + sum.queued);
        return sum;
      };
      resolver.set(upstreamsOf(scripted));
      for (const one of steps) {
        if (one.kind === 'offer') {
          const body = traces(...range(one.from, one.from + one.spans));
          let owners = 1;
          const hold = {
            charging,
            retain: (more: number) => {
              owners += more;
            },
            release: () => {
              owners -= 1;
              if (owners === 0) held -= 1;
              expect(owners).toBeGreaterThanOrEqual(0);
            },
            charge: () => {},
            taint: () => {},
          };
          const receipt = new Receipt(1, () => {
            told += 1;
          });
          const room = line.hasRoom(one.spans, body.length);
          const verdict = line.offer(new Chunk('traces', [body], body.length, one.spans, performance.now(), receipt, hold));
          expect(verdict).toBe(room ? 'taken' : 'full');
          if (verdict === 'taken') {
            taken += one.spans;
            requests += 1;
            held += 1;
          }
        } else if (one.kind === 'list') resolver.set(upstreamsOf(scripted).filter((_, i) => one.there.includes(i)));
        else if (one.kind === 'answer') how.set(one.who, one.how);
        else await new Promise((resolve) => setTimeout(resolve, 1));
        expect(books().offered).toBe(taken);
      }
      await line.drain(AbortSignal.timeout(400));
      await line.close();
      const end = books();
      expect(end).toMatchObject({ offered: taken, queued: 0 });
      const delivered = scripted.reduce((sum, sink, i) => sum + sink.delivered() - (before[i] as number), 0);
      expect(delivered).toBeGreaterThanOrEqual(end.sent);
      // What was on the wire at the deadline may have arrived: nobody can know, and it counts as evicted.
      expect(delivered - end.sent).toBeLessThanOrEqual(end.evicted);
      expect({ told, held, charged }).toEqual({ told: requests, held: 0, charged: 0 });
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

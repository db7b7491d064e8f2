import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchSettings } from '../../../agent/config/settings.ts';
import { encodeResponse } from '../../../agent/otlp/status.ts';
import { finish, post, startAgent } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, httpExporter, PATHS, QUEUE, RETRY } from '../kit/settings.ts';
import { type GrpcReply, grpcUpstream } from '../statements/support/grpc-upstream.ts';
import { type HttpReply, httpUpstream } from '../statements/support/http-upstream.ts';
import { type Received, resourcesOf, services } from '../statements/support/upstream.ts';

/**
 * Any mix of requests, poison among them, through any batching, to a next hop that fails in any way that says what became of the request:
 * what is not poison arrives exactly once, poison never, a part that was rejected is counted, and the books balance.
 */

type Fault = 'unavailable' | 'throttle' | 'aborted' | 'partial' | 'warning' | 'none';
const FAULTS: readonly Fault[] = ['unavailable', 'throttle', 'aborted', 'partial', 'warning', 'none', 'none'];

interface Model {
  /** Spans by service in requests that were taken. */
  readonly taken: Map<string, number>;
  rejected: number;
}

/** Whether a request is taken, and with which answer; one fault is used up by each request. */
function judge(received: Received, faults: Fault[], model: Model): Fault | 'poison' {
  const names = services(received);
  const fault = faults.shift() ?? 'none';
  if (fault === 'unavailable' || fault === 'throttle' || fault === 'aborted') return fault;
  if (names.some((name) => name.startsWith('poison'))) return 'poison';
  resourcesOf(received).forEach((resource, i) => {
    const name = names[i] ?? '';
    for (const scope of (resource.scopeSpans ?? []) as { spans: unknown[] }[])
      model.taken.set(name, (model.taken.get(name) ?? 0) + scope.spans.length);
  });
  if (fault === 'partial') model.rejected += 1;
  return fault;
}

function overGrpc(verdict: Fault | 'poison', reply: GrpcReply): void {
  if (verdict === 'poison') reply.status(3, 'poison');
  else if (verdict === 'unavailable') reply.status(14);
  else if (verdict === 'aborted') reply.status(10);
  else if (verdict === 'throttle') reply.status(8, 'slowly', 5);
  else if (verdict === 'partial') reply.ok(encodeResponse('traces', 1, 'one of them'));
  else if (verdict === 'warning') reply.ok(encodeResponse('traces', 0, 'careful'));
  else reply.ok();
}

function overHttp(verdict: Fault | 'poison', reply: HttpReply): void {
  if (verdict === 'poison') reply.status(400);
  else if (verdict === 'unavailable' || verdict === 'aborted') reply.status(503);
  else if (verdict === 'throttle') reply.status(429, { 'retry-after': '0' });
  else if (verdict === 'partial') reply.ok(encodeResponse('traces', 1, 'one of them'));
  else if (verdict === 'warning') reply.ok(encodeResponse('traces', 0, 'careful'));
  else reply.ok();
}

const COMPRESS = { plain: (body: Buffer) => body, gzip: gzipSync, zstd: zstdCompressSync } as const;

const runs = fc.record({
  transport: fc.constantFrom<'grpc' | 'http'>('grpc', 'http'),
  requests: fc.array(
    fc.record({ poison: fc.boolean(), spans: fc.integer({ min: 1, max: 6 }), as: fc.constantFrom('plain', 'gzip', 'zstd') }),
    { minLength: 1, maxLength: 25 },
  ),
  faults: fc.array(fc.constantFrom(...FAULTS), { maxLength: 30 }),
  batch: fc.option(
    fc.record({
      flushTimeoutMs: fc.integer({ min: 1, max: 10 }),
      minSize: fc.integer({ min: 1, max: 60 }),
      maxSize: fc.constantFrom(0, 60),
    }),
    { nil: undefined },
  ),
  consumers: fc.integer({ min: 1, max: 4 }),
  compression: fc.constantFrom('none', 'gzip', 'members'),
});

describe('a next hop that fails in every way that can be told', () => {
  it('gets everything but poison exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ transport, requests, faults, batch, consumers, compression }) => {
        const model: Model = { taken: new Map(), rejected: 0 };
        const left = [...faults];
        const upstream =
          transport === 'grpc'
            ? await grpcUpstream((one, reply) => overGrpc(judge(one, left, model), reply))
            : await httpUpstream((one, reply) => overHttp(judge(one, left, model), reply));
        const merge: BatchSettings | undefined = batch === undefined ? undefined : { ...batch, sizer: 'items' };
        const settings = {
          queue: { ...QUEUE, consumers, ...(merge === undefined ? {} : { batch: merge }) },
          retry: { ...RETRY, initialIntervalMs: 1, maxIntervalMs: 4 },
          compression: compression === 'none' ? ('none' as const) : ('gzip' as const),
          gzipMembers: compression === 'members',
        };
        const running = await startAgent({
          exporters: [transport === 'grpc' ? grpcExporter(upstream.port, settings) : httpExporter(upstream.port, settings)],
        });
        const sent = requests.map((one, i) => ({ ...one, name: `${one.poison ? 'poison' : 'good'}${i}` }));
        for (const { name, spans, as } of sent) {
          const headers: Record<string, string> = as === 'plain' ? {} : { 'content-encoding': as };
          expect((await post(running.httpPort, PATHS.traces, COMPRESS[as](request('traces', spans, name)), headers)).status).toBe(200);
        }
        const { total } = await finish(running, 15_000);
        await upstream[Symbol.asyncDispose]();
        const sum = (list: readonly { spans: number }[]): number => list.reduce((all, one) => all + one.spans, 0);
        const good = sent.filter((one) => !one.poison);
        expect(Object.fromEntries(model.taken)).toEqual(Object.fromEntries(good.map((one) => [`${one.name}-0`, one.spans])));
        expect(total).toMatchObject({
          sent: sum(good) - model.rejected,
          sendFailed: sum(sent) - sum(good) + model.rejected,
          evicted: 0,
          queued: 0,
        });
      }),
      { numRuns: 150 },
    );
  });
});

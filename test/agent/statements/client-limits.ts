import { expect } from 'vitest';
import { lenField } from '../../../agent/otlp/wire.ts';
import { encode, request } from '../kit/otlp.ts';
import { call } from './support/clients.ts';
import { type GrpcReply, grpcUpstream, toGrpc } from './support/grpc-upstream.ts';
import { type HttpReply, httpUpstream, toHttp } from './support/http-upstream.ts';
import type { Bodies, Running } from './support/target.ts';
import { resourcesOf, services } from './support/upstream.ts';

const MIB = 1024 * 1024;

async function send(running: Running, body: Buffer): Promise<void> {
  expect((await call(running.grpcPort, 'traces', body)).grpcStatus).toBe('0');
}

/** Spans that have ended, delivered or given up, over all exporters together. */
async function ended(running: Running): Promise<number> {
  return (await running.metric('otelcol_exporter_sent_spans')) + (await running.metric('otelcol_exporter_send_failed_spans'));
}

export const CLIENT_LIMITS: Bodies = {
  35: async (target, keep) => {
    const MOST = 20_000;
    const overGrpc = keep.add(await grpcUpstream());
    const overHttp = keep.add(await httpUpstream());
    const batch = { flush_timeout: '50ms', min_size: MOST / 2, max_size: MOST, sizer: 'bytes' };
    const more = { compression: 'gzip', sending_queue: { batch, queue_size: 10_000_000, sizer: 'bytes' } };
    const exporters = { otlp_grpc: toGrpc(overGrpc, more), otlp_http: toHttp(overHttp, more) };
    const running = keep.add(await target.start({ exporters, signals: ['traces'] }));
    let spans = 0;
    for (const [items, resources] of [
      [10, 1],
      [3, 200],
      [100, 1],
      [50, 20],
      // One resource that is far above the limit.
      [3000, 1],
    ] as const) {
      await send(running, request('traces', items, 'r', resources));
      spans += items * resources;
    }
    for (const { journal } of [overGrpc, overHttp]) {
      await journal.until((received) => received.flatMap(spansOf).length === spans);
      expect(Math.max(...journal.received.map((one) => one.body.length))).toBeLessThanOrEqual(MOST);
    }
  },

  36: async (target, keep) => {
    const large = Buffer.alloc(5 * MIB, 'x');
    const overGrpc = keep.add(await grpcUpstream((_one, reply) => reply.ok(lenField(15, large))));
    const overHttp = keep.add(await httpUpstream((_one, reply) => reply.ok(lenField(15, large))));
    const exporters = { otlp_grpc: toGrpc(overGrpc), otlp_http: toHttp(overHttp) };
    const running = keep.add(await target.start({ exporters, signals: ['traces'] }));
    await send(running, request('traces', 3, 'a'));
    const again = (): boolean => overGrpc.journal.received.length > 1 || overHttp.journal.received.length > 1;
    while (!again() && (await ended(running)) < 6) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(overGrpc.journal.received.length, 'requests over gRPC').toBe(1);
    expect(overHttp.journal.received.length, 'requests over HTTP').toBe(1);
    expect(await running.metric('otelcol_exporter_send_failed_spans'), 'counted as failed').toBeGreaterThanOrEqual(3);
  },

  37: async (target, keep) => {
    const calls: GrpcReply[] = [];
    const requests: HttpReply[] = [];
    const overGrpc = keep.add(await grpcUpstream((_one, reply) => calls.push(reply)));
    const overHttp = keep.add(await httpUpstream((_one, reply) => requests.push(reply)));
    const sending_queue = { num_consumers: 3 };
    const exporters = {
      otlp_grpc: toGrpc(overGrpc, { sending_queue }),
      otlp_http: toHttp(overHttp, { sending_queue: { num_consumers: 10 }, max_conns_per_host: 2 }),
    };
    const running = keep.add(await target.start({ exporters, signals: ['traces'] }));
    for (let i = 0; i < 12; i += 1) await send(running, request('traces', 1, `r${i}`));
    await overGrpc.journal.until((received) => received.length >= 3);
    await overHttp.journal.until((received) => received.length >= 2);
    // That nothing more comes can only be waited for.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([overGrpc.journal.received.length, overHttp.journal.received.length]).toEqual([3, 2]);
    // Each answer makes room for one more; at no time are there more.
    while (overGrpc.journal.received.length < 12 || calls.length > 0) {
      expect(calls.length).toBeLessThanOrEqual(3);
      const before = overGrpc.journal.received.length;
      calls.shift()?.ok();
      if (before < 12) await overGrpc.journal.until((received) => received.length > before);
    }
    while (overHttp.journal.received.length < 12 || requests.length > 0) {
      expect(requests.length).toBeLessThanOrEqual(2);
      const before = overHttp.journal.received.length;
      requests.shift()?.ok();
      if (before < 12) await overHttp.journal.until((received) => received.length > before);
    }
  },

  38: async (target, keep) => {
    const held: GrpcReply[] = [];
    const upstream = keep.add(await grpcUpstream((_one, reply) => held.push(reply)));
    const waiting = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream) }, signals: ['traces'] }));
    for (let i = 0; i < 5; i += 1) await send(waiting, request('traces', 2, `w${i}`));
    await upstream.journal.until((received) => received.length === 5);
    let ended = false;
    const end = waiting.terminate().then(() => {
      ended = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(ended, 'ended without waiting for the acknowledgements').toBe(false);
    for (const reply of held.splice(0)) reply.ok();
    await end;
    expect(upstream.journal.received).toHaveLength(5);

    // Nobody ever acknowledges: it ends all the same, and says what was not delivered.
    const impatient = toGrpc(upstream, { timeout: '4s', retry_on_failure: { initial_interval: '30s', max_interval: '30s' } });
    const hopeless = keep.add(
      await target.start({ exporters: { otlp_grpc: impatient }, signals: ['traces'], agent: { drain_deadline: '500ms' } }),
    );
    await send(hopeless, request('traces', 7, 'lost'));
    await upstream.journal.until((received) => received.length === 6);
    await hopeless.terminate();
    expect(hopeless.log()).toMatch(/"evicted":7\b|[Dd]ropp|[Rr]eject|interrupted due to shutdown/);
  },

  39: async (target, keep) => {
    const overGrpc = keep.add(await grpcUpstream());
    const overHttp = keep.add(await httpUpstream());
    const running = keep.add(
      await target.start({ exporters: { otlp_grpc: toGrpc(overGrpc), otlp_http: toHttp(overHttp) }, signals: ['traces'] }),
    );
    for (let i = 1; i <= 20; i += 1) {
      await send(running, request('traces', 1, `r${i}`));
      // Both answers have been read: a connection is free again then, and not before.
      while ((await ended(running)) < 2 * i) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(overGrpc.journal.connections, 'connections over gRPC').toBe(1);
    expect(overHttp.journal.connections, 'connections over HTTP').toBe(1);
  },

  40: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream) } }));
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'empty' } }] };
    await send(running, encode('traces', { resourceSpans: [] }));
    await send(running, encode('traces', { resourceSpans: [{ resource }] }));
    await send(running, encode('traces', { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 's' }, spans: [] }] }] }));
    expect((await call(running.grpcPort, 'logs', encode('logs', { resourceLogs: [{ resource, scopeLogs: [{}] }] }))).grpcStatus).toBe('0');
    const metrics = encode('metrics', {
      resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [] } }] }] }],
    });
    expect((await call(running.grpcPort, 'metrics', metrics)).grpcStatus).toBe('0');
    for (const signal of ['traces', 'logs', 'metrics'] as const) await call(running.grpcPort, signal, request(signal, 1, 'full'));
    await upstream.journal.until((received) => received.filter((one) => services(one).includes('full-0')).length === 3);
    expect(upstream.journal.received.flatMap(services)).toEqual(['full-0', 'full-0', 'full-0']);
  },
};

interface Spans {
  readonly scopeSpans?: readonly { readonly spans?: readonly unknown[] }[];
}

function spansOf(received: Parameters<typeof resourcesOf>[0]): unknown[] {
  return resourcesOf(received).flatMap((one) => ((one as Spans).scopeSpans ?? []).flatMap((scope) => scope.spans ?? []));
}

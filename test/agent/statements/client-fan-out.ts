import { expect } from 'vitest';
import { request } from '../kit/otlp.ts';
import { call } from './support/clients.ts';
import { type GrpcReply, grpcUpstream, toGrpc } from './support/grpc-upstream.ts';
import { httpUpstream, toHttp } from './support/http-upstream.ts';
import type { Bodies } from './support/target.ts';
import { services } from './support/upstream.ts';

const REQUESTS = 100;

export const CLIENT_FAN_OUT: Bodies = {
  41: async (target, keep) => {
    const held: GrpcReply[] = [];
    const slow = keep.add(await grpcUpstream((_one, reply) => held.push(reply)));
    // Down: it refuses everything for now, until it is repaired.
    let repaired = false;
    const down = keep.add(await httpUpstream((_one, reply) => (repaired ? reply.ok() : reply.status(503))));
    const fast = keep.add(await grpcUpstream());
    const exporters = {
      'otlp_grpc/slow': toGrpc(slow, { timeout: '60s', sending_queue: { num_consumers: 2 } }),
      'otlp_http/down': toHttp(down),
      'otlp_grpc/fast': toGrpc(fast),
    };
    const running = keep.add(await target.start({ exporters, signals: ['traces'] }));
    const names = Array.from({ length: REQUESTS }, (_, i) => `r${i}-0`);
    for (const name of names) {
      expect((await call(running.grpcPort, 'traces', request('traces', 20, name.slice(0, -2)))).grpcStatus).toBe('0');
    }
    await fast.journal.until((received) => received.length >= REQUESTS);
    await slow.journal.until((received) => received.length >= 2);
    expect(slow.journal.received.length, 'the slow one holds its two').toBe(2);

    repaired = true;
    const reached = (): Set<string | undefined> => new Set(down.journal.received.map((one) => services(one)[0]));
    await down.journal.until(() => reached().size === REQUESTS);
    while (slow.journal.received.length < REQUESTS || held.length > 0) {
      const before = slow.journal.received.length;
      for (const reply of held.splice(0)) reply.ok();
      if (before < REQUESTS) await slow.journal.until((received) => received.length > before);
    }
    // What one of them refused for now was sent again to that one alone.
    for (const { journal } of [fast, slow]) expect(journal.received.map((one) => services(one)[0]).sort()).toEqual([...names].sort());
    while ((await running.metric('otelcol_exporter_sent_spans')) < 3 * 20 * REQUESTS)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await running.metric('otelcol_exporter_send_failed_spans')).toBe(0);
  },
};

import { expect } from 'vitest';
import { request } from '../kit/otlp.ts';
import { call } from './support/clients.ts';
import { type GrpcReply, grpcUpstream, toGrpc } from './support/grpc-upstream.ts';
import { httpUpstream, toHttp } from './support/http-upstream.ts';
import type { Bodies, Running } from './support/target.ts';
import { type Journal, type Received, services } from './support/upstream.ts';

/** gRPC statuses that a client sends again; RESOURCE_EXHAUSTED is one only with RetryInfo. */
const RETRYABLE_GRPC: ReadonlySet<number> = new Set([1, 4, 10, 11, 14, 15]);
const RESOURCE_EXHAUSTED = 8;
const RETRYABLE_HTTP: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Timers may fire a little early against another clock. */
const EARLY_MS = 5;

const nameOf = (received: Received): string => (services(received)[0] ?? '').replace(/-0$/, '');
const times = (journal: Journal, name: string): number => journal.received.filter((one) => nameOf(one) === name).length;
const gap = (journal: Journal, name: string, n = 1): number => {
  const mine = journal.received.filter((one) => nameOf(one) === name);
  return (mine[n]?.at ?? Number.NaN) - (mine[n - 1]?.at ?? Number.NaN);
};

/** One span under this name, which must be taken. */
async function send(running: Running, name: string): Promise<void> {
  expect((await call(running.grpcPort, 'traces', request('traces', 1, name))).grpcStatus).toBe('0');
}

/** All items that were sent have ended: at the next hop, or counted as failed. */
async function settled(running: Running, items: number): Promise<{ readonly sent: number; readonly failed: number }> {
  for (;;) {
    const sent = await running.metric('otelcol_exporter_sent_spans');
    const failed = await running.metric('otelcol_exporter_send_failed_spans');
    if (sent + failed >= items) return { sent, failed };
  }
}

export const CLIENT_RETRY: Bodies = {
  29: async (target, keep) => {
    const upstream = keep.add(
      await grpcUpstream((one, reply) => {
        const [, code, info] = /^c(\d+)(i?)$/.exec(nameOf(one)) ?? [];
        if (times(upstream.journal, nameOf(one)) > 1) reply.ok();
        else reply.status(Number(code), 'scripted', info === 'i' ? 50 : undefined);
      }),
    );
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream) }, signals: ['traces'] }));
    const expected = new Map<string, boolean>();
    for (let code = 1; code <= 17; code += 1) {
      expected.set(`c${code}`, RETRYABLE_GRPC.has(code));
      // RetryInfo makes RESOURCE_EXHAUSTED retryable and no other status.
      expected.set(`c${code}i`, RETRYABLE_GRPC.has(code) || code === RESOURCE_EXHAUSTED);
    }
    for (const name of expected.keys()) await send(running, name);
    const { sent, failed } = await settled(running, expected.size);
    const again = [...expected.values()].filter(Boolean).length;
    expect({ sent, failed }).toEqual({ sent: again, failed: expected.size - again });
    for (const [name, retried] of expected) expect(times(upstream.journal, name), name).toBe(retried ? 2 : 1);
  },

  30: async (target, keep) => {
    const upstream = keep.add(
      await httpUpstream((one, reply) => {
        if (times(upstream.journal, nameOf(one)) > 1) reply.ok();
        else reply.status(Number(nameOf(one).slice(1)));
      }),
    );
    const running = keep.add(await target.start({ exporters: { otlp_http: toHttp(upstream) }, signals: ['traces'] }));
    const statuses = Array.from({ length: 400 }, (_, i) => 200 + i);
    for (const status of statuses) await send(running, `s${status}`);
    const { sent, failed } = await settled(running, statuses.length);
    for (const status of statuses) {
      expect(times(upstream.journal, `s${status}`), `attempts after ${status}`).toBe(RETRYABLE_HTTP.has(status) ? 2 : 1);
    }
    const taken = statuses.filter((status) => status < 300 || RETRYABLE_HTTP.has(status)).length;
    expect({ sent, failed }).toEqual({ sent: taken, failed: statuses.length - taken });
  },

  31: async (target, keep) => {
    const overGrpc = keep.add(
      await grpcUpstream((one, reply) => (times(overGrpc.journal, nameOf(one)) > 1 ? reply.ok() : reply.status(14, 'busy', 700))),
    );
    const retry_on_failure = { initial_interval: '40ms', multiplier: 2, max_interval: '10s', max_elapsed_time: '0s' };
    const first = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(overGrpc, { retry_on_failure }) }, signals: ['traces'] }));
    await send(first, 'info');
    await overGrpc.journal.until(() => times(overGrpc.journal, 'info') === 2);
    expect(gap(overGrpc.journal, 'info')).toBeGreaterThanOrEqual(700 - EARLY_MS);

    let until = 0;
    const overHttp = keep.add(
      await httpUpstream((one, reply) => {
        const n = times(overHttp.journal, nameOf(one));
        if (nameOf(one) === 'none' ? n > 4 : n > 1) reply.ok();
        else if (nameOf(one) === 'seconds') reply.status(503, { 'retry-after': '1' });
        else if (nameOf(one) === 'date') {
          // A date has whole seconds: the next but one.
          until = Math.ceil(Date.now() / 1000) * 1000 + 1000;
          reply.status(429, { 'retry-after': new Date(until).toUTCString() });
        } else reply.status(503);
      }),
    );
    const second = keep.add(await target.start({ exporters: { otlp_http: toHttp(overHttp, { retry_on_failure }) }, signals: ['traces'] }));
    await send(second, 'seconds');
    await overHttp.journal.until(() => times(overHttp.journal, 'seconds') === 2);
    expect(gap(overHttp.journal, 'seconds'), 'after Retry-After: 1').toBeGreaterThanOrEqual(1000 - EARLY_MS);
    await send(second, 'date');
    await overHttp.journal.until(() => times(overHttp.journal, 'date') === 2);
    expect(Date.now(), 'after Retry-After with a date').toBeGreaterThanOrEqual(until - EARLY_MS);
    await send(second, 'none');
    await overHttp.journal.until(() => times(overHttp.journal, 'none') === 5);
    // Half of 40, 80, 160, 320 ms at the least: the interval doubles, and jitter takes at most half of it.
    for (let n = 1; n <= 4; n += 1) {
      expect(gap(overHttp.journal, 'none', n), `wait ${n}`).toBeGreaterThanOrEqual(40 * 2 ** (n - 1) * 0.5 - EARLY_MS);
    }
  },

  32: async (target, keep) => {
    const PAUSE_MS = 1000;
    let told = 0;
    let heard = false;
    const held: GrpcReply[] = [];
    const upstream = keep.add(
      await grpcUpstream((_one, reply) => {
        if (told > 0) {
          held.push(reply);
          return;
        }
        told = performance.now();
        reply.status(14, 'too much', PAUSE_MS);
        // Its acknowledgement comes from behind the answer.
        reply.session.ping(() => {
          heard = true;
          upstream.journal.changed();
        });
      }),
    );
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream) }, signals: ['traces'] }));
    await send(running, 'first');
    await upstream.journal.until(() => heard);
    // The answer has been read; what it says has to get around in the program, too.
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let i = 0; i < 8; i += 1) await send(running, `other${i}`);
    await upstream.journal.until((received) => received.length >= 2);
    expect((upstream.journal.received[1]?.at ?? 0) - told, 'the next request of any kind').toBeGreaterThanOrEqual(PAUSE_MS - EARLY_MS);
    // One request probes; that nobody follows it can only be waited for.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(upstream.journal.received.length - 1, 'requests while the probe has no answer').toBe(1);
    while (upstream.journal.received.length < 10 || held.length > 0) {
      const before = upstream.journal.received.length;
      for (const reply of held.splice(0)) reply.ok();
      if (upstream.journal.received.length < 10) await upstream.journal.until((received) => received.length > before);
    }
    await settled(running, 9);
    expect(new Set(upstream.journal.received.map(nameOf)).size).toBe(9);
  },
};

import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { SIGNALS } from '../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';
import { encode, request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { call, retryInfoIn } from './support/clients.ts';
import { type GrpcReply, grpcUpstream, toGrpc } from './support/grpc-upstream.ts';
import type { Bodies, Target } from './support/target.ts';

const RESOURCE_EXHAUSTED = '8';
const INVALID_ARGUMENT = '3';
const UNAVAILABLE = '14';
const UNIMPLEMENTED = '12';

export const GRPC_SERVER: Bodies = {
  10: async (target, keep) => {
    const running = keep.add(await target.start({ exporters: { debug: {} }, signals: SIGNALS }));
    for (const signal of SIGNALS) {
      const version = signal === 'profiles' ? 'v1development' : 'v1';
      const [word, service] =
        signal === 'traces' ? ['trace', 'TraceService'] : [signal, `${signal.charAt(0).toUpperCase()}${signal.slice(1)}Service`];
      const path = `/opentelemetry.proto.collector.${word}.${version}.${service}/Export`;
      expect((await call(running.grpcPort, signal, request(signal, 1), { path })).grpcStatus, path).toBe('0');
    }
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Import';
    expect((await call(running.grpcPort, 'traces', request('traces', 1), { path })).grpcStatus).toBe(UNIMPLEMENTED);
    expect(await defaultAddress(target, 'grpc')).toMatch(/:4317\b/);
  },

  11: async (target, keep) => {
    const running = keep.add(await target.start({ exporters: { debug: {} }, grpc: { max_recv_msg_size_mib: 1 }, signals: ['logs'] }));
    const body = encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'x'.repeat(2 ** 20) } }] }] }] });
    for (const gzip of [false, true]) {
      const answer = await call(running.grpcPort, 'logs', body, { gzip });
      expect(answer.grpcStatus, `gzip ${gzip}`).toBe(RESOURCE_EXHAUSTED);
      expect(retryInfoIn(answer)).toBeUndefined();
    }
    // The client announces more than it ever sends: nobody waits for the rest.
    const client = new RawGrpc(running.grpcPort);
    const { stream, answer } = client.open({ ':path': SIGNAL_FACTS.logs.grpcPath });
    stream.write(frame(new Uint8Array(10), 0, 2 ** 31));
    expect((await answer).grpcStatus).toBe(RESOURCE_EXHAUSTED);
    client.close();
  },

  12: async (target, keep) => {
    const running = keep.add(await target.start({ exporters: { debug: {} }, signals: SIGNALS }));
    const broken: readonly Uint8Array[] = [
      Buffer.from('this is no protobuf'),
      request('traces', 2).subarray(0, 40),
      Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
      Buffer.from([0x08, 0x01]),
    ];
    for (const signal of SIGNALS) {
      for (const body of broken) {
        const answer = await call(running.grpcPort, signal, body);
        expect(answer.grpcStatus, `status of broken ${signal} ${Buffer.from(body).toString('hex').slice(0, 20)}`).toBe(INVALID_ARGUMENT);
        expect(retryInfoIn(answer)).toBeUndefined();
      }
    }
    expect((await call(running.grpcPort, 'traces', request('traces', 1))).grpcStatus).toBe('0');
  },

  13: async (target, keep) => {
    const held: GrpcReply[] = [];
    const upstream = keep.add(await grpcUpstream((_one, reply) => held.push(reply)));
    const queue = { queue_size: 2, num_consumers: 1 };
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream, { sending_queue: queue }) } }));
    let refused = await call(running.grpcPort, 'traces', request('traces', 1));
    for (let i = 0; refused.grpcStatus === '0' && i < 20; i += 1) refused = await call(running.grpcPort, 'traces', request('traces', 1));
    expect(refused.grpcStatus).toBe(UNAVAILABLE);
    expect(retryInfoIn(refused) ?? 0, 'RetryInfo in milliseconds').toBeGreaterThan(0);
    // It is overload and not the end: with the next hop's answers there is room again.
    while (refused.grpcStatus === UNAVAILABLE) {
      for (const reply of held.splice(0)) reply.ok();
      refused = await call(running.grpcPort, 'traces', request('traces', 1));
    }
    expect(refused.grpcStatus, 'after the overload').toBe('0');
  },

  14: async (target, keep) => {
    const CALLS = 40;
    const held: GrpcReply[] = [];
    const upstream = keep.add(await grpcUpstream((_one, reply) => held.push(reply)));
    const queue = { wait_for_result: true, num_consumers: CALLS };
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream, { sending_queue: queue }) } }));
    const client = new RawGrpc(connect(`http://127.0.0.1:${running.grpcPort}`));
    const calls = Array.from({ length: CALLS }, (_, i) =>
      client.call(
        [frame(i % 2 === 0 ? request('traces', 1) : gzipSync(request('traces', 1)), i % 2)],
        i % 2 === 0 ? {} : { 'grpc-encoding': 'gzip' },
      ),
    );
    await upstream.journal.until((received) => received.length === CALLS);
    // All of them are under way and none is answered; the last is answered first.
    for (const reply of held.reverse()) reply.ok();
    for (const answer of await Promise.all(calls)) expect(answer.grpcStatus).toBe('0');
    client.close();
  },
};

/** What a program says that it listens on when nothing is configured; where another program has the port, what it says then. */
export async function defaultAddress(target: Target, protocol: 'grpc' | 'http'): Promise<string> {
  try {
    await using running = await target.start({ exporters: { debug: {} }, defaultPort: protocol });
    return running.log();
  } catch (error) {
    return String((error as Error).message);
  }
}

import { connect } from 'node:http2';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { SIGNALS, type Signal } from '../../../agent/config/settings.ts';
import { decodePartialSuccess, encodeResponse } from '../../../agent/otlp/status.ts';
import { encode, request } from '../kit/otlp.ts';
import { defaultAddress } from './grpc-server.ts';
import { type HttpAnswer, PATHS, post, rawSocket, statusIn } from './support/clients.ts';
import { type GrpcReply, grpcUpstream, toGrpc } from './support/grpc-upstream.ts';
import type { Bodies, Running, Target } from './support/target.ts';
import { services } from './support/upstream.ts';

const JSON_TYPE = 'application/json';
const PROTOBUF = 'application/x-protobuf';
const MIB = 1024 * 1024;

const typeOf = (answer: HttpAnswer): string => (answer.headers['content-type'] ?? '').split(';', 1)[0] ?? '';
const json = (name: string): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: name } }] },
        scopeSpans: [{ spans: [{ name: 'span', traceId: '0123456789abcdef0123456789abcdef', spanId: '0123456789abcdef' }] }],
      },
    ],
  });

/** Something of each kind that is refused, by its status. */
async function refusals(running: Running, type: string): Promise<ReadonlyMap<number, HttpAnswer>> {
  const headers = { 'content-type': type };
  const bad = type === JSON_TYPE ? '{"resourceSpans": [' : 'this is no protobuf';
  return new Map([
    [400, await post(running.httpPort, bad, { headers })],
    [404, await post(running.httpPort, '', { headers, path: '/v2/traces' })],
    [405, await post(running.httpPort, '', { headers, method: 'PUT' })],
    [413, await post(running.httpPort, Buffer.alloc(2 * MIB, ' '), { headers })],
  ]);
}

const limited = (target: Target): Promise<Running> =>
  target.start({ exporters: { debug: {} }, http: { max_request_body_size: MIB }, signals: ['traces'] });

export const HTTP_SERVER: Bodies = {
  15: async (target, keep) => {
    const running = keep.add(await target.start({ exporters: { debug: {} }, signals: SIGNALS }));
    for (const signal of SIGNALS) {
      const path = signal === 'profiles' ? '/v1development/profiles' : `/v1/${signal}`;
      expect((await post(running.httpPort, request(signal, 2), { path })).status, path).toBe(200);
    }
    expect(await defaultAddress(target, 'http')).toMatch(/:4318\b/);
  },

  16: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(
      await target.start({ exporters: { otlp_grpc: toGrpc(upstream) }, http: { max_request_body_size: MIB }, signals: ['traces'] }),
    );
    const asProtobuf = await post(running.httpPort, request('traces', 1, 'proto'));
    expect([asProtobuf.status, typeOf(asProtobuf)]).toEqual([200, PROTOBUF]);
    const asJson = await post(running.httpPort, json('json'), { headers: { 'content-type': 'application/json; charset=utf-8' } });
    expect([asJson.status, typeOf(asJson)]).toEqual([200, JSON_TYPE]);
    expect(JSON.parse(asJson.body.toString())).toBeTypeOf('object');
    await upstream.journal.until((received) => received.length === 2);
    expect(upstream.journal.received.flatMap(services).sort()).toEqual(['json', 'proto-0']);
    for (const type of [PROTOBUF, JSON_TYPE]) {
      for (const [status, answer] of await refusals(running, type)) expect(typeOf(answer), `${status} for ${type}`).toBe(type);
    }
  },

  17: async (target, keep) => {
    const running = keep.add(await target.start({ exporters: { debug: {} }, signals: ['traces'] }));
    expect((await post(running.httpPort, request('traces', 1))).status).toBe(200);
    const session = connect(`http://127.0.0.1:${running.httpPort}`);
    const status = await new Promise((resolve) => {
      session.on('error', (error) => resolve(error.message));
      const stream = session.request({ ':method': 'POST', ':path': '/v1/traces', 'content-type': PROTOBUF });
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.on('error', (error) => resolve(error.message));
      stream.end(request('traces', 1));
    });
    session.destroy();
    expect(status, 'HTTP/2').toBe(200);
  },

  18: async (target, keep) => {
    // The next hop's words make the response long enough to be worth compressing.
    const upstream = keep.add(await grpcUpstream((one, reply) => reply.ok(encodeResponse(one.signal, 1, 'no '.repeat(1000)))));
    const wait = { sending_queue: { wait_for_result: true } };
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream, wait) } }));
    const gzipped = gzipSync(request('traces', 3));
    const plain = await post(running.httpPort, gzipped, { headers: { 'content-encoding': 'gzip' } });
    expect(plain.status).toBe(200);
    expect(plain.headers['content-encoding']).toBeUndefined();
    const asked = await post(running.httpPort, gzipped, { headers: { 'content-encoding': 'gzip', 'accept-encoding': 'gzip' } });
    expect([undefined, 'gzip']).toContain(asked.headers['content-encoding']);
    const body = asked.headers['content-encoding'] === 'gzip' ? gunzipSync(asked.body) : asked.body;
    expect(decodePartialSuccess(body)).toEqual(decodePartialSuccess(plain.body));
    const refusing = await post(running.httpPort, gzipped, { headers: { 'content-encoding': 'gzip', 'accept-encoding': 'gzip;q=0' } });
    expect(refusing.headers['content-encoding']).toBeUndefined();
  },

  19: async (target, keep) => {
    const running = keep.add(await limited(target));
    expect((await post(running.httpPort, request('traces', 1))).status).toBe(200);
    for (const type of [PROTOBUF, JSON_TYPE]) {
      for (const [status, answer] of await refusals(running, type)) {
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(statusIn(answer)?.message ?? '', `the Status of ${status} for ${type}`).not.toBe('');
      }
    }
    const unknown = await post(running.httpPort, request('traces', 1), { headers: { 'content-type': 'text/plain' } });
    expect(unknown.status).toBe(415);
    expect(statusIn(unknown)?.message ?? '', 'the Status of 415').not.toBe('');
  },

  20: async (target, keep) => {
    const running = keep.add(await target.start({ exporters: { debug: {} }, signals: SIGNALS }));
    for (const signal of SIGNALS) {
      const path = PATHS[signal];
      for (const body of [
        Buffer.from('this is no protobuf'),
        Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        Buffer.from([0x08, 0x01]),
      ]) {
        expect((await post(running.httpPort, body, { path })).status, `${signal}: ${body.toString('hex').slice(0, 20)}`).toBe(400);
      }
      for (const body of ['{', '[]', '"text"']) {
        expect((await post(running.httpPort, body, { path, headers: { 'content-type': JSON_TYPE } })).status, `${signal}: ${body}`).toBe(
          400,
        );
      }
    }
    const half = gzipSync(request('traces', 50)).subarray(0, 60);
    expect((await post(running.httpPort, half, { headers: { 'content-encoding': 'gzip' } })).status, 'half a gzip body').toBe(400);
    expect((await post(running.httpPort, 'no gzip', { headers: { 'content-encoding': 'gzip' } })).status, 'no gzip body').toBe(400);
    // What is no HTTP at all is answered so, too.
    expect(await rawSocket(running.httpPort, 'HELLO WORLD\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await post(running.httpPort, request('traces', 1))).status).toBe(200);
  },

  21: async (target, keep) => {
    const running = keep.add(await limited(target));
    const large = encode('traces', {
      resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'x'.repeat(MIB), traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1) }] }] }],
    });
    expect((await post(running.httpPort, large)).status, 'declared').toBe(413);
    expect((await post(running.httpPort, large, { chunkBytes: 60_000 })).status, 'chunked').toBe(413);
    expect((await post(running.httpPort, gzipSync(large), { headers: { 'content-encoding': 'gzip' } })).status, 'inflated').toBe(413);
    expect((await post(running.httpPort, request('traces', 1))).status).toBe(200);
  },

  22: async (target, keep) => {
    const held: GrpcReply[] = [];
    const upstream = keep.add(await grpcUpstream((_one, reply) => held.push(reply)));
    const queue = { queue_size: 2, num_consumers: 1 };
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream, { sending_queue: queue }) } }));
    const send = (): Promise<HttpAnswer> => post(running.httpPort, request('traces', 1));
    let refused = await send();
    for (let i = 0; refused.status === 200 && i < 20; i += 1) refused = await send();
    expect([429, 503]).toContain(refused.status);
    expect(refused.headers['retry-after'] ?? '1').toMatch(/^\d+$/);
    while (refused.status !== 200) {
      for (const reply of held.splice(0)) reply.ok();
      refused = await send();
    }
    expect(refused.status, 'after the overload').toBe(200);
  },

  23: async (target, keep) => {
    const running = keep.add(await target.start({ exporters: { debug: {} }, signals: ['traces'] }));
    const body = request('traces', 1);
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
      expect((await post(running.httpPort, method === 'GET' || method === 'HEAD' ? '' : body, { method })).status, method).toBe(405);
    }
    for (const type of ['text/plain', 'application/xml', 'application/grpc', '']) {
      expect((await post(running.httpPort, body, { headers: { 'content-type': type } })).status, `media type '${type}'`).toBe(415);
    }
    for (const path of ['/', '/v1', '/v1/spans', '/v1/traces/1', '/V1/TRACES']) {
      expect((await post(running.httpPort, body, { path })).status, path).toBe(404);
    }
    // A signal that no pipeline takes has no path either.
    expect((await post(running.httpPort, request('logs' satisfies Signal, 1), { path: PATHS.logs })).status).toBe(404);
  },
};

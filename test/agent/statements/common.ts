import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { SIGNALS, type Signal } from '../../../agent/config/settings.ts';
import { decodePartialSuccess, encodeResponse, encodeStatus } from '../../../agent/otlp/status.ts';
import { lenField, varintField } from '../../../agent/otlp/wire.ts';
import { GrpcClient } from '../kit/agent.ts';
import { attribute, decode, encode, type Message, request } from '../kit/otlp.ts';
import { call, messageIn, PATHS, post, statusIn } from './support/clients.ts';
import { grpcUpstream, toGrpc } from './support/grpc-upstream.ts';
import { httpUpstream, toHttp } from './support/http-upstream.ts';
import type { Bodies } from './support/target.ts';
import { itemsOf, messageOf, services } from './support/upstream.ts';

const MIB = 1024 * 1024;
const ALL: readonly Signal[] = SIGNALS;
/** The answer comes with the delivery, so that what the next hop says reaches the sender. */
const WAIT = { sending_queue: { wait_for_result: true }, retry_on_failure: { enabled: false } };

const JSON_SPAN = { name: 'span', traceId: '0123456789abcdef0123456789abcdef', spanId: '0123456789abcdef' };
const FIVE_IN_JSON = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: Array.from({ length: 5 }, () => JSON_SPAN) }] }] });

/** A request of about so many bytes that compresses to almost nothing. */
function large(bytes: number): Buffer {
  return encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a'.repeat(bytes - 64) } }] }] }] });
}

export const COMMON: Bodies = {
  1: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream) }, signals: ALL }));
    for (const signal of ALL) {
      const plain = request(signal, 3, 'one');
      expect((await call(running.grpcPort, signal, plain)).grpcStatus).toBe('0');
      expect((await call(running.grpcPort, signal, plain, { gzip: true })).grpcStatus).toBe('0');
      expect((await post(running.httpPort, plain, { path: PATHS[signal] })).status).toBe(200);
      const headers = { 'content-encoding': 'gzip' };
      expect((await post(running.httpPort, gzipSync(plain), { path: PATHS[signal], headers })).status).toBe(200);
    }
    await upstream.journal.until((received) => received.length === 4 * ALL.length);
    for (const one of upstream.journal.received) expect([services(one), itemsOf(one)]).toEqual([['one-0'], 3]);
  },

  2: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream) }, signals: ALL }));
    for (const signal of ALL) {
      expect((await call(running.grpcPort, signal, new Uint8Array(0))).grpcStatus).toBe('0');
      expect((await post(running.httpPort, '', { path: PATHS[signal] })).status).toBe(200);
    }
    expect((await call(running.grpcPort, 'traces', encode('traces', { resourceSpans: [] }))).grpcStatus).toBe('0');
  },

  3: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream, WAIT) }, signals: ALL }));
    for (const signal of ALL) {
      const overGrpc = await call(running.grpcPort, signal, request(signal, 2));
      expect(overGrpc.grpcStatus).toBe('0');
      expect(decodePartialSuccess(messageIn(overGrpc)), 'partial_success over gRPC').toBeUndefined();
      const overHttp = await post(running.httpPort, request(signal, 2), { path: PATHS[signal] });
      expect(overHttp.status).toBe(200);
      expect(decodePartialSuccess(overHttp.body), 'partial_success over HTTP').toBeUndefined();
    }
  },

  4: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream((one, reply) => reply.ok(encodeResponse(one.signal, 2, 'two are too old'))));
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream, WAIT) }, signals: ALL }));
    const expected = { rejected: 2, message: 'two are too old' };
    for (const signal of ALL) {
      const overGrpc = await call(running.grpcPort, signal, request(signal, 5));
      expect(overGrpc.grpcStatus).toBe('0');
      expect(decodePartialSuccess(messageIn(overGrpc)), 'partial_success over gRPC').toEqual(expected);
      const overHttp = await post(running.httpPort, request(signal, 5), { path: PATHS[signal] });
      expect(overHttp.status).toBe(200);
      expect(decodePartialSuccess(overHttp.body)).toEqual(expected);
    }
    const inJson = await post(running.httpPort, FIVE_IN_JSON, { headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(inJson.body.toString())).toEqual({ partialSuccess: { rejectedSpans: '2', errorMessage: 'two are too old' } });
    // A request that goes on in four pieces, of each of which two are rejected.
    const batch = { min_size: 0, max_size: 5, flush_timeout: '10ms' };
    const cutting = { sending_queue: { wait_for_result: true, batch }, retry_on_failure: { enabled: false } };
    const second = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream, cutting) }, signals: ['traces'] }));
    const whole = await call(second.grpcPort, 'traces', request('traces', 20));
    expect(decodePartialSuccess(messageIn(whole))).toEqual({ ...expected, rejected: 8 });
  },

  5: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream((one, reply) => reply.ok(encodeResponse(one.signal, 0, 'move to the new endpoint'))));
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream, WAIT) } }));
    const answer = await call(running.grpcPort, 'traces', request('traces', 5));
    expect(answer.grpcStatus).toBe('0');
    expect(decodePartialSuccess(messageIn(answer)), 'partial_success').toEqual({ rejected: 0, message: 'move to the new endpoint' });
    const overHttp = await post(running.httpPort, request('traces', 5));
    expect(decodePartialSuccess(overHttp.body)).toEqual({ rejected: 0, message: 'move to the new endpoint' });
  },

  6: async (target, keep) => {
    const exporters = { debug: {} };
    const headers = { 'content-encoding': 'gzip' };
    const small = keep.add(
      await target.start({ exporters, grpc: { max_recv_msg_size_mib: 1 }, http: { max_request_body_size: MIB }, signals: ['logs'] }),
    );
    const path = PATHS.logs;
    for (const [bytes, fits] of [
      [MIB - 100, true],
      [MIB + 100, false],
    ] as const) {
      const body = large(bytes);
      for (const gzip of [false, true]) {
        const { grpcStatus } = await call(small.grpcPort, 'logs', body, { gzip });
        expect(grpcStatus === '0', `gRPC, ${bytes} bytes, gzip ${gzip}`).toBe(fits);
        const { status } = await post(small.httpPort, gzip ? gzipSync(body) : body, { path, headers: gzip ? headers : {} });
        expect(status === 200, `HTTP, ${bytes} bytes, gzip ${gzip}`).toBe(fits);
      }
    }
    const usual = keep.add(await target.start({ exporters, signals: ['logs'] }));
    for (const [bytes, fits] of [
      [64 * MIB - 100, true],
      [64 * MIB + 100, false],
    ] as const) {
      const body = large(bytes);
      expect((await call(usual.grpcPort, 'logs', body, { gzip: true })).grpcStatus === '0', `gRPC default, ${bytes} bytes`).toBe(fits);
      expect((await post(usual.httpPort, gzipSync(body), { path, headers })).status === 200, `HTTP default, ${bytes} bytes`).toBe(fits);
    }
  },

  7: async (target, keep) => {
    // Control characters grow sixfold in JSON and threefold in a gRPC header: 3 MiB of them cannot be passed on as they are.
    const long = '\u0001'.repeat(3 * MIB);
    const partial = keep.add(await grpcUpstream((one, reply) => reply.ok(encodePartial(one.signal, 1, long))));
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(partial, WAIT) } }));
    const overGrpc = await call(running.grpcPort, 'traces', request('traces', 3));
    expect(overGrpc.body.length).toBeLessThanOrEqual(4 * MIB);
    // Who passes the words on shortens them and keeps the number.
    const passedOn = decodePartialSuccess(messageIn(overGrpc));
    if (passedOn !== undefined && passedOn.message !== '') expect(passedOn.rejected).toBe(1);
    const overHttp = await post(running.httpPort, request('traces', 3));
    expect(overHttp.body.length).toBeLessThanOrEqual(4 * MIB);
    const inJson = await post(running.httpPort, FIVE_IN_JSON, { headers: { 'content-type': 'application/json' } });
    expect(inJson.body.length).toBeLessThanOrEqual(4 * MIB);
    expect(decodePartialSuccess(overHttp.body)?.rejected).toBe(passedOn?.rejected);

    const refusing = keep.add(
      await httpUpstream((_one, reply) => reply.status(400, { 'content-type': 'application/x-protobuf' }, longStatus(long))),
    );
    const second = keep.add(await target.start({ exporters: { otlp_http: toHttp(refusing, WAIT) } }));
    const refused = await post(second.httpPort, request('traces', 3));
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.body.length).toBeLessThanOrEqual(4 * MIB);
    expect(statusIn(refused)?.message).not.toBe('');
    // A client whose metadata is limited to gRPC's 8 KiB still reads the status.
    const client = new GrpcClient(second.grpcPort, { 'grpc.max_metadata_size': 8192 });
    const error = await client.export('traces', request('traces', 3)).catch((thrown: { code: number; details: string }) => thrown);
    client.close();
    expect(error).toMatchObject({ details: expect.stringContaining('400') });
  },

  8: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream) } }));
    const unknown = [varintField(900, 7), lenField(901, Buffer.from('later')), Buffer.from([0xb5, 0x38, 1, 2, 3, 4]), fixed64(902)];
    const span = Buffer.concat([
      lenField(5, Buffer.from('name')),
      lenField(1, Buffer.alloc(16, 1)),
      lenField(2, Buffer.alloc(8, 1)),
      ...unknown,
    ]);
    const scopeSpans = Buffer.concat([...unknown, lenField(2, span)]);
    const resource = lenField(1, Buffer.concat([...unknown]));
    const body = Buffer.concat([...unknown, lenField(1, Buffer.concat([resource, ...unknown, lenField(2, scopeSpans)]))]);
    expect((await call(running.grpcPort, 'traces', body)).grpcStatus).toBe('0');
    expect((await post(running.httpPort, body)).status).toBe(200);
    await upstream.journal.until((received) => received.length === 2);
    for (const one of upstream.journal.received) {
      expect(messageOf(one)).toMatchObject({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'name' }] }] }] });
    }
  },

  9: async (target, keep) => {
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(await target.start({ exporters: { otlp_grpc: toGrpc(upstream) } }));
    const sent = encode('logs', everyKind());
    expect((await call(running.grpcPort, 'logs', sent)).grpcStatus).toBe('0');
    expect((await post(running.httpPort, sent, { path: PATHS.logs })).status).toBe(200);
    await upstream.journal.until((received) => received.length === 2);
    for (const one of upstream.journal.received) expect(messageOf(one)).toEqual(decode('logs', sent));
  },
};

/** A partial_success whose message is as long as it comes, where encodeResponse would shorten it. */
function encodePartial(_signal: Signal, rejected: number, message: string): Buffer {
  return Buffer.from(lenField(1, Buffer.concat([varintField(1, rejected), lenField(2, Buffer.from(message))])));
}

function longStatus(message: string): Buffer {
  return Buffer.concat([encodeStatus(3, ''), lenField(2, Buffer.from(message))]);
}

function fixed64(field: number): Buffer {
  const tag = field * 8 + 1;
  return Buffer.concat([Buffer.from([(tag & 0x7f) | 0x80, tag >>> 7]), Buffer.alloc(8, 9)]);
}

function everyKind(): Message {
  const values: Message[] = [
    {},
    { stringValue: '' },
    { stringValue: 'text' },
    { boolValue: false },
    { intValue: '-9223372036854775808' },
    { doubleValue: -0.5 },
    { bytesValue: Buffer.from([0, 255]) },
    { bytesValue: Buffer.alloc(0) },
    { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'two' }, { arrayValue: { values: [] } }, {}] } },
    { kvlistValue: { values: [attribute('a', 'b'), { key: 'list', value: { kvlistValue: { values: [] } } }, { key: 'none', value: {} }] } },
  ];
  const attributes = values.map((value, i) => ({ key: `k${i}`, value }));
  return {
    resourceLogs: [
      { resource: { attributes }, scopeLogs: [{ scope: { attributes }, logRecords: values.map((body) => ({ body, attributes })) }] },
    ],
  };
}

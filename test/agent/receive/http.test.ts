import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REQUEST_BYTES } from '../../../agent/admit/budget.ts';
import { storeBytes } from '../../../agent/admit/slab.ts';
import { snappyBlock, snappyFramed } from '../../../agent/compression/snappy-encode.ts';
import { decodeStatus } from '../../../agent/otlp/status.ts';
import { assertBooksBalance, finish, post, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { agentSettings, grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';

const LIMIT = 1024 * 1024;
let sink: Sink;
let running: Running;

beforeAll(async () => {
  sink = await grpcSink();
  running = await startAgent({ exporters: [grpcExporter(sink.port)], maxMessageBytes: LIMIT });
});
// Tests count what the sink gets: nothing of one arrives during the next.
afterEach(() => until(() => running.agent.books().total.queued === 0));
afterAll(async () => {
  await finish(running);
  await sink.close();
});

/** Bytes in, all bytes out until the other end closes. */
function talk(port: number, text: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let out = '';
    socket.on('data', (data) => {
      out += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(out));
    socket.write(text);
  });
}

describe('OTLP/HTTP', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zlib', deflateSync],
    ['zstd', zstdCompressSync],
    ['br', brotliCompressSync],
    ['snappy', snappyBlock],
    ['snappy', snappyFramed],
    ['x-snappy-framed', snappyFramed],
    ['gzip', (body: Buffer) => Buffer.concat([gzipSync(body.subarray(0, 100)), gzipSync(body.subarray(100))])],
    ['zstd', (body: Buffer) => Buffer.concat([zstdCompressSync(body.subarray(0, 100)), zstdCompressSync(body.subarray(100))])],
    ['identity', (body: Buffer) => body],
  ] as const)('takes content-encoding %s', async (encoding, compress) => {
    const body = request('traces', 50);
    const before = sink.received.length;
    const response = await post(running.httpPort, PATHS.traces, compress(body), { 'content-encoding': encoding });
    expect(response.status).toBe(200);
    await until(() => sink.received.length === before + 1);
    expect(sink.received.at(-1)?.body).toEqual(body);
  });

  it('takes a chunked body, and a body larger than the synchronous inflater takes', async () => {
    const body = request('traces', 9000);
    expect(body.length).toBeGreaterThan(524_288);
    const stream = new ReadableStream({
      start(controller) {
        for (let at = 0; at < body.length; at += 10_000) controller.enqueue(body.subarray(at, at + 10_000));
        controller.close();
      },
    });
    const before = sink.received.length;
    const init = { method: 'POST', body: stream, duplex: 'half', headers: { 'content-type': 'application/x-protobuf' } } as RequestInit;
    expect((await fetch(`http://127.0.0.1:${running.httpPort}/v1/traces`, init)).status).toBe(200);
    expect((await post(running.httpPort, PATHS.traces, gzipSync(body), { 'content-encoding': 'gzip' })).status).toBe(200);
    await until(() => sink.received.length === before + 2);
    for (const one of sink.received.slice(before)) expect(one.body.equals(body)).toBe(true);
  });

  it.each([
    ['malformed protobuf', PATHS.traces, 'this is no protobuf', {}, 400, 3],
    ['a truncated request', PATHS.logs, request('logs', 3).subarray(0, 40), {}, 400, 3],
    ['more than the limit', PATHS.traces, Buffer.alloc(LIMIT + 1), {}, 413, 8],
    ['a gzip bomb', PATHS.traces, gzipSync(Buffer.alloc(64 * LIMIT)), { 'content-encoding': 'gzip' }, 413, 8],
    ['gzip that is none', PATHS.traces, 'plain', { 'content-encoding': 'gzip' }, 400, 13],
    ['an unknown encoding', PATHS.traces, 'x', { 'content-encoding': 'lz4' }, 415, 12],
    ['snappy that is none', PATHS.traces, 'plain', { 'content-encoding': 'snappy' }, 400, 13],
    ['a snappy bomb', PATHS.traces, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), { 'content-encoding': 'snappy' }, 413, 8],
    ['a zstd bomb', PATHS.traces, zstdCompressSync(Buffer.alloc(64 * LIMIT)), { 'content-encoding': 'zstd' }, 413, 8],
    ['a brotli bomb', PATHS.traces, brotliCompressSync(Buffer.alloc(64 * LIMIT)), { 'content-encoding': 'br' }, 413, 8],
    [
      'zstd with something behind it',
      PATHS.traces,
      Buffer.concat([zstdCompressSync('x'), Buffer.from('garbage')]),
      { 'content-encoding': 'zstd' },
      400,
      13,
    ],
    ['another media type', PATHS.traces, 'x', { 'content-type': 'text/plain' }, 415, 13],
    ['an unknown path', '/v1/nothing', 'x', {}, 404, 12],
  ] as const)('fails on %s with its status and a google.rpc.Status', async (_what, path, body, headers, status, code) => {
    const response = await post(running.httpPort, path, body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/x-protobuf');
    expect(response.headers.get('retry-after')).toBeNull();
    const said = decodeStatus(Buffer.from(await response.arrayBuffer()));
    expect(said?.code).toBe(code);
    expect(said?.message).toMatch(/\(OTLP_[A-Z_]+\)$/);
    await until(() => running.agent.heldBytes === 0);
    assertBooksBalance(running.agent);
  });

  it('fails on GET with 405 and Allow', async () => {
    const response = await fetch(`http://127.0.0.1:${running.httpPort}/v1/traces`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('answers garbage on the port with 400 and goes on', async () => {
    expect(await talk(running.httpPort, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS or worse\r\n\r\n')).toContain(
      '400 Bad Request',
    );
    expect((await post(running.httpPort, PATHS.traces, request('traces', 1))).status).toBe(200);
  });

  it('an HTTP/1 client on the gRPC port, and noise, hurt nobody', async () => {
    await talk(running.grpcPort, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await talk(running.grpcPort, Buffer.alloc(10_000, 0xee));
    expect((await post(running.httpPort, PATHS.traces, request('traces', 1))).status).toBe(200);
    expect(await running.agent.metrics()).toMatch(/otlp_agent_connection_errors\{kind="(http2|preface)"\} [1-9]/);
  });

  it('asks for the body only when it may come (Expect: 100-continue)', async () => {
    const head = (length: number): string =>
      `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;
    expect(await talk(running.httpPort, head(LIMIT + 1))).toMatch(/^HTTP\/1\.1 413 /);
    expect(await talk(running.httpPort, Buffer.concat([Buffer.from(head(0)), Buffer.alloc(0)]))).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/,
    );
  });

  it('a client that dies in the middle of a body gives its memory back', async () => {
    const socket = connect(running.httpPort, '127.0.0.1');
    socket.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 400000\r\n\r\nabc');
    await until(() => running.agent.heldBytes === REQUEST_BYTES + storeBytes(400_000));
    socket.destroy();
    await until(() => running.agent.heldBytes === 0);
    assertBooksBalance(running.agent);
  });

  it('overload is 503 with Retry-After, and the answer arrives although the body was not read', async () => {
    const full = await startAgent({ exporters: [grpcExporter(1)], memoryLimitBytes: 100_000 });
    const response = await post(full.httpPort, PATHS.traces, Buffer.alloc(90_000));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(decodeStatus(Buffer.from(await response.arrayBuffer()))).toMatchObject({ code: 14 });
    await finish(full, 50);
  });

  it('a signal without a pipeline is 404 and says so', async () => {
    const settings = agentSettings({ exporters: [grpcExporter(sink.port)] });
    const only = await startAgent({ exporters: [grpcExporter(sink.port)], pipelines: settings.pipelines.slice(0, 1) });
    const response = await post(only.httpPort, PATHS.logs, request('logs', 1));
    expect(response.status).toBe(404);
    expect(decodeStatus(Buffer.from(await response.arrayBuffer()))?.message).toContain('no pipeline of this agent takes this signal: logs');
    await finish(only);
  });
});

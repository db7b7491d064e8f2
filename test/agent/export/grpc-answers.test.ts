import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GrpcCall } from '../../../agent/export/grpc-call.ts';
import { GrpcChannel } from '../../../agent/export/grpc-channel.ts';
import type { Encoded } from '../../../agent/export/transport.ts';
import { Flag, FrameType, Setting } from '../../../agent/http2/frames.ts';
import type { Outcome } from '../../../agent/runtime/outcome.ts';
import { answer, frame, headers, RawServer, reset, settings, windowUpdate } from '../http2/kit/raw-server.ts';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, PATHS, QUEUE, RETRY } from '../kit/settings.ts';
import { type GrpcReply, grpcUpstream } from '../statements/support/grpc-upstream.ts';

const MIB = 1024 * 1024;
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;
const OPEN = [settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 30]), windowUpdate(0, 2 ** 30)] as const;

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A channel to a server that is spelled out frame by frame, with windows for anything. */
async function channelTo(timeoutMs: number): Promise<{ channel: GrpcChannel; server: Promise<RawServer> }> {
  const listener: Server = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const server = once(listener, 'connection').then(([socket]) => {
    const made = new RawServer(socket as Socket);
    made.send(...OPEN);
    open.push({ close: () => made.socket.destroy() });
    return made;
  });
  const { port } = listener.address() as AddressInfo;
  const channel = new GrpcChannel(grpcExporter(port, { timeoutMs, http2Codec: 'own' }), { kind: 'tcp', host: '127.0.0.1', port });
  open.push(listener, channel);
  return { channel, server };
}

function encoded(bytes: number): Encoded {
  return { signal: 'traces', slices: [Buffer.alloc(bytes, 7)], bytes, items: 1, encoding: 'identity' };
}

function send(channel: GrpcChannel, bytes: number): Promise<[Outcome, string]> {
  return new Promise((resolve) => channel.send(encoded(bytes), (outcome, fate) => resolve([outcome, fate])));
}

const OK_TRAILERS = new Map([['grpc-status', '0']]);
const DONE = { code: 0, sent: true, refused: false, message: '' } as const;

/** A call without a connection: what it was told, and how often its connection was to be looked after. */
function alone(cancel: (call: GrpcCall) => void = () => {}): { call: GrpcCall; told: [Outcome, string][]; late: () => number } {
  const told: [Outcome, string][] = [];
  let late = 0;
  const call = new GrpcCall(
    (outcome, fate) => told.push([outcome, fate]),
    () => {
      late += 1;
    },
  );
  call.began({ cancel: () => cancel(call) }, 10);
  call.response(new Map([[':status', '200']]));
  return { call, told, late: () => late };
}

describe('a call that is answered before the connection has taken its request', () => {
  it('is not sent again when its time is over: its connection is looked after, and the answer counts when the request is gone', async () => {
    const { call, told, late } = alone();
    call.trailers(OK_TRAILERS);
    await until(() => late() >= 3);
    expect(told).toEqual([]);
    call.closed(DONE);
    expect(told).toEqual([[{ kind: 'ok', rejected: 0, message: '' }, 'answered']]);
    const looks = late();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([late(), told.length]).toEqual([looks, 1]);
  });

  it('counts at once where giving the rest up ends it', async () => {
    const { call, told, late } = alone((one) => one.closed({ ...DONE, code: 8 }));
    call.trailers(OK_TRAILERS);
    await until(() => told.length > 0);
    expect([told, late()]).toEqual([[[{ kind: 'ok', rejected: 0, message: '' }, 'answered']], 0]);
  });

  it('without an answer its time is over once', async () => {
    const { call, told, late } = alone((one) => one.closed({ ...DONE, code: 8 }));
    await until(() => told.length > 0);
    call.trailers(OK_TRAILERS);
    call.closed(DONE);
    expect([told.length, told[0]?.[0].kind, told[0]?.[1], late()]).toEqual([1, 'retry', 'silent', 0]);
  });

  it('is told with its answer where the connection ends before it has taken the request', async () => {
    const { channel, server } = await channelTo(60_000);
    const first = send(channel, 10);
    const raw = await server;
    await raw.until(() => raw.bytesOf(1) === 15);
    raw.send(answer(1));
    await first;
    raw.socket.pause();
    const second = send(channel, 64 * MIB);
    await new Promise((resolve) => setImmediate(resolve));
    raw.send(answer(3));
    raw.socket.end();
    expect(await second).toEqual([{ kind: 'ok', rejected: 0, message: '' }, 'answered']);
  });
});

describe('an answer', () => {
  it('in a million frames of a byte is read into one buffer', () => {
    const { call, told } = alone();
    const unknown = Buffer.concat([Buffer.from([0x7a, 0xc0, 0x84, 0x3d]), Buffer.alloc(1_000_000)]); // field 15
    const message = Buffer.concat([Buffer.alloc(5), unknown, Buffer.from([0x0a, 2, 8, 3])]);
    const made = vi.spyOn(Buffer, 'from');
    const pieces = Array.from(message, (_, i) => message.subarray(i, i + 1));
    made.mockClear();
    for (const one of pieces) call.data(one);
    expect(made.mock.calls.length).toBeLessThanOrEqual(1);
    made.mockRestore();
    call.trailers(OK_TRAILERS);
    call.closed(DONE);
    expect(told).toEqual([[{ kind: 'ok', rejected: 3, message: '' }, 'answered']]);
  });

  it.each(['own', 'node'] as const)('that is too large is given up and its request not sent again (%s)', async (http2Codec) => {
    const upstream = await grpcUpstream((_one, reply) => {
      reply.stream.respond(HEADERS);
      reply.stream.on('error', () => undefined);
      reply.stream.end(Buffer.alloc(5 * MIB));
    });
    open.push({ close: () => upstream[Symbol.asyncDispose]() });
    const running = await startAgent({ exporters: [grpcExporter(upstream.port, { http2Codec, retry: RETRY })] });
    expect((await post(running.httpPort, PATHS.traces, request('traces', 3))).status).toBe(200);
    await until(() => running.agent.books().total.queued === 0);
    expect((await finish(running)).total).toMatchObject({ sent: 0, sendFailed: 3 });
    expect(upstream.journal.received).toHaveLength(1);
  });

  it('ends a stream whose rest is of no meaning any more', async () => {
    const { channel, server } = await channelTo(5000);
    const call = send(channel, 10);
    const raw = await server;
    await raw.until(() => raw.bytesOf(1) === 15);
    raw.send(headers(1, { ':status': '200' }));
    for (let i = 0; i < 257; i += 1) raw.send(frame(FrameType.DATA, 0, 1, Buffer.alloc(16_384)));
    expect(await call).toMatchObject([{ kind: 'reject', code: 8, taken: true }, 'answered']);
    await raw.until(() => raw.of(FrameType.RST_STREAM, 1).length === 1);
    raw.send(frame(FrameType.DATA, Flag.END_STREAM, 1, Buffer.alloc(10)), reset(1, 0)); // on its way: no error
    const next = send(channel, 10);
    await raw.until(() => raw.bytesOf(3) === 15);
    raw.send(answer(3));
    expect(await next).toMatchObject([{ kind: 'ok' }, 'answered']);
  });
});

describe('a status that says nothing of a request of several', () => {
  const BATCH = { flushTimeoutMs: 60_000, minSize: 4, maxSize: 0, sizer: 'items' } as const;
  const NONE: [string, (reply: GrpcReply) => void][] = [
    ['no number', (reply) => reply.stream.respond({ ...HEADERS, 'grpc-status': 'fine' }, { endStream: true })],
    [
      'missing in trailers',
      (reply) => {
        reply.stream.respond(HEADERS, { waitForTrailers: true });
        reply.stream.once('wantTrailers', () => reply.stream.sendTrailers({ 'x-none': '1' }));
        reply.stream.end(Buffer.alloc(5));
      },
    ],
  ];

  it.each(NONE)('%s: no part of it is sent again', async (_what, reply) => {
    const upstream = await grpcUpstream((_one, with_) => reply(with_));
    open.push({ close: () => upstream[Symbol.asyncDispose]() });
    const running = await startAgent({ exporters: [grpcExporter(upstream.port, { queue: { ...QUEUE, batch: BATCH }, retry: RETRY })] });
    for (let i = 0; i < 4; i += 1) expect((await post(running.httpPort, PATHS.traces, request('traces', 1, `r${i}`))).status).toBe(200);
    await until(() => running.agent.books().total.queued === 0);
    const metrics = await running.agent.metrics();
    expect((await finish(running)).total).toMatchObject({ sent: 0, sendFailed: 4 });
    expect(upstream.journal.received).toHaveLength(1);
    expect(metrics).toContain('reason="answer_unreadable"');
  });

  it('unknown numbers are UNKNOWN, whatever a server makes up: one series of a metric', async () => {
    const upstream = await grpcUpstream((one, reply) => reply.status(1000 + one.n));
    open.push({ close: () => upstream[Symbol.asyncDispose]() });
    const running = await startAgent({ exporters: [grpcExporter(upstream.port, { retry: RETRY })] });
    for (let i = 0; i < 5; i += 1) expect((await post(running.httpPort, PATHS.traces, request('traces', 1, `r${i}`))).status).toBe(200);
    await until(() => running.agent.books().total.queued === 0);
    const reasons = [...(await running.agent.metrics()).matchAll(/reason="([^"]*)"/g)].map(([, reason]) => reason);
    await finish(running);
    expect(new Set(reasons)).toEqual(new Set(['UNKNOWN']));
  });
});

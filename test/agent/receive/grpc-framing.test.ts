import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REQUEST_BYTES } from '../../../agent/admit/budget.ts';
import { storeBytes } from '../../../agent/admit/slab.ts';
import { decodeStatus } from '../../../agent/otlp/status.ts';
import { assertBooksBalance, finish, GrpcClient, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { grpcExporter } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';

const LIMIT = 1024 * 1024;
let sink: Sink;
let running: Running;
let raw: RawGrpc;
let client: GrpcClient;

beforeAll(async () => {
  sink = await grpcSink();
  running = await startAgent({ exporters: [grpcExporter(sink.port)], maxMessageBytes: LIMIT });
  raw = new RawGrpc(running.grpcPort);
  client = new GrpcClient(running.grpcPort);
});
// Tests count what the sink gets: nothing of one arrives during the next.
afterEach(() => until(() => running.agent.books().total.queued === 0));
afterAll(async () => {
  raw.close();
  client.close();
  await finish(running);
  await sink.close();
});

const requests = (code: string): number => {
  const line = metrics
    .split('\n')
    .find(
      (one) =>
        one.startsWith('otlp_agent_receiver_requests') &&
        one.includes('"traces"') &&
        one.includes('"grpc"') &&
        one.includes(`code="${code}"`),
    );
  return line === undefined ? 0 : Number(line.split(' ').at(-1));
};
let metrics = '';
/** How often `code` was counted while `act` ran. */
async function counted(code: string, act: () => Promise<unknown>): Promise<number> {
  metrics = await running.agent.metrics();
  const before = requests(code);
  await act();
  metrics = await running.agent.metrics();
  return requests(code) - before;
}

describe('OTLP/gRPC framing', () => {
  it('reads a message that is cut anywhere into DATA frames', async () => {
    const body = request('traces', 8);
    const whole = frame(body);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat({ max: whole.length }), { maxLength: 12 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, i) => whole.subarray(at[i], end));
        const before = sink.received.length;
        const answer = await raw.call(pieces.filter((piece) => piece.length > 0));
        expect(answer).toMatchObject({ httpStatus: 200, grpcStatus: '0', body: Buffer.alloc(5), trailersOnly: false });
        await until(() => sink.received.length === before + 1);
        expect(sink.received.at(-1)?.body).toEqual(body);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('inflates %s', async (encoding, compress) => {
    const body = request('traces', 100);
    const before = sink.received.length;
    expect(await raw.call([frame(compress(body), 1)], { 'grpc-encoding': encoding })).toMatchObject({ grpcStatus: '0' });
    await until(() => sink.received.length === before + 1);
    expect(sink.received.at(-1)?.body).toEqual(body);
  });

  it('inflates gzip of several members whose last one understates the size', async () => {
    const body = Buffer.concat([request('traces', 400), request('traces', 1)]);
    const first = request('traces', 400).length;
    const members = Buffer.concat([gzipSync(body.subarray(0, first)), gzipSync(body.subarray(first))]);
    const before = sink.received.length;
    expect(await raw.call([frame(members, 1)], { 'grpc-encoding': 'gzip' })).toMatchObject({ grpcStatus: '0' });
    await until(() => sink.received.length === before + 1);
    expect(sink.received.at(-1)?.items).toBe(401);
  });

  it('takes an uncompressed message from a call that announces gzip', async () => {
    expect(await raw.call([frame(request('traces', 1))], { 'grpc-encoding': 'gzip' })).toMatchObject({ grpcStatus: '0' });
  });

  it('answers many calls at a time on one connection, with grpc-js', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => client.export('traces', request('traces', 1 + (i % 5)))));
    expect(answers.every((one) => one.length === 0)).toBe(true);
  });
});

describe('OTLP/gRPC refusals', () => {
  it.each([
    ['malformed protobuf', [frame(Buffer.from('this is no protobuf'))], {}, '3', 'OTLP_MALFORMED'],
    ['a truncated request', [frame(request('traces', 3).subarray(0, 50))], {}, '3', 'OTLP_MALFORMED'],
    ['more than the limit', [frame(Buffer.alloc(10), 0, LIMIT + 1)], {}, '8', 'OTLP_TOO_LARGE'],
    ['a gzip bomb', [frame(gzipSync(Buffer.alloc(64 * LIMIT)), 1)], { 'grpc-encoding': 'gzip' }, '8', 'OTLP_TOO_LARGE'],
    ['a zstd bomb', [frame(zstdCompressSync(Buffer.alloc(64 * LIMIT)), 1)], { 'grpc-encoding': 'zstd' }, '8', 'OTLP_TOO_LARGE'],
    ['gzip that is none', [frame(Buffer.from('not gzip at all, really'), 1)], { 'grpc-encoding': 'gzip' }, '13', 'OTLP_BAD_COMPRESSION'],
    [
      'gzip that is cut',
      [frame(gzipSync(request('traces', 99)).subarray(0, 60), 1)],
      { 'grpc-encoding': 'gzip' },
      '13',
      'OTLP_BAD_COMPRESSION',
    ],
    ['an unknown encoding', [frame(Buffer.from('x'), 1)], { 'grpc-encoding': 'br' }, '12', 'OTLP_UNKNOWN_ENCODING'],
    ['a compressed message without encoding', [frame(Buffer.from('x'), 1)], {}, '13', 'OTLP_BAD_FRAMING'],
    ['a compressed flag of 2', [frame(Buffer.from('x'), 2)], {}, '13', 'OTLP_BAD_FRAMING'],
    ['two messages', [frame(request('traces', 1)), frame(request('traces', 1))], {}, '13', 'OTLP_BAD_FRAMING'],
    ['no message', [], {}, '13', 'OTLP_BAD_FRAMING'],
    ['a message that is shorter than its prefix', [frame(Buffer.from('abc'), 0, 10)], {}, '13', 'OTLP_BAD_FRAMING'],
  ] as const)('fails on %s with its status, counts it and takes nothing', async (_what, pieces, headers, status, code) => {
    await until(() => running.agent.books().total.queued === 0);
    const received = sink.received.length;
    let answer: Awaited<ReturnType<RawGrpc['call']>> | undefined;
    const times = await counted(code, async () => {
      answer = await raw.call(pieces, headers);
    });
    expect(answer).toMatchObject({ httpStatus: 200, grpcStatus: status, trailersOnly: true });
    expect(answer?.details).toBeUndefined(); // no RetryInfo: none of these may be sent again
    expect(times).toBe(1);
    expect(sink.received.length).toBe(received);
    await until(() => running.agent.heldBytes === 0);
    assertBooksBalance(running.agent);
  });

  it('fails on unknown services with UNIMPLEMENTED, percent-encoding what it repeats', async () => {
    const answer = await raw.call([frame(Buffer.alloc(0))], { ':path': '/no.such/Südwind%' });
    expect(answer).toMatchObject({ grpcStatus: '12', trailersOnly: true });
    expect(answer.grpcMessage).toMatch(/^[\x20-\x7e]*$/);
    expect(decodeURIComponent(answer.grpcMessage)).toContain('/no.such/');
  });

  it('fails on what is not gRPC with plain HTTP statuses', async () => {
    for (const type of ['application/json', 'application/grpc-web', 'application/grpc-web+proto', 'application/grpc+json'])
      expect(await raw.call([], { 'content-type': type })).toMatchObject({ httpStatus: 415 });
    for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8'])
      expect(await raw.call([frame(request('traces', 1))], { 'content-type': type })).toMatchObject({ httpStatus: 200, grpcStatus: '0' });
    expect(await raw.call([], { ':method': 'GET' })).toMatchObject({ httpStatus: 405 });
  });

  it('a malformed call leaves the others on the same connection alone', async () => {
    const good = raw.call([frame(request('traces', 2))]);
    const bad = raw.call([frame(Buffer.from('garbage'))]);
    expect([(await good).grpcStatus, (await bad).grpcStatus]).toEqual(['0', '3']);
  });

  it('a client that dies in the middle of a body gives its memory back', async () => {
    const dying = new RawGrpc(running.grpcPort);
    const { stream, answer } = dying.open();
    const times = await counted('OTLP_CLIENT_GONE', async () => {
      await new Promise<void>((resolve) => stream.write(frame(Buffer.alloc(1000), 0, 500_000), () => resolve()));
      await until(() => running.agent.heldBytes === REQUEST_BYTES + storeBytes(500_000));
      dying.close();
      await answer;
      await until(() => running.agent.heldBytes === 0);
    });
    expect(times).toBe(1);
  });

  it('RST_STREAM floods end one connection and nothing else', async () => {
    const flood = new RawGrpc(running.grpcPort);
    for (let i = 0; i < 500 && !flood.session.destroyed; i += 1) {
      const { stream } = flood.open();
      stream.close(8);
    }
    flood.close();
    expect(await raw.call([frame(request('traces', 1))])).toMatchObject({ grpcStatus: '0' });
    await until(() => running.agent.heldBytes === 0);
  });
});

describe('the gRPC health service', () => {
  it('says SERVING for the server and NOT_FOUND for a service it does not know', async () => {
    expect(await client.call('/grpc.health.v1.Health/Check', Buffer.alloc(0))).toEqual(Buffer.from([8, 1]));
    await expect(client.call('/grpc.health.v1.Health/Check', Buffer.from([10, 3, 97, 98, 99]))).rejects.toMatchObject({ code: 5 });
    const service = Buffer.from('opentelemetry.proto.collector.trace.v1.TraceService');
    const named = Buffer.concat([Buffer.from([10, service.length]), service]);
    expect(await client.call('/grpc.health.v1.Health/Check', named)).toEqual(Buffer.from([8, 1]));
  });
});

describe('overload', () => {
  it('is UNAVAILABLE with RetryInfo, before the body is read', async () => {
    const full = await startAgent({ exporters: [grpcExporter(1)], memoryLimitBytes: 100_000 });
    const other = new RawGrpc(full.grpcPort);
    // soft limit 80 000: the first is let in, the second finds too little room left and is refused at its headers
    const first = other.open();
    await new Promise<void>((resolve) => first.stream.write(frame(Buffer.alloc(10), 0, 90_000), () => resolve()));
    await until(() => full.agent.heldBytes === REQUEST_BYTES + storeBytes(90_000));
    expect(full.agent.ready).toBe(false);
    const second = other.open();
    const answer = await second.answer; // not a byte of its body was sent
    expect(answer).toMatchObject({ grpcStatus: '14', trailersOnly: true });
    expect(decodeStatus(answer.details as Buffer)).toMatchObject({ code: 14, retryAfterMs: 1000 });
    first.stream.close(8);
    await until(() => full.agent.heldBytes === 0);
    expect(full.agent.ready).toBe(true);
    other.close();
    await finish(full, 50);
  });

  it('leaves the connection usable: refused bodies give their room in its window back', async () => {
    const full = await startAgent({ exporters: [grpcExporter(sink.port)], memoryLimitBytes: 1_000_000 });
    const other = new RawGrpc(full.grpcPort);
    const holder = new RawGrpc(full.grpcPort);
    const held = holder.open();
    await new Promise<void>((resolve) => held.stream.write(frame(Buffer.alloc(10), 0, 900_000), () => resolve()));
    await until(() => full.agent.heldBytes === REQUEST_BYTES + storeBytes(900_000));
    // 60 MB of refused bodies through windows of 8 MiB.
    const body = frame(Buffer.alloc(200_000));
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(Array.from({ length: 30 }, () => other.call([body])));
      expect(new Set(answers.map((answer) => answer.grpcStatus))).toEqual(new Set(['14']));
    }
    held.stream.close(8);
    await until(() => full.agent.heldBytes === 0);
    expect(await other.call([frame(request('traces', 3000))])).toMatchObject({ grpcStatus: '0' });
    other.close();
    holder.close();
    await finish(full);
  });
});

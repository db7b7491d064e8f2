import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { SMALL_BODY_BYTES, storeBytes } from '../../../agent/admit/slab.ts';
import type { OverflowPolicy, QueueSettings } from '../../../agent/config/settings.ts';
import { decodeStatus, encodeStatus } from '../../../agent/otlp/status.ts';
import { lenField } from '../../../agent/otlp/wire.ts';
import { finish, GrpcClient, post, type Running, startAgent, until } from '../kit/agent.ts';
import { encode, request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { grpcExporter, httpExporter, PATHS, QUEUE, RETRY } from '../kit/settings.ts';
import { grpcSink, httpSink, type Received, type Sink } from '../kit/sink.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
const keep = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};

interface Stalled {
  readonly sink: Sink;
  /** The next hop works again, for good. */
  resume(): void;
}

/** A next hop that takes requests and answers none of them until it is resumed. */
async function stalled(): Promise<Stalled> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { sink: keep(await grpcSink(() => promise)), resume: () => resolve(undefined) };
}

const queue = (overflow: OverflowPolicy, capacity: number, more: Partial<QueueSettings> = {}): QueueSettings => ({
  ...QUEUE,
  overflow,
  capacity,
  consumers: 1,
  ...more,
});
/** Of a request: OTLP has fewer. */
const UNKNOWN_FIELD = 15;
const bodyOf = (name: string): Buffer => request('traces', 1, name);
const names = (received: readonly Received[]): string[] =>
  received.map((one) => /r\d+(?=-0\/)/.exec(one.body.toString('latin1'))?.[0] ?? '');
const status = async (running: Running, name: string): Promise<number> => (await post(running.httpPort, PATHS.traces, bodyOf(name))).status;

describe('while the next hop stands still', () => {
  it('refuse: senders are told UNAVAILABLE with RetryInfo, or 503 with Retry-After, and nothing that was accepted is lost', async () => {
    const { sink, resume } = await stalled();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { timeoutMs: 60_000, queue: queue('refuse', 3) })] });
    for (const name of ['r0', 'r1', 'r2']) expect(await status(running, name)).toBe(200);
    const overHttp = await post(running.httpPort, PATHS.traces, bodyOf('r3'));
    expect(overHttp.status).toBe(503);
    expect(Number(overHttp.headers.get('retry-after'))).toBeGreaterThan(0);
    const client = keep(new RawGrpc(running.grpcPort));
    const overGrpc = await client.call([frame(bodyOf('r4'))]);
    expect(overGrpc.grpcStatus).toBe('14');
    expect(decodeStatus(overGrpc.details ?? Buffer.alloc(0))?.retryAfterMs).toBeGreaterThan(0);
    resume();
    // What was refused is sent again by its senders and finds room.
    await until(() => sink.received.length === 3);
    for (const name of ['r3', 'r4']) while ((await status(running, name)) !== 200) await until(() => true);
    expect((await finish(running)).total).toMatchObject({ accepted: 5, sent: 5, sendFailed: 0, evicted: 0, queued: 0 });
    expect(names(sink.received).sort()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
  });

  it('block: senders wait for room, in their order, and all of it arrives once', async () => {
    const { sink, resume } = await stalled();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { timeoutMs: 60_000, queue: queue('block', 2) })] });
    const client = keep(new GrpcClient(running.grpcPort));
    const answered: number[] = [];
    const calls = Array.from({ length: 8 }, (_, i) => client.export('traces', bodyOf(`r${i}`)).then(() => answered.push(i)));
    await until(() => answered.length === 2 && running.agent.books().total.received === 8);
    expect(running.agent.books().total).toMatchObject({ accepted: 2, refused: 0 });
    resume();
    await Promise.all(calls);
    expect((await finish(running)).total).toMatchObject({ accepted: 8, sent: 8 });
    expect(names(sink.received)).toEqual(Array.from({ length: 8 }, (_, i) => `r${i}`));
  });

  it('block: a sender that gives up is not stored behind its back, so that its retry is no duplicate', async () => {
    const { sink, resume } = await stalled();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { timeoutMs: 60_000, queue: queue('block', 1) })] });
    const client = keep(new GrpcClient(running.grpcPort));
    await client.export('traces', bodyOf('r0'));
    const late = await client.export('traces', bodyOf('r1'), { deadline: Date.now() + 50 }).catch((error: { code: number }) => error);
    expect(late).toMatchObject({ code: 4 });
    // The agent knows it, too, when it answers what was sent behind the cancellation on the same connection.
    await expect(client.call('/no/such', Buffer.alloc(0))).rejects.toMatchObject({ code: 12 });
    resume();
    await client.export('traces', bodyOf('r1'));
    expect((await finish(running)).total).toMatchObject({ sent: 2 });
    expect(names(sink.received)).toEqual(['r0', 'r1']);
  });

  it('drop_oldest: the newest survive, what made room is counted, nobody is refused', async () => {
    const { sink, resume } = await stalled();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { timeoutMs: 60_000, queue: queue('drop_oldest', 4) })] });
    for (let i = 0; i < 20; i += 1) expect(await status(running, `r${i}`)).toBe(200);
    expect(running.agent.books().total).toMatchObject({ accepted: 20, evicted: 16, queued: 4 });
    resume();
    expect((await finish(running)).total).toMatchObject({ accepted: 20, sent: 4, evicted: 16 });
    // The first was on its way already.
    expect(names(sink.received)).toEqual(['r0', 'r17', 'r18', 'r19']);
  });

  it('drop_oldest with queue_size 10 000: of twice as many those survive that are under way, and the newest', async () => {
    const { sink, resume } = await stalled();
    const batch = { flushTimeoutMs: 60_000, minSize: 500, maxSize: 0, sizer: 'items' } as const;
    const settings = { timeoutMs: 60_000, queue: queue('drop_oldest', 10_000, { consumers: 10, batch }) };
    const running = await startAgent({ exporters: [grpcExporter(sink.port, settings)] });
    // Without sockets, as twenty thousand calls are the slow part of this.
    for (let i = 0; i < 20_000; i += 1) expect(running.agent.offer('traces', bodyOf(`r${i}`), () => undefined)).toBeUndefined();
    expect(running.agent.books().total).toMatchObject({ accepted: 20_000, evicted: 10_000, queued: 10_000 });
    resume();
    expect((await finish(running, 15_000)).total).toMatchObject({ sent: 10_000, evicted: 10_000, sendFailed: 0 });
    const arrived = sink.received
      .flatMap((one) => one.body.toString('latin1').match(/r\d+(?=-0\/)/g) ?? [])
      .map((name) => Number(name.slice(1)));
    // Ten batches of five hundred were on their way when the queue was full.
    const expected = [...Array.from({ length: 5000 }, (_, i) => i), ...Array.from({ length: 5000 }, (_, i) => 15_000 + i)];
    expect(arrived.sort((a, b) => a - b)).toEqual(expected);
  });
});

describe('a next hop that asks to wait', () => {
  const busy = { code: 14, message: 'busy', details: encodeStatus(14, 'busy', 60_000) };

  it('without retries of its own, the agent tells each sender that waits for its answer how long, and asks nobody again', async () => {
    const sink = keep(await grpcSink(() => busy));
    const settings = { queue: { ...QUEUE, waitForResult: true }, retry: { ...RETRY, enabled: false } };
    const running = await startAgent({ exporters: [grpcExporter(sink.port, settings)] });
    const client = keep(new RawGrpc(running.grpcPort));
    for (let i = 0; i < 5; i += 1) {
      const answer = await client.call([frame(bodyOf(`r${i}`))]);
      expect(answer.grpcStatus).toBe('14');
      expect(decodeStatus(answer.details ?? Buffer.alloc(0))?.retryAfterMs).toBeGreaterThan(30_000);
    }
    expect(sink.received).toHaveLength(1);
    expect((await finish(running)).total).toMatchObject({ received: 5, accepted: 0, refused: 5, sendFailed: 5 });
  });

  it('what is queued stays in the queue, where the newest pushes the oldest out', async () => {
    const sink = keep(await grpcSink(() => busy));
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: queue('drop_oldest', 3, { consumers: 10 }) })] });
    expect(await status(running, 'r0')).toBe(200);
    await until(() => running.agent.books().total.queued === 1 && running.lines.some((line) => line.event.startsWith('sending fails')));
    for (let i = 1; i < 8; i += 1) expect(await status(running, `r${i}`)).toBe(200);
    // The first waits for its own retry and cannot be reached; of the others the last two are left.
    expect(running.agent.books().total).toMatchObject({ queued: 3, evicted: 5 });
    expect(sink.received).toHaveLength(1);
    expect((await finish(running, 50)).total).toMatchObject({ evicted: 8, queued: 0 });
  });
});

describe('three destinations, one of them slow and one down', () => {
  it('the third gets everything at once, memory is bounded by the queues, and each hears its own retries only', async () => {
    const { sink: slow, resume } = await stalled();
    let up = false;
    const down = keep(
      await httpSink((_one, _incoming, response) => {
        if (up) return false;
        response.writeHead(503).end();
        return true;
      }),
    );
    const fast = keep(await grpcSink());
    const CAPACITY = 20;
    const running = await startAgent({
      exporters: [
        grpcExporter(slow.port, { id: 'otlp_grpc/slow', timeoutMs: 60_000, queue: queue('refuse', CAPACITY) }),
        httpExporter(down.port, { id: 'otlp_http/down', queue: queue('refuse', CAPACITY) }),
        grpcExporter(fast.port, { id: 'otlp_grpc/fast' }),
      ],
    });
    // Large enough for a backing store of its own: small ones share theirs, which are charged until the last of them has gone.
    const large = (name: string): Buffer => Buffer.concat([bodyOf(name), lenField(UNKNOWN_FIELD, Buffer.alloc(SMALL_BODY_BYTES))]);
    const one = storeBytes(large('r199').length);
    let most = 0;
    for (let i = 0; i < 200; i += 1) {
      expect((await post(running.httpPort, PATHS.traces, large(`r${i}`))).status).toBe(200);
      most = Math.max(most, running.agent.heldBytes);
    }
    await until(() => fast.received.length === 200);
    const full = running.agent.books().exporters.filter((book) => book.signal === 'traces');
    expect(full.map(({ exporter, enqueueFailed }) => [exporter, enqueueFailed])).toEqual([
      ['otlp_grpc/slow', 200 - CAPACITY],
      ['otlp_http/down', 200 - CAPACITY],
      ['otlp_grpc/fast', 0],
    ]);
    // Both wait for the same twenty requests, whose bytes are shared; more is held only while the fast one works.
    expect(most).toBeLessThanOrEqual((2 * CAPACITY + 20) * one);
    up = true;
    resume();
    await finish(running);
    for (const sink of [slow, down]) expect(new Set(names(sink.received)).size).toBe(CAPACITY);
    expect(names(slow.received)).toHaveLength(CAPACITY);
    expect(names(fast.received)).toHaveLength(200);
  });
});

describe('memory of what is sent', () => {
  it('a compressed body is held memory beside the request, until it is delivered', async () => {
    const { sink, resume } = await stalled();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { timeoutMs: 60_000, compression: 'gzip' })] });
    const noise = randomBytes(200_000);
    const body = encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { bytesValue: noise } }] }] }] });
    expect((await post(running.httpPort, PATHS.logs, body)).status).toBe(200);
    await until(() => sink.received.length === 1);
    // Noise does not shrink: what is sent is as large as what came in.
    expect(running.agent.heldBytes).toBeGreaterThanOrEqual(2 * noise.length);
    expect(running.agent.heldBytes).toBeLessThan(2.1 * noise.length);
    resume();
    await finish(running);
    expect(running.agent.heldBytes).toBe(0);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { REQUEST_BYTES } from '../../../agent/admit/budget.ts';
import type { QueueSettings } from '../../../agent/config/settings.ts';
import { assertBooksBalance, finish, GrpcClient, post, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, PATHS, QUEUE, RETRY } from '../kit/settings.ts';
import { type GrpcAnswer, grpcSink, type Sink } from '../kit/sink.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
const keep = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};

/** A next hop that answers nothing until it is opened. */
async function gatedSink(): Promise<{ sink: Sink; release: () => void }> {
  let release = (): void => {};
  const gate = new Promise<GrpcAnswer | undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  return { sink: keep(await grpcSink(() => gate)), release };
}

const small = (more: Partial<QueueSettings>): QueueSettings => ({ ...QUEUE, consumers: 1, capacity: 2, ...more });

describe('a full queue', () => {
  it('refuses: 503 with Retry-After, nothing is lost or counted twice', async () => {
    const { sink, release } = await gatedSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: small({}) })] });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await post(running.httpPort, PATHS.traces, request('traces', 2, `r${i}`))).status);
    expect(statuses).toEqual([200, 200, 503, 503]);
    expect(running.agent.books().exporters.find((one) => one.signal === 'traces')).toMatchObject({
      offered: 4,
      queued: 4,
      enqueueFailed: 0,
    });
    release();
    const books = await finish(running);
    expect(books.total).toMatchObject({ accepted: 4, sent: 4 });
    expect(sink.delivered()).toBe(4);
  });

  it('blocks: the sender is answered when there is room', async () => {
    const { sink, release } = await gatedSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: small({ overflow: 'block' }) })] });
    let answered = 0;
    const posts = Array.from({ length: 5 }, async (_, i) => {
      const response = await post(running.httpPort, PATHS.traces, request('traces', 1, `r${i}`));
      answered += 1;
      return response.status;
    });
    await until(() => answered === 2 && running.agent.books().total.queued === 5);
    assertBooksBalance(running.agent);
    release();
    expect(await Promise.all(posts)).toEqual([200, 200, 200, 200, 200]);
    expect((await finish(running)).total).toMatchObject({ accepted: 5, sent: 5 });
  });

  it('blocks: a sender that gives up is not stored, so that its second try is no duplicate', async () => {
    const { sink, release } = await gatedSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: small({ overflow: 'block' }) })] });
    const client = keep(new GrpcClient(running.grpcPort));
    await client.export('traces', request('traces', 1, 'a'));
    await client.export('traces', request('traces', 1, 'b'));
    const gone = new AbortController();
    const given = client.export('traces', request('traces', 1, 'gave-up'), { signal: gone.signal });
    await until(() => running.agent.books().total.received === 3);
    gone.abort();
    await expect(given).rejects.toMatchObject({ code: 1 });
    // The agent has heard of it, too.
    while (!(await running.agent.metrics()).includes('code="OTLP_CLIENT_GONE"')) await new Promise((resolve) => setTimeout(resolve, 2));
    release();
    const books = await finish(running);
    expect(books.total).toMatchObject({ received: 3, accepted: 2, refused: 1, sent: 2 });
    expect(sink.received.some((one) => one.body.includes('gave-up'))).toBe(false);
  });

  it('drops the oldest: newest data goes on, the dropped is counted as evicted', async () => {
    const { sink, release } = await gatedSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: small({ overflow: 'drop_oldest', capacity: 3 }) })] });
    for (let i = 0; i < 6; i += 1) expect((await post(running.httpPort, PATHS.traces, request('traces', 1, `r${i}`))).status).toBe(200);
    await until(() => sink.received.length === 1);
    release();
    const books = await finish(running);
    expect(books.total).toMatchObject({ accepted: 6, sent: 3, evicted: 3 });
    const names = sink.received.map((one) => /r\d/.exec(one.body.toString('latin1'))?.[0]);
    expect(names).toEqual(['r0', 'r4', 'r5']);
  });

  it.each([
    ['items', 5, [3, 2, 1], [200, 200, 503]],
    ['bytes', 400, [3, 1, 9], [200, 200, 503]],
  ] as const)('counts in %s', async (sizer, capacity, sizes, expected) => {
    const { sink, release } = await gatedSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: small({ sizer, capacity }) })] });
    const statuses: number[] = [];
    for (const items of sizes) statuses.push((await post(running.httpPort, PATHS.traces, request('traces', items))).status);
    expect(statuses).toEqual(expected);
    release();
    await finish(running);
  });

  it('blocks never on a request that is larger than the whole queue: it is refused', async () => {
    const { sink, release } = await gatedSink();
    const running = await startAgent({
      exporters: [grpcExporter(sink.port, { queue: small({ sizer: 'items', capacity: 3, overflow: 'block' }) })],
    });
    expect((await post(running.httpPort, PATHS.traces, request('traces', 4))).status).toBe(503);
    release();
    await finish(running);
  });
});

describe('several exporters', () => {
  it('each gets everything, from shared bytes; a slow one does not hold the other', async () => {
    const { sink: slow, release } = await gatedSink();
    const fast = keep(await grpcSink());
    const running = await startAgent({
      exporters: [grpcExporter(slow.port, { id: 'otlp/slow' }), grpcExporter(fast.port, { id: 'otlp/fast' })],
    });
    const body = request('traces', 3);
    for (let i = 0; i < 10; i += 1) await post(running.httpPort, PATHS.traces, body);
    await until(() => fast.delivered() === 30);
    expect(slow.delivered()).toBe(0);
    expect(running.agent.heldBytes).toBe(10 * (REQUEST_BYTES + body.length)); // once, not twice
    release();
    const books = await finish(running);
    expect(books.total).toMatchObject({ accepted: 30, sent: 60 });
    expect(running.agent.heldBytes).toBe(0);
  });

  it('one that is full counts enqueue_failed while the other one takes the data', async () => {
    const { sink: full, release } = await gatedSink();
    const fast = keep(await grpcSink());
    const running = await startAgent({
      exporters: [grpcExporter(full.port, { id: 'otlp/full', queue: small({}) }), grpcExporter(fast.port, { id: 'otlp/fast' })],
    });
    for (let i = 0; i < 5; i += 1) expect((await post(running.httpPort, PATHS.traces, request('traces', 1))).status).toBe(200);
    release();
    const books = await finish(running);
    expect(books.exporters.filter((one) => one.signal === 'traces')).toMatchObject([
      { exporter: 'otlp/full', offered: 5, sent: 2, enqueueFailed: 3 },
      { exporter: 'otlp/fast', offered: 5, sent: 5, enqueueFailed: 0 },
    ]);
    expect(fast.delivered()).toBe(5);
  });
});

describe('draining', () => {
  it('a backend that is down: what is left at the deadline is evicted, counted and said in the log, once', async () => {
    const gone = await grpcSink();
    await gone.close();
    const running = await startAgent({
      exporters: [grpcExporter(gone.port, { retry: { ...RETRY, initialIntervalMs: 60_000, maxIntervalMs: 60_000 } })],
    });
    for (let i = 0; i < 20; i += 1) await post(running.httpPort, PATHS.traces, request('traces', 2));
    const books = await finish(running, 100);
    expect(books.total).toMatchObject({ accepted: 40, evicted: 40, sent: 0, queued: 0 });
    expect(running.lines.filter((line) => line.event === 'drain deadline reached')).toMatchObject([
      { level: 'warn', fields: { evicted: 40, signal: 'traces' } },
    ]);
    expect(running.agent.heldBytes).toBe(0);
  });

  it('a backend that hangs: attempts under way are evicted at the deadline', async () => {
    const { sink } = await gatedSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port)] });
    await post(running.httpPort, PATHS.traces, request('traces', 2));
    await until(() => sink.received.length === 1);
    expect((await finish(running, 50)).total).toMatchObject({ evicted: 2, queued: 0 });
  });

  it('says GOAWAY, refuses new calls with UNAVAILABLE, answers the one under way, and is not ready', async () => {
    const { sink, release } = await gatedSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, waitForResult: true } })] });
    const client = keep(new GrpcClient(running.grpcPort));
    const underWay = client.export('traces', request('traces', 4));
    await until(() => sink.received.length === 1);
    const drained = running.agent.drain(5000);
    expect(running.agent.ready).toBe(false);
    const health = await fetch(`http://127.0.0.1:${running.healthPort}/readyz`);
    expect([health.status, await health.text()]).toEqual([503, 'draining\n']);
    expect((await fetch(`http://127.0.0.1:${running.healthPort}/livez`)).status).toBe(200);
    await expect(client.export('traces', request('traces', 1))).rejects.toMatchObject({ code: 14 });
    release();
    expect(await underWay).toEqual(Buffer.alloc(0));
    expect((await drained).total).toMatchObject({ received: 4, accepted: 4, sent: 4 });
    await running.agent.close();
    assertBooksBalance(running.agent);
  });

  it('drain and close may be called twice, and close without start', async () => {
    const sink = keep(await grpcSink());
    const running = await startAgent({ exporters: [grpcExporter(sink.port)] });
    expect(await Promise.all([running.agent.drain(), running.agent.drain()])).toHaveLength(2);
    await running.agent.close();
    await running.agent.close();
  });

  it('under load from many senders nothing is lost: accepted = delivered', async () => {
    const sink = keep(await grpcSink());
    const batch = { flushTimeoutMs: 20, minSize: 100, maxSize: 0, sizer: 'items' as const };
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, batch } })] });
    const client = keep(new GrpcClient(running.grpcPort));
    let stop = false;
    let acknowledged = 0;
    const senders = Array.from({ length: 8 }, async (_, lane) => {
      while (!stop) {
        try {
          await client.export('traces', request('traces', 7, `lane${lane}`));
          acknowledged += 7;
        } catch {
          return;
        }
      }
    });
    await until(() => acknowledged > 2000);
    const books = await running.agent.drain(5000);
    stop = true;
    await Promise.all(senders);
    await running.agent.close();
    assertBooksBalance(running.agent);
    expect(books.total.accepted).toBe(acknowledged);
    expect(sink.delivered()).toBe(acknowledged);
  });
});

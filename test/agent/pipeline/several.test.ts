import { afterEach, describe, expect, it } from 'vitest';
import { GrpcClient, post, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { PATHS } from '../kit/settings.ts';
import { type GrpcAnswer, grpcSink, type Received, type Sink } from '../kit/sink.ts';
import { type Connected, type ConnectedShape, connectedAgent, end } from './connected-agent.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function sink(answer?: (received: Received) => GrpcAnswer | undefined | Promise<GrpcAnswer | undefined>): Promise<Sink> {
  const made = await grpcSink(answer);
  open.push(made);
  return made;
}

async function start(shape: ConnectedShape): Promise<Connected> {
  const made = await connectedAgent(shape);
  open.push(made.client, made.agent);
  return made;
}

/** Names of the first span of each request that a sink got. */
const names = ({ received }: Sink): string[] =>
  received.map(({ body }) => /([a-z-]+)-0\/0/u.exec(body.toString('latin1'))?.[1] ?? '').sort();

describe('several receivers', () => {
  it('feed one pipeline, each counted under its own name', async () => {
    const out = await sink();
    const running = await start({
      receivers: ['otlp', 'otlp/other'],
      exporters: { out: { port: out.port } },
      pipelines: { traces: { receivers: ['otlp', 'otlp/other'], exporters: ['otlp_grpc/out'] } },
    });
    const other = new GrpcClient(running.port('otlp/other/grpc'));
    open.push(other);
    await running.client.export('traces', request('traces', 1, 'first'));
    await other.export('traces', request('traces', 2, 'second'));
    expect((await post(running.port('otlp/other/http'), PATHS.traces, request('traces', 4, 'third'))).status).toBe(200);
    await until(() => out.received.length === 3);
    expect(names(out)).toEqual(['first', 'second', 'third']);
    const { receivers, total } = await end(running, other);
    expect(total).toMatchObject({ received: 7, accepted: 7, sent: 7 });
    const taken = receivers.filter((one) => one.accepted > 0).map((one) => [one.receiver, one.transport, one.accepted]);
    expect(taken).toEqual(
      expect.arrayContaining([
        ['otlp', 'grpc', 1],
        ['otlp/other', 'grpc', 2],
        ['otlp/other', 'http', 4],
      ]),
    );
  });

  it('that lead to different pipelines keep their senders apart', async () => {
    const [a, b] = [await sink(), await sink()];
    const running = await start({
      receivers: ['otlp/a', 'otlp/b'],
      exporters: { a: { port: a.port }, b: { port: b.port } },
      pipelines: {
        'traces/a': { receivers: ['otlp/a'], exporters: ['otlp_grpc/a'] },
        'traces/b': { receivers: ['otlp/b'], exporters: ['otlp_grpc/b'] },
        'logs/b': { receivers: ['otlp/b'], exporters: ['otlp_grpc/b'] },
      },
    });
    const other = new GrpcClient(running.port('otlp/b/grpc'));
    open.push(other);
    await running.client.export('traces', request('traces', 1, 'to-a'));
    await other.export('traces', request('traces', 1, 'to-b'));
    // The signal that only the other one takes is refused, as no pipeline of this receiver takes it.
    await expect(running.client.export('logs', request('logs', 1))).rejects.toMatchObject({ code: 12 });
    await other.export('logs', request('logs', 1, 'log'));
    await until(() => a.received.length === 1 && b.received.length === 2);
    expect(names(a)).toEqual(['to-a']);
    expect((await end(running, other)).total).toMatchObject({ received: 3, accepted: 3, sent: 3 });
  });
});

describe('several pipelines of one signal and receiver', () => {
  const two = (a: Sink, b: Sink, more: Partial<ConnectedShape> & { queue?: object } = {}): ConnectedShape => ({
    exporters: { a: { port: a.port, queue: more.queue ?? {} }, b: { port: b.port, queue: more.queue ?? {} } },
    processors: { filter: { traces: { span: ['IsMatch(name, "^secret")'] } }, ...more.processors },
    pipelines: more.pipelines ?? {
      'traces/a': { receivers: ['otlp'], exporters: ['otlp_grpc/a'] },
      'traces/b': { receivers: ['otlp'], processors: ['filter'], exporters: ['otlp_grpc/b'] },
    },
  });

  it('each get all of it, and what one drops the other delivers', async () => {
    const [a, b] = [await sink(), await sink()];
    const running = await start(two(a, b));
    await running.client.export('traces', request('traces', 2, 'secret'));
    await running.client.export('traces', request('traces', 3, 'open'));
    await until(() => a.received.length === 2 && b.received.length === 1);
    expect([names(a), names(b)]).toEqual([['open', 'secret'], ['open']]);
    expect((await end(running)).total).toMatchObject({ received: 5, accepted: 5, sent: 8 });
  });

  it('answer a sender that waits with the worst of what became of it', async () => {
    const [a, b] = [await sink(), await sink(() => ({ code: 3, message: 'no' }))];
    const running = await start(two(a, b, { queue: { wait_for_result: true } }));
    await running.client.export('traces', request('traces', 1, 'secret'));
    await expect(running.client.export('traces', request('traces', 1, 'open'))).rejects.toMatchObject({ code: 3 });
    const { total } = await end(running);
    expect(total).toMatchObject({ received: 2, accepted: 1, refused: 1, sent: 2, sendFailed: 1 });
  });

  it('into one exporter deliver twice, once as each of them made it', async () => {
    const [a, b] = [await sink(), await sink()];
    const set = (value: string): object => ({ attributes: [{ key: 'way', value, action: 'upsert' }] });
    const running = await start(
      two(a, b, {
        processors: { 'resource/1': set('one'), 'resource/2': set('two') },
        pipelines: {
          'traces/1': { receivers: ['otlp'], processors: ['resource/1'], exporters: ['otlp_grpc/a'] },
          'traces/2': { receivers: ['otlp'], processors: ['resource/2'], exporters: ['otlp_grpc/a'] },
        },
      }),
    );
    await running.client.export('traces', request('traces', 1));
    await until(() => a.received.length === 2);
    expect(a.received.map(({ body }) => /one|two/u.exec(body.toString('latin1'))?.[0]).sort()).toEqual(['one', 'two']);
    expect((await end(running)).total).toMatchObject({ received: 1, accepted: 1, sent: 2 });
  });

  it('into one exporter merge what they send as the batch of either says', async () => {
    const [a, b] = [await sink(), await sink()];
    const running = await start(
      two(a, b, {
        processors: { batch: { timeout: '1h', send_batch_size: 1000 } },
        pipelines: {
          'traces/1': { receivers: ['otlp'], exporters: ['otlp_grpc/a'] },
          'traces/2': { receivers: ['otlp'], processors: ['batch'], exporters: ['otlp_grpc/a'] },
        },
      }),
    );
    for (let i = 0; i < 3; i += 1) await running.client.export('traces', request('traces', 1, `merged-${i}`));
    expect((await end(running)).total).toMatchObject({ received: 3, accepted: 3, sent: 6 });
    expect(a.received.map(({ items }) => items)).toEqual([6]);
  });

  it('fails a body that the second cannot read, and the first stores nothing of it', async () => {
    const [a, b] = [await sink(), await sink()];
    const running = await start(two(a, b));
    // One span whose name is longer than the span: only the filter looks into it.
    const malformed = Buffer.from([0x0a, 6, 0x12, 4, 0x12, 2, 0x2a, 9]);
    await expect(running.client.export('traces', malformed)).rejects.toMatchObject({ code: 3 });
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 1, accepted: 0, refused: 1 });
    expect(books.exporters.map((one) => one.offered)).toEqual([0, 0]);
    expect(running.agent.heldBytes).toBe(0);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import type { Books } from '../../../agent/index.ts';
import { until } from '../kit/agent.ts';
import { decode, type Message, request } from '../kit/otlp.ts';
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

/** The values of one attribute of resources, over all requests that a sink got. */
function marks({ received }: Sink, key: string): string[] {
  return received.flatMap(({ body }) => {
    const { resourceSpans } = decode('traces', body) as {
      resourceSpans: { resource: { attributes: { key: string; value: Message }[] } }[];
    };
    return resourceSpans.flatMap(({ resource }) =>
      resource.attributes.filter((one) => one.key === key).map(({ value }) => String(value.stringValue)),
    );
  });
}

const mark = (value: string): object => ({ attributes: [{ key: 'mark', value, action: 'upsert' }] });

/** traces -> forward -> two pipelines, each with a processor and an exporter of its own. */
function forked(a: number, b: number, more: { a?: object; b?: object; retry?: object; processors?: object } = {}): ConnectedShape {
  return {
    exporters: {
      a: { port: a, queue: more.a ?? {}, retry: more.retry ?? {} },
      b: { port: b, queue: more.b ?? {}, retry: more.retry ?? {} },
    },
    connectors: { forward: {} },
    processors: {
      'resource/first': { attributes: [{ key: 'first', value: 'yes', action: 'upsert' }] },
      'resource/a': mark('a'),
      'resource/b': mark('b'),
      ...more.processors,
    },
    pipelines: {
      traces: { receivers: ['otlp'], processors: ['resource/first'], exporters: ['forward'] },
      'traces/a': { receivers: ['forward'], processors: ['resource/a'], exporters: ['otlp_grpc/a'] },
      'traces/b': { receivers: ['forward'], processors: ['resource/b'], exporters: ['otlp_grpc/b'] },
    },
  };
}

const bookOf = (books: Books, exporter: string, signal = 'traces') =>
  books.exporters.find((one) => one.exporter === exporter && one.signal === signal);

const WAITS = { wait_for_result: true };

describe('pipelines behind a forward connector', () => {
  it('each get all of it, with what the pipeline before it and their own processors did, and nothing of each other', async () => {
    const [a, b] = [await sink(), await sink()];
    const running = await start(forked(a.port, b.port));
    await running.client.export('traces', request('traces', 3, 'fork', 2));
    await until(() => a.received.length === 1 && b.received.length === 1);
    expect([marks(a, 'mark'), marks(b, 'mark')]).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
    expect([marks(a, 'first'), marks(b, 'first')]).toEqual([
      ['yes', 'yes'],
      ['yes', 'yes'],
    ]);
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 6, accepted: 6, sent: 12 });
    const metrics = await running.agent.metrics();
    for (const field of ['consumed', 'produced'])
      expect(metrics).toContain(`otlp_agent_connector_${field}_items{connector="forward",data_type="traces"} 6`);
    expect(metrics).toContain('otelcol_processor_incoming_items{otel_signal="traces",processor="resource/first"} 6');
  });

  it('deliver the same bytes where nothing rewrites them, through a chain of three', async () => {
    const last = await sink();
    const running = await start({
      exporters: { a: { port: last.port } },
      connectors: { 'forward/1': {}, 'forward/2': {}, 'forward/3': {} },
      pipelines: {
        'traces/3': { receivers: ['forward/3'], exporters: ['otlp_grpc/a'] },
        'traces/2': { receivers: ['forward/2'], exporters: ['forward/3'] },
        'traces/1': { receivers: ['forward/1'], exporters: ['forward/2'] },
        traces: { receivers: ['otlp'], exporters: ['forward/1'] },
      },
    });
    const body = request('traces', 7);
    await running.client.export('traces', body);
    await until(() => last.received.length === 1);
    expect(last.received[0]?.body.equals(body)).toBe(true);
    expect((await end(running)).total).toMatchObject({ accepted: 7, sent: 7 });
  });

  it('answer a sender that waits when the last of them has delivered', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const [a, b] = [await sink(), await sink(() => promise)];
    const running = await start(forked(a.port, b.port, { a: WAITS, b: WAITS }));
    let answered = false;
    const call = running.client.export('traces', request('traces', 2)).then(() => {
      answered = true;
    });
    await until(() => a.delivered() === 2 && b.received.length === 1);
    expect(answered).toBe(false);
    expect(running.agent.books().receivers.reduce((sum, one) => sum + one.pending, 0)).toBe(2);
    resolve(undefined);
    await call;
    expect((await end(running)).total).toMatchObject({ accepted: 2, refused: 0, sent: 4 });
  });

  it('fails the call of a sender that waits where one of them is rejected, and delivers to the other once', async () => {
    const [a, b] = [await sink(), await sink(() => ({ code: 3, message: 'not that' }))];
    const running = await start(forked(a.port, b.port, { a: WAITS, b: WAITS }));
    await expect(running.client.export('traces', request('traces', 2))).rejects.toMatchObject({ code: 3 });
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 2, accepted: 0, refused: 2 });
    expect(bookOf(books, 'otlp_grpc/a')).toMatchObject({ sent: 2, sendFailed: 0 });
    expect(bookOf(books, 'otlp_grpc/b')).toMatchObject({ sent: 0, sendFailed: 2 });
    expect([a.received.length, b.received.length]).toEqual([1, 1]);
  });

  it('take what comes while one of them is full, count its loss there, and refuse only when all are full', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const [a, b] = [await sink(() => promise), await sink(() => promise)];
    const one = { queue_size: 1, num_consumers: 1 };
    const running = await start(forked(a.port, b.port, { a: { queue_size: 3, num_consumers: 1 }, b: one }));
    for (let i = 0; i < 3; i += 1) await running.client.export('traces', request('traces', 2, `full-${i}`));
    await expect(running.client.export('traces', request('traces', 2, 'too much'))).rejects.toMatchObject({ code: 14 });
    resolve(undefined);
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 6, accepted: 6 });
    expect(bookOf(books, 'otlp_grpc/a')).toMatchObject({ sent: 6, enqueueFailed: 0 });
    expect(bookOf(books, 'otlp_grpc/b')).toMatchObject({ sent: 2, enqueueFailed: 4 });
  });

  it('answer with success where their filters drop everything, and nothing goes on', async () => {
    const [a, b] = [await sink(), await sink()];
    const processors = { filter: { traces: { span: ['true'] } } };
    const shape = forked(a.port, b.port, { processors });
    const running = await start({
      ...shape,
      pipelines: {
        ...shape.pipelines,
        'traces/b': { receivers: ['forward'], processors: ['filter', 'resource/b'], exporters: ['otlp_grpc/b'] },
      },
    });
    await running.client.export('traces', request('traces', 4));
    await until(() => a.delivered() === 4);
    const books = await end(running);
    expect(books.total).toMatchObject({ accepted: 4, sent: 4 });
    expect(b.received).toEqual([]);
  });

  it('are not reached by what a filter before the connector drops', async () => {
    const [a, b] = [await sink(), await sink()];
    const shape = forked(a.port, b.port, { processors: { filter: { traces: { span: ['true'] } } } });
    const running = await start({
      ...shape,
      pipelines: { ...shape.pipelines, traces: { receivers: ['otlp'], processors: ['filter'], exporters: ['forward'] } },
    });
    await running.client.export('traces', request('traces', 4));
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 4, accepted: 4, sent: 0 });
    expect(await running.agent.metrics()).toContain('otlp_agent_connector_consumed_items{connector="forward",data_type="traces"} 0');
    expect([a.received, b.received]).toEqual([[], []]);
  });

  it('fail a body together that only one of them finds malformed: the other one stores nothing', async () => {
    const [a, b] = [await sink(), await sink()];
    const running = await start({
      ...forked(a.port, b.port),
      processors: { attributes: { actions: [{ key: 'x', value: 1, action: 'upsert' }] } },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['forward'] },
        'traces/a': { receivers: ['forward'], exporters: ['otlp_grpc/a'] },
        'traces/b': { receivers: ['forward'], processors: ['attributes'], exporters: ['otlp_grpc/b'] },
      },
    });
    // One span whose field 5 (name) is longer than the span.
    const malformed = Buffer.from([0x0a, 6, 0x12, 4, 0x12, 2, 0x2a, 9]);
    await expect(running.client.export('traces', malformed)).rejects.toMatchObject({ code: 3 });
    await running.client.export('traces', request('traces', 1, 'good'));
    await until(() => a.received.length === 1 && b.received.length === 1);
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 2, accepted: 1, refused: 1, sent: 2 });
    expect(bookOf(books, 'otlp_grpc/a')).toMatchObject({ offered: 1 });
  });

  it('keep the signals apart that one connector carries', async () => {
    const [a, b] = [await sink(), await sink()];
    const running = await start({
      exporters: { a: { port: a.port }, b: { port: b.port } },
      connectors: { forward: {} },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['forward'] },
        logs: { receivers: ['otlp'], exporters: ['forward'] },
        'traces/a': { receivers: ['forward'], exporters: ['otlp_grpc/a'] },
        'logs/b': { receivers: ['forward'], exporters: ['otlp_grpc/b'] },
      },
    });
    await running.client.export('traces', request('traces', 1));
    await running.client.export('logs', request('logs', 2));
    const books = await end(running);
    expect([a, b].map(({ received }) => received.map(({ signal, items }) => [signal, items]))).toEqual([[['traces', 1]], [['logs', 2]]]);
    expect(books.total).toMatchObject({ accepted: 3, sent: 3 });
  });

  it('get it once where the connector or the exporter is listed twice', async () => {
    const a = await sink();
    const running = await start({
      exporters: { a: { port: a.port } },
      connectors: { forward: {} },
      pipelines: {
        traces: { receivers: ['otlp', 'otlp'], exporters: ['forward', 'forward'] },
        'traces/a': { receivers: ['forward', 'forward'], exporters: ['otlp_grpc/a', 'otlp_grpc/a'] },
      },
    });
    await running.client.export('traces', request('traces', 1));
    await until(() => a.received.length > 0);
    expect((await end(running)).total).toMatchObject({ accepted: 1, sent: 1 });
  });
});

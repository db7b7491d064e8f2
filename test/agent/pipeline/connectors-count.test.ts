import { afterEach, describe, expect, it } from 'vitest';
import type { Books } from '../../../agent/index.ts';
import { until } from '../kit/agent.ts';
import { attribute, decode, encode, request } from '../kit/otlp.ts';
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

/** traces -> out, and counted -> counts. */
function counted(
  out: number,
  counts: number,
  more: { queue?: object; retry?: object; processors?: object; counts?: readonly string[] } = {},
): ConnectedShape {
  return {
    exporters: { out: { port: out }, counts: { port: counts, queue: more.queue ?? {}, retry: more.retry ?? {} } },
    connectors: { count: {} },
    processors: more.processors ?? {},
    pipelines: {
      traces: { receivers: ['otlp'], exporters: ['otlp_grpc/out', 'count'] },
      metrics: { receivers: ['count'], processors: more.counts ?? [], exporters: ['otlp_grpc/counts'] },
    },
  };
}

const bookOf = (books: Books, exporter: string, signal = 'traces') =>
  books.exporters.find((one) => one.exporter === exporter && one.signal === signal);

const WAITS = { wait_for_result: true };

describe('what the count connector makes', () => {
  it('goes to the metrics pipeline, and the sender does not wait for it', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const [out, counts] = [await sink(), await sink(() => promise)];
    const running = await start(counted(out.port, counts.port, { queue: WAITS }));
    await running.client.export('traces', request('traces', 4));
    await until(() => counts.received.length === 1);
    expect(running.agent.books().receivers.every((one) => one.pending === 0)).toBe(true);
    resolve(undefined);
    const books = await end(running);
    expect(counts.received.map(({ signal, items }) => [signal, items])).toEqual([['metrics', 1]]);
    expect(books.total).toMatchObject({ received: 4, accepted: 4, sent: 5 });
  });

  it('is counted as lost where its exporter is full, and costs the sender nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const [out, counts] = [await sink(), await sink(() => promise)];
    const running = await start(counted(out.port, counts.port, { queue: { queue_size: 1, num_consumers: 1 } }));
    for (let i = 0; i < 5; i += 1) await running.client.export('traces', request('traces', 2, `count-${i}`));
    await until(() => out.delivered() === 10);
    resolve(undefined);
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 10, accepted: 10, refused: 0 });
    expect(bookOf(books, 'otlp_grpc/counts', 'metrics')).toMatchObject({ offered: 5, sent: 1, enqueueFailed: 4 });
  });

  it('is counted as send_failed where its backend rejects it, and costs the sender nothing', async () => {
    const [out, counts] = [await sink(), await sink(() => ({ code: 3 }))];
    const running = await start(counted(out.port, counts.port));
    await running.client.export('traces', request('traces', 2));
    await until(() => counts.received.length === 1);
    const books = await end(running);
    expect(books.total).toMatchObject({ accepted: 2, refused: 0 });
    expect(bookOf(books, 'otlp_grpc/counts', 'metrics')).toMatchObject({ sent: 0, sendFailed: 1 });
  });

  it('is counted as lost where a processor of its pipeline fails, and costs the sender nothing', async () => {
    const [out, counts] = [await sink(), await sink()];
    const processors = {
      transform: {
        error_mode: 'propagate',
        metric_statements: [{ context: 'datapoint', statements: ['set(attributes["n"], ParseJSON("{"))'] }],
      },
    };
    const running = await start(counted(out.port, counts.port, { processors, counts: ['transform'] }));
    await running.client.export('traces', request('traces', 3));
    await until(() => out.delivered() === 3);
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 3, accepted: 3, sent: 3 });
    expect(counts.received).toEqual([]);
    expect(await running.agent.metrics()).toContain('otlp_agent_connector_lost_items{connector="count",data_type="traces"} 1');
  });

  it('is stored nowhere where one of the pipelines behind its own fails', async () => {
    const [out, counts] = [await sink(), await sink()];
    const failing = {
      error_mode: 'propagate',
      metric_statements: [{ context: 'datapoint', statements: ['set(attributes["n"], ParseJSON("{"))'] }],
    };
    const running = await start({
      exporters: { out: { port: out.port }, counts: { port: counts.port } },
      connectors: { count: {}, forward: {} },
      processors: { transform: failing },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['otlp_grpc/out', 'count'] },
        metrics: { receivers: ['count'], exporters: ['otlp_grpc/counts', 'forward'] },
        'metrics/2': { receivers: ['forward'], processors: ['transform'], exporters: ['otlp_grpc/counts'] },
      },
    });
    await running.client.export('traces', request('traces', 3));
    const books = await end(running);
    expect(books.total).toMatchObject({ accepted: 3, sent: 3 });
    expect(bookOf(books, 'otlp_grpc/counts', 'metrics')).toMatchObject({ offered: 0 });
    expect(await running.agent.metrics()).toContain('otlp_agent_connector_lost_items{connector="count",data_type="traces"} 1');
  });

  it('does not decide whether metrics that are counted come in: only the sender’s own exporter does', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const [out, counts] = [await sink(() => promise), await sink(() => promise)];
    const one = { queue_size: 1, num_consumers: 1 };
    const running = await start({
      exporters: { out: { port: out.port, queue: one }, counts: { port: counts.port, queue: { queue_size: 100 } } },
      connectors: { count: {} },
      pipelines: {
        metrics: { receivers: ['otlp'], exporters: ['otlp_grpc/out', 'count'] },
        'metrics/counts': { receivers: ['count'], exporters: ['otlp_grpc/counts'] },
      },
    });
    await running.client.export('metrics', request('metrics', 2));
    await expect(running.client.export('metrics', request('metrics', 2))).rejects.toMatchObject({ code: 14 });
    resolve(undefined);
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 2, accepted: 2 });
    expect(bookOf(books, 'otlp_grpc/out', 'metrics')).toMatchObject({ sent: 2, enqueueFailed: 0 });
  });

  it('is all that leaves a pipeline that ends in it, full or not: data that is only counted is accepted', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const counts = await sink(() => promise);
    const running = await start({
      exporters: { counts: { port: counts.port, queue: { queue_size: 1, num_consumers: 1 } } },
      connectors: { count: {} },
      pipelines: {
        metrics: { receivers: ['otlp'], exporters: ['count'] },
        'metrics/counts': { receivers: ['count'], exporters: ['otlp_grpc/counts'] },
      },
    });
    for (let i = 0; i < 3; i += 1) await running.client.export('metrics', request('metrics', 2));
    expect(running.agent.heldBytes).toBeGreaterThan(0);
    resolve(undefined);
    const books = await end(running);
    expect(books.total).toMatchObject({ received: 6, accepted: 6 });
    // Metrics and data points: two sums of one point each.
    expect(bookOf(books, 'otlp_grpc/counts', 'metrics')).toMatchObject({ offered: 6, sent: 2, enqueueFailed: 4 });
    expect(running.agent.heldBytes).toBe(0);
  });

  it('is of what the processors before it left, and passes those behind it', async () => {
    const [out, counts] = [await sink(), await sink()];
    const running = await start({
      exporters: { out: { port: out.port }, counts: { port: counts.port } },
      connectors: { forward: {}, count: {} },
      processors: {
        filter: { traces: { span: ['name == "drop"'] } },
        resource: { attributes: [{ key: 'counted.by', value: 'agent', action: 'upsert' }] },
      },
      pipelines: {
        traces: { receivers: ['otlp'], processors: ['filter'], exporters: ['forward'] },
        'traces/out': { receivers: ['forward'], exporters: ['otlp_grpc/out', 'count'] },
        metrics: { receivers: ['count'], processors: ['resource'], exporters: ['otlp_grpc/counts'] },
      },
    });
    const spans = ['keep', 'drop', 'keep', 'keep'].map((name) => ({ name }));
    const body = encode('traces', {
      resourceSpans: [{ resource: { attributes: [attribute('service.name', 'cart')] }, scopeSpans: [{ spans }] }],
    });
    await running.client.export('traces', body);
    await until(() => counts.received.length === 1 && out.received.length === 1);
    expect(decode('metrics', counts.received[0]?.body as Buffer)).toMatchObject({
      resourceMetrics: [
        {
          resource: { attributes: [attribute('service.name', 'cart'), attribute('counted.by', 'agent')] },
          scopeMetrics: [{ metrics: [{ name: 'trace.span.count', sum: { dataPoints: [{ asInt: '3' }] } }] }],
        },
      ],
    });
    expect((await end(running)).total).toMatchObject({ received: 4, accepted: 4, sent: 4 });
  });
});

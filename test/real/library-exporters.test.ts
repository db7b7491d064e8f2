import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { create, type EmbeddedAgent, imbalances, type ShortConfig } from '../../agent/index.ts';
import { AgentLogRecordExporter, AgentMetricExporter, AgentSpanExporter } from '../../agent/library/opentelemetry/index.ts';
import { type OtlpSink, startOtlpSink } from '../support/otlp-sink.ts';
import { describeReal, freePorts, type RunningProcess, startOtelcol } from './support/index.ts';

const resource = resourceFromAttributes({ 'service.name': 'shop' });
const RETRY = { initial_interval: '100ms', max_interval: '500ms', max_elapsed_time: '0s' } as const;

describeReal(['otelcol'], 'the exporters of the library against a real Collector', () => {
  let sink: OtlpSink;
  let ports: { grpc: number; http: number };
  let collector: RunningProcess;
  let agent: EmbeddedAgent;

  beforeEach(async () => {
    sink = await startOtlpSink();
    ports = await freePorts('grpc', 'http');
    collector = await start();
  });

  afterEach(async () => {
    await agent.close();
    await collector.stop();
    await sink.close();
  });

  /** Without queue and retries of its own: what it acknowledges has arrived, what it cannot hand on it refuses. */
  function start(): Promise<RunningProcess> {
    return startOtelcol({
      config: {
        receivers: {
          otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${ports.grpc}` }, http: { endpoint: `127.0.0.1:${ports.http}` } } },
        },
        exporters: {
          otlp_grpc: {
            endpoint: sink.grpcAddress,
            tls: { insecure: true },
            sending_queue: { enabled: false },
            retry_on_failure: { enabled: false },
          },
        },
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: Object.fromEntries(['traces', 'metrics', 'logs'].map((id) => [id, { receivers: ['otlp'], exporters: ['otlp_grpc'] }])),
        },
      },
    });
  }

  function configFor(protocol: 'grpc' | 'http/protobuf'): ShortConfig {
    return protocol === 'grpc'
      ? { exporter: { endpoint: `http://127.0.0.1:${ports.grpc}`, timeout: '1s' }, retry: RETRY }
      : { exporter: { protocol, endpoint: `http://127.0.0.1:${ports.http}`, timeout: '1s', compression: 'zstd' }, retry: RETRY };
  }

  it.each(['grpc', 'http/protobuf'] as const)('every signal arrives over %s', async (protocol) => {
    agent = await create(configFor(protocol));
    const tracers = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter: new AgentSpanExporter(agent) })] });
    const meters = new MeterProvider({
      resource,
      readers: [new PeriodicExportingMetricReader({ exporter: new AgentMetricExporter(agent), exportIntervalMillis: 600_000 })],
    });
    const loggers = new LoggerProvider({
      resource,
      processors: [new BatchLogRecordProcessor({ exporter: new AgentLogRecordExporter(agent) })],
    });
    for (let i = 0; i < 1000; i += 1) tracers.getTracer('test').startSpan(`span ${i}`, { attributes: { i } }).end();
    meters.getMeter('test').createHistogram('latency').record(12);
    loggers.getLogger('test').emit({ body: 'an order came in' });
    for (const provider of [tracers, meters, loggers]) await provider.shutdown();
    expect(new Set(sink.spans().map(({ attributes }) => attributes.i)).size).toBe(1000);
    expect(sink.metrics().map(({ name }) => name)).toEqual(['latency']);
    expect(sink.logs().map(({ body }) => body)).toEqual(['an order came in']);
    expect((await agent.drain()).total).toMatchObject({ received: 1002, sent: 1002 });
  });

  it.each(['grpc', 'http/protobuf'] as const)(
    'nothing is lost over %s while it is stopped, started again, frozen, and its backend refuses',
    async (protocol) => {
      agent = await create(configFor(protocol));
      const exporter = new AgentSpanExporter(agent, { flushTimeoutMs: 60_000 });
      const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 50 })] });
      let made = 0;
      const make = async (): Promise<void> => {
        for (let i = 0; i < 100; i += 1, made += 1)
          provider
            .getTracer('test')
            .startSpan('one', { attributes: { number: made } })
            .end();
        await provider.forceFlush();
      };
      const arrived = (): number => new Set(sink.spans().map(({ attributes }) => attributes.number)).size;
      await make();
      await collector.stop();
      await make();
      collector = await start();
      await make();
      collector.signal('SIGSTOP');
      await make();
      // Longer than an attempt may take: they have failed, and are made again.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      collector.signal('SIGCONT');
      await exporter.forceFlush();
      sink.respond(() => ({ status: 503 }));
      await make();
      await sink.until(() => sink.requests.filter(({ accepted }) => !accepted).length > 1);
      sink.respond(undefined);
      await provider.shutdown();
      expect([made, arrived()]).toEqual([500, 500]);
      const { books } = agent.stats();
      expect(imbalances(books)).toEqual([]);
      expect(books.total).toMatchObject({ received: 500, sent: 500, sendFailed: 0, evicted: 0 });
    },
  );
});

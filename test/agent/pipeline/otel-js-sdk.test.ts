import { SpanKind } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finish, type Running, startAgent } from '../kit/agent.ts';
import { decode } from '../kit/otlp.ts';
import { grpcExporter } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';

let sink: Sink;
let running: Running;
beforeEach(async () => {
  sink = await grpcSink();
  running = await startAgent({ exporters: [grpcExporter(sink.port, { compression: 'gzip' })] });
});
afterEach(async () => {
  await sink.close();
});

const resource = resourceFromAttributes({ 'service.name': 'shop' });

describe('the OpenTelemetry JS SDK against the agent', () => {
  it.each([
    ['http/protobuf', 'none'],
    ['http/protobuf', 'gzip'],
    ['grpc', 'none'],
    ['grpc', 'gzip'],
  ] as const)('traces over %s, compression %s', async (protocol, compression) => {
    const how = { compression: compression as never };
    const exporter =
      protocol === 'grpc'
        ? new GrpcTraceExporter({ url: `http://127.0.0.1:${running.grpcPort}`, ...how })
        : new HttpTraceExporter({ url: `http://127.0.0.1:${running.httpPort}/v1/traces`, ...how });
    const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] });
    const tracer = provider.getTracer('test');
    for (let i = 0; i < 100; i += 1) tracer.startSpan(`span ${i}`, { kind: SpanKind.SERVER, attributes: { i } }).end();
    await provider.forceFlush();
    await provider.shutdown();
    expect((await finish(running)).total).toMatchObject({ received: 100, accepted: 100, sent: 100 });
    const spans = sink.received.flatMap((one) =>
      (decode('traces', one.body) as { resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[] }).resourceSpans.flatMap((r) =>
        r.scopeSpans.flatMap((s) => s.spans),
      ),
    );
    expect(spans.map((span) => span.name)).toEqual(Array.from({ length: 100 }, (_, i) => `span ${i}`));
  });

  it('metrics and logs over http/protobuf', async () => {
    const meters = new MeterProvider({
      resource,
      readers: [
        new PeriodicExportingMetricReader({
          exporter: new OTLPMetricExporter({ url: `http://127.0.0.1:${running.httpPort}/v1/metrics` }),
          exportIntervalMillis: 600_000,
        }),
      ],
    });
    const meter = meters.getMeter('test');
    meter.createCounter('orders').add(3, { currency: 'EUR' });
    meter.createHistogram('latency').record(12);
    const loggers = new LoggerProvider({
      resource,
      processors: [
        new BatchLogRecordProcessor({
          exporter: new OTLPLogExporter({ url: `http://127.0.0.1:${running.httpPort}/v1/logs` }),
        } as never),
      ],
    });
    loggers.getLogger('test').emit({ body: 'an order came in' });
    await loggers.forceFlush();
    await meters.shutdown();
    await loggers.shutdown();
    const books = await finish(running);
    expect(books.exporters.filter((one) => one.sent > 0).map((one) => [one.signal, one.sent])).toEqual([
      ['metrics', 2],
      ['logs', 1],
    ]);
  });
});

import { logs, metrics, trace } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it } from 'vitest';
import { type OtlpSink, startOtlpSink } from './otlp-sink.ts';

const resource = resourceFromAttributes({ 'service.name': 'sender', 'k8s.pod.name': 'pod-1' });
let sink: OtlpSink;
afterEach(async () => {
  await sink.close();
  trace.disable();
  metrics.disable();
  logs.disable();
});

describe('the OTLP sink', () => {
  it.each(['http', 'grpc'] as const)(
    'keeps the spans that the SDK sends over %s, with resource, scope, attributes and events',
    async (transport) => {
      sink = await startOtlpSink();
      const exporter =
        transport === 'http'
          ? new HttpTraceExporter({ url: `${sink.httpUrl}/v1/traces`, headers: { 'x-tenant': 'blue' } })
          : new GrpcTraceExporter({ url: `http://${sink.grpcAddress}` });
      const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
      const span = provider
        .getTracer('tests')
        .startSpan('work', { attributes: { text: 'a', whole: 7, real: 1.5, yes: true, many: ['x', 'y'] } });
      span.addEvent('half time', { at: 5 });
      span.end();
      await sink.until(() => sink.spans().length === 1, 'one span');
      const [seen] = sink.spans();
      expect(seen).toMatchObject({
        traceId: span.spanContext().traceId,
        spanId: span.spanContext().spanId,
        parentSpanId: '',
        name: 'work',
        kind: 1,
        scope: 'tests',
        attributes: { text: 'a', whole: 7, real: 1.5, yes: true, many: ['x', 'y'] },
        events: [{ name: 'half time', attributes: { at: 5 } }],
        resource: { 'service.name': 'sender', 'k8s.pod.name': 'pod-1' },
      });
      expect(sink.requests[0]).toMatchObject({ signal: 'traces', transport, accepted: true });
      if (transport === 'http') expect(sink.requests[0]?.headers['x-tenant']).toBe('blue');
      await provider.shutdown();
    },
  );

  it('keeps metrics with their type, temporality and points', async () => {
    sink = await startOtlpSink();
    const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url: `${sink.httpUrl}/v1/metrics` }) });
    const provider = new MeterProvider({ resource, readers: [reader] });
    const meter = provider.getMeter('tests');
    meter.createCounter('orders', { unit: '{order}' }).add(3, { kind: 'book' });
    meter.createHistogram('seconds', { advice: { explicitBucketBoundaries: [1, 2] } }).record(1.5);
    await provider.shutdown();
    const byName = new Map(sink.metrics().map((metric) => [metric.name, metric]));
    expect(byName.get('orders')).toMatchObject({
      type: 'sum',
      monotonic: true,
      temporality: 2,
      unit: '{order}',
      points: [{ attributes: { kind: 'book' }, value: 3 }],
    });
    expect(byName.get('seconds')).toMatchObject({
      type: 'histogram',
      points: [{ count: 1, sum: 1.5, bounds: [1, 2], bucketCounts: [0, 1, 0] }],
    });
  });

  it('keeps logs', async () => {
    sink = await startOtlpSink();
    const exporter = new OTLPLogExporter({ url: `${sink.httpUrl}/v1/logs` });
    const provider = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] });
    provider.getLogger('tests').emit({ body: 'hello', severityNumber: 9, severityText: 'INFO', attributes: { a: 1 } });
    await provider.shutdown();
    expect(sink.logs()).toMatchObject([{ body: 'hello', severityNumber: 9, severityText: 'INFO', attributes: { a: 1 }, scope: 'tests' }]);
  });

  it('answers as it is told, and counts only what it accepted', async () => {
    sink = await startOtlpSink();
    sink.respond(() => ({ status: 400 }));
    const exporter = new HttpTraceExporter({ url: `${sink.httpUrl}/v1/traces`, compression: CompressionAlgorithm.GZIP });
    const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    provider.getTracer('tests').startSpan('refused').end();
    await sink.until(() => sink.requests.length === 1);
    sink.respond(() => ({ partial: { rejected: 1, message: 'one too many' } }));
    provider.getTracer('tests').startSpan('taken').end();
    await sink.until(() => sink.requests.length === 2);
    expect(sink.requests.map((request) => request.accepted)).toEqual([false, true]);
    expect(sink.requests[0]?.headers['content-encoding']).toBe('gzip');
    expect(sink.spans().map((span) => span.name)).toEqual(['taken']);
    await provider.shutdown();
  });

  it('fails a request with the wrong path, method or media type as OTLP says', async () => {
    sink = await startOtlpSink();
    const status = async (path: string, init: RequestInit): Promise<number> => (await fetch(sink.httpUrl + path, init)).status;
    const protobuf = { 'content-type': 'application/x-protobuf' };
    expect(await status('/v1/elsewhere', { method: 'POST', headers: protobuf })).toBe(404);
    expect(await status('/v1/traces', { method: 'GET' })).toBe(405);
    expect(await status('/v1/traces', { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } })).toBe(415);
    expect(await status('/v1/traces', { method: 'POST', body: 'x', headers: { ...protobuf, 'content-encoding': 'gzip' } })).toBe(400);
    expect(sink.requests).toEqual([]);
  });

  it('fails to wait with words when the time is over', async () => {
    sink = await startOtlpSink();
    await expect(sink.until(() => false, 'the impossible', 20)).rejects.toThrow('waited 20 ms in vain for: the impossible');
  });
});

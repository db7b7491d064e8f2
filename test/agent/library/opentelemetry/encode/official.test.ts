import { ValueType } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import { ProtobufLogsSerializer, ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../../../../agent/config/settings.ts';
import { encode } from '../../../../../agent/library/opentelemetry/encode/encode.ts';
import { writeLogs } from '../../../../../agent/library/opentelemetry/encode/logs.ts';
import { writeMetrics } from '../../../../../agent/library/opentelemetry/encode/metrics.ts';
import { writeTraces } from '../../../../../agent/library/opentelemetry/encode/traces.ts';
import { decode } from '../../../kit/otlp.ts';
import { logRecords, metrics, spans } from './arbitrary.ts';

const RUNS = 400;

/** Today the bytes are the same; what must be the same is what they say. */
function expectSame(signal: Signal, ours: Buffer, official: Uint8Array | undefined): void {
  if (official === undefined) expect.unreachable('the official serializer made nothing');
  if (!ours.equals(official)) expect(decode(signal, ours)).toEqual(decode(signal, official));
}

describe('what the exporters write is what the official serializer writes', () => {
  it('of spans: all attribute types, events, links, states, flags, counts, any text', () => {
    fc.assert(
      fc.property(spans, (batch) =>
        expectSame('traces', encode(writeTraces, batch), ProtobufTraceSerializer.serializeRequest(batch as never)),
      ),
      { numRuns: RUNS },
    );
  });

  it('of log records: bodies of all types, severities, contexts, event names', () => {
    fc.assert(
      fc.property(logRecords, (batch) =>
        expectSame('logs', encode(writeLogs, batch), ProtobufLogsSerializer.serializeRequest(batch as never)),
      ),
      { numRuns: RUNS },
    );
  });

  it('of metrics: every kind of point, both temporalities, both types of number', () => {
    fc.assert(
      fc.property(metrics, (batch) =>
        expectSame('metrics', encode(writeMetrics, batch), ProtobufMetricsSerializer.serializeRequest(batch as never)),
      ),
      { numRuns: RUNS },
    );
  });
});

describe('of what the SDK itself makes', () => {
  const resource = resourceFromAttributes(
    { 'service.name': 'shop', late: Promise.resolve('there'), list: ['a', 'b'] },
    { schemaUrl: 'https://r' },
  );

  it('spans with limits, remote parents and exceptions', async () => {
    await resource.waitForAsyncAttributes?.();
    const memory = new InMemorySpanExporter();
    const provider = new TracerProvider({
      resource,
      spanLimits: {
        attributeCountLimit: 2,
        eventCountLimit: 2,
        linkCountLimit: 2,
        attributePerEventCountLimit: 1,
        attributePerLinkCountLimit: 1,
      },
      spanProcessors: [new SimpleSpanProcessor({ exporter: memory })],
    });
    const context = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
      isRemote: true,
      traceState: new TraceState('a=1,b=2'),
    };
    for (const name of ['one', 'two']) {
      const span = provider.getTracer(name, '1.0', { schemaUrl: 'https://s' }).startSpan('GET /ü', {
        kind: 1,
        attributes: { a: 1, b: [true, false], c: 'over the limit' },
        links: [{ context, attributes: { a: 1, b: 2 } }],
      });
      for (let i = 0; i < 4; i += 1) span.addEvent(`event ${i}`, { a: 'x', b: 'y' }).addLink({ context });
      span.recordException(new Error('boom'));
      span.setStatus({ code: 2, message: 'no' }).end();
    }
    const made = memory.getFinishedSpans();
    expect(made).toHaveLength(2);
    expectSame('traces', encode(writeTraces, made), ProtobufTraceSerializer.serializeRequest(made));
    expect(JSON.stringify(decode('traces', encode(writeTraces, made)))).toContain('"stringValue":"there"');
  });

  it('log records', async () => {
    const memory = new InMemoryLogRecordExporter();
    const provider = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter: memory } as never)] });
    const logger = provider.getLogger('test', '2');
    logger.emit({
      body: { nested: [1, { deep: null }], bytes: new Uint8Array([1]) },
      severityNumber: 9,
      severityText: 'INFO',
      eventName: 'e',
    });
    logger.emit({ attributes: { big: 2 ** 53, nan: Number.NaN }, timestamp: new Date(1e12) });
    await provider.forceFlush();
    const made = memory.getFinishedLogRecords();
    expect(made).toHaveLength(2);
    expectSame('logs', encode(writeLogs, made), ProtobufLogsSerializer.serializeRequest(made));
  });

  it.each([AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])(
    'metrics of every instrument, temporality %i',
    async (temporality) => {
      const memory = new InMemoryMetricExporter(temporality);
      const provider = new MeterProvider({
        resource,
        views: [{ instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
        readers: [new PeriodicExportingMetricReader({ exporter: memory, exportIntervalMillis: 600_000 })],
      });
      const meter = provider.getMeter('test', '3', { schemaUrl: 'https://m' });
      for (const valueType of [ValueType.INT, ValueType.DOUBLE]) {
        meter.createCounter(`counter ${valueType}`, { valueType, unit: '1', description: 'ü' }).add(3, { a: 1 });
        meter.createUpDownCounter(`updown ${valueType}`, { valueType }).add(-5);
        meter.createGauge(`gauge ${valueType}`, { valueType }).record(-(2 ** 33));
        meter.createObservableGauge(`observed ${valueType}`, { valueType }).addCallback((result) => result.observe(7, { b: 'x' }));
      }
      for (const name of ['histogram', 'exponential']) {
        const histogram = meter.createHistogram(name);
        for (let i = 0; i < 300; i += 1) histogram.record(i ** 2 / 7, { even: i % 2 === 0 });
      }
      await provider.forceFlush();
      const [made] = memory.getMetrics();
      expect(made?.scopeMetrics[0]?.metrics).toHaveLength(10);
      if (made !== undefined) expectSame('metrics', encode(writeMetrics, made), ProtobufMetricsSerializer.serializeRequest(made));
      await provider.shutdown();
    },
  );
});

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context, DiagLogLevel, diag, logs, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type ExportResult, ExportResultCode, isTracingSuppressed } from '@opentelemetry/core';
import { AggregationTemporalityPreference, OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { AggregationType, InstrumentType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { create, type EmbeddedAgent, imbalances, type ShortConfig } from '../../../agent/index.ts';
import { AgentLogRecordExporter, AgentMetricExporter, AgentSpanExporter } from '../../../agent/library/opentelemetry/index.ts';
import { type OtlpSink, type SinkReply, startOtlpSink } from '../../support/otlp-sink.ts';
import { ownPort } from '../kit/ports.ts';

const resource = resourceFromAttributes({ 'service.name': 'shop' });
const RETRY = { initial_interval: '20ms', max_interval: '100ms', max_elapsed_time: '0s' } as const;
const PROTOCOLS = ['grpc', 'http/protobuf'] as const;

let sink: OtlpSink;
const said: { level: string; text: string }[] = [];
const open: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  sink = await startOtlpSink();
  said.length = 0;
  const at =
    (level: string) =>
    (text: string): void =>
      void said.push({ level, text });
  const logger = { error: at('error'), warn: at('warn'), info: at('info'), debug: () => {}, verbose: () => {} };
  diag.setLogger(logger, { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true });
});
afterEach(async () => {
  for (const close of open.splice(0)) await close();
  diag.disable();
  await sink.close();
});

function config(protocol: (typeof PROTOCOLS)[number] = 'grpc', more: Partial<ShortConfig> = {}): ShortConfig {
  const exporter =
    protocol === 'grpc'
      ? ({ endpoint: `http://${sink.grpcAddress}`, timeout: '60s' } as const)
      : ({ protocol, endpoint: sink.httpUrl, timeout: '60s' } as const);
  return { exporter, retry: RETRY, ...more };
}

async function agentFor(protocol: (typeof PROTOCOLS)[number] = 'grpc', more: Partial<ShortConfig> = {}): Promise<EmbeddedAgent> {
  const agent = await create(config(protocol, more));
  open.push(() => agent.close());
  return agent;
}

/** Real spans, without a processor that sends them. */
function spans(count: number, name = 'span'): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
  for (let i = 0; i < count; i += 1) provider.getTracer('test').startSpan(`${name} ${i}`, { attributes: { i } }).end();
  return memory.getFinishedSpans();
}

const exported = (exporter: AgentSpanExporter, batch: ReadableSpan[]): Promise<ExportResult> =>
  new Promise((resolve) => exporter.export(batch, resolve));

describe('the exporters for the OpenTelemetry SDK', () => {
  it.each(PROTOCOLS)('deliver spans, metrics and logs over %s through one shared instance', async (protocol) => {
    const agent = create(config(protocol));
    const sdk = new NodeSDK({
      autoDetectResources: false,
      resource,
      spanProcessors: [new BatchSpanProcessor({ exporter: new AgentSpanExporter(agent) })],
      logRecordProcessors: [new BatchLogRecordProcessor({ exporter: new AgentLogRecordExporter(agent) } as never)],
      metricReaders: [new PeriodicExportingMetricReader({ exporter: new AgentMetricExporter(agent), exportIntervalMillis: 600_000 })],
    });
    sdk.start();
    for (let i = 0; i < 1000; i += 1)
      trace
        .getTracer('test')
        .startSpan(`span ${i}`, { attributes: { i, text: 'ü' } })
        .end();
    metrics.getMeter('test').createCounter('orders').add(3, { currency: 'EUR' });
    logs.getLogger('test').emit({ body: 'an order came in', attributes: { big: 2 ** 53 } });
    await sdk.shutdown();
    // Two batches are on their way at a time: their order is not promised.
    const spans = sink.spans().sort((a, b) => Number(a.attributes.i) - Number(b.attributes.i));
    expect(spans.map(({ name }) => name)).toEqual(Array.from({ length: 1000 }, (_, i) => `span ${i}`));
    expect(spans[999]).toMatchObject({ attributes: { i: 999, text: 'ü' }, resource: { 'service.name': 'shop' } });
    expect(sink.metrics().map(({ name }) => name)).toEqual(['orders']);
    expect(sink.logs().map(({ body }) => body)).toEqual(['an order came in']);
    // Whoever shares an instance does not end it.
    const shared = await agent;
    expect(shared.ready).toBe(true);
    expect((await shared.drain()).total).toMatchObject({ received: 1002, sent: 1002 });
    await shared.close();
    for (const api of [trace, metrics, logs, context]) api.disable();
  });

  it('forceFlush of the provider resolves when the backend has the spans, and not before', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    sink.respond(() => gate);
    const exporter = new AgentSpanExporter(await agentFor(), { patienceMs: 60_000 });
    const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] });
    open.push(() => provider.shutdown());
    provider.getTracer('test').startSpan('one').end();
    let flushed = false;
    const flushing = provider.forceFlush().then(() => {
      flushed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([flushed, sink.spans().length]).toEqual([false, 0]);
    release(undefined);
    await flushing;
    expect(sink.spans()).toHaveLength(1);
  });

  it('forceFlush waits also for what was told SUCCESS before it was delivered, and sends batches that are not full', async () => {
    const replies: SinkReply[] = [{ status: 503 }, { status: 503 }, { status: 503 }];
    sink.respond(() => replies.shift());
    const agent = await agentFor('grpc', { queue: { batch: { flush_timeout: '1h', min_size: 1000 } } });
    const exporter = new AgentSpanExporter(agent, { patienceMs: 0 });
    expect(await exported(exporter, spans(7))).toEqual({ code: ExportResultCode.SUCCESS });
    expect(sink.requests).toHaveLength(0);
    await exporter.forceFlush();
    expect(sink.spans()).toHaveLength(7);
    expect(sink.requests).toHaveLength(4);
  });

  it('forceFlush rejects when its time is over, and what it waited for arrives later all the same', async () => {
    sink.respond(() => ({ status: 503 }));
    const exporter = new AgentSpanExporter(await agentFor(), { patienceMs: 0, flushTimeoutMs: 50 });
    await exported(exporter, spans(3));
    await expect(exporter.forceFlush()).rejects.toThrow('traces are not delivered within 50 ms; they stay queued');
    sink.respond(undefined);
    await sink.until(() => sink.spans().length === 3);
  });

  it('shutdown delivers what is queued, then refuses, once and for all; an instance of its own ends with it', async () => {
    const exporter = new AgentSpanExporter(config(), { patienceMs: 0 });
    const replies: SinkReply[] = [{ status: 503 }];
    sink.respond(() => replies.shift());
    expect(await exported(exporter, spans(5))).toEqual({ code: ExportResultCode.SUCCESS });
    await Promise.all([exporter.shutdown(), exporter.shutdown()]);
    expect(sink.spans()).toHaveLength(5);
    const { code, error } = await exported(exporter, spans(1));
    expect([code, error?.message]).toEqual([ExportResultCode.FAILED, 'otlp-stack-agent: the exporter has been shut down']);
    await exporter.forceFlush();
    expect(sink.spans()).toHaveLength(5);
  });

  it('shutdown gives up at the drain deadline, resolves, and says what was lost', async () => {
    sink.respond(() => ({ status: 503 }));
    const exporter = new AgentSpanExporter(config('grpc', { agent: { drain_deadline: '50ms' } }), { patienceMs: 0 });
    await exported(exporter, spans(5));
    await exporter.shutdown();
    expect(said).toContainEqual({ level: 'warn', text: 'otlp-stack-agent: 5 traces were not delivered before the shutdown' });
  });

  it('an export waits for its delivery no longer than its patience, and the next ones not at all until the backend is back', async () => {
    sink.respond(() => ({ status: 503 }));
    const agent = await agentFor();
    const exporter = new AgentSpanExporter(agent, { patienceMs: 30 });
    const begun = performance.now();
    expect(await exported(exporter, spans(1))).toEqual({ code: ExportResultCode.SUCCESS });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(29);
    // Synchronously, so that a processor is never held up.
    let answered = 0;
    for (let i = 0; i < 5; i += 1) exporter.export(spans(1), () => (answered += 1));
    expect(answered).toBe(5);
    sink.respond(undefined);
    await exporter.forceFlush();
    expect(sink.spans()).toHaveLength(6);
    exporter.export(spans(1), () => (answered += 1));
    expect(answered).toBe(5);
    await exporter.forceFlush();
    expect(answered).toBe(6);
  });

  it('a backend that nobody can reach holds neither the processor nor the event loop, and nothing is lost when it comes', async () => {
    await sink.close();
    const port = await ownPort();
    const agent = await agentFor('grpc', { exporter: { endpoint: `http://127.0.0.1:${port}`, timeout: '60s' } });
    const exporter = new AgentSpanExporter(agent, { patienceMs: 10 });
    const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: 1024 })] });
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    for (let i = 0; i < 100; i += 1) {
      for (let k = 0; k < 100; k += 1) provider.getTracer('test').startSpan(`${i}/${k}`).end();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    clearInterval(turning);
    expect(turns).toBeGreaterThan(50);
    sink = await startOtlpSink({ grpcPort: port });
    await provider.shutdown();
    expect(new Set(sink.spans().map(({ name }) => name)).size).toBe(10_000);
    expect(imbalances(agent.stats().books)).toEqual([]);
  });

  it('fails an export that the backend rejects, and says by diag what was lost or rejected after SUCCESS', async () => {
    const agent = await agentFor();
    sink.respond(() => ({ status: 400 }));
    const patient = new AgentSpanExporter(agent, { patienceMs: 60_000 });
    expect(await exported(patient, spans(1))).toMatchObject({
      code: ExportResultCode.FAILED,
      error: { message: expect.stringContaining('INVALID_ARGUMENT') },
    });
    const impatient = new AgentSpanExporter(agent, { patienceMs: 0 });
    expect(await exported(impatient, spans(1))).toEqual({ code: ExportResultCode.SUCCESS });
    await impatient.forceFlush();
    sink.respond(() => ({ partial: { rejected: 2, message: 'too old' } }));
    expect(await exported(patient, spans(3))).toEqual({ code: ExportResultCode.SUCCESS });
    expect(said).toEqual([
      { level: 'error', text: expect.stringMatching(/^otlp-stack-agent: traces were not delivered: INVALID_ARGUMENT/) },
      { level: 'warn', text: 'otlp-stack-agent: the backend rejected a part of traces: 2: too old' },
    ]);
  });

  it('says what was lost after SUCCESS once, and how many more there were at the end', async () => {
    const agent = await agentFor();
    sink.respond(() => ({ status: 400 }));
    const exporter = new AgentSpanExporter(agent, { patienceMs: 0 });
    for (let i = 0; i < 20; i += 1) await exported(exporter, spans(1));
    await exporter.forceFlush();
    expect(said).toHaveLength(1);
    await exporter.shutdown();
    expect(said.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^otlp-stack-agent: traces were not delivered: INVALID_ARGUMENT[^(]*$/),
      expect.stringMatching(/^otlp-stack-agent: traces were not delivered: INVALID_ARGUMENT.* \(and 18 more before\)$/),
    ]);
  });

  it('takes times without end, in numbers that a timer does not have', async () => {
    sink.respond(() => ({ status: 503 }));
    const exporter = new AgentSpanExporter(await agentFor(), { patienceMs: 1e12, flushTimeoutMs: Number.POSITIVE_INFINITY });
    const result = exported(exporter, spans(1));
    const flushing = exporter.forceFlush();
    await sink.until(() => sink.requests.length > 2);
    sink.respond(undefined);
    await flushing;
    expect(await result).toEqual({ code: ExportResultCode.SUCCESS });
  });

  it('fails an export that the agent refuses', async () => {
    sink.respond(() => ({ status: 503 }));
    const exporter = new AgentSpanExporter(await agentFor('grpc', { queue: { sizer: 'requests', queue_size: 1 } }), { patienceMs: 0 });
    expect(await exported(exporter, spans(1))).toEqual({ code: ExportResultCode.SUCCESS });
    const { code, error } = await exported(exporter, spans(1));
    expect([code, error?.message]).toEqual([ExportResultCode.FAILED, 'otlp-stack-agent: the sending queue is full (OTLP_QUEUE_FULL)']);
  });

  it('fails exports and nothing else where the configuration is wrong, or the spans are none', async () => {
    for (const nothing of [undefined, null, 5, Promise.resolve({}), Promise.resolve(), Promise.reject(new Error('no'))]) {
      expect(await exported(new AgentSpanExporter(nothing as never), spans(1))).toMatchObject({ code: ExportResultCode.FAILED });
    }
    said.length = 0;
    const exporter = new AgentSpanExporter({ exporter: { endpoint: 'nowhere' } });
    expect(await exported(exporter, spans(1))).toMatchObject({ code: ExportResultCode.FAILED });
    expect(await exported(exporter, spans(1))).toMatchObject({ code: ExportResultCode.FAILED });
    expect(said).toEqual([
      { level: 'error', text: expect.stringContaining('otlp-stack-agent: traces are not exported: The configuration has') },
    ]);
    await exporter.forceFlush();
    await exporter.shutdown();
    const good = new AgentSpanExporter(await agentFor());
    expect(await exported(good, [{} as ReadableSpan])).toMatchObject({ code: ExportResultCode.FAILED });
    const boom = (): never => {
      throw new Error('boom');
    };
    good.export(spans(1), boom);
    await good.forceFlush();
    expect(sink.spans()).toHaveLength(1);
  });

  it('takes exports before the instance is there, in order, and refuses what would pile up', async () => {
    const { promise, resolve } = Promise.withResolvers<EmbeddedAgent>();
    const exporter = new AgentSpanExporter(promise);
    const results = Array.from({ length: 65 }, (_, i) => exported(exporter, spans(1, `early ${i}`)));
    expect(await results[64]).toMatchObject({ code: ExportResultCode.FAILED });
    const flushing = exporter.forceFlush();
    resolve(await agentFor());
    await flushing;
    expect(new Set((await Promise.all(results.slice(0, 64))).map(({ code }) => code))).toEqual(new Set([ExportResultCode.SUCCESS]));
    expect(sink.spans()).toHaveLength(64);
  });

  it('sends in a context of its own in which tracing is suppressed, so that instrumented HTTP makes no spans of it', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const seen: [boolean, boolean][] = [];
    // What @opentelemetry/instrumentation-undici listens to.
    const look = (): void => void seen.push([isTracingSuppressed(context.active()), trace.getSpan(context.active()) !== undefined]);
    subscribe('undici:request:create', look);
    const replies: SinkReply[] = [{ status: 503 }, { status: 503 }];
    sink.respond(() => replies.shift());
    // Our own client is seen by no instrumentation; undici is.
    const exporter = new AgentSpanExporter({
      exporter: { protocol: 'http/protobuf', endpoint: sink.httpUrl, timeout: '60s', http1_codec: 'undici' },
      retry: RETRY,
    });
    const span = new TracerProvider({}).getTracer('test').startSpan('a request of the program');
    await context.with(trace.setSpan(context.active(), span), () => exported(exporter, spans(1)));
    await exporter.shutdown();
    unsubscribe('undici:request:create', look);
    context.disable();
    expect(seen).toEqual([
      [true, false],
      [true, false],
      [true, false],
    ]);
  });

  it('holds no more than the bytes of a request: a buffer that is mostly empty is copied', async () => {
    sink.respond(() => ({ status: 503 }));
    const agent = await agentFor();
    const exporter = new AgentSpanExporter(agent, { patienceMs: 0 });
    await exported(exporter, spans(1));
    const held = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 500; i += 1) await exported(exporter, spans(1));
    // The serializer's own buffer has 64 KiB: 500 of them would be 32 MB.
    expect(process.memoryUsage().arrayBuffers - held).toBeLessThan(16 * 1024 * 1024);
  });

  describe('of metrics', () => {
    it.each([
      ['cumulative', AggregationTemporalityPreference.CUMULATIVE],
      ['delta', AggregationTemporalityPreference.DELTA],
      ['lowmemory', AggregationTemporalityPreference.LOWMEMORY],
    ] as const)('select the temporality as the official exporter does: %s', async (temporality, temporalityPreference) => {
      const ours = new AgentMetricExporter(await agentFor(), { temporality });
      const theirs = new OTLPMetricExporter({ temporalityPreference });
      for (const instrument of Object.values(InstrumentType)) {
        expect([instrument, ours.selectAggregationTemporality(instrument)]).toEqual([
          instrument,
          theirs.selectAggregationTemporality(instrument),
        ]);
      }
    });

    it('read the preference of the environment, and take an aggregation', async () => {
      const agent = await agentFor();
      const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
      process.env[name] = 'Delta';
      const ours = new AgentMetricExporter(agent, { aggregation: () => ({ type: AggregationType.DROP }) });
      delete process.env[name];
      expect(ours.selectAggregationTemporality(InstrumentType.COUNTER)).toBe(0);
      const reader = new PeriodicExportingMetricReader({ exporter: ours, exportIntervalMillis: 600_000 });
      const provider = new MeterProvider({ resource, readers: [reader] });
      provider.getMeter('test').createCounter('dropped').add(1);
      await provider.shutdown();
      expect(sink.metrics()).toEqual([]);
    });

    it('forceFlush of provider and reader resolves when the backend has the points', async () => {
      const exporter = new AgentMetricExporter(await agentFor());
      const provider = new MeterProvider({
        resource,
        readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 })],
      });
      provider.getMeter('test').createCounter('orders').add(1);
      await provider.forceFlush();
      expect(sink.metrics().map(({ name }) => name)).toEqual(['orders']);
      await provider.shutdown();
    });
  });

  it('of logs: forceFlush and shutdown of the provider deliver', async () => {
    const exporter = new AgentLogRecordExporter(await agentFor());
    const provider = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter } as never)] });
    provider.getLogger('test').emit({ body: 'one' });
    await provider.forceFlush();
    expect(sink.logs()).toHaveLength(1);
    provider.getLogger('test').emit({ body: 'two' });
    await provider.shutdown();
    expect(sink.logs().map(({ body }) => body)).toEqual(['one', 'two']);
  });
});

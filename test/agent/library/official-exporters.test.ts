import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentSpanExporter } from '../../../agent/library/opentelemetry/index.ts';
import { type OtlpSink, type SinkReply, startOtlpSink } from '../../support/otlp-sink.ts';

/** google.rpc.Status { code 8, details: RetryInfo { 10 ms } } in base64. */
const RETRY_INFO = Buffer.concat([
  Buffer.from([0x08, 8, 0x1a, 0x33, 0x0a, 0x28]),
  Buffer.from('type.googleapis.com/google.rpc.RetryInfo'),
  Buffer.from([0x12, 0x07, 0x0a, 0x05, 0x10, 0x80, 0xad, 0xe2, 0x04]),
]).toString('base64');

let sink: OtlpSink;
beforeEach(async () => {
  sink = await startOtlpSink();
});
afterEach(() => sink.close());

function spans(): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
  provider.getTracer('test').startSpan('one').end();
  return memory.getFinishedSpans();
}

async function exportOnce(exporter: {
  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}) {
  const { code } = await new Promise<ExportResult>((resolve) => exporter.export(spans(), resolve));
  await exporter.shutdown();
  return { code, attempts: sink.requests.length, delivered: sink.spans().length };
}

describe('a backend that fails once, over gRPC', () => {
  it.each([
    ['UNAVAILABLE', { grpcCode: 14 }],
    ['RESOURCE_EXHAUSTED with RetryInfo', { grpcCode: 8, headers: { 'grpc-status-details-bin': RETRY_INFO } }],
    ['DEADLINE_EXCEEDED', { grpcCode: 4 }],
  ] as [string, SinkReply][])('%s: the official exporter loses the spans, ours does not', async (_name, failure) => {
    let left = 1;
    sink.respond(() => (left-- > 0 ? failure : undefined));
    expect(await exportOnce(new OTLPTraceExporter({ url: `http://${sink.grpcAddress}` }))).toEqual({
      code: ExportResultCode.FAILED,
      attempts: 1,
      delivered: 0,
    });
    await sink.close();
    sink = await startOtlpSink();
    left = 1;
    sink.respond(() => (left-- > 0 ? failure : undefined));
    const exporter = new AgentSpanExporter({ exporter: { endpoint: `http://${sink.grpcAddress}` }, retry: { initial_interval: '10ms' } });
    expect(await exportOnce(exporter)).toEqual({ code: ExportResultCode.SUCCESS, attempts: 2, delivered: 1 });
  });
});

/** The SDK's OTLP exporters, set up from our settings. What is given here wins over `OTEL_EXPORTER_OTLP_*`, which config/ has read already;
 * headers and certificates are not given, so the SDK reads those variables itself. */
import { OTLPLogExporter as GrpcLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as HttpLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as HttpMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { CompressionAlgorithm, type IOtlpExportDelegate, OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { convertLegacyOtlpGrpcOptions, createOtlpGrpcExportDelegate } from '@opentelemetry/otlp-grpc-exporter-base';
import {
  type IExportTraceServiceResponse,
  type ISerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SignalSettings } from '../config/settings.ts';
import type { CountingExporter } from './span-pipeline.ts';

// Over its limit the SDK fails an export instead of queueing it, so the limit that counts is the pipeline's, and this one is out of the way.
const UNLIMITED_EXPORTS = Number.MAX_SAFE_INTEGER;

const GRPC_TRACE_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

function options({ url, compression, timeoutMs }: SignalSettings) {
  return {
    url,
    compression: compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    timeoutMillis: timeoutMs,
    concurrencyLimit: UNLIMITED_EXPORTS,
  };
}

/**
 * The trace exporter of `@opentelemetry/exporter-trace-otlp-proto` or `-grpc`, put together from the same parts, so that the answer
 * passes through our hands: those classes only log a partial success, and the spans it rejects would count as exported.
 */
export function createTraceExporter(settings: SignalSettings): CountingExporter {
  let rejected = 0;
  const serializer: ISerializer<ReadableSpan[], IExportTraceServiceResponse> = {
    serializeRequest: (spans) => ProtobufTraceSerializer.serializeRequest(spans),
    // The SDK calls this just before it reports the success of the same request, in one synchronous step.
    deserializeResponse: (bytes) => {
      const response = ProtobufTraceSerializer.deserializeResponse(bytes);
      rejected += Number(response.partialSuccess?.rejectedSpans ?? 0);
      return response;
    },
  };
  const takeRejected = (): number => {
    const taken = rejected;
    rejected = 0;
    return taken;
  };
  return new OtlpTraceExporter(
    settings.protocol === 'grpc' ? overGrpc(settings, serializer) : overHttp(settings, serializer),
    takeRejected,
  );
}

class OtlpTraceExporter extends OTLPExporterBase<ReadableSpan[]> implements CountingExporter {
  readonly takeRejected: () => number;

  constructor(delegate: IOtlpExportDelegate<ReadableSpan[]>, takeRejected: () => number) {
    super(delegate);
    this.takeRejected = takeRejected;
  }
}

type TraceSerializer = ISerializer<ReadableSpan[], IExportTraceServiceResponse>;

function overHttp(settings: SignalSettings, serializer: TraceSerializer): IOtlpExportDelegate<ReadableSpan[]> {
  const http = convertLegacyHttpOptions(options(settings), 'TRACES', 'v1/traces', { 'Content-Type': 'application/x-protobuf' });
  return createOtlpHttpExportDelegate(http, serializer, 'otlp_http_span_exporter', TraceExporterMetricsHelper, undefined);
}

function overGrpc(settings: SignalSettings, serializer: TraceSerializer): IOtlpExportDelegate<ReadableSpan[]> {
  const grpc = convertLegacyOtlpGrpcOptions(options(settings), 'TRACES');
  return createOtlpGrpcExportDelegate(
    grpc,
    serializer,
    'otlp_grpc_span_exporter',
    TraceExporterMetricsHelper,
    undefined,
    'TraceExportService',
    GRPC_TRACE_PATH,
  );
}

export function createMetricExporter(settings: SignalSettings): PushMetricExporter {
  return settings.protocol === 'grpc' ? new GrpcMetricExporter(options(settings)) : new HttpMetricExporter(options(settings));
}

export function createLogExporter(settings: SignalSettings): LogRecordExporter {
  return settings.protocol === 'grpc' ? new GrpcLogExporter(options(settings)) : new HttpLogExporter(options(settings));
}

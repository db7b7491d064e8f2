/**
 * `otlp-stack-agent/opentelemetry`: exporters for the OpenTelemetry JS SDK (tested with SDK 3.1, experimental packages 0.301) over the agent
 * as a library. Needs @opentelemetry/api, /core and /otlp-transformer, which every program with the SDK has; the agent itself does not.
 *
 * @example
 *   const agent = create({ exporter: { protocol: 'grpc', endpoint: 'http://localhost:4317' } });
 *   new NodeSDK({ traceExporter: new AgentSpanExporter(agent), ... });
 */
import type { ExportResult } from '@opentelemetry/core';
import { ProtobufLogsSerializer, ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { AggregationOption, AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import { type Destination, type ExporterOptions, Handover } from './handover.ts';
import { preferenceOf, type TemporalityPreference, temporalityOf } from './temporality.ts';

export type { Destination, ExporterOptions } from './handover.ts';
export type { TemporalityPreference } from './temporality.ts';

/** The SDK's own types, as its serializers take them: whatever release of the SDK is installed. */
export type ReadableSpans = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0];
export type ReadableLogRecords = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0];
export type ResourceMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];

type Done = (result: ExportResult) => void;

/** A SpanExporter: `new BatchSpanProcessor({ exporter: new AgentSpanExporter(agent) })`. */
export class AgentSpanExporter {
  readonly #handover: Handover<ReadableSpans>;

  constructor(destination: Destination, options: ExporterOptions = {}) {
    this.#handover = new Handover('traces', (spans) => ProtobufTraceSerializer.serializeRequest(spans), destination, options);
  }

  export(spans: ReadableSpans, resultCallback: Done): void {
    this.#handover.export(spans, resultCallback);
  }

  forceFlush(): Promise<void> {
    return this.#handover.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#handover.shutdown();
  }
}

/** A LogRecordExporter: `new BatchLogRecordProcessor({ exporter: new AgentLogRecordExporter(agent) })`. */
export class AgentLogRecordExporter {
  readonly #handover: Handover<ReadableLogRecords>;

  constructor(destination: Destination, options: ExporterOptions = {}) {
    this.#handover = new Handover('logs', (records) => ProtobufLogsSerializer.serializeRequest(records), destination, options);
  }

  export(records: ReadableLogRecords, resultCallback: Done): void {
    this.#handover.export(records, resultCallback);
  }

  forceFlush(): Promise<void> {
    return this.#handover.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#handover.shutdown();
  }
}

export interface MetricExporterOptions extends ExporterOptions {
  /** @default OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE, else cumulative */
  readonly temporality?: TemporalityPreference;
  /** Of each kind of instrument. @default the SDK's */
  readonly aggregation?: (instrument: InstrumentType) => AggregationOption;
}

/** A PushMetricExporter: `new PeriodicExportingMetricReader({ exporter: new AgentMetricExporter(agent) })`. */
export class AgentMetricExporter {
  /** Absent where no aggregation was set, so that the SDK takes its own. */
  readonly selectAggregation?: (instrument: InstrumentType) => AggregationOption;
  readonly #handover: Handover<ResourceMetrics>;
  readonly #temporality: TemporalityPreference;

  constructor(destination: Destination, options: MetricExporterOptions = {}) {
    this.#handover = new Handover('metrics', (metrics) => ProtobufMetricsSerializer.serializeRequest(metrics), destination, options);
    this.#temporality = preferenceOf(options.temporality, process.env);
    if (options.aggregation !== undefined) this.selectAggregation = options.aggregation;
  }

  export(metrics: ResourceMetrics, resultCallback: Done): void {
    this.#handover.export(metrics, resultCallback);
  }

  selectAggregationTemporality(instrument: InstrumentType): AggregationTemporality {
    return temporalityOf(this.#temporality, instrument);
  }

  forceFlush(): Promise<void> {
    return this.#handover.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#handover.shutdown();
  }
}

/**
 * `otlp-stack-agent/opentelemetry`: exporters for the OpenTelemetry JS SDK (tested with SDK 3.1, experimental packages 0.301) over the agent
 * as a library. Needs @opentelemetry/api and /core, which every program with the SDK has; the agent itself does not.
 *
 * @example
 *   const agent = create({ exporter: { protocol: 'grpc', endpoint: 'http://localhost:4317' } });
 *   new NodeSDK({ traceExporter: new AgentSpanExporter(agent), ... });
 */
import type { ExportResult } from '@opentelemetry/core';
import type { AggregationOption, AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import { encode } from './encode/encode.ts';
import { type LogRecordLike, writeLogs } from './encode/logs.ts';
import { type ResourceMetricsLike, writeMetrics } from './encode/metrics.ts';
import { type SpanLike, writeTraces } from './encode/traces.ts';
import { type Destination, type ExporterOptions, Handover } from './handover.ts';
import { preferenceOf, type TemporalityPreference, temporalityOf } from './temporality.ts';

export type { Destination, ExporterOptions } from './handover.ts';
export type { TemporalityPreference } from './temporality.ts';

/** What the SDK hands over, as far as it is sent: whatever release of the SDK is installed, its types fit. */
export type ReadableSpans = readonly SpanLike[];
export type ReadableLogRecords = readonly LogRecordLike[];
export type ResourceMetrics = ResourceMetricsLike;

type Done = (result: ExportResult) => void;

/** A SpanExporter: `new BatchSpanProcessor({ exporter: new AgentSpanExporter(agent) })`. */
export class AgentSpanExporter {
  readonly #handover: Handover<ReadableSpans>;

  constructor(destination: Destination, options: ExporterOptions = {}) {
    this.#handover = new Handover('traces', (spans) => encode(writeTraces, spans), destination, options);
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
    this.#handover = new Handover('logs', (records) => encode(writeLogs, records), destination, options);
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
    this.#handover = new Handover('metrics', (metrics) => encode(writeMetrics, metrics), destination, options);
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

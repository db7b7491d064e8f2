/** The OpenTelemetry SDK of this service: traces and metrics always, logs by the switch. */
import { context, type DiagLogger, DiagLogLevel, diag, ROOT_CONTEXT } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { Settings } from '../config/settings.ts';
import { createLogExporter, createMetricExporter, createTraceExporter } from './exporters.ts';
import type { Level, Log } from './log.ts';
import type { SpanLedger } from './span-ledger.ts';
import { createSpanPipeline, type OnState } from './span-pipeline.ts';

export interface Telemetry {
  /** Flushes and closes all signals; resolves at the deadline at the latest, with the number of spans that were not delivered. */
  shutdown(deadlineMs: number): Promise<{ lostSpans: number }>;
}

/** Registers the global tracer, meter and logger providers. Once per process. */
export function startTelemetry(settings: Settings, ledger: SpanLedger, log: Log): Telemetry {
  const { batch } = settings;
  const local = outsideOfRequests(log);
  const sdk = new NodeSDK({
    resource: defaultResource().merge(resourceFromAttributes(settings.resource)),
    // config/ has resolved OTEL_RESOURCE_ATTRIBUTES and the instance id; the SDK's detectors would override them, with a random id.
    autoDetectResources: false,
    instrumentations: [],
    spanProcessors: settings.traces
      ? [createSpanPipeline(createTraceExporter(settings.traces), batch, ledger, exportState(settings.traces.url, ledger, local))]
      : [],
    metricReaders: settings.metrics
      ? [
          new PeriodicExportingMetricReader({
            exporter: createMetricExporter(settings.metrics),
            exportIntervalMillis: settings.metrics.intervalMs,
            exportTimeoutMillis: Math.min(settings.metrics.timeoutMs, settings.metrics.intervalMs),
          }),
        ]
      : [],
    // An empty list, not undefined: without one the SDK exports logs by default.
    logRecordProcessors: settings.logs
      ? [
          new BatchLogRecordProcessor({
            exporter: createLogExporter(settings.logs),
            maxQueueSize: batch.queueSize,
            maxExportBatchSize: batch.exportSize,
            scheduledDelayMillis: batch.delayMs,
            exportTimeoutMillis: settings.logs.timeoutMs,
          }),
        ]
      : [],
  });
  // After the constructor, which sets a plain-text console logger when OTEL_LOG_LEVEL is set: stdout carries JSON only.
  diag.setLogger(jsonDiagnostics(local), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  setGlobalErrorHandler((error) => local('error', 'telemetry failed', {}, error instanceof Error ? error : new Error(text(error))));
  sdk.start();
  return {
    shutdown: async (deadlineMs) => {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, Math.max(deadlineMs, 0));
      });
      const closed = sdk.shutdown().catch((error: Error) => local('error', 'telemetry shutdown failed', {}, error));
      await Promise.race([closed, deadline]);
      clearTimeout(timer);
      return { lostSpans: ledger.giveUp() };
    },
  };
}

type Local = Log['writeLocally'];

/** Exports run in the context of whatever request filled the batch; what is said about them belongs to none. */
function outsideOfRequests(log: Log): Local {
  return (...line) => context.with(ROOT_CONTEXT, () => log.writeLocally(...line));
}

function exportState(url: string, ledger: SpanLedger, local: Local): OnState {
  return (state, error) =>
    state === 'failing'
      ? local('error', 'span export fails, spans are being lost; see otlp_spans_dropped_total', { url }, error)
      : local('info', 'span export works again', { url, dropped: ledger.droppedTotal });
}

function jsonDiagnostics(local: Local): DiagLogger {
  const write =
    (level: Level) =>
    (message: string, ...details: unknown[]): void =>
      local(level, message, { from: 'opentelemetry', ...(details.length === 0 ? {} : { detail: details.map(text).join(' ') }) });
  return { verbose: write('debug'), debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

const text = (value: unknown): string =>
  typeof value === 'string' ? value : value instanceof Error ? value.message : (JSON.stringify(value) ?? '');

/** JSON lines on stdout, each with the trace it belongs to; by the switch `logs.export` the same records go out by OTLP as well. */
import { type Attributes, context, isSpanContextValid, logs, SeverityNumber, trace } from '@opentelemetry/api';
import pino from 'pino';
import type { Settings } from '../config/settings.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = { readonly [name: string]: string | number | boolean | undefined };

export interface Log {
  /** One line. `error` becomes `error.type` and `error.message`. */
  write(level: Level, message: string, fields?: Fields, error?: Error): void;
  /** stdout only: for what is said about the export itself, which would otherwise feed itself. */
  writeLocally(level: Level, message: string, fields?: Fields, error?: Error): void;
}

const SEVERITY: { readonly [level in Level]: SeverityNumber } = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

export function createLog(settings: Pick<Settings, 'service' | 'logLevel' | 'logs'>): Log {
  const logger = pino(
    {
      level: settings.logLevel,
      messageKey: 'message',
      base: { 'service.name': settings.service.name, 'service.instance.id': settings.service.instanceId },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: traceFields,
    },
    // Synchronous: the lines of a shutdown are out before the process is gone.
    pino.destination({ dest: 1, sync: true }),
  );
  const writeLocally = (level: Level, message: string, fields: Fields = {}, error?: Error): void => {
    logger[level]({ ...fields, ...errorFields(error) }, message);
  };
  return {
    writeLocally,
    write: (level, message, fields = {}, error) => {
      writeLocally(level, message, fields, error);
      if (!settings.logs || !logger.isLevelEnabled(level)) return;
      // The SDK adds trace and span id from the active context.
      logs.getLogger('otlp-stack-sample-service').emit({
        severityNumber: SEVERITY[level],
        severityText: level.toUpperCase(),
        body: message,
        attributes: { ...fields, ...errorFields(error) } as Attributes,
        context: context.active(),
      });
    },
  };
}

function traceFields(): object {
  const span = trace.getActiveSpan()?.spanContext();
  if (!span || !isSpanContextValid(span)) return {};
  return { trace_id: span.traceId, span_id: span.spanId, trace_flags: span.traceFlags.toString(16).padStart(2, '0') };
}

function errorFields(error: Error | undefined): Fields {
  return error ? { 'error.type': error.name, 'error.message': error.message } : {};
}

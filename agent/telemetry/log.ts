import { pino } from 'pino';
import type { TelemetrySettings } from '../config/settings.ts';
import { VERSION } from '../runtime/version.ts';
import { logOutput } from './log-output.ts';
import type { Tracer } from './own/tracer.ts';

/** What the path may say: one line for each event of a lifecycle, none for each item. */
export interface Log {
  info(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  error(event: string, fields?: object): void;
  debug(event: string, fields?: object): void;
  /** Spans of deliveries; absent where service.telemetry.traces sends none. */
  readonly tracer?: Tracer;
}

/** JSON lines on stdout (the log collector of a cluster reads them); `console` is for people at a terminal. */
export function createLog(settings: TelemetrySettings['logs'], write?: (line: string) => void): Log {
  const onLost = (lines: number): void => log.warn('lines of the log were lost', { lines });
  const out = { write: write ?? logOutput(process.stdout, onLost) };
  const log: Log = settings.encoding === 'console' ? consoleLog(settings.level, out.write) : jsonLog(settings.level, out);
  return log;
}

function jsonLog(level: (typeof LEVELS)[number], out: { write(line: string): void }): Log {
  const logger = pino(
    {
      level,
      base: { 'service.name': 'otlp-agent', 'service.version': VERSION },
      messageKey: 'msg',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    out,
  );
  return {
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
    debug: (event, fields) => logger.debug(fields ?? {}, event),
  };
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** `2026-01-01T00:00:00.000Z<tab>info<tab>event<tab>{fields}`, the Collector's console shape. */
function consoleLog(level: (typeof LEVELS)[number], write: (line: string) => void): Log {
  const at =
    (own: (typeof LEVELS)[number]) =>
    (event: string, fields?: object): void => {
      if (LEVELS.indexOf(own) < LEVELS.indexOf(level)) return;
      const rest = fields === undefined ? '' : `\t${JSON.stringify(fields)}`;
      write(`${new Date().toISOString()}\t${own}\t${event}${rest}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

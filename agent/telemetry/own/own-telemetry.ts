import type { TelemetrySettings } from '../../config/settings.ts';
import type { Log } from '../log.ts';
import { attributes, OwnLine } from './own-line.ts';
import { Tracer } from './tracer.ts';

/** Severity numbers of the log data model. */
const SEVERITIES = { debug: 5, info: 9, warn: 13, error: 17 } as const;

/** Sends what the agent says of itself, spans and log lines, where service.telemetry asks for it; its log still goes to standard output. */
export class OwnTelemetry {
  /** The log of the agent: says everything on, and holds the tracer. */
  readonly log: Log;
  readonly #lines: readonly { readonly signal: string; readonly line: OwnLine }[];

  private constructor(log: Log, lines: readonly { readonly signal: string; readonly line: OwnLine }[]) {
    this.log = log;
    this.#lines = lines;
  }

  static async create({ traces, ownLogs, resource, logs }: TelemetrySettings, base: Log): Promise<OwnTelemetry> {
    // Of the sending itself only the fact that it fails is said, on standard output: never a span or a line that would have to be sent.
    const spans = traces === undefined ? undefined : await OwnLine.create('traces', traces, resource, base);
    const records = ownLogs === undefined ? undefined : await OwnLine.create('logs', ownLogs, resource, base);
    const said = records === undefined ? base : tee(base, records, logs.level);
    const tracer = spans === undefined || traces === undefined ? undefined : new Tracer(traces.ratio, (span) => spans.add(span));
    const log: Log = tracer === undefined ? said : { ...said, tracer };
    const lines = [
      ...(spans === undefined ? [] : [{ signal: 'traces', line: spans }]),
      ...(records === undefined ? [] : [{ signal: 'logs', line: records }]),
    ];
    return new OwnTelemetry(log, lines);
  }

  /** Items by signal: sent, and dropped because the destination did not take them. */
  totals(): readonly { readonly signal: string; readonly sent: number; readonly dropped: number }[] {
    return this.#lines.map(({ signal, line }) => ({ signal, ...line.totals }));
  }

  async drain(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#lines.map(({ line }) => line.drain(deadline)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#lines.map(({ line }) => line.close()));
  }
}

function tee(base: Log, records: OwnLine, least: keyof typeof SEVERITIES): Log {
  const at =
    (level: keyof typeof SEVERITIES) =>
    (event: string, fields?: object): void => {
      base[level](event, fields);
      if (SEVERITIES[level] < SEVERITIES[least]) return;
      const { trace_id: traceId, span_id: spanId, ...rest } = { ...fields } as Record<string, unknown>;
      records.add({
        timeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
        severityNumber: SEVERITIES[level],
        severityText: level,
        body: { stringValue: event },
        attributes: attributes(rest),
        ...(typeof traceId === 'string' && typeof spanId === 'string' ? { traceId, spanId } : {}),
      });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

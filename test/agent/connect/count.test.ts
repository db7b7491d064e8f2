import { describe, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { CountConnector } from '../../../agent/connect/count.ts';
import type { CountMetric, CountSettings } from '../../../agent/connect/count-config.ts';
import { finish, type LogLine, post, recordingLog, startAgent, until } from '../kit/agent.ts';
import { attribute, decode, encode, type Message, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

const metric = (name: string, more: Partial<CountMetric> = {}): CountMetric => ({
  name,
  description: '',
  conditions: [],
  attributes: [],
  ...more,
});

function settings(more: Partial<CountSettings['metrics']> = {}): CountSettings {
  const metrics = {
    spans: [metric('spans')],
    spanevents: [metric('events')],
    metrics: [metric('metrics')],
    datapoints: [metric('points')],
    logs: [metric('logs')],
    ...more,
  };
  return { kind: 'count', id: 'count', metrics };
}

interface Point {
  readonly asInt: string;
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly attributes?: readonly { readonly key: string; readonly value: Message }[];
}

interface Sums {
  readonly resourceMetrics: readonly {
    readonly resource?: Message;
    readonly scopeMetrics: readonly {
      readonly metrics: readonly { readonly name: string; readonly sum: { readonly dataPoints: readonly Point[] } }[];
    }[];
  }[];
}

function counted(config: CountSettings, signal: 'traces' | 'metrics' | 'logs', body: Buffer, lines: LogLine[] = []): Sums {
  const produced = new CountConnector(config, recordingLog(lines)).consume(signal, { slices: [body], bytes: body.length, items: 1 });
  if (typeof produced === 'string') throw new Error(produced);
  if (produced.length === 0) return { resourceMetrics: [] };
  expect(produced.map((one) => [one.signal, one.derived])).toEqual([['metrics', true]]);
  const made = Buffer.concat(produced[0]?.body.slices ?? []);
  const sums = decode('metrics', made) as unknown as Sums;
  const points = sums.resourceMetrics.flatMap((one) =>
    one.scopeMetrics.flatMap((scope) => scope.metrics.flatMap(({ sum }) => sum.dataPoints)),
  );
  expect(produced[0]?.body).toMatchObject({ bytes: made.length, items: points.length });
  return sums;
}

const values = (sums: Sums): Record<string, string[]> =>
  Object.fromEntries(
    sums.resourceMetrics.flatMap((one) =>
      one.scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name, sum }) => [name, sum.dataPoints.map((p) => p.asInt)])),
    ),
  );

describe('the count connector', () => {
  it('counts by resource, with the attributes of the resource and the time that the items span', () => {
    const events = [{ timeUnixNano: 15 }, { timeUnixNano: 12 }, {}];
    const resource = { attributes: [attribute('service.name', 'cart')], droppedAttributesCount: 3 };
    const body = encode('traces', {
      resourceSpans: [
        { resource, scopeSpans: [{ spans: [{ startTimeUnixNano: 10, endTimeUnixNano: 20, events }, { startTimeUnixNano: 5 }] }] },
        { scopeSpans: [{}] },
      ],
    });
    const sums = counted(settings(), 'traces', body);
    expect(sums.resourceMetrics.map((one) => one.resource)).toEqual([{ attributes: [attribute('service.name', 'cart')] }]);
    expect(sums.resourceMetrics[0]?.scopeMetrics[0]?.metrics.map(({ name, sum }) => [name, sum])).toEqual([
      ['spans', { dataPoints: [{ asInt: '2', startTimeUnixNano: '5', timeUnixNano: '20' }], aggregationTemporality: 1, isMonotonic: true }],
      [
        'events',
        { dataPoints: [{ asInt: '3', startTimeUnixNano: '12', timeUnixNano: '15' }], aggregationTemporality: 1, isMonotonic: true },
      ],
    ]);
  });

  it('counts metrics and points of every kind, one without data too', () => {
    const point = { timeUnixNano: 7 };
    const metrics = [
      { gauge: { dataPoints: [point, point] } },
      { sum: { dataPoints: [point] } },
      { histogram: { dataPoints: [point] } },
      { exponentialHistogram: { dataPoints: [point] } },
      { summary: { dataPoints: [point] } },
      { name: 'nothing' },
    ];
    const sums = counted(settings(), 'metrics', encode('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }));
    expect(values(sums)).toEqual({ metrics: ['6'], points: ['6'] });
  });

  it('keeps counts apart by attributes of item, scope and resource in this order, and leaves out what lacks one without a default', () => {
    const logs = [
      metric('by', {
        attributes: [
          { key: 'k', defaultValue: undefined },
          { key: 'd', defaultValue: 5n },
        ],
      }),
    ];
    const record = (...list: Message[]): Message => ({ attributes: list });
    const body = encode('logs', {
      resourceLogs: [
        {
          resource: { attributes: [attribute('k', 'resource')] },
          scopeLogs: [
            { scope: { attributes: [attribute('k', 'scope')] }, logRecords: [record(), record(attribute('k', 'item')), record()] },
            {
              logRecords: [
                record({ key: 'k', value: { intValue: 1 } }),
                record({ key: 'k', value: { doubleValue: 1 } }),
                record(attribute('k', '1')),
              ],
            },
            { logRecords: [record()] },
          ],
        },
        { scopeLogs: [{ logRecords: [record()] }] },
      ],
    });
    const sums = counted(settings({ logs }), 'logs', body);
    expect(sums.resourceMetrics.length).toBe(1);
    const points = sums.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.sum.dataPoints ?? [];
    expect(points.map((one) => [one.asInt, one.attributes?.[0]?.value])).toEqual([
      ['2', { stringValue: 'scope' }],
      ['1', { stringValue: 'item' }],
      ['1', { intValue: '1' }],
      ['1', { doubleValue: 1 }],
      ['1', { stringValue: '1' }],
      ['1', { stringValue: 'resource' }],
    ]);
    expect(points.every((one) => one.attributes?.[1]?.value.intValue === '5')).toBe(true);
  });

  it('counts what meets one of its conditions; one that cannot be decided is not met and said once', () => {
    const lines: LogLine[] = [];
    const logs = [metric('some', { conditions: ['Int(log.body) > 1', 'Len(log.body) > 5', 'log.severity_number == 9'] })];
    const logRecords = [
      { body: { stringValue: '5' } },
      { body: { kvlistValue: { values: [] } }, severityNumber: 9 },
      { body: { kvlistValue: { values: [] } } },
      { severityNumber: 9 },
    ];
    const sums = counted(settings({ logs }), 'logs', encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }), lines);
    expect(values(sums)).toEqual({ some: ['3'] });
    expect(lines.map(({ fields }) => fields.statement)).toEqual(['Int(log.body) > 1', 'Len(log.body) > 5']);
  });

  it('makes nothing of nothing', () => {
    expect(counted(settings(), 'traces', encode('traces', { resourceSpans: [{ scopeSpans: [{}] }] })).resourceMetrics).toEqual([]);
  });

  it('fails malformed items with a reason, never with an exception', () => {
    const body = Buffer.from([0x0a, 5, 0x12, 3, 0x12, 1, 0x3a]);
    expect(new CountConnector(settings(), recordingLog([])).consume('traces', { slices: [body], bytes: body.length, items: 1 })).toMatch(
      /cannot be counted/,
    );
  });

  it('fails a configuration with a mistake in a condition, attributes of metrics and unknown keys, each with its place', () => {
    const text = (count: string): string => `
receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
exporters: { nop: }
connectors: { count: ${count} }
service: { pipelines: { traces: { receivers: [otlp], exporters: [count] }, metrics: { receivers: [count], exporters: [nop] } } }`;
    const validate = (count: string) => (): unknown => load({ configs: [`yaml:${text(count)}`], environment: {} });
    expect(validate('{ spans: { a: { conditions: ["span.nosuch == 1"] } } }')).toThrow(
      /connectors\.count\.spans.*"a"\.conditions\[0\].*nosuch/,
    );
    expect(validate('{ spans: { a: { conditions: ["name == 1"] } } }')).toThrow(/has to begin with its context/);
    expect(validate('{ metrics: { a: { attributes: [{ key: b }] } } }')).toThrow(/metrics as such have none/);
    expect(validate('{ spans: { a: { condition: [x] } } }')).toThrow(/condition/);
    expect(validate('{ spans: { "": } }')).toThrow(/without a name/);
    expect(validate('{ spans: { a: } }')).not.toThrow();
  });
});

describe('pipelines joined by connectors', () => {
  it('deliver what was sent and what was counted, and the books of both balance', async () => {
    const sink = await grpcSink();
    const running = await startAgent({
      exporters: [grpcExporter(sink.port)],
      connectors: [settings(), { kind: 'forward', id: 'forward' }],
      pipelines: [
        { id: 'traces', signal: 'traces', receivers: ['otlp'], processors: [], exporters: ['forward', 'count'] },
        { id: 'traces/out', signal: 'traces', receivers: ['forward'], processors: [], exporters: ['otlp_grpc'] },
        { id: 'metrics', signal: 'metrics', receivers: ['count'], processors: [], exporters: ['otlp_grpc'] },
      ],
    });
    const body = request('traces', 5);
    expect((await post(running.httpPort, PATHS.traces, body)).status).toBe(200);
    await until(() => sink.received.length === 2);
    const spans = sink.received.find((one) => one.signal === 'traces');
    expect(spans?.body.equals(body)).toBe(true);
    const counts = sink.received.find((one) => one.signal === 'metrics');
    expect(values(decode('metrics', counts?.body as Buffer) as unknown as Sums)).toEqual({ spans: ['5'] });
    const books = await finish(running);
    expect(books.total.sent).toBe(6);
    await sink.close();
  });
});

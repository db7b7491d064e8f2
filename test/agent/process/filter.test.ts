import { describe, expect, it } from 'vitest';
import type { ProcessorSettings, Signal } from '../../../agent/config/settings.ts';
import { FilterProcessor } from '../../../agent/process/filter.ts';
import type { FilterSettings } from '../../../agent/process/filter-config.ts';
import { type Body, ProcessorRefusal } from '../../../agent/process/process.ts';
import { ProcessorCounters } from '../../../agent/telemetry/counters.ts';
import { finish, post, recordingLog, startAgent, until } from '../kit/agent.ts';
import { decode, encode, type Message, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';
import { configMistakes, processorSettings } from '../ottl/support.ts';

function settings(config: string | object): FilterSettings {
  return processorSettings('filter', config) as FilterSettings;
}

function filterOf(config: string | object, signal: Signal): { readonly filter: FilterProcessor; readonly counters: ProcessorCounters } {
  const counters = new ProcessorCounters('filter', 'filter', signal);
  return { filter: new FilterProcessor(settings(config), signal, { log: recordingLog([]), counters }), counters };
}

/** What is left of a request, decoded, and how many items that is; the reason where it is refused. */
function left(
  config: string | object,
  signal: Signal,
  body: Buffer,
  items: number,
): { readonly items: number; readonly message: Message } | string {
  const result = filterOf(config, signal).filter.process({ slices: [body], bytes: body.length, items }, undefined);
  if (typeof result === 'string') return result;
  if (result instanceof ProcessorRefusal) return `refused: ${result.reason}`;
  return { items: result.items, message: decode(signal, Buffer.concat(result.slices)) };
}

const spans = (...names: string[]): Message => ({ scopeSpans: [{ spans: names.map((name) => ({ name })) }] });

describe('the filter processor', () => {
  it('drops what meets a condition, then what is empty, and tells how many items are left', () => {
    const body = encode('traces', { resourceSpans: [spans('a', 'b'), spans('a'), { scopeSpans: [{ scope: { name: 'empty' } }] }] });
    expect(left({ traces: { span: ['name == "a"'] } }, 'traces', body, 3)).toEqual({ items: 1, message: { resourceSpans: [spans('b')] } });
    expect(left({ trace_conditions: ['span.name == "c"'] }, 'traces', body, 3)).toEqual({
      items: 3,
      message: { resourceSpans: [spans('a', 'b'), spans('a')] },
    });
  });

  it('hands on the very bytes where nothing is dropped and nothing is empty', () => {
    const body = request('logs', 3);
    const result = filterOf({ logs: { log_record: ['body == nil'] } }, 'logs').filter.process(
      { slices: [body], bytes: body.length, items: 3 },
      undefined,
    );
    expect((result as Body).slices[0]).toBe(body);
  });

  it('a metric without data points goes, one that never had a kind stays', () => {
    const metrics = [
      { name: 'a', gauge: { dataPoints: [{ asInt: '1' }, { asInt: '5' }] } },
      { name: 'b', sum: { dataPoints: [{ asInt: '9' }] } },
      { name: 'none' },
    ];
    const body = encode('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    expect(left({ metric_conditions: ['datapoint.value_int > 2'] }, 'metrics', body, 3)).toEqual({
      items: 1,
      message: {
        resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'a', gauge: { dataPoints: [{ asInt: '1' }] } }, { name: 'none' }] }] }],
      },
    });
  });

  it('drops span events, which are no items', () => {
    const body = encode('traces', {
      resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a', events: [{ name: 'x' }, { name: 'y' }] }] }] }],
    });
    expect(left({ traces: { spanevent: ['name == "x"'] } }, 'traces', body, 1)).toEqual({
      items: 1,
      message: { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a', events: [{ name: 'y' }] }] }] }] },
    });
  });

  it('each group is a pass of its own: one that empties everything leaves nothing for the next', () => {
    const groups = [
      { context: 'resource', conditions: ['true'] },
      { context: 'log', conditions: ['body["a"] == 1'], error_mode: 'propagate' },
    ];
    expect(left({ log_conditions: groups }, 'logs', request('logs', 2), 2)).toEqual({ items: 0, message: {} });
  });

  it('a condition that fails drops nothing, and refuses the request with propagate', () => {
    const conditions = ['body["a"] == 1'];
    expect(left({ logs: { log_record: conditions } }, 'logs', request('logs', 2), 2)).toMatchObject({ items: 2 });
    expect(left({ error_mode: 'propagate', logs: { log_record: conditions } }, 'logs', request('logs', 2), 2)).toBe(
      'refused: body["a"] == 1: a body that is a string cannot be indexed',
    );
  });

  it('include keeps only what matches, exclude drops of that what matches', () => {
    const body = encode('traces', { resourceSpans: [spans('get /a', 'get /health', 'post /a')] });
    const spansConfig = {
      include: { match_type: 'regexp', span_names: ['^get'] },
      exclude: { match_type: 'strict', span_names: ['get /health'] },
    };
    expect(left({ spans: spansConfig }, 'traces', body, 3)).toEqual({ items: 1, message: { resourceSpans: [spans('get /a')] } });
  });

  it('attributes of include are compared with their type; regexp reads scalars as text', () => {
    const value = (kind: Message): Message => ({ attributes: [{ key: 'k', value: kind }] });
    const body = encode('logs', {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                value({ intValue: '1' }),
                value({ doubleValue: 1 }),
                value({ stringValue: '1' }),
                value({ doubleValue: 1e21 }),
                {},
              ],
            },
          ],
        },
      ],
    });
    const count = (match: object): unknown => (left({ logs: { include: match } }, 'logs', body, 5) as { items: number }).items;
    expect(count({ match_type: 'strict', record_attributes: [{ key: 'k', value: 1 }] })).toBe(1);
    expect(count({ match_type: 'strict', record_attributes: [{ key: 'k', value: '1' }] })).toBe(1);
    expect(count({ match_type: 'strict', record_attributes: [{ key: 'k' }] })).toBe(4);
    expect(count({ match_type: 'regexp', record_attributes: [{ key: 'k', value: '^1(0{21})?$' }] })).toBe(4);
  });

  it('in a pipeline: what is left empty is answered with success and goes no further, dropped items are counted, the books balance', async () => {
    const sink = await grpcSink();
    const own = settings({
      traces: { span: ['name == "all-0/0" or name == "some-0/1"'] },
      metric_conditions: ['metric.name == "x-0"'],
      log_conditions: ['log.body == nil'],
    });
    const running = await startAgent({ exporters: [grpcExporter(sink.port)], processors: [own as ProcessorSettings] });
    const statuses: number[] = [];
    for (const [signal, items, name] of [
      ['traces', 1, 'all'],
      ['traces', 3, 'some'],
      ['metrics', 4, 'x'],
      ['logs', 2, 'y'],
    ] as const)
      statuses.push((await post(running.httpPort, PATHS[signal], request(signal, items, name))).status);
    expect(statuses).toEqual([200, 200, 200, 200]);
    await until(() => sink.received.length === 2);
    const metrics = await running.agent.metrics();
    expect(metrics).toMatch(/otelcol_processor_filter_spans_filtered\{.*filter="filter".*\} 2/u);
    expect(metrics).toMatch(/otelcol_processor_filter_datapoints_filtered\{.*filter="filter".*\} 4/u);
    expect(metrics).toMatch(/otelcol_processor_filter_logs_filtered\{.*filter="filter".*\} 0/u);
    expect((await finish(running)).total).toMatchObject({ received: 10, accepted: 10, sent: 4 });
    await sink.close();
  });
});

describe('the configuration of filter', () => {
  it.each([
    ['{traces: {span: [name]}}', 'traces.span.0: "name", column 5: unexpected the end'],
    [
      '{traces: {span: [span.name == nil, "set(name, 1)"]}}',
      'traces.span.1: "set(name, 1)", column 1: set: converters begin with an upper-case letter',
    ],
    ['{trace_conditions: [name == nil]}', 'trace_conditions.0: "name == nil", column 1: no path says what this is about'],
    ['{trace_conditions: [{context: log, conditions: ["true"]}]}', 'trace_conditions.0: ("log") is nothing that traces have'],
    ['{trace_conditions: [{conditions: ["true"]}]}', 'no path says what this is about'],
    ['{trace_conditions: [{conditions: []}, span.name == nil]}', 'trace_conditions.1: is a condition behind groups'],
    ['{trace_conditions: [span.name == nil, {}]}', 'trace_conditions.1: is a group behind conditions without one'],
    ['{trace_conditions: [], traces: {span: []}}', 'trace_conditions: cannot stand beside the conditions, include or exclude of traces'],
    ['{metrics: {metric: [], include: {match_type: strict}}}', 'metrics: conditions cannot stand beside metrics.include'],
    [
      '{metrics: {include: {match_type: expr, expressions: ["true"]}}}',
      'metrics.include.match_type: expressions of match_type expr are not supported',
    ],
    ['{metrics: {include: {match_type: glob, metric_names: [a]}}}', 'metrics.include.match_type: ("glob") must be strict or regexp'],
    [
      '{spans: {include: {match_type: strict}}}',
      'spans.include: needs attributes, libraries, resources, services, span_names or span_kinds',
    ],
    [
      '{spans: {include: {match_type: strict, span_kinds: [SERVER]}}}',
      'spans.include.span_kinds: ("SERVER") must be one of SPAN_KIND_CLIENT',
    ],
    ['{spans: {exclude: {match_type: regexp, span_names: ["("]}}}', 'spans.exclude.span_names: "(" is no regular expression'],
    [
      '{spans: {exclude: {match_type: regexp, attributes: [{key: a, value: 1}]}}}',
      'the value of "a" must be a text with match_type regexp',
    ],
    ['{spans: {exclude: {match_type: strict, attributes: [{value: 1}]}}}', 'spans.exclude.attributes: has an entry without key'],
    ['{logs: {include: {match_type: strict, severity_number: {min: LOUD}}}}', 'logs.include: "LOUD" is no severity'],
    ['{profiles: {profile: ["true"]}}', 'profiles: ({"profile":["true"]}) profiles are not supported by filter here'],
    ['{profile_conditions: ["true"]}', 'profiles are not supported by filter here'],
    ['{trace: {}}', 'trace: unknown key "trace" ({}); did you mean "traces"?'],
  ])('fails on %s', (config, message) => {
    expect(configMistakes('filter', config)).toEqual([expect.stringContaining(message)]);
  });

  it('tells conditions that were written from none: an empty list still removes what is empty', () => {
    expect(settings('{traces: {span: []}}').passes.traces).toHaveLength(1);
    expect(settings('{traces: {}}').passes.traces).toEqual([]);
    expect(settings('{logs: {include: {match_type: nonsense}}}').passes.logs).toEqual([]);
  });
});

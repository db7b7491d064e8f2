import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProcessorSettings, Signal } from '../../../agent/config/settings.ts';
import type { Body } from '../../../agent/process/process.ts';
import { ProcessorRefusal } from '../../../agent/process/process.ts';
import { TransformProcessor } from '../../../agent/process/transform.ts';
import type { TransformSettings } from '../../../agent/process/transform-config.ts';
import { ProcessorCounters } from '../../../agent/telemetry/counters.ts';
import { finish, type LogLine, post, recordingLog, startAgent, until } from '../kit/agent.ts';
import { attribute, decode, encode, type Message, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';
import { configMistakes, processorSettings } from '../ottl/support.ts';

const SEED = 20_261_121;

function settings(config: object): TransformSettings {
  return processorSettings('transform', config) as TransformSettings;
}

function run(
  config: object,
  signal: Signal,
  body: Uint8Array,
  items = 1,
): { readonly result: Body | string | ProcessorRefusal; readonly counters: ProcessorCounters; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const counters = new ProcessorCounters('transform', 'transform', signal);
  const processor = new TransformProcessor(settings(config), signal, { log: recordingLog(lines), counters });
  return { result: processor.process({ slices: [body], bytes: body.length, items }, undefined), counters, lines };
}

function bytesOf(result: Body | string | ProcessorRefusal): Buffer {
  if (typeof result === 'string' || result instanceof ProcessorRefusal) throw new Error(`refused: ${JSON.stringify(result)}`);
  return Buffer.concat(result.slices);
}

const spans = (...list: Message[]): Buffer => encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: list }] }] });

describe('the transform processor', () => {
  it('hands on the very bytes where its statements change nothing', () => {
    const body = request('traces', 3);
    const { result } = run({ trace_statements: ['set(span.name, "x") where span.name == "nobody"'] }, 'traces', body, 3);
    expect((result as Body).slices[0]).toBe(body);
  });

  it('keeps fields that nobody knows, and the bytes of what no statement sets', () => {
    const unknown = Buffer.from([0xc2, 0x3e, 3, 1, 2, 3]); // field 1000, three bytes
    const span = Buffer.concat([Buffer.from([0x2a, 1, 97]), unknown]);
    const body = Buffer.concat([Buffer.from([0x0a, span.length + 4, 0x12, span.length + 2, 0x12, span.length]), span]);
    const out = bytesOf(run({ trace_statements: ['set(span.kind, SPAN_KIND_SERVER)'] }, 'traces', body).result);
    expect(out.includes(unknown)).toBe(true);
    expect(decode('traces', out)).toEqual({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a', kind: 2 }] }] }] });
  });

  it('a statement sees what the one before it did, also in another group and about what surrounds it', () => {
    const config = {
      trace_statements: [
        { context: 'span', statements: ['set(attributes["n"], 1)', 'set(attributes["n"], attributes["n"] + 1)'] },
        { context: 'resource', statements: ['set(attributes["seen"], true)'] },
        {
          context: 'span',
          conditions: ['resource.attributes["seen"]  == true'],
          statements: ['set(name, Concat([name, attributes["n"]], "-"))'],
        },
        { context: 'spanevent', statements: ['set(name, span.name)'] },
      ],
    };
    const out = bytesOf(run(config, 'traces', spans({ name: 'a', events: [{}] })).result);
    expect(decode('traces', out)).toMatchObject({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'seen', value: { boolValue: true } }] },
          scopeSpans: [{ spans: [{ name: 'a-2', events: [{ name: 'a-2' }], attributes: [{ key: 'n', value: { intValue: '2' } }] }] }],
        },
      ],
    });
  });

  it('cache is there for the statements of one group on one item only', () => {
    const config = {
      trace_statements: [
        {
          context: 'span',
          statements: ['set(attributes["before"], cache["x"])', 'set(cache["x"], name)', 'set(attributes["after"], cache["x"])'],
        },
        { context: 'span', statements: ['set(attributes["later"], cache["x"])'] },
      ],
    };
    const out = decode('traces', bytesOf(run(config, 'traces', spans({ name: 'a' }, { name: 'b' }), 2).result));
    expect(JSON.stringify(out).match(/"key":"\w+"/gu)).toEqual(['"key":"after"', '"key":"after"']);
  });

  it('a failure is counted and told once, and refuses with propagate', () => {
    const group = { context: 'span', statements: ['set(attributes["x"], attributes["a"]["b"])'] };
    const body = spans(...Array.from({ length: 10 }, () => ({ attributes: [attribute('a', 'text')] })));
    const ignored = run({ trace_statements: [group] }, 'traces', body, 10);
    const told = ignored.lines.filter(({ level }) => level === 'warn');
    expect([ignored.counters.failures, told.length, bytesOf(ignored.result).equals(body)]).toEqual([10, 1, true]);
    const refused = run({ trace_statements: [{ ...group, error_mode: 'PROPAGATE' }] }, 'traces', body, 10);
    expect(refused.result).toEqual(new ProcessorRefusal('set(attributes["x"], attributes["a"]["b"]): a string cannot be indexed'));
  });

  it('fails with a reason for bytes that are no attribute where a statement reads one', () => {
    const span = Buffer.from([0x4a, 2, 0x0a, 9]); // an attribute whose key is longer than it
    const body = Buffer.concat([Buffer.from([0x0a, span.length + 4, 0x12, span.length + 2, 0x12, span.length]), span]);
    expect(run({ trace_statements: ['set(span.name, "x")'] }, 'traces', body).result).toHaveProperty('items', 1);
    expect(run({ trace_statements: ['set(span.attributes["a"], "x")'] }, 'traces', body).result).toMatch(/length 9 reaches past/);
  });

  it(`answers any bytes with bytes or a reason (seed ${SEED})`, () => {
    const config = {
      trace_statements: [
        'set(span.attributes["a"], resource.attributes["b"])',
        'set(spanevent.name, span.status.message)',
        'truncate_all(span.attributes, 3)',
      ],
    };
    const whole = request('traces', 2);
    const cut = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, value]) => {
      const copy = Buffer.from(whole);
      copy[at] = value;
      return copy;
    });
    fc.assert(
      fc.property(
        fc.oneof(
          cut,
          fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
        ),
        (body) => {
          const { result } = run(config, 'traces', body, 2);
          expect(typeof result === 'string' || 'slices' in result).toBe(true);
        },
      ),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('in a pipeline: sets in all three signals, answers 503 where a statement refuses, and the books balance', async () => {
    const sink = await grpcSink();
    const own = settings({
      error_mode: 'propagate',
      trace_statements: ['set(span.name, "set")', 'set(span.attributes["x"], span.attributes["a"]["b"]) where span.attributes["a"] != nil'],
      metric_statements: ['set(metric.unit, "ms")', 'set(datapoint.attributes["m"], metric.name)'],
      log_statements: [{ context: 'log', statements: ['set(severity_number, SEVERITY_NUMBER_WARN2)'] }],
    });
    const running = await startAgent({ exporters: [grpcExporter(sink.port)], processors: [own as ProcessorSettings] });
    for (const signal of ['traces', 'metrics', 'logs'] as const)
      expect((await post(running.httpPort, PATHS[signal], request(signal, 2))).status).toBe(200);
    const refused = await post(running.httpPort, PATHS.traces, spans({ attributes: [attribute('a', 'text')] }));
    expect([refused.status, Buffer.from(await refused.arrayBuffer()).toString()]).toEqual([503, expect.stringContaining('OTLP_PROCESSOR')]);
    await until(() => sink.received.length === 3);
    const text = sink.received.map(({ body }) => body.toString('latin1')).join();
    for (const wanted of ['set', 'ms', 'item-0']) expect(text).toContain(wanted);
    expect((await finish(running)).total).toMatchObject({ received: 7, accepted: 6, refused: 1, sent: 6 });
    await sink.close();
  });
});

describe('the configuration of transform', () => {
  const mistakes = (config: string): string[] => configMistakes('transform', config);

  it('takes statements, groups of them, and both where groups come first, as upstream', () => {
    const groups = (config: string): TransformSettings['groups'] => (processorSettings('transform', config) as TransformSettings).groups;
    const mixed = groups(
      `{trace_statements: [{context: span, statements: ['set(name, "a")']}, 'set(span.name, "b")', 'set(span.kind, 1)']}`,
    );
    expect(mixed.traces.map(({ style, statements }) => [style, statements.length])).toEqual([
      ['prepended', 1],
      ['named', 2],
    ]);
    const other = groups(
      `{error_mode: Silent, log_statements: [], metric_statements: [{context: METRIC, statements: ['set(name, "a")']}], flatten_data: false}`,
    );
    expect([other.logs, other.metrics[0]?.context, other.metrics[0]?.errorMode]).toEqual([[], 'metric', 'silent']);
    expect(settings({ trace_statements: ['set(span.name, "a")'] }).groups.traces).toEqual([
      { context: 'span', style: 'named', conditions: [], statements: ['set(span.name, "a")'], errorMode: 'ignore' },
    ]);
  });

  it('fails with the path, the statement, the column and what there is', () => {
    expect(mistakes(`{trace_statements: [{context: span, statements: ['set(name, "a")', 'set(nme, "b")']}]}`)).toEqual([
      expect.stringMatching(
        /^trace_statements\.0\.statements\.1: "set\(nme, \\"b\\"\)", column 5: span has no "nme"; it has trace_id, .* \[OTLP_CONFIG_VALUE\]$/,
      ),
    ]);
    expect(mistakes(`{trace_statements: ['set(span.name, "a")', 'set(span.name']}`)).toEqual([
      expect.stringMatching(/^trace_statements\.1: .* column 14: unexpected the end/),
    ]);
  });

  it.each([
    ['{trace_statements: }', 'trace_statements: (null) wants a list [OTLP_CONFIG_TYPE]'],
    [`{trace_statements: ['set(span.name, "a")', {statements: []}]}`, 'trace_statements.1: is a group behind statements without one'],
    ['{trace_statements: [null]}', 'trace_statements.0: is empty'],
    ['{trace_statements: [{contxt: span}]}', 'trace_statements.0.contxt: unknown key "contxt" ("span"); did you mean "context"?'],
    [
      `{trace_statements: [{context: metric, statements: ['set(name, "a")']}]}`,
      'trace_statements.0: ("metric") is nothing that traces have; use one of resource, scope, span, spanevent',
    ],
    ['{trace_statements: [{context: spam}]}', 'trace_statements.0.context: ("spam") must be one of resource, scope, span,'],
    ['{trace_statements: [{statements: 5}]}', 'trace_statements.0.statements: (5) wants a list of texts'],
    ['{error_mode: loud}', 'error_mode: ("loud") must be one of ignore, silent, propagate'],
    [`{profile_statements: ['set(profile.name, "a")']}`, 'profile_statements: ('],
    ['{flatten_data: true}', 'flatten_data: (true) is behind a feature gate'],
    ['{trace_statement: []}', 'trace_statement: unknown key'],
  ])('fails on %s', (config, message) => {
    expect(mistakes(config)).toEqual([expect.stringContaining(message)]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../../agent/config/settings.ts';
import { ProbabilisticSampler } from '../../../agent/process/probabilistic-sampler.ts';
import type { ProbabilisticSamplerSettings } from '../../../agent/process/probabilistic-sampler-config.ts';
import type { Body } from '../../../agent/process/process.ts';
import { ProcessorCounters } from '../../../agent/telemetry/counters.ts';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { attribute, decode, encode, type Message, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

const sampler = (more: Partial<ProbabilisticSamplerSettings>): ProbabilisticSamplerSettings => ({
  kind: 'probabilistic_sampler',
  id: 'probabilistic_sampler',
  percentage: 100,
  hashSeed: 0,
  mode: 'hash_seed',
  failClosed: true,
  precision: 4,
  byTraceId: true,
  fromAttribute: '',
  priorityAttribute: '',
  ...more,
});

interface Kept {
  readonly name?: string;
  readonly traceState?: string;
  readonly attributes?: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}

function run(settings: ProbabilisticSamplerSettings, signal: Signal, body: Buffer, items: number): Body {
  const result = new ProbabilisticSampler(settings, signal, new ProcessorCounters('s', 'probabilistic_sampler', signal)).process({
    slices: [body],
    bytes: body.length,
    items,
  });
  if (typeof result === 'string') throw new Error(result);
  return result;
}

const whole = (body: Body): Buffer => Buffer.concat(body.slices);

function spans(settings: ProbabilisticSamplerSettings, list: readonly Message[]): readonly Kept[] {
  const body = encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: list }] }] });
  const result = run(settings, 'traces', body, list.length);
  if (result.bytes === 0) return [];
  const read = decode('traces', whole(result)) as { resourceSpans: { scopeSpans: { spans: Kept[] }[] }[] };
  const kept = read.resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans));
  expect(kept.length).toBe(result.items);
  return kept;
}

function records(settings: ProbabilisticSamplerSettings, list: readonly Message[]): readonly Readonly<Record<string, string>>[] {
  const body = encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: list }] }] });
  const result = run(settings, 'logs', body, list.length);
  if (result.bytes === 0) return [];
  const read = decode('logs', whole(result)) as { resourceLogs: { scopeLogs: { logRecords: Kept[] }[] }[] };
  return read.resourceLogs
    .flatMap((one) => one.scopeLogs.flatMap((scope) => scope.logRecords))
    .map((one) => Object.fromEntries((one.attributes ?? []).map((a) => [a.key, a.value.stringValue ?? ''])));
}

const id = (hex: string): Buffer => Buffer.from(hex.padStart(32, '0'), 'hex');
/** Randomness a little under one half, as the last seven bytes of a trace id. */
const UNDER_HALF = id('aa7fffffffffffff');
const OVER_HALF = id('aa80000000000000');

describe('probabilistic_sampler on spans', () => {
  it('keeps at a threshold that is not above the randomness, and writes it', () => {
    const half = sampler({ mode: 'equalizing', percentage: 50 });
    expect(spans(half, [{ traceId: UNDER_HALF }, { traceId: OVER_HALF, name: 'b' }])).toEqual([
      expect.objectContaining({ name: 'b', traceState: 'ot=th:8' }),
    ]);
  });

  it('takes rv of the tracestate before the trace id, and puts ot first', () => {
    const half = sampler({ mode: 'proportional', percentage: 50 });
    const kept = spans(half, [
      { traceId: UNDER_HALF, traceState: 'vendor=1,ot=foo:bar;rv:80000000000001' },
      { traceId: OVER_HALF, traceState: 'ot=rv:7fffffffffffff' },
    ]);
    expect(kept.map((one) => one.traceState)).toEqual(['ot=rv:80000000000001;th:8;foo:bar,vendor=1']);
  });

  it('multiplies (proportional) or only raises (equalizing) what was sampled before', () => {
    const before = { traceId: id('ffffffffffffff'), traceState: 'ot=th:8' };
    expect(spans(sampler({ mode: 'proportional', percentage: 50 }), [before])[0]?.traceState).toBe('ot=th:c');
    expect(spans(sampler({ mode: 'equalizing', percentage: 50 }), [before])[0]?.traceState).toBe('ot=th:8');
    expect(spans(sampler({ mode: 'equalizing', percentage: 75 }), [before])[0]?.traceState).toBe('ot=th:8');
    expect(spans(sampler({ mode: 'equalizing', percentage: 25 }), [before])[0]?.traceState).toBe('ot=th:c');
  });

  it('writes the hash as rv in the mode hash_seed, which decides the same in a later consistent sampler', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.integer({ min: 1, max: 99 }), (bytes, percentage) => {
        fc.pre(bytes.some((one) => one > 0));
        const kept = spans(sampler({ percentage }), [{ traceId: Buffer.from(bytes) }]);
        const all = spans(sampler({ percentage: 100 }), [{ traceId: Buffer.from(bytes) }]);
        expect(all[0]?.traceState).toMatch(/^ot=rv:[0-9a-f]{14};th:0$/);
        const [, rv = '', th = ''] = /rv:(\w{14});th:(\w+)/.exec(kept[0]?.traceState ?? '') ?? [];
        if (kept.length > 0) expect(BigInt(`0x${th.padEnd(14, '0')}`) <= BigInt(`0x${rv}`)).toBe(true);
      }),
    );
  });

  it('keeps the share that it is told, in every mode', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({
      traceId: Buffer.concat([
        Buffer.alloc(8, 1),
        Buffer.from(
          BigInt.asUintN(64, BigInt(i) * 0x9e3779b97f4a7c15n)
            .toString(16)
            .padStart(16, '0'),
          'hex',
        ),
      ]),
    }));
    for (const mode of ['hash_seed', 'equalizing', 'proportional'] as const) {
      const share = spans(sampler({ mode, percentage: 10 }), many).length / many.length;
      expect(share).toBeGreaterThan(0.09);
      expect(share).toBeLessThan(0.11);
    }
  });

  it('drops a broken tracestate and an empty trace id, or keeps them as they are where it may fail open', () => {
    const broken = { traceId: OVER_HALF, traceState: 'ot=th:xyz' };
    const without = { name: 'no id' };
    expect(spans(sampler({ mode: 'equalizing' }), [broken, without])).toEqual([]);
    const kept = spans(sampler({ mode: 'equalizing', failClosed: false }), [broken, without]);
    expect(kept.map((one) => one.traceState)).toEqual(['ot=th:xyz', 'ot=th:0']);
  });

  it('obeys sampling.priority: 0 drops, more keeps, whatever the percentage', () => {
    const with_ = (value: Message): Message => ({ traceId: OVER_HALF, attributes: [{ key: 'sampling.priority', value }] });
    expect(spans(sampler({}), [with_({ intValue: 0 }), with_({ doubleValue: 0 }), with_({ stringValue: '0.0' })])).toEqual([]);
    expect(spans(sampler({ percentage: 0 }), [with_({ intValue: 1 }), with_({ stringValue: '1' }), with_({ intValue: -1 })]).length).toBe(
      2,
    );
  });

  it('leaves scopes and resources without spans away, and everything else of the request byte for byte', () => {
    const dropped = { traceId: UNDER_HALF };
    const kept = { traceId: OVER_HALF, traceState: 'ot=th:8' };
    const scope = { name: 'lib', version: '1' };
    const body = encode('traces', {
      resourceSpans: [
        { resource: { attributes: [attribute('a', 'b')] }, scopeSpans: [{ scope, spans: [dropped] }] },
        {
          scopeSpans: [
            { scope, spans: [] },
            { scope, schemaUrl: 's', spans: [dropped, kept, dropped, kept] },
          ],
          schemaUrl: 'u',
        },
      ],
    });
    const expected = encode('traces', {
      resourceSpans: [{ scopeSpans: [{ scope, schemaUrl: 's', spans: [kept, kept] }], schemaUrl: 'u' }],
    });
    expect(whole(run(sampler({ mode: 'equalizing', percentage: 50 }), 'traces', body, 5)).equals(expected)).toBe(true);
  });

  it('gives the same body back where nothing changes, and nothing where nothing is kept', () => {
    const body = encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: OVER_HALF, traceState: 'ot=th:8' }] }] }] });
    const result = run(sampler({ mode: 'equalizing', percentage: 50 }), 'traces', body, 1);
    expect(result.slices[0]).toBe(body);
    expect(run(sampler({ percentage: 0 }), 'traces', body, 1)).toEqual({ slices: [], bytes: 0, items: 0 });
  });

  it('keeps fields that it does not know', () => {
    const span = Buffer.concat([Buffer.from([0x0a, 16]), OVER_HALF, Buffer.from([0xf8, 0x07, 5])]);
    const body = Buffer.concat([Buffer.from([0x0a, span.length + 4, 0x12, span.length + 2, 0x12, span.length]), span]);
    const out = whole(run(sampler({ mode: 'equalizing', percentage: 50 }), 'traces', body, 1));
    expect(out.includes(span)).toBe(true);
  });

  it('fails truncated and random bytes with a reason, never with an exception', () => {
    const good = encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: OVER_HALF, traceState: 'a=b' }] }] }] });
    const processor = new ProbabilisticSampler(sampler({}), 'traces', new ProcessorCounters('s', 'probabilistic_sampler', 'traces'));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: good.length }), (noise, cut) => {
        for (const body of [Buffer.from(noise), Buffer.concat([good.subarray(0, cut), noise])]) {
          const result = processor.process({ slices: [body], bytes: body.length, items: 1 });
          if (typeof result !== 'string') expect(result.bytes).toBe(whole(result).length);
        }
      }),
      { numRuns: 2000 },
    );
    const short = encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: Buffer.alloc(3, 1) }] }] }] });
    expect(processor.process({ slices: [short], bytes: short.length, items: 1 })).toMatch(/trace id has 3 bytes/);
  });

  it('works in a pipeline: the books balance with what it dropped, and a request that it drops whole is answered with success', async () => {
    const sink = await grpcSink();
    const running = await startAgent({
      exporters: [grpcExporter(sink.port)],
      processors: [sampler({ percentage: 0.01 })],
      pipelines: [{ id: 'traces', signal: 'traces', receivers: ['otlp'], processors: ['probabilistic_sampler'], exporters: ['otlp_grpc'] }],
    });
    expect((await post(running.httpPort, PATHS.traces, request('traces', 7))).status).toBe(200);
    await until(() => running.agent.books().receivers.some((one) => one.accepted === 7));
    const metrics = await running.agent.metrics();
    expect(metrics).toMatch(/otelcol_processor_incoming_items\{.*probabilistic_sampler.*\} 7/);
    expect(metrics).toMatch(/otelcol_processor_outgoing_items\{.*probabilistic_sampler.*\} 0/);
    expect(metrics).toMatch(/otelcol_processor_probabilistic_sampler_count_traces_sampled\{policy="trace_id_hash",sampled="false"\} 7/);
    const books = await finish(running);
    expect(books.total.sent).toBe(0);
    expect(sink.received).toEqual([]);
    await sink.close();
  });
});

describe('probabilistic_sampler on log records', () => {
  it('writes threshold and randomness as attributes, in place of those that are there', () => {
    const kept = records(sampler({ mode: 'equalizing', percentage: 50 }), [
      { traceId: OVER_HALF, attributes: [attribute('a', 'b')] },
      { traceId: UNDER_HALF, attributes: [attribute('sampling.randomness', '90000000000000'), attribute('sampling.threshold', '4')] },
    ]);
    expect(kept).toEqual([
      { a: 'b', 'sampling.threshold': '8' },
      { 'sampling.randomness': '90000000000000', 'sampling.threshold': '8' },
    ]);
  });

  it('hashes an attribute where there is no trace id, or where only the record counts', () => {
    const settings = sampler({ fromAttribute: 'id' });
    const byId = records(settings, [{ attributes: [attribute('id', 'x')] }])[0];
    expect(byId?.['sampling.randomness']).toMatch(/^[0-9a-f]{14}$/);
    expect(records({ ...settings, byTraceId: false }, [{ traceId: OVER_HALF, attributes: [attribute('id', 'x')] }])[0]).toEqual(byId);
    expect(records(settings, [{ traceId: OVER_HALF, attributes: [attribute('id', 'x')] }])[0]?.['sampling.randomness']).not.toBe(
      byId?.['sampling.randomness'],
    );
    expect(records(settings, [{ body: { stringValue: 'neither' } }])).toEqual([]);
  });

  it("takes a record's own percentage as its threshold", () => {
    const own = (value: Message): Message => ({ traceId: OVER_HALF, attributes: [{ key: 'p', value }] });
    const settings = sampler({ mode: 'equalizing', percentage: 0.001, priorityAttribute: 'p' });
    expect(
      records(settings, [own({ intValue: 100 }), own({ doubleValue: 50 }), own({ intValue: 0 }), own({ stringValue: '100' })]),
    ).toEqual([
      { p: '', 'sampling.threshold': '0' },
      { p: '', 'sampling.threshold': '8' },
    ]);
  });
});

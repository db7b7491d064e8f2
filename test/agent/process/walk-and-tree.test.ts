import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lenField, scan } from '../../../agent/otlp/wire.ts';
import { type Body, type Processor, ProcessorRefusal } from '../../../agent/process/process.ts';
import { RedactionProcessor } from '../../../agent/process/redaction.ts';
import type { RedactionSettings } from '../../../agent/process/redaction-config.ts';
import { TransformProcessor } from '../../../agent/process/transform.ts';
import type { TransformSettings } from '../../../agent/process/transform-config.ts';
import { ProcessorCounters } from '../../../agent/telemetry/counters.ts';
import { requestArbitrary } from '../../real/processors/generate.ts';
import { CASES, type Case } from '../../real/processors/transform-statements.ts';
import { recordingLog } from '../kit/agent.ts';
import { decode, encode, type Message } from '../kit/otlp.ts';
import { processorSettings } from '../ottl/support.ts';

/** Transform and redaction, one item after the other and in the tree of the request: the same bytes, or both refuse. */

const SEED = 20261121;
const SIGNALS = ['traces', 'metrics', 'logs'] as const;
type Walked = (typeof SIGNALS)[number];
const KEYS = ['a', 'n', 'http.method', 'http.route', 'user.id', 'a\uFFFD', ''];
const TEXTS = ['GET', '/healthz', 'x', '', 'é', '4111111111111111', 'x'.repeat(130)];

/** A request as SDKs write it, with keys there twice, or with a few bytes changed or behind each other that nobody writes so. */
function requests(signal: Walked): fc.Arbitrary<Buffer> {
  const whole = requestArbitrary(signal, { keys: KEYS, texts: TEXTS, duplicateKeys: true }).map((message) =>
    encode(signal, message as Message),
  );
  const change = fc.oneof(
    fc.record({ at: fc.nat(), byte: fc.nat(255) }),
    fc.record({ from: fc.nat(), length: fc.nat(40), to: fc.nat() }),
    fc.record({ merged: whole }),
  );
  return fc.tuple(whole, fc.option(change, { nil: undefined, freq: 2 })).map(([bytes, how]) => {
    if (how === undefined || bytes.length === 0) return bytes;
    if ('merged' in how) return Buffer.concat([bytes, how.merged]);
    const changed = Buffer.from(bytes);
    if ('byte' in how) changed[how.at % bytes.length] = how.byte;
    else bytes.copy(changed, how.to % bytes.length, how.from % bytes.length, (how.from % bytes.length) + how.length);
    return changed;
  });
}

/** What a processor makes of a request: comparable. */
function outcome(processor: Processor, bytes: Buffer, items: number): Outcome {
  const body: Body = { slices: [bytes], bytes: bytes.length, items };
  const result = processor.process(body, undefined);
  if (typeof result === 'string') return { malformed: true };
  if (result instanceof ProcessorRefusal) return { refused: true };
  const out = Buffer.concat(result.slices);
  expect(out.length).toBe(result.bytes);
  return { same: result === body, items: result.items, out };
}

interface Outcome {
  readonly refused?: boolean;
  readonly malformed?: boolean;
  readonly same?: boolean;
  readonly items?: number;
  readonly out?: Buffer;
}

/** The same bytes, or the same message with its new fields in another order: that in which statements asked for them. */
function expectSame(signal: Walked, actual: Outcome, expected: Outcome): void {
  const { out, ...rest } = actual;
  const { out: wanted, ...others } = expected;
  expect({ ...rest, same: undefined }).toEqual({ ...others, same: undefined });
  expect(out?.length).toBe(wanted?.length);
  if (out === undefined || wanted === undefined || out.equals(wanted)) return;
  expect(new Uint8Array(out).sort()).toEqual(new Uint8Array(wanted).sort());
  const [message, other] = [out, wanted].map((bytes) => readable(signal, bytes));
  expect(message).toEqual(other);
}

/** undefined where something that no statement reads is malformed. */
function readable(signal: Walked, bytes: Buffer): Message | undefined {
  try {
    return decode(signal, bytes);
  } catch {
    return undefined;
  }
}

function agree(make: (walks: boolean, counters: ProcessorCounters) => Processor, signal: Walked, all: readonly Buffer[]): void {
  const counters = [true, false].map(() => new ProcessorCounters('p', 'p', signal));
  const [walking, inTree] = counters.map((each, i) => make(i === 0, each)) as [Processor, Processor];
  for (const bytes of all) {
    // Only what was scanned comes to a processor.
    const found = scan(signal, bytes);
    if (!found.ok) continue;
    const expected = outcome(inTree, bytes, found.items);
    expectSame(signal, outcome(walking, bytes, found.items), expected);
    // Where nothing was refused in the middle, as many statements failed.
    if (expected.out === undefined) return;
    expect(counters[0]?.failures).toBe(counters[1]?.failures);
  }
}

const isRepeatable = ({ statements = [] }: Case): boolean => !statements.some((text) => /Now\(|UUID\(|Hostname/u.test(text));
/** Statements that change things often, beside those of the agreement with the real Collector. */
const COMMON: readonly Case[] = [
  ['set(span.attributes["new"], "blue")', 'delete_key(span.attributes, "a")', 'set(span.attributes["a"], span.name)'],
  ['set(span.status.code, STATUS_CODE_ERROR) where span.attributes["n"] != nil', 'set(span.name, Concat([span.name, "é"], "-"))'],
  ['truncate_all(span.attributes, 3)', 'limit(span.attributes, 2, ["a"])', 'keep_keys(span.attributes, ["a", "n"])'],
  ['replace_all_patterns(span.attributes, "value", "[a-z]+", "x")', 'delete_matching_keys(span.attributes, "^h")'],
  ['set(spanevent.attributes["n"], span.attributes["a"])', 'set(span.trace_state["k"], "v") where spanevent.name != ""'],
  ['set(span.attributes["from"], resource.attributes["a"])', 'set(resource.attributes["to"], span.name)'],
]
  .map((statements): Case => ({ signal: 'traces', statements }))
  .concat(
    // What is known at start.
    { signal: 'traces', statements: ['set(span.attributes["a"], "blue")', 'delete_key(span.attributes, "n")'] },
    { signal: 'traces', statements: ['set(span.attributes["n"], 7) where span.attributes["a"] == "GET" or IsMatch(span.name, "^x")'] },
    {
      signal: 'traces',
      context: 'span',
      statements: ['set(attributes["a\uFFFD"], 1.5)', 'delete_key(attributes, "")', 'set(attributes["a"], true)'],
    },
    {
      signal: 'traces',
      statements: ['delete_key(span.attributes, "a")', 'set(span.attributes["a"], "")', 'set(span.attributes["a"], -1)'],
    },
    { signal: 'traces', statements: ['set(span.attributes["new"], span.attributes["a"])', 'set(span.attributes["n"], "x")'] },
    {
      signal: 'traces',
      statements: ['set(span.attributes["n"], span.attributes["a"])', 'set(span.attributes[""], span.attributes["http.method"])'],
    },
    { signal: 'traces', statements: ['set(span.attributes["a"], span.attributes["n"]) where span.attributes["a"] == "GET"'] },
    { signal: 'logs', statements: ['set(log.attributes["n"], log.attributes["a"])', 'delete_key(log.attributes, "http.method")'] },
    { signal: 'logs', statements: ['set(log.attributes["new"], "é")', 'delete_key(log.attributes, "http.method")'] },
    { signal: 'logs', statements: ['delete_key(log.attributes, "a") where log.severity_number > SEVERITY_NUMBER_INFO'] },
    {
      signal: 'logs',
      statements: ['replace_pattern(log.body, "[a-z]+", "x")', 'set(log.attributes["b"], log.body)', 'set(log.body, log.attributes)'],
    },
    { signal: 'metrics', statements: ['set(datapoint.attributes["new"], metric.name)', 'set(metric.unit, datapoint.attributes["a"])'] },
    { signal: 'metrics', statements: ['set(metric.description, "x") where Len(metric.data_points) > 1', 'set(metric.name, "")'] },
  );

describe.each(SIGNALS)('one item after the other, and in the tree: %s', (signal) => {
  const cases = [
    ...CASES.filter((each) => each.signal === signal && isRepeatable(each)),
    ...COMMON.filter((each) => each.signal === signal),
  ];
  const groups = fc.array(fc.record({ of: fc.constantFrom(...cases), mode: fc.constantFrom('ignore', 'silent', 'propagate', undefined) }), {
    minLength: 1,
    maxLength: 4,
  });
  const list = fc.array(requests(signal), { minLength: 1, maxLength: 5 });
  const key = { traces: 'trace_statements', metrics: 'metric_statements', logs: 'log_statements' }[signal];

  it(`transform does the same (seed ${SEED})`, () => {
    let run = 0;
    fc.assert(
      fc.property(groups, list, (chosen, bytes) => {
        const config = {
          [key]: chosen.map(({ of: { context, statements }, mode }) => ({
            ...(context === undefined ? {} : { context }),
            ...(mode === undefined ? {} : { error_mode: mode }),
            statements,
          })),
        };
        let settings: TransformSettings;
        try {
          settings = processorSettings('transform', config, [signal]) as TransformSettings;
        } catch {
          return; // a case of what is refused at start
        }
        run += 1;
        agree((walks, counters) => new TransformProcessor(settings, signal, { log: recordingLog([]), counters }, walks), signal, bytes);
      }),
      { numRuns: 500, seed: SEED },
    );
    expect(run).toBeGreaterThan(150);
  });

  it(`redaction does the same (seed ${SEED})`, () => {
    const patterns = fc.array(fc.constantFrom('4[0-9]{12}(?:[0-9]{3})?', '[a-z]+', 'é', '^x', '(GET|x+$)', '.*', '[[:alpha:]]'), {
      maxLength: 2,
    });
    const keys = fc.array(fc.constantFrom(...KEYS, 'http.*'), { maxLength: 4 });
    const config = fc.record(
      {
        allow_all_keys: fc.boolean(),
        allowed_keys: keys,
        ignored_keys: keys,
        ignored_key_patterns: patterns,
        blocked_key_patterns: patterns,
        blocked_values: patterns,
        allowed_values: patterns,
        redact_all_types: fc.boolean(),
        hash_function: fc.constantFrom('md5', 'sha1'),
        summary: fc.constantFrom('debug', 'info', 'silent'),
      },
      { requiredKeys: ['allow_all_keys'] },
    );
    fc.assert(
      fc.property(config, list, (own, bytes) => {
        const settings = processorSettings('redaction', own, [signal]) as RedactionSettings;
        agree((walks) => new RedactionProcessor(settings, signal, walks), signal, bytes);
      }),
      { numRuns: 250, seed: SEED },
    );
  });
});

describe('one item after the other', () => {
  const transform = (statements: string[]): TransformProcessor => {
    const settings = processorSettings('transform', { trace_statements: statements }, ['traces']) as TransformSettings;
    return new TransformProcessor(settings, 'traces', { log: recordingLog([]), counters: new ProcessorCounters('p', 'p', 'traces') });
  };
  const scopes = (content: Buffer): Buffer => len(1, len(2, content));

  it('fails for tiny items by the million instead of growing with them', () => {
    const tiny = scopes(Buffer.alloc(2_000_000, Buffer.from([0x12, 0])));
    const body = { slices: [tiny], bytes: tiny.length, items: 1_000_000 };
    const long = 'x'.repeat(1000);
    expect(transform([`set(span.name, "${long}")`]).process(body, undefined)).toMatch(/bytes on average|grow too much/);
    expect(transform([`set(span.attributes["a"], "${long}")`]).process(body, undefined)).toMatch(/bytes on average|grow too much/);
    const small = scopes(Buffer.alloc(160_000, len(2, Buffer.from([0x30, 2, 0x30, 2, 0x30, 2, 0x30, 2]))));
    const huge = `set(span.name, "${'y'.repeat(3000)}")`;
    expect(transform([huge]).process({ slices: [small], bytes: small.length, items: 16_000 }, undefined)).toMatch(/grow too much/);
  });

  it('a request in several slices is one, and the next one is not mixed up with it', () => {
    const processor = transform(['set(span.attributes["n"], Concat([span.name, "!"], ""))']);
    for (const name of ['first', 'x'.repeat(40_000), 'third', 'é']) {
      const bytes = scopes(Buffer.concat([len(2, len(5, Buffer.from(name))), len(2, len(5, Buffer.from('b')))]));
      const slices = [bytes.subarray(0, 7), bytes.subarray(7)];
      const result = processor.process({ slices, bytes: bytes.length, items: 2 }, undefined) as Body;
      const [one, two] =
        (decode('traces', Buffer.concat(result.slices)) as unknown as Decoded).resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
      expect([one?.attributes[0]?.value.stringValue, two?.attributes[0]?.value.stringValue]).toEqual([`${name}!`, 'b!']);
    }
  });
});

interface Decoded {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly { readonly attributes: readonly { readonly value: { readonly stringValue: string } }[] }[];
    }[];
  }[];
}

function len(field: number, content: Buffer): Buffer {
  return Buffer.from(lenField(field, content));
}

describe('which way statements are run', () => {
  const ways = (signal: Walked, config: object): readonly string[] => {
    const settings = processorSettings('transform', config, [signal]) as TransformSettings;
    return new TransformProcessor(settings, signal, { log: recordingLog([]), counters: new ProcessorCounters('p', 'p', signal) }).ways;
  };
  const ofSpans = (...groups: string[][]): readonly string[] =>
    ways('traces', { trace_statements: groups.map((statements) => ({ statements })) });

  it('constants are set and keys deleted on the bytes, also where a condition can be asked of them', () => {
    expect(ofSpans(['set(span.attributes["a"], "x")', 'delete_key(span.attributes, "b")'])).toEqual(['bytes']);
    expect(ofSpans(['set(span.attributes["a"], 1) where span.kind == SPAN_KIND_SERVER'])).toEqual(['bytes']);
    expect(ways('logs', { log_statements: ['set(log.attributes["a"], true)'] })).toEqual(['bytes']);
    expect(ofSpans(['set(span.attributes["a"], span.attributes["b"])', 'delete_key(span.attributes, "c")'])).toEqual(['bytes']);
  });

  it('what looks at or sets more of an item goes through the items once', () => {
    expect(ofSpans(['set(span.attributes["a"], span.name)'], ['set(spanevent.name, "x")'])).toEqual(['walk', 'walk']);
    expect(ofSpans(['set(span.attributes["a"], 1)', 'set(span.attributes["b"], span.attributes["a"])'])).toEqual(['walk']);
    expect(ofSpans(['set(span.attributes["a"], 1) where Len(span.attributes) > 3'])).toEqual(['walk']);
    expect(ways('metrics', { metric_statements: ['set(datapoint.attributes["a"], "x")'] })).toEqual(['walk']);
  });

  it('what sets resources or scopes sees the tree', () => {
    expect(ofSpans(['set(resource.attributes["a"], "x")'], ['set(resource.attributes["a"], span.name)'])).toEqual(['tree', 'tree']);
    expect(ofSpans(['set(scope.name, span.name)'], ['set(span.name, scope.name)'])).toEqual(['tree', 'walk']);
  });
});

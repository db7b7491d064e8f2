import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../../agent/config/settings.ts';
import { scan } from '../../../agent/otlp/wire.ts';
import { FilterProcessor } from '../../../agent/process/filter.ts';
import { FilterBytes } from '../../../agent/process/filter-bytes.ts';
import type { FilterSettings } from '../../../agent/process/filter-config.ts';
import { type Body, ProcessorRefusal } from '../../../agent/process/process.ts';
import { ProcessorCounters } from '../../../agent/telemetry/counters.ts';
import { requestArbitrary } from '../../real/processors/generate.ts';
import { recordingLog } from '../kit/agent.ts';
import { encode, type Message } from '../kit/otlp.ts';
import { processorSettings } from '../ottl/support.ts';

type Tested = 'traces' | 'logs';

const KEYS = ['a', 'n', 'http.method', 'a\uFFFD', ''];
const TEXTS = ['GET', '/healthz', 'x', '', 'é', '\uFFFD', 'x'.repeat(130)];
const vocabulary = { keys: KEYS, texts: TEXTS, duplicateKeys: true };

const key = fc.constantFrom(...KEYS);
const quoted = (text: string): string => JSON.stringify(text);
const constant = fc.oneof(
  fc.constantFrom(...TEXTS).map(quoted),
  fc.constantFrom('0', '1', '-1', '5', '300000000', '9007199254740993', '1.0', '2.5', 'true', 'false', 'nil', '0x61'),
);
const operator = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
const pattern = fc.constantFrom('^GET', '^GET.*', '^/healthz$', 'e', 'x+$', '(?i)get', '^$', '', '^x', '1');
const around = fc.oneof(
  key.map((each) => `resource.attributes[${quoted(each)}]`),
  key.map((each) => `instrumentation_scope.attributes[${quoted(each)}]`),
  fc.constantFrom('scope.name', 'scope.version', 'resource.schema_url', 'resource.dropped_attributes_count'),
);
const ofItem = {
  traces: fc.oneof(
    key.map((each) => `attributes[${quoted(each)}]`),
    fc.constantFrom(
      'name',
      'kind',
      'status.code',
      'span.name',
      'span.status.code',
      'status.message',
      'attributes["a"]["b"]',
      'kind.string',
    ),
  ),
  logs: fc.oneof(
    key.map((each) => `attributes[${quoted(each)}]`),
    fc.constantFrom('body', 'severity_number', 'severity_text', 'log.body', 'body.string', 'body["a"]', 'flags'),
  ),
};

function conditions(signal: Tested): fc.Arbitrary<string> {
  const path = fc.oneof({ weight: 3, arbitrary: ofItem[signal] }, { weight: 1, arbitrary: around });
  const leaf = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(path, operator, constant).map((parts) => parts.join(' ')) },
    { weight: 1, arbitrary: fc.tuple(constant, operator, path).map((parts) => parts.join(' ')) },
    { weight: 2, arbitrary: fc.tuple(path, pattern).map(([target, text]) => `IsMatch(${target}, ${quoted(text)})`) },
    { weight: 1, arbitrary: fc.constantFrom('true', 'false', '1 == 1', ...(signal === 'traces' ? ['IsRootSpan()'] : [])) },
  );
  return fc.letrec<{ readonly tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      tie('tree').map((each) => `not (${each})`),
      fc.tuple(tie('tree'), fc.constantFrom('and', 'or'), tie('tree')).map(([left, how, right]) => `(${left}) ${how} (${right})`),
    ),
  })).tree;
}

/** All three ways; with a key of include or exclude, or with conditions. */
function allWays(config: object, signal: Signal) {
  const settings = processorSettings('filter', config) as FilterSettings;
  return (['bytes', 'walk', 'tree'] as const).map((way) => {
    const counters = new ProcessorCounters('filter', 'filter', signal);
    const filter = new FilterProcessor(settings, signal, { log: recordingLog([]), counters }, way);
    return (bytes: Buffer, items: number): object => {
      const body: Body = { slices: [bytes], bytes: bytes.length, items };
      const result = filter.process(body, undefined);
      const { filtered, failures } = counters;
      if (typeof result === 'string') return { malformed: true, filtered, failures };
      if (result instanceof ProcessorRefusal) return { refused: result.reason, filtered, failures };
      return {
        same: result === body,
        bytes: result.bytes,
        items: result.items,
        out: Buffer.concat(result.slices).toString('hex'),
        filtered,
        failures,
      };
    };
  });
}

/** A request, and now and then one with a byte changed or fields behind it that nobody writes so. */
function requests(signal: Tested): fc.Arbitrary<Buffer> {
  const whole = requestArbitrary(signal, vocabulary).map((message) => encode(signal, message as Message));
  return fc.tuple(whole, fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined, freq: 3 })).map(([bytes, change]) => {
    if (change === undefined || bytes.length === 0) return bytes;
    const changed = Buffer.from(bytes);
    changed[change[0] % bytes.length] = change[1];
    return changed;
  });
}

function agree(config: object, signal: Tested, bytes: readonly Buffer[]): void {
  const [asked, walked, viewed] = allWays(config, signal);
  for (const each of bytes) {
    const found = scan(signal, each);
    // Only what was scanned comes to a processor.
    if (!found.ok) continue;
    const expected = viewed?.(each, found.items);
    expect(asked?.(each, found.items)).toEqual(expected);
    expect(walked?.(each, found.items)).toEqual(expected);
  }
}

describe.each(['traces', 'logs'] as const)('filter by bytes, in a walk and in the tree: %s', (signal) => {
  const item = signal === 'traces' ? 'span' : 'log_record';
  const list = fc.array(requests(signal), { minLength: 1, maxLength: 6 });

  it('drops the same by conditions of OTTL, fails the same, and gives the same bytes', () => {
    fc.assert(
      fc.property(
        fc.array(conditions(signal), { minLength: 1, maxLength: 2 }),
        fc.constantFrom('ignore', 'propagate'),
        list,
        (texts, mode, bytes) => {
          agree({ error_mode: mode, [signal]: { [item]: texts } }, signal, bytes);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('drops the same where conditions are about resources, too, or name their context', () => {
    const named = signal === 'traces' ? 'span' : 'log';
    const inferred = signal === 'traces' ? 'trace_conditions' : 'log_conditions';
    fc.assert(
      fc.property(key, constant, list, (name, value, bytes) => {
        const about = `attributes[${quoted(name)}] == ${value}`;
        agree({ [signal]: { resource: [about], [item]: [about] } }, signal, bytes);
        agree({ [inferred]: [`resource.${about}`, `${named}.${about}`, `scope.${about}`] }, signal, bytes);
        agree({ [inferred]: [{ context: named, conditions: [about] }] }, signal, bytes);
        agree({ [signal]: { [item]: [] } }, signal, bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('drops the same by include and exclude', () => {
    const attributes = fc.array(
      fc.record(
        { key: fc.constantFrom('a', 'n', 'a\uFFFD'), value: fc.constantFrom('x', 'GET', '', '\uFFFD', 'é') },
        { requiredKeys: ['key'] },
      ),
      { minLength: 1, maxLength: 2 },
    );
    const texts = fc.array(fc.constantFrom(...TEXTS.filter((text) => text !== '')), { minLength: 1, maxLength: 2 });
    const section: fc.Arbitrary<object> = fc.record(
      (signal === 'traces'
        ? {
            match_type: fc.constantFrom('strict', 'regexp'),
            attributes,
            resources: attributes,
            span_names: texts,
            services: texts,
            span_kinds: fc.constant(['SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT']),
            libraries: texts.map(([name = '']) => [{ name, version: name }]),
          }
        : {
            match_type: fc.constantFrom('strict', 'regexp'),
            record_attributes: attributes,
            resource_attributes: attributes,
            bodies: texts,
            severity_texts: texts,
            severity_number: fc.record({ min: fc.constantFrom('INFO', '1', 'WARN2'), match_undefined: fc.boolean() }),
          }) as Readonly<Record<string, fc.Arbitrary<unknown>>>,
      { requiredKeys: ['match_type', signal === 'traces' ? 'attributes' : 'record_attributes'] },
    );
    const both = fc.record({ include: section, exclude: section }, { requiredKeys: [] }).filter((each) => Object.keys(each).length > 0);
    fc.assert(
      fc.property(both, list, (sections, bytes) => agree({ [signal === 'traces' ? 'spans' : 'logs']: sections }, signal, bytes)),
      { numRuns: 400 },
    );
  });
});

describe('which conditions are asked of bytes', () => {
  const passes = (config: object): FilterSettings['passes'] => (processorSettings('filter', config) as FilterSettings).passes;
  const asks = (...span: string[]): boolean => FilterBytes.of(passes({ traces: { span } }).traces, 'traces') !== undefined;

  it('attributes, name, kind, status code and what is around, combined', () => {
    expect(asks('attributes["a"] == "x"', 'not (kind == SPAN_KIND_SERVER and status.code != STATUS_CODE_OK)')).toBe(true);
    expect(asks('IsMatch(name, "^GET") or resource.attributes["a"] == nil or scope.name == "x"', 'IsRootSpan()')).toBe(true);
    expect(
      FilterBytes.of(passes({ logs: { log_record: ['severity_number < SEVERITY_NUMBER_INFO', 'body == "x"'] } }).logs, 'logs'),
    ).toBeDefined();
  });

  it('not what calculates, calls or looks into values, nor parts of spans', () => {
    expect(asks('Len(attributes) > 1')).toBe(false);
    expect(asks('attributes["a"]["b"] == 1')).toBe(false);
    expect(asks('attributes["a"] == name')).toBe(false);
    expect(asks('end_time_unix_nano - start_time_unix_nano > 5')).toBe(false);
    expect(FilterBytes.of(passes({ traces: { spanevent: ['name == ""'] } }).traces, 'traces')).toBeUndefined();
  });

  it('it answers for requests as SDKs send them', () => {
    const filter = FilterBytes.of(passes({ traces: { span: ['attributes["a"] == "x"', 'name == "drop"'] } }).traces, 'traces');
    const spans = [{ name: 'drop' }, { name: 'keep' }, { name: 'keep', attributes: [{ key: 'a', value: { stringValue: 'x' } }] }];
    const bytes = encode('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] });
    expect(filter?.process({ slices: [bytes], bytes: bytes.length, items: 3 }, undefined)?.items).toBe(1);
  });
});

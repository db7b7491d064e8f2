import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGoRegExp, GoRegExp } from '../../../agent/config/go-regexp.ts';
import { lenField, scan } from '../../../agent/otlp/wire.ts';
import type { AttributeAction } from '../../../agent/process/actions/action.ts';
import { AttributesProcessor } from '../../../agent/process/attributes.ts';
import { AttributesBytes } from '../../../agent/process/attributes-bytes.ts';
import type { AttributesSettings } from '../../../agent/process/attributes-config.ts';
import type { Body } from '../../../agent/process/process.ts';
import { requestArbitrary } from '../../real/processors/generate.ts';
import { decode, encode, type Message } from '../kit/otlp.ts';
import { processorSettings } from '../ottl/support.ts';

type Tested = 'traces' | 'logs';

const pattern = (source: string): GoRegExp => {
  const compiled = compileGoRegExp(source);
  if (compiled instanceof GoRegExp) return compiled;
  throw new Error(compiled.wrong);
};

const KEYS = ['a', 'n', 'http.method', 'user.id', 'new', 'k'.repeat(130)];
const key = fc.constantFrom(...KEYS);
const value = fc.constantFrom<AttributeAction['value']>('x', '', 'y'.repeat(200), 5n, -1n, 2.5, true, ['a', 1n], new Map([['b', 'c']]));

const fixedAction: fc.Arbitrary<AttributeAction> = fc.oneof(
  fc.record({ action: fc.constantFrom('insert', 'update', 'upsert'), key, value }),
  fc.record({ action: fc.constantFrom('delete', 'hash'), key }),
  fc.record({ action: fc.constantFrom('insert', 'update', 'upsert'), key, fromAttribute: key }),
);
const anyAction: fc.Arbitrary<AttributeAction> = fc.oneof(
  fixedAction,
  fc.record({ action: fc.constant('delete'), key: fc.constant(''), pattern: fc.constant(pattern('^(h|n)')) }),
  fc.record({ action: fc.constant('extract'), key, pattern: fc.constant(pattern('^(?P<a>.)(?P<new>.*)')) }),
  fc.record({ action: fc.constant('convert'), key, convertedType: fc.constantFrom('string', 'int', 'double') }),
) as fc.Arbitrary<AttributeAction>;

/** A request, and now and then one with a byte changed. */
function requests(signal: Tested): fc.Arbitrary<Buffer> {
  const whole = requestArbitrary(signal, { keys: KEYS, texts: ['x', 'GET', '12'], duplicateKeys: true }).map((message) =>
    encode(signal, message as Message),
  );
  return fc.tuple(whole, fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined, freq: 3 })).map(([bytes, change]) => {
    if (change === undefined || bytes.length === 0) return bytes;
    const changed = Buffer.from(bytes);
    changed[change[0] % bytes.length] = change[1];
    return changed;
  });
}

/** What comes out, both ways. What is set to what it was gives equal bytes or the very body, by either. */
function agree(settings: AttributesSettings, signal: Tested, bytes: readonly Buffer[]): void {
  const [asked, edited] = [true, false].map((asksBytes) => new AttributesProcessor(settings, signal, asksBytes));
  for (const each of bytes) {
    const found = scan(signal, each);
    if (!found.ok) continue;
    const body: Body = { slices: [each], bytes: each.length, items: found.items };
    const [ours, theirs] = [asked, edited].map((processor) => {
      const result = processor?.process(body, undefined);
      if (result === undefined || typeof result === 'string') return result;
      const out = Buffer.concat(result.slices);
      expect(out.length).toBe(result.bytes);
      return { items: result.items, out: out.toString('hex') };
    });
    expect(ours).toEqual(theirs);
  }
}

describe.each(['traces', 'logs'] as const)('attributes by bytes and by AttributeEditor: %s', (signal) => {
  const list = fc.array(requests(signal), { minLength: 1, maxLength: 6 });
  const settings = { kind: 'attributes', id: 'attributes' } as const;

  it('fixed actions, several of a key, give the same bytes', () => {
    fc.assert(
      fc.property(fc.array(fixedAction, { minLength: 1, maxLength: 6 }), list, (actions, bytes) =>
        agree({ ...settings, actions }, signal, bytes),
      ),
      { numRuns: 2000 },
    );
  });

  it('all kinds of actions give the same bytes', () => {
    fc.assert(
      fc.property(fc.array(anyAction, { minLength: 1, maxLength: 4 }), list, (actions, bytes) =>
        agree({ ...settings, actions }, signal, bytes),
      ),
      { numRuns: 1500 },
    );
  });

  it('include and exclude select the same', () => {
    const attributes = [{ key: 'a', value: 'x' }];
    const ofSignal =
      signal === 'traces'
        ? [{ span_names: ['GET'] }, { services: ['GET', 'x'] }, { span_kinds: ['SPAN_KIND_SERVER'] }]
        : [{ log_bodies: ['x', ''] }, { log_severity_texts: ['INFO'] }, { log_severity_number: { min: 9, match_undefined: true } }];
    const others = [{ attributes }, { attributes: [{ key: 'n' }] }, { resources: attributes }, { libraries: [{ name: 'x' }] }];
    const section = fc
      .tuple(fc.constantFrom('strict', 'regexp'), fc.constantFrom(...ofSignal, ...others))
      .map(([match_type, rules]) => ({ match_type, ...rules }));
    const sections = fc.record({ include: section, exclude: section }, { requiredKeys: [] });
    fc.assert(
      fc.property(sections, list, (each, bytes) => {
        const action = { action: 'upsert', key: 'new', value: 'x' };
        const pipeline = { ...each, actions: [action, { action: 'delete', key: 'a' }] };
        // The rules of one signal are mistakes for another: the settings are made for this one alone.
        agree(settingsFor(pipeline, signal), signal, bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('tiny items that many attributes make hundred times larger become the same', () => {
    const actions = KEYS.map((each): AttributeAction => ({ action: 'upsert', key: `${each}.added`, value: 'x'.repeat(100) }));
    const items = Buffer.concat(Array.from({ length: 2000 }, () => lenField(2, Buffer.of(0x30, 1))));
    const bytes = Buffer.from(lenField(1, lenField(2, items)));
    agree({ ...settings, actions }, signal, [bytes]);
  });
});

it('bytes answer for requests as SDKs send them', () => {
  const settings: AttributesSettings = { kind: 'attributes', id: 'attributes', actions: [{ action: 'upsert', key: 'k', value: 'v' }] };
  const bytes = encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityText: 'INFO' }, {}] }] }] });
  const result = AttributesBytes.of(settings, 'logs')?.process({ slices: [bytes], bytes: bytes.length, items: 2 }, undefined);
  expect(result?.bytes).toBe(bytes.length + 2 * 10);
});

it('scopes and resources without items stay', () => {
  const message = {
    resourceSpans: [{ schemaUrl: 'a', scopeSpans: [{ schemaUrl: 'empty' }, { spans: [{ name: 'a' }] }] }, { schemaUrl: 'empty' }],
  };
  const bytes = encode('traces', message);
  const processor = new AttributesProcessor(
    { kind: 'attributes', id: 'attributes', actions: [{ action: 'upsert', key: 'k', value: 'v' }] },
    'traces',
  );
  const result = processor.process({ slices: [bytes], bytes: bytes.length, items: 1 }, undefined) as Body;
  const out = decode('traces', Buffer.concat(result.slices)) as { resourceSpans: { schemaUrl: string; scopeSpans?: unknown[] }[] };
  expect(out.resourceSpans.map(({ schemaUrl, scopeSpans }) => [schemaUrl, scopeSpans?.length ?? 0])).toEqual([
    ['a', 2],
    ['empty', 0],
  ]);
});

function settingsFor(config: object, signal: Tested): AttributesSettings {
  return processorSettings('attributes', config, [signal]) as AttributesSettings;
}

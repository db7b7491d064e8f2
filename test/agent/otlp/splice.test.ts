import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGoRegExp, GoRegExp } from '../../../agent/config/go-regexp.ts';
import { SIGNALS, type Signal } from '../../../agent/config/settings.ts';
import { AttributeEditor } from '../../../agent/otlp/splice.ts';
import type { AnyValue } from '../../../agent/otlp/view/any-value.ts';
import type { AttributeAction } from '../../../agent/process/actions/action.ts';
import { compileActions } from '../../../agent/process/actions/apply.ts';
import { decode, encode, type Message, request } from '../kit/otlp.ts';

const KEYS = ['service.name', 'service.instance.id', 'k8s.pod.name', 'x'];
const FIELD: Readonly<Record<Signal, [string, string]>> = {
  traces: ['resourceSpans', 'scopeSpans'],
  metrics: ['resourceMetrics', 'scopeMetrics'],
  logs: ['resourceLogs', 'scopeLogs'],
  profiles: ['resourceProfiles', 'scopeProfiles'],
};

function editor(actions: readonly AttributeAction[], signal: Signal): AttributeEditor {
  return new AttributeEditor(signal, 'resource', compileActions(actions));
}

function pattern(source: string): GoRegExp {
  const compiled = compileGoRegExp(source);
  if (compiled instanceof GoRegExp) return compiled;
  throw new Error(compiled.wrong);
}

function edit(actions: readonly AttributeAction[], signal: Signal, body: Uint8Array): Buffer {
  const edited = editor(actions, signal).edit({ slices: [body], bytes: body.length, items: 1 }, undefined);
  if (typeof edited === 'string') throw new Error(edited);
  const joined = Buffer.concat(edited.slices);
  expect(joined.length).toBe(edited.bytes);
  return joined;
}

/** What the Collector's resource processor does to a map. */
function model(actions: readonly AttributeAction[], attributes: [string, string][]): [string, string][] {
  let map = attributes.slice();
  for (const action of actions) {
    const has = map.some(([key]) => key === action.key);
    if (action.action === 'delete') map = map.filter(([key]) => key !== action.key);
    else if ((action.action === 'insert' && has) || (action.action === 'update' && !has)) continue;
    else {
      const value = action.value === undefined ? map.find(([key]) => key === action.fromAttribute)?.[1] : String(action.value);
      if (value === undefined) continue;
      map = has ? map.map(([key, old]) => [key, key === action.key ? value : old]) : [...map, [action.key, value]];
    }
  }
  return map;
}

const key = fc.constantFrom(...KEYS);
const action: fc.Arbitrary<AttributeAction> = fc.oneof(
  fc.record({
    action: fc.constantFrom('insert' as const, 'update' as const, 'upsert' as const),
    key,
    value: fc.string({ maxLength: 200 }),
  }),
  fc.record({ action: fc.constantFrom('insert' as const, 'update' as const, 'upsert' as const), key, fromAttribute: key }),
  fc.record({ action: fc.constant('delete' as const), key }),
);
const attributes = fc.uniqueArray(fc.tuple(key, fc.string({ maxLength: 150 })), { selector: ([name]) => name });

describe('setting resource attributes in bytes', () => {
  for (const signal of SIGNALS) {
    it(`does to ${signal} what decoding, changing and encoding would do`, () => {
      const [resources, scopes] = FIELD[signal];
      fc.assert(
        fc.property(fc.array(attributes, { maxLength: 3 }), fc.array(action, { maxLength: 4 }), (list, actions) => {
          const message = (maps: [string, string][][]): Message => ({
            [resources]: maps.map((map) => ({
              resource: { attributes: map.map(([k, v]) => ({ key: k, value: { stringValue: v } })), droppedAttributesCount: 3 },
              [scopes]: [{ scope: { name: 'kept' }, schemaUrl: 'kept' }],
              schemaUrl: 'kept too',
            })),
          });
          const before = encode(signal, message(list));
          const after = encode(signal, message(list.map((map) => model(actions, map))));
          expect(decode(signal, edit(actions, signal, before))).toEqual(decode(signal, after));
        }),
      );
    });
  }

  it('adds a resource where there is none, and leaves spans byte for byte', () => {
    const body = encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a' }] }] }] });
    const out = decode('traces', edit([{ action: 'upsert', key: 'k', value: 'v' }], 'traces', body));
    expect(out).toEqual({
      resourceSpans: [{ resource: { attributes: [{ key: 'k', value: { stringValue: 'v' } }] }, scopeSpans: [{ spans: [{ name: 'a' }] }] }],
    });
  });

  it('joins a resource that comes in two pieces, as protobuf does', () => {
    const piece = (name: string): Buffer =>
      encode('traces', { resourceSpans: [{ resource: { attributes: [{ key: name, value: { stringValue: name } }] } }] });
    const a = piece('a').subarray(2);
    const b = piece('b').subarray(2);
    const body = Buffer.concat([Buffer.from([0x0a, a.length + b.length]), a, b]);
    const out = decode('traces', edit([{ action: 'update', key: 'b', value: 'new' }], 'traces', body)) as {
      resourceSpans: { resource: { attributes: unknown[] } }[];
    };
    expect(out.resourceSpans[0]?.resource.attributes).toEqual([
      { key: 'a', value: { stringValue: 'a' } },
      { key: 'b', value: { stringValue: 'new' } },
    ]);
  });

  it.each<[AnyValue, Message]>([
    ['text', { stringValue: 'text' }],
    ['', { stringValue: '' }],
    [true, { boolValue: true }],
    [false, { boolValue: false }],
    [42n, { intValue: '42' }],
    [-7n, { intValue: '-7' }],
    [9_223_372_036_854_775_807n, { intValue: '9223372036854775807' }],
    [-9_223_372_036_854_775_808n, { intValue: '-9223372036854775808' }],
    [1.5, { doubleValue: 1.5 }],
  ])('writes %s as the AnyValue %o', (value, expected) => {
    const out = decode('traces', edit([{ action: 'insert', key: 'k', value }], 'traces', encode('traces', { resourceSpans: [{}] }))) as {
      resourceSpans: { resource: { attributes: { value: Message }[] } }[];
    };
    expect(out.resourceSpans[0]?.resource.attributes[0]?.value).toEqual(expected);
  });

  it('deletes by pattern', () => {
    const body = encode('logs', {
      resourceLogs: [{ resource: { attributes: ['k8s.a', 'k8s.b', 'c'].map((name) => ({ key: name, value: { stringValue: '1' } })) } }],
    });
    const out = decode('logs', edit([{ action: 'delete', key: '', pattern: pattern('^k8s\\.') }], 'logs', body)) as {
      resourceLogs: { resource: { attributes: { key: string }[] } }[];
    };
    expect(out.resourceLogs[0]?.resource.attributes.map((one) => one.key)).toEqual(['c']);
  });

  it('finds a profile attribute whose key is an index into the dictionary', () => {
    const body = encode('profiles', {
      resourceProfiles: [{ resource: { attributes: [{ keyStrindex: 1, value: { stringValue: 'old' } }] } }],
      dictionary: { stringTable: ['', 'host.name'] },
    });
    const out = decode('profiles', edit([{ action: 'upsert', key: 'host.name', value: 'new' }], 'profiles', body)) as {
      resourceProfiles: { resource: { attributes: Message[] } }[];
    };
    expect(out.resourceProfiles[0]?.resource.attributes).toEqual([{ keyStrindex: 1, value: { stringValue: 'new' } }]);
  });

  it('fails with words on a resource that is malformed inside, which scanning does not see', () => {
    const inner = Buffer.from([0x0a, 0x05, 0x01]); // an attribute that says 5 bytes and has 1
    const body = Buffer.concat([Buffer.from([0x0a, inner.length + 2, 0x0a, inner.length]), inner]);
    const edited = editor([{ action: 'delete', key: 'a' }], 'traces').edit({ slices: [body], bytes: body.length, items: 0 }, undefined);
    expect(edited).toMatch(/attributes cannot be read/);
  });

  it('changes nothing but the lengths around what it changed', () => {
    const body = request('traces', 50);
    expect(edit([{ action: 'insert', key: 'service.name', value: 'other' }], 'traces', body)).toEqual(body);
  });
});

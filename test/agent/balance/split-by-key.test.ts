import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../agent/balance/crc32.ts';
import { createKeyer } from '../../../agent/balance/keys.ts';
import type { RoutingKey } from '../../../agent/balance/settings.ts';
import { KeySplitter } from '../../../agent/balance/split-by-key.ts';
import type { Signal } from '../../../agent/config/settings.ts';
import { lenHeader, scan } from '../../../agent/otlp/wire.ts';
import { attribute, decode, encode, type Message, request } from '../kit/otlp.ts';
import { type PlainPart, split } from './parts.ts';

const TARGETS = 4;
const route = (key: Uint8Array, from: number, end: number): number => crc32(key, from, end) % TARGETS;
const itemsOf = (signal: Signal, body: Uint8Array): number => {
  const found = scan(signal, body);
  return found.ok ? found.items : -1;
};
const bytesOf = (part: PlainPart): Buffer => Buffer.concat(part.slices);

const WORDS: Readonly<Record<'traces' | 'metrics' | 'logs', readonly [string, string, string]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
};
const DATA = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** Each item with everything above it, as text: what has to arrive once, wherever it goes. */
function leaves(signal: 'traces' | 'metrics' | 'logs', body: Uint8Array): string[] {
  const [resources, scopes, items] = WORDS[signal];
  const list = (message: Message, key: string): Message[] => (message[key] as Message[] | undefined) ?? [];
  const without = (message: Message, key: string): Message => ({ ...message, [key]: undefined });
  const found: string[] = [];
  for (const resource of list(decode(signal, body), resources)) {
    for (const scope of list(resource, scopes)) {
      for (const item of list(scope, items)) {
        const above = [without(resource, scopes), without(scope, items)];
        const data = DATA.find((key) => item[key] !== undefined);
        if (signal !== 'metrics' || data === undefined) found.push(JSON.stringify([...above, item]));
        else
          for (const point of list(item[data] as Message, 'dataPoints'))
            found.push(JSON.stringify([...above, without(item, data), without(item[data] as Message, 'dataPoints'), point]));
      }
    }
  }
  return found.sort();
}

const id = fc.integer({ min: 1, max: 6 });
const attributes = fc.array(
  fc.tuple(fc.constantFrom('a', 'b', 'service.name'), fc.constantFrom('x', 'y', 'z')).map(([key, value]) => attribute(key, value)),
  { maxLength: 3 },
);
const point = fc.record({ attributes, timeUnixNano: fc.constant('5'), flags: fc.nat(3) });
const metricItem = fc
  .tuple(fc.constantFrom(...DATA), fc.array(point, { minLength: 1, maxLength: 4 }), fc.constantFrom('cpu', 'memory'), fc.constantFrom(1, 2))
  .map(([kind, dataPoints, name, aggregationTemporality]) => ({
    name,
    unit: 'By',
    metadata: [attribute('m', 'kept')],
    [kind]: { dataPoints, ...(kind === 'gauge' || kind === 'summary' ? {} : { aggregationTemporality }) },
  }));
const ITEMS: Readonly<Record<'traces' | 'metrics' | 'logs', fc.Arbitrary<Message>>> = {
  traces: fc.record({ traceId: id.map((n) => Buffer.alloc(16, n)), name: fc.string(), attributes }),
  logs: fc.record({ traceId: id.map((n) => Buffer.alloc(16, n)), body: fc.record({ stringValue: fc.string() }), attributes }),
  metrics: metricItem,
};

function requests(signal: 'traces' | 'metrics' | 'logs'): fc.Arbitrary<Buffer> {
  const [resources, scopes, items] = WORDS[signal];
  const scope = fc.record({
    scope: fc.record({ name: fc.constantFrom('', 'lib'), attributes }),
    [items]: fc.array(ITEMS[signal], { maxLength: 6 }),
    schemaUrl: fc.constantFrom('', 'https://schema'),
  });
  const resource = fc.record({
    resource: fc.record({ attributes, droppedAttributesCount: fc.nat(3) }),
    [scopes]: fc.array(scope, { maxLength: 3 }),
    schemaUrl: fc.constantFrom('', 'https://schema'),
  });
  return fc.array(resource, { maxLength: 3 }).map((list) => encode(signal, { [resources]: list }));
}

const CASES: readonly (readonly ['traces' | 'metrics' | 'logs', RoutingKey])[] = [
  ['traces', 'traceID'],
  ['traces', 'service'],
  ['traces', 'attributes'],
  ['logs', 'traceID'],
  ['logs', 'service'],
  ['logs', 'resource'],
  ['logs', 'attributes'],
  ['metrics', 'metric'],
  ['metrics', 'service'],
  ['metrics', 'resource'],
  ['metrics', 'streamID'],
  ['metrics', 'attributes'],
];

describe.each(CASES)('%s by %s', (signal, key) => {
  it('every item arrives once, under the resource and scope that it came with, where its key belongs', () => {
    const seed = Date.now() & 0x7fffffff;
    console.log(`${signal} ${key}: seed ${seed}`);
    const splitter = new KeySplitter(signal, createKeyer(signal, { key, attributes: ['a', 'b'] }));
    fc.assert(
      fc.property(requests(signal), (body) => {
        const parts = split(splitter, body, itemsOf(signal, body), route);
        expect(new Set(parts.map((part) => part.target)).size).toBe(parts.length);
        expect(parts.flatMap((part) => leaves(signal, bytesOf(part))).sort()).toEqual(leaves(signal, body));
        for (const part of parts) {
          expect(part.bytes).toBe(bytesOf(part).length);
          expect(scan(signal, bytesOf(part))).toEqual({ ok: true, items: part.items });
          // What was cut once is not cut again: all its keys belong to one place.
          if (part.items > 0) expect(split(splitter, bytesOf(part), part.items, route).map((one) => one.target)).toEqual([part.target]);
        }
      }),
      { seed, numRuns: 150 },
    );
  });

  it('shares large parts with the request, and a request that goes to one place as a whole', () => {
    const splitter = new KeySplitter(signal, createKeyer(signal, { key, attributes: ['a'] }));
    const body = Buffer.concat([request(signal, 900, 'one'), request(signal, 900, 'two')]);
    expect(split(splitter, body, 1800, () => 3)).toEqual([{ target: 3, slices: [body], bytes: body.length, items: 1800 }]);
    for (const part of split(splitter, body, 1800, route)) {
      for (const slice of part.slices) if (slice.length > 64 * 1024) expect(slice.buffer).toBe(body.buffer);
      expect(part.slices.length).toBeLessThan(100);
    }
  });

  it('fails on bytes that are cut off, and on nothing else', () => {
    const body = request(signal, 3, 'one');
    const splitter = new KeySplitter(signal, createKeyer(signal, { key, attributes: ['a', 'b'] }));
    for (let end = 0; end < body.length; end += 1) {
      const cut = body.subarray(0, end);
      if (scan(signal, cut).ok) split(splitter, cut, 0, route);
      else expect(() => split(splitter, cut, 0, route)).toThrow(/byte|past|truncated/);
    }
  });
});

it('keeps unknown fields of every level, in each part', () => {
  const unknown = Buffer.from([0xfa, 0x3e, 3, 1, 2, 3]); // field 1007
  const wrap = (field: number, ...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([(field << 3) | 2, body.length]), body]);
  };
  const span = (n: number): Buffer => wrap(2, wrap(1, Buffer.alloc(16, n)));
  const body = wrap(1, unknown, wrap(2, span(1), unknown, span(2), span(3)));
  const target = (_key: Uint8Array, from: number): number => (body[from] as number) % 2;
  const parts = split(new KeySplitter('traces' as Signal, createKeyer('traces', { key: 'traceID', attributes: [] })), body, 3, target);
  const odd = wrap(1, unknown, wrap(2, span(1), unknown, span(3)));
  const even = wrap(1, unknown, wrap(2, unknown, span(2)));
  expect(parts.map((part) => [part.target, bytesOf(part)])).toEqual([
    [1, odd],
    [0, even],
  ]);
});

describe('hostile requests', () => {
  const traceIds = new KeySplitter('traces', createKeyer('traces', { key: 'traceID', attributes: [] }));
  const wrap = (field: number, body: Buffer): Buffer => Buffer.concat([lenHeader(field, body.length), body]);

  it('hundreds of thousands of tiny items that go here and there make few slices', () => {
    const one = (n: number): Buffer => wrap(2, wrap(1, Buffer.alloc(16, n)));
    const spans = Buffer.concat(Array.from({ length: 300_000 }, (_, i) => one(i % 2)));
    const body = wrap(1, wrap(2, spans));
    const parts = split(traceIds, body, 300_000, (key, from) => key[from] as number);
    expect(parts.map(({ target, items }) => [target, items])).toEqual([
      [0, 150_000],
      [1, 150_000],
    ]);
    for (const part of parts) expect(part.slices.length).toBeLessThan(100);
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBeLessThan(body.length + 100);
  });

  it('fails to make much more of a request than it was: large resources repeated for many targets', () => {
    const spans = Buffer.concat(Array.from({ length: 50 }, (_, i) => wrap(2, wrap(1, Buffer.alloc(16, i)))));
    const resource = wrap(1, wrap(1, wrap(2, Buffer.alloc(3000, 0x78))));
    const body = Buffer.concat(Array.from({ length: 300 }, () => wrap(1, Buffer.concat([resource, wrap(2, spans)]))));
    expect(() => split(traceIds, body, 15_000, (key, from) => key[from] as number)).toThrow(/more than/u);
  });

  it('fails to make much more of a request than it was: a field of two bytes between all items, repeated for ten targets', () => {
    const between = Buffer.from([0x78, 1]); // field 15
    const bodyOf = (count: number): Buffer => {
      const spans = Array.from({ length: count }, (_, i) => Buffer.concat([between, wrap(2, wrap(1, Buffer.alloc(16, i % 10)))]));
      return wrap(1, wrap(2, Buffer.concat(spans)));
    };
    const route = (key: Uint8Array, from: number): number => key[from] as number;
    expect(split(traceIds, bodyOf(1000), 1000, route)).toHaveLength(10);
    expect(() => split(traceIds, bodyOf(20_000), 20_000, route)).toThrow(/more than/u);
    // And goes on with the next one as if nothing had been.
    expect(split(traceIds, bodyOf(100), 100, route).map(({ items }) => items)).toEqual(Array.from({ length: 10 }, () => 10));
  });

  it('random bytes are cut, or refused with a reason; nothing else', () => {
    const seed = Date.now() & 0x7fffffff;
    console.log(`seed ${seed}`);
    const base = request('traces', 5, 'one', 3);
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.uint8Array({ minLength: 1, maxLength: 12 }), (at, noise) => {
        const body = Buffer.from(base);
        body.set(noise.subarray(0, body.length - at), at);
        for (const { key, splitter } of ALL_TRACES) {
          try {
            for (const part of split(splitter, body, 15, route)) expect(part.bytes).toBe(bytesOf(part).length);
          } catch (error) {
            expect((error as Error).name, `${key}: ${(error as Error).stack}`).toBe('Error');
          }
        }
      }),
      { seed, numRuns: 2000 },
    );
  });
});

const ALL_TRACES = (['traceID', 'service', 'attributes'] as const).map((key) => ({
  key,
  splitter: new KeySplitter('traces', createKeyer('traces', { key, attributes: ['a', 'span.kind'] })),
}));

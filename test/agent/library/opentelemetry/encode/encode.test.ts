import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../../../agent/library/opentelemetry/encode/encode.ts';
import { type SpanLike, writeTraces } from '../../../../../agent/library/opentelemetry/encode/traces.ts';
import { ProtoWriter } from '../../../../../agent/library/opentelemetry/encode/writer.ts';
import { decode } from '../../../kit/otlp.ts';
import { spans as anySpans } from './arbitrary.ts';
import { resource, scope, spanOf as span } from './span.ts';

const text = (spans: readonly SpanLike[]): string => JSON.stringify(decode('traces', encode(writeTraces, spans)));

describe('encode', () => {
  it('writes what the specification reads', () => {
    const parentSpanContext = { traceId: '', spanId: '00000000000000ff', traceFlags: 0, isRemote: true };
    expect(decode('traces', encode(writeTraces, [span({ kind: 2, parentSpanContext, attributes: { n: -1, s: 'ü' } })]))).toEqual({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
          scopeSpans: [
            {
              scope: { name: 'test' },
              spans: [
                {
                  traceId: Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex').toString('base64'),
                  spanId: Buffer.from('b7ad6b7169203331', 'hex').toString('base64'),
                  parentSpanId: Buffer.from('00000000000000ff', 'hex').toString('base64'),
                  name: 'span',
                  kind: 3,
                  startTimeUnixNano: '1700000000000000001',
                  endTimeUnixNano: '1700000000000000002',
                  attributes: [
                    { key: 'n', value: { intValue: '-1' } },
                    { key: 's', value: { stringValue: 'ü' } },
                  ],
                  status: {},
                  flags: 0x301,
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it('holds exactly its bytes, and what is written later is another buffer', () => {
    const one = encode(writeTraces, [span({ name: 'one' })]);
    const copy = Buffer.from(one);
    const other = encode(writeTraces, [span({ name: 'two' })]);
    expect([one.buffer.byteLength, other.buffer.byteLength]).toEqual([one.length, other.length]);
    expect(one.equals(copy)).toBe(true);
    expect(encode(writeTraces, [])).toHaveLength(0);
  });

  it('keeps the order of first appearance of resources and scopes, by identity', () => {
    const twin = { attributes: { 'service.name': 'shop' } };
    const named = (name: string, own = resource, of = scope): SpanLike => span({ name, resource: own, instrumentationScope: of });
    const other = { name: 'other' };
    const batch = [named('a'), named('b', twin), named('c', resource, other), named('d'), named('e', twin, other), named('f', twin)];
    const { resourceSpans } = decode('traces', encode(writeTraces, batch)) as {
      resourceSpans: { scopeSpans: { scope: { name: string }; spans: { name: string }[] }[] }[];
    };
    expect(
      resourceSpans.map(({ scopeSpans }) => scopeSpans.map((one) => [one.scope.name, one.spans.map(({ name }) => name).join('')])),
    ).toEqual([
      [
        ['test', 'ad'],
        ['other', 'c'],
      ],
      [
        ['test', 'bf'],
        ['other', 'e'],
      ],
    ]);
  });

  it('grows from nothing, at any place', () => {
    fc.assert(
      fc.property(anySpans, fc.nat(64), (batch, bytes) => {
        const writer = new ProtoWriter(bytes);
        writeTraces(writer, batch);
        expect(writer.take().equals(encode(writeTraces, batch))).toBe(true);
      }),
      { numRuns: 200 },
    );
    const big = [span({ attributes: { long: 'x'.repeat(5_000_000), bytes: new Uint8Array(3_000_000) } }), span({ name: 'last' })];
    expect(encode(writeTraces, big).length).toBeGreaterThan(8_000_000);
    expect(text([span({ name: 'after' })])).toContain('"after"');
  });

  it('knows the keys of attributes, and forgets them where there are too many', () => {
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 3000; i += 1) {
        const key = `key.${i}.${'ü'.repeat(i % 70)}`;
        const written = decode('traces', encode(writeTraces, [span({ attributes: { [key]: i } })])) as {
          resourceSpans: [{ scopeSpans: [{ spans: [{ attributes: unknown }] }] }];
        };
        expect(written.resourceSpans[0].scopeSpans[0].spans[0].attributes).toEqual([{ key, value: { intValue: String(i) } }]);
      }
    }
  });

  it('may be called by a getter of what it writes', () => {
    let inner = '';
    const nosy = {
      get attributes(): object {
        inner = text([span({ name: 'inner' })]);
        return { 'service.name': 'outer' };
      },
    };
    const outer = text([span({ resource: nosy, name: 'outer span' }), span({ name: 'second' })]);
    expect(inner).toContain('"inner"');
    for (const word of ['"outer"', '"outer span"', '"second"']) expect(outer).toContain(word);
    expect(outer).not.toContain('inner');
  });

  it('fails where it cannot read an item, and the next one is whole', () => {
    const before = encode(writeTraces, [span()]);
    const endless: Record<string, unknown> = {};
    endless.self = endless;
    const boom = (): never => {
      throw new Error('boom');
    };
    for (const bad of [
      {} as SpanLike,
      undefined as never,
      span({ spanContext: boom }),
      span({ attributes: endless }),
      span({ startTime: undefined as never }),
    ])
      expect(() => encode(writeTraces, [span({ name: 'x'.repeat(100) }), bad])).toThrow();
    expect(encode(writeTraces, [span()]).equals(before)).toBe(true);
  });

  it('writes an empty name for what is no text: it must not take the others with it', () => {
    for (const name of [undefined, null, 5, {}, ['a'], Symbol('s')] as never[]) {
      const two = [span({ name, attributes: { bad: true } }), span({ name: 'fine' })];
      expect(text(two)).toBe(text([span({ name: '', attributes: { bad: true } }), span({ name: 'fine' })]));
    }
  });
});

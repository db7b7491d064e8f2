import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SIGNALS, type Signal } from '../../../agent/config/settings.ts';
import { scan, topFields, varintField, writeVarint } from '../../../agent/otlp/wire.ts';
import { decode, encode, type Message, request } from '../kit/otlp.ts';

/** Shapes of a request: items in scopes in resources. */
const shape = fc.array(fc.array(fc.nat({ max: 6 }), { maxLength: 4 }), { maxLength: 4 });

function build(signal: Signal, resources: number[][]): Buffer {
  const many = (count: number, make: (i: number) => Message): Message[] => Array.from({ length: count }, (_, i) => make(i));
  const makers: Record<Signal, (items: number) => Message> = {
    traces: (items: number) => ({
      scope: { name: 's' },
      spans: many(items, (i) => ({ name: 'x'.repeat(i * 70), attributes: [{ key: 'k', value: { intValue: i } }] })),
    }),
    logs: (items: number) => ({ scope: { name: 's' }, logRecords: many(items, (i) => ({ body: { stringValue: 'y'.repeat(i * 70) } })) }),
    metrics: (items: number) => ({
      metrics: [
        { name: 'g', gauge: { dataPoints: many(items, (i) => ({ asInt: i })) } },
        { name: 's', sum: { dataPoints: many(items, (i) => ({ asDouble: i })), isMonotonic: true } },
        {
          name: 'h',
          histogram: {
            dataPoints: many(items, () => ({ count: 3, bucketCounts: [1, 2], explicitBounds: [5] })),
            aggregationTemporality: 2,
          },
        },
        { name: 'e', exponentialHistogram: { dataPoints: many(items, () => ({ scale: 1, positive: { offset: 1, bucketCounts: [1] } })) } },
        { name: 'q', summary: { dataPoints: many(items, () => ({ quantileValues: [{ quantile: 0.5, value: 1 }] })) } },
        { name: 'none' },
      ],
    }),
    profiles: (items: number) => ({
      profiles: [{ samples: many(items, (i) => ({ stackIndex: i, values: [i] })), profileId: Buffer.alloc(16, 1) }, {}],
    }),
  };
  const scopes = makers[signal];
  const word = { traces: 'Spans', metrics: 'Metrics', logs: 'Logs', profiles: 'Profiles' }[signal];
  const list = resources.map((counts) => ({
    resource: { attributes: [{ key: 'a', value: { stringValue: 'b' } }] },
    [`scope${word}`]: counts.map(scopes),
    schemaUrl: 'u',
  }));
  return encode(signal, { [`resource${word}`]: list });
}

const factor = (signal: Signal): number => (signal === 'metrics' ? 5 : 1);
const total = (resources: number[][]): number => resources.flat().reduce((a, b) => a + b, 0);

describe('scanning a request without decoding it', () => {
  for (const signal of SIGNALS) {
    it(`counts the ${signal} that protobufjs encoded`, () => {
      fc.assert(
        fc.property(shape, (resources) => {
          expect(scan(signal, build(signal, resources))).toEqual({ ok: true, items: total(resources) * factor(signal) });
        }),
      );
    });

    it(`counts the ${signal} of joined requests as their sum`, () => {
      fc.assert(
        fc.property(shape, shape, (a, b) => {
          const joined = Buffer.concat([build(signal, a), build(signal, b)]);
          expect(scan(signal, joined)).toEqual({ ok: true, items: (total(a) + total(b)) * factor(signal) });
        }),
      );
    });

    it(`fails on ${signal} that are cut anywhere but between two resources, and never throws`, () => {
      const body = build(signal, [[3, 2], [1]]);
      const ends = new Set([0, ...topFields(body).map((field) => field.end)]);
      for (let cut = 0; cut < body.length; cut += 1) expect([cut, scan(signal, body.subarray(0, cut)).ok]).toEqual([cut, ends.has(cut)]);
    });

    it(`never throws on bytes that are no ${signal}, and never counts more items than there are bytes`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          const found = scan(signal, Buffer.from(bytes));
          if (found.ok) expect(found.items).toBeLessThanOrEqual(bytes.length);
          else expect(found.reason).toMatch(/at byte \d+/);
        }),
        { numRuns: 2000 },
      );
    });

    it(`survives one changed byte in ${signal}`, () => {
      const body = build(signal, [[3], [2, 1]]);
      fc.assert(
        fc.property(fc.nat({ max: body.length - 1 }), fc.nat({ max: 255 }), (index, value) => {
          const copy = Buffer.from(body);
          copy[index] = value;
          const found = scan(signal, copy);
          expect(typeof found.ok).toBe('boolean');
        }),
        { numRuns: 500 },
      );
    });
  }

  it('skips unknown fields of every wire type, groups included', () => {
    const body = request('traces', 3);
    const unknown = Buffer.from([
      ...[0xf8, 0x01, 0x96, 0x01], // 31: varint
      ...[0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8], // 31: fixed64
      ...[0xfa, 0x01, 2, 9, 9], // 31: bytes
      ...[0xfd, 0x01, 1, 2, 3, 4], // 31: fixed32
      ...[0xfb, 0x01, 0x08, 1, 0xfc, 0x01], // 31: group { 1: varint }
    ]);
    expect(scan('traces', Buffer.concat([unknown, body, unknown]))).toEqual({ ok: true, items: 3 });
  });

  it('fails on a known field of the wrong wire type, a group that does not end, and field number 0', () => {
    expect(scan('traces', Buffer.from(varintField(1, 5)))).toMatchObject({ ok: false });
    expect(scan('traces', Buffer.from([0xfb, 0x01, 0x08, 1]))).toMatchObject({ ok: false });
    expect(scan('traces', Buffer.from([0x00, 0x01]))).toMatchObject({ ok: false });
    expect(scan('traces', Buffer.from([0xff, 0x01]))).toMatchObject({ ok: false, reason: expect.stringContaining('illegal wire type 7') });
    expect(scan('logs', Buffer.alloc(200, 0xfb))).toMatchObject({ ok: false });
  });

  it('fails on a length of more than the request, up to 2^64', () => {
    const head = Buffer.from([0x0a]);
    for (const length of [1, 127, 128, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      const varint = Buffer.alloc(10);
      const size = writeVarint(varint, 0, length);
      expect(scan('traces', Buffer.concat([head, varint.subarray(0, size)]))).toMatchObject({ ok: false });
    }
    expect(scan('traces', Buffer.concat([head, Buffer.alloc(9, 0xff), Buffer.from([0x01])]))).toMatchObject({ ok: false });
  });

  it('what it accepts as spans protobufjs decodes to the same number', () => {
    const decoded = decode('traces', build('traces', [[4, 0], [2]])) as { resourceSpans: { scopeSpans: { spans?: unknown[] }[] }[] };
    const spans = decoded.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans ?? []));
    expect(spans).toHaveLength(6);
  });
});

import { describe, expect, it } from 'vitest';
import { jsonToProto, protoToJson } from '../../../../agent/otlp/json/json.ts';
import { lenField, varintField } from '../../../../agent/otlp/wire.ts';
import { encode, request } from '../../kit/otlp.ts';

const text = (parts: readonly Uint8Array[]): string => Buffer.from(protoToJson('traces', parts)).toString();
/** One span of these bytes. */
const span = (...fields: Uint8Array[]): Buffer => Buffer.from(lenField(1, lenField(2, lenField(2, Buffer.concat(fields)))));
const spanOf = (...fields: Uint8Array[]): unknown => JSON.parse(text([span(...fields)])).resourceSpans[0].scopeSpans[0].spans[0];
const string = (field: number, value: string): Uint8Array => lenField(field, Buffer.from(value));

describe('protobuf into OTLP/JSON', () => {
  it('ids are hex in lower case, 64 bits are text, enums are numbers', () => {
    const bytes = encode('traces', {
      resourceSpans: [
        { scopeSpans: [{ spans: [{ traceId: Buffer.alloc(16, 0xab), kind: 2, startTimeUnixNano: '18446744073709551615' }] }] },
      ],
    });
    expect(text([bytes])).toBe(
      `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${'ab'.repeat(16)}","kind":2,"startTimeUnixNano":"18446744073709551615"}]}]}]}`,
    );
  });

  it('several slices are one request, several requests one list', () => {
    const one = request('traces', 2, 'a');
    const two = request('traces', 3, 'b');
    const json = JSON.parse(text([one.subarray(0, 7), one.subarray(7), two]));
    expect(json.resourceSpans.map((each: { scopeSpans: [{ spans: unknown[] }] }) => each.scopeSpans[0].spans.length)).toEqual([2, 3]);
  });

  it('unknown fields are left out, wherever they are', () => {
    expect(spanOf(string(99, 'x'), string(5, 'name'), varintField(98, 5))).toEqual({ name: 'name' });
  });

  it('what stands twice is merged as protobuf merges it', () => {
    const event = (name: string): Uint8Array => lenField(11, string(2, name));
    // a scalar twice, a list with something between, a message in two parts
    expect(
      spanOf(
        string(5, 'old'),
        event('a'),
        string(5, 'new'),
        event('b'),
        lenField(15, string(2, 'm')),
        varintField(10, 1),
        lenField(15, varintField(3, 2)),
      ),
    ).toEqual({
      name: 'new',
      droppedAttributesCount: 1,
      events: [{ name: 'a' }, { name: 'b' }],
      status: { message: 'm', code: 2 },
    });
  });

  it('of a oneof the last member stays', () => {
    const value = Buffer.concat([string(1, 's'), varintField(3, 7)]);
    expect(spanOf(lenField(9, Buffer.concat([string(1, 'k'), lenField(2, value)])))).toEqual({
      attributes: [{ key: 'k', value: { intValue: '7' } }],
    });
  });

  it('merging far down costs no more than the body', () => {
    let value: Uint8Array = string(1, 'x');
    // each level says something twice, so each would be begun again, were it not for the one restart
    for (let i = 0; i < 60; i += 1) value = Buffer.concat([lenField(5, lenField(1, value)), lenField(5, new Uint8Array(0))]);
    const json = text([span(lenField(9, lenField(2, value)))]);
    expect(json).toContain('"stringValue":"x"');
  });

  it('numbers are read packed and one by one, and joined', () => {
    const fixed = (n: number): Uint8Array => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(n));
      return bytes;
    };
    const counts = [
      lenField(6, Buffer.concat([fixed(1), fixed(2)])),
      lenField(6, new Uint8Array(0)),
      Buffer.concat([Buffer.from([0x31]), fixed(3)]),
    ];
    const point = lenField(1, Buffer.concat(counts));
    const body = lenField(1, lenField(2, lenField(2, lenField(9, point))));
    const json = JSON.parse(Buffer.from(protoToJson('metrics', [body])).toString());
    expect(json.resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0].bucketCounts).toEqual(['1', '2', '3']);
  });

  it('texts that are no UTF-8 come out as UTF-8', () => {
    expect(spanOf(lenField(5, Buffer.from([0x61, 0xff, 0x62])))).toEqual({ name: 'a\uFFFDb' });
  });

  it('a value 400 levels deep comes back; one without end is refused', () => {
    const nested = (levels: number): Uint8Array => {
      let value: Uint8Array = string(1, 'x');
      for (let i = 0; i < levels; i += 1) value = lenField(5, lenField(1, value));
      return span(lenField(9, lenField(2, value)));
    };
    const deep = nested(200);
    const json = text([deep]);
    expect(text([jsonToProto('traces', Buffer.from(json))])).toBe(json);
    expect(json.split('arrayValue').length).toBe(201);
    expect(() => protoToJson('traces', [nested(20_000)])).toThrow('more than 500 messages in each other');
  });

  it.each([
    ['a length past the end', [0x0a, 0x05, 0x12, 0x10]],
    ['a wrong wire type', [0x08, 0x01]],
    ['a cut varint', [0x0a, 0x02, 0x12, 0x80]],
  ])('fails on %s', (_what, bytes) => {
    expect(() => protoToJson('traces', [Buffer.from(bytes)])).toThrow(/at byte \d+$/);
  });
});

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../../../agent/config/settings.ts';
import { decodeJson, decodeJsonInSlices, MAX_GROWTH } from '../../../../agent/otlp/json/decode.ts';
import { jsonToProto } from '../../../../agent/otlp/json/json.ts';
import { scan } from '../../../../agent/otlp/wire.ts';
import { decode } from '../../kit/otlp.ts';
import { ODD } from './odd.ts';

const always = (): boolean => true;
const read = (signal: Signal, json: string): unknown => decode(signal, jsonToProto(signal, Buffer.from(json)));
const span = (fields: string): unknown => {
  const { resourceSpans } = read('traces', `{"resourceSpans":[{"scopeSpans":[{"spans":[{${fields}}]}]}]}`) as {
    resourceSpans: [{ scopeSpans: [{ spans: [unknown] }] }];
  };
  return resourceSpans[0].scopeSpans[0].spans[0];
};

describe('the schema of OTLP/JSON', () => {
  it('is what the committed .proto files say', () => {
    const script = fileURLToPath(new URL('../../../../scripts/otlp-json-schema.mjs', import.meta.url));
    expect(execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' })).toBe('');
  });
});

describe('OTLP/JSON into protobuf', () => {
  it('ids are hex in any case, in links too', () => {
    const id = 'AbCdEf00112233445566778899aAbBcC';
    const bytes = Buffer.from(id, 'hex').toString('base64');
    expect(span(`"traceId":"${id}","links":[{"traceId":"${id.toLowerCase()}"}]`)).toEqual({ traceId: bytes, links: [{ traceId: bytes }] });
  });

  it('64-bit integers lose nothing, as texts and as numbers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.boolean(), (number, quoted) => {
        const time = quoted ? `"${number}"` : String(number);
        expect(span(`"startTimeUnixNano":${time},"endTimeUnixNano":${time}`)).toEqual({
          startTimeUnixNano: String(number),
          endTimeUnixNano: String(number),
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('whole numbers may have fractions of zeros and exponents, and nothing else', () => {
    const time = (text: string): unknown =>
      (span(`"name":"x","startTimeUnixNano":${text}`) as { startTimeUnixNano?: string }).startTimeUnixNano;
    const good = {
      '1e3': '1000',
      '1.5e1': '15',
      '120.0': '120',
      '1.20e2': '120',
      '100e-2': '1',
      '0e999999': undefined,
      '0.000': undefined,
      '"7E+2"': '700',
      '18446744073709551615.0': '18446744073709551615',
      '1844674407370955161.5e1': '18446744073709551615',
      '0.0000000000000000000000000000001e31': '1',
    };
    for (const [text, value] of Object.entries(good)) expect(time(text), text).toBe(value);
    for (const text of [
      '1.5',
      '1e-1',
      '0.1',
      '1e20',
      '1e999999999',
      '18446744073709551616.0',
      '"."',
      '".5"',
      '"5."',
      '"e5"',
      '"1e"',
      '"1e+"',
      '"1.5.0"',
      '"1e5e5"',
      '""',
      '"-"',
      '"1 "',
    ])
      expect(() => time(text), text).toThrow(/at byte/);
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.nat(25), (number, shift) => {
        const digits = String(number).padStart(shift + 1, '0');
        const moved = `${digits.slice(0, digits.length - shift) || '0'}.${digits.slice(digits.length - shift)}0e${shift}`;
        expect(time(moved.replace(/^0+(?=\d)/, '')), moved).toBe(String(number));
      }),
    );
  });

  it('enums are integers; their names are read as the Collector reads them', () => {
    expect([span('"kind":3'), span('"kind":"SPAN_KIND_CLIENT"')]).toEqual([{ kind: 3 }, { kind: 3 }]);
    expect(() => span('"kind":"CLIENT"')).toThrow('kind has no value of that name');
  });

  it('unknown keys are ignored, snake_case among them, and null is unset', () => {
    expect(span('"trace_state":"x","name":"a","kind":null,"events":null,"later":{"a":[1,{}]}')).toEqual({ name: 'a' });
  });

  it('the JSON example of opentelemetry-proto arrives whole', () => {
    const example = {
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'my.service' } }] },
          scopeSpans: [
            {
              scope: { name: 'my.library', version: '1.0.0', attributes: [{ key: 'my.scope.attribute', value: { stringValue: 'some' } }] },
              spans: [
                {
                  traceId: '5B8EFFF798038103D269B633813FC60C',
                  spanId: 'EEE19B7EC3C1B174',
                  parentSpanId: 'EEE19B7EC3C1B173',
                  name: "I'm a server span",
                  startTimeUnixNano: '1544712660000000000',
                  endTimeUnixNano: '1544712661000000000',
                  kind: 2,
                  attributes: [{ key: 'my.span.attr', value: { stringValue: 'some value' } }],
                },
              ],
            },
          ],
        },
      ],
    };
    const json = structuredClone(example) as unknown as { resourceSpans: [{ scopeSpans: [{ spans: [Record<string, unknown>] }] }] };
    const expected = json.resourceSpans[0].scopeSpans[0].spans[0];
    for (const key of ['traceId', 'spanId', 'parentSpanId']) expected[key] = Buffer.from(String(expected[key]), 'hex').toString('base64');
    expect(read('traces', JSON.stringify(example, null, 2))).toEqual(json);
  });

  it('every odd body is answered with protobuf that scans, or with a reason that names a byte', () => {
    for (const { what, signal, body } of ODD) {
      const result = decodeJson(signal, Buffer.from(body), always);
      if (result.ok) expect(scan(signal, result.body), what).toMatchObject({ ok: true });
      else expect(result.reason, what).toMatch(/at byte \d+$|not UTF-8$/);
    }
  });

  it('never takes more than the stated growth, and charges all of it before', () => {
    const worst = [
      `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"bucketCounts":[${'1,'.repeat(50_000)}1]}]}}]}]}]}`,
      `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"explicitBounds":[${'1,'.repeat(50_000)}1]}]}}]}]}]}`,
      `{"resourceMetrics":[${'{},'.repeat(50_000)}{}]}`,
      `{"resourceMetrics":[{"schemaUrl":"${'\\ud83d'.repeat(20_000)}"}]}`,
    ];
    for (const text of worst) {
      const json = Buffer.from(text);
      let held = 0;
      let most = 0;
      const result = decodeJson('metrics', json, (bytes) => {
        held = bytes;
        most = Math.max(most, bytes);
        return true;
      });
      if (!result.ok) throw new Error(result.reason);
      expect(result.body.length).toBeLessThanOrEqual(MAX_GROWTH * json.length);
      expect(held).toBe(result.body.buffer.byteLength);
      // While it grows the old buffer is there beside one of twice the size; at the end the exact one beside it.
      expect(most).toBeLessThanOrEqual(3 * MAX_GROWTH * json.length);
    }
  });

  it('stops where there is no room, at any charge', () => {
    const json = Buffer.from(`{"resourceMetrics":[${'{"schemaUrl":"abcdefghijklmnop"},'.repeat(2000)}{}]}`);
    let charges = 0;
    decodeJson('metrics', json, () => {
      charges += 1;
      return true;
    });
    expect(charges).toBeGreaterThan(1);
    for (let allowed = 0; allowed < charges; allowed += 1) {
      let left = allowed;
      expect(decodeJson('metrics', json, () => left-- > 0)).toMatchObject({ ok: false, memory: true });
    }
  });

  it('a large body is converted between the turns of the loop, to the same bytes', async () => {
    const spans = Array.from({ length: 20_000 }, (_, i) => ({
      name: `span ${i}`,
      startTimeUnixNano: String(i),
      attributes: [{ key: 'k', value: { intValue: i } }],
    }));
    const resources = [
      { scopeSpans: [{ spans, schemaUrl: 'u' }, null, {}] },
      null,
      { resource: { attributes: [] }, scopeSpans: [] },
      { scopeSpans: [{ spans: [] }], unknown: [{}] },
    ];
    const json = Buffer.from(JSON.stringify({ x: 1, resourceSpans: resources }, null, 1));
    expect(json.length).toBeGreaterThan(2_000_000);
    let turns = 0;
    const count = setInterval(() => {
      turns += 1;
    }, 0);
    const sliced = await decodeJsonInSlices('traces', json, always);
    clearInterval(count);
    expect(turns).toBeGreaterThan(2);
    const whole = decodeJson('traces', json, always);
    if (!sliced.ok || !whole.ok) throw new Error('refused');
    expect(sliced.body.equals(whole.body)).toBe(true);
  });

  it('a large body that is broken anywhere is refused for the same reason as in one go', async () => {
    const filler = ' '.repeat(1_100_000);
    for (const { signal, body } of ODD) {
      if (body.length > 1_000_000) continue;
      const json = Buffer.concat([Buffer.from(body), Buffer.from(filler)]);
      const sliced = await decodeJsonInSlices(signal, json, always);
      expect(sliced).toEqual(decodeJson(signal, json, always));
    }
  });

  it('a message of any size has the right length before it, whatever the last one of its kind had', () => {
    const sizes = [0, 1, 100, 127, 128, 200, 16_383, 16_384, 20_000, 5, 2_097_152, 3, 130];
    const spans = sizes.map((size) => ({ name: 'n'.repeat(size), status: { message: 'm'.repeat(size) } }));
    const proto = jsonToProto('traces', Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })));
    const found = decode('traces', proto) as {
      resourceSpans: [{ scopeSpans: [{ spans: { name?: string; status: { message?: string } }[] }] }];
    };
    const back = found.resourceSpans[0].scopeSpans[0].spans;
    expect(back.map(({ name, status }) => [name?.length ?? 0, status.message?.length ?? 0])).toEqual(sizes.map((size) => [size, size]));
  });

  it('levels far down, whose lengths are padded, decode as others do', () => {
    const depth = 40; // protobufjs ends at 100 messages
    const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${'{"arrayValue":{"values":['.repeat(depth)}{"stringValue":"deep"}${']}}'.repeat(depth)}}]}]}]}`;
    expect(JSON.stringify(decode('logs', jsonToProto('logs', Buffer.from(json))))).toBe(json);
  });
});

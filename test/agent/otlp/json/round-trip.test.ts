import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SIGNALS } from '../../../../agent/config/settings.ts';
import { jsonToProto, protoToJson } from '../../../../agent/otlp/json/json.ts';
import { decode, encode, REQUEST_TYPES } from '../../kit/otlp.ts';
import { asOtlpJson, requestArbitrary, stringify } from './arbitrary.ts';

const RUNS = 200;

describe.each(SIGNALS)('OTLP/JSON of %s', (signal) => {
  const type = REQUEST_TYPES[signal];

  it('protobuf -> JSON -> protobuf keeps every value, and the JSON is what JSON.parse reads', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), (message) => {
        const proto = encode(signal, message);
        const json = Buffer.from(protoToJson(signal, [proto]));
        expect(JSON.parse(json.toString())).toEqual(JSON.parse(stringify(asOtlpJson(type, plain(signal, proto)))));
        expect(decode(signal, jsonToProto(signal, json))).toEqual(decode(signal, proto));
      }),
      { numRuns: RUNS },
    );
  });

  it('JSON -> protobuf -> JSON keeps every value; protobufjs reads the same out of the protobuf', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), fc.constantFrom(undefined, 1, '\t'), (message, space) => {
        const json = Buffer.from(JSON.stringify(JSON.parse(stringify(asOtlpJson(type, message))), null, space));
        const proto = jsonToProto(signal, json);
        expect(decode(signal, proto)).toEqual(decode(signal, encode(signal, withoutNegativeZero(message) as typeof message)));
        const again = protoToJson(signal, [proto]);
        expect(decode(signal, jsonToProto(signal, again))).toEqual(decode(signal, proto));
      }),
      { numRuns: RUNS },
    );
  });

  it('whatever the bytes, an answer comes back: mutated JSON and mutated protobuf', () => {
    fc.assert(
      fc.property(
        requestArbitrary(signal),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (message, changes) => {
          const proto = encode(signal, message);
          const json = Buffer.from(protoToJson(signal, [proto]));
          for (const [at, byte] of changes) {
            if (json.length > 0) json[at % json.length] = byte;
            if (proto.length > 0) proto[at % proto.length] = byte;
          }
          for (const run of [() => jsonToProto(signal, json), () => JSON.parse(Buffer.from(protoToJson(signal, [proto])).toString())]) {
            try {
              run();
            } catch (error) {
              expect((error as Error).constructor.name).toBe('ConversionError');
            }
          }
        },
      ),
      { numRuns: RUNS * 3 },
    );
  });
});

/** What protobufjs reads, with bytes as Buffers: only fields that are on the wire. */
function plain(signal: (typeof SIGNALS)[number], bytes: Buffer): Record<string, unknown> {
  const type = REQUEST_TYPES[signal];
  return type.toObject(type.decode(bytes), { longs: String, enums: Number });
}

/** JSON.parse and JSON.stringify lose its sign in the second property; the first keeps it. */
function withoutNegativeZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutNegativeZero(one)]));
}

import fc from 'fast-check';
import protobuf from 'protobufjs';
import type { Signal } from '../../../../agent/config/settings.ts';
import { type Message, REQUEST_TYPES } from '../../kit/otlp.ts';

/** Requests with every field of the .proto files, by protobufjs' reflection: nothing here knows the agent's own schema. */
const IDS: Readonly<Record<string, number>> = { traceId: 16, spanId: 8, parentSpanId: 8, profileId: 16 };
const MAX_NESTING = 4;

/** A request as protobufjs' plain object: longs as decimal text, bytes as Buffer, enums as numbers. */
export function requestArbitrary(signal: Signal): fc.Arbitrary<Message> {
  return messageArbitrary(REQUEST_TYPES[signal], 0);
}

function messageArbitrary(type: protobuf.Type, anyValues: number): fc.Arbitrary<Message> {
  const depth = type.name === 'AnyValue' ? anyValues + 1 : anyValues;
  if (depth > MAX_NESTING) return fc.constant({});
  type.resolveAll();
  const optional = type.fieldsArray.filter((field) => field.partOf === null || field.partOf.fieldsArray.length === 1);
  const oneofs = type.oneofsArray.filter((oneof) => oneof.fieldsArray.length > 1);
  const plain = fc.record(Object.fromEntries(optional.map((field) => [field.name, fieldArbitrary(field, depth)])), { requiredKeys: [] });
  const chosen = oneofs.map((oneof) => {
    const members = oneof.fieldsArray.map((field) => fieldArbitrary(field, depth).map((value): Message => ({ [field.name]: value })));
    return fc.oneof(fc.constant<Message>({}), ...members);
  });
  return fc.tuple(plain, ...chosen).map((parts) => Object.assign({}, ...parts) as Message);
}

function fieldArbitrary(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const one = valueArbitrary(field, depth);
  return field.repeated ? fc.array(one, { maxLength: 3 }) : one;
}

function valueArbitrary(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) return messageArbitrary(resolvedType, depth);
  if (resolvedType instanceof protobuf.Enum) return fc.constantFrom(...(Object.values(resolvedType.values) as number[]), 77, -1);
  switch (field.type) {
    case 'string':
      return fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string(),
        fc.constant('a"\\/\b\f\n\r\t\u0000\u001f\u007f😀'),
        fc.string({ minLength: 120, maxLength: 140 }),
      );
    case 'bytes': {
      const size = IDS[field.name];
      const bytes =
        size === undefined
          ? fc.uint8Array({ maxLength: 200 })
          : fc.oneof(fc.uint8Array({ minLength: size, maxLength: size }), fc.constant(new Uint8Array(0)));
      return bytes.map((value) => Buffer.from(value));
    }
    case 'bool':
      return fc.boolean();
    case 'double':
      return fc.oneof(
        fc.double(),
        fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1e21, 2 ** 53),
        fc.integer(),
      );
    case 'int32':
    case 'sint32':
      return fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
    case 'uint32':
    case 'fixed32':
      return fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 31));
    case 'int64':
    case 'sfixed64':
      return fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -1000n, max: 1000n })).map(String);
    case 'uint64':
    case 'fixed64':
      return fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 55n })).map(String);
    default:
      throw new Error(`${field.fullName} has a type that no generator knows: ${field.type}`);
  }
}

/** The OTLP/JSON of such an object, by JSON.stringify: ids hex, other bytes base64, 64 bits as text, NaN and infinities as text. */
export function asOtlpJson(type: protobuf.Type, message: Message): Message {
  const entries = Object.entries(message).map(([name, value]) => {
    const field = type.fields[name] as protobuf.Field;
    return [name, Array.isArray(value) ? value.map((one) => jsonValue(field, one)) : jsonValue(field, value)];
  });
  return Object.fromEntries(entries) as Message;
}

function jsonValue(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) return asOtlpJson(field.resolvedType, value as Message);
  if (Buffer.isBuffer(value)) return IDS[field.name] === undefined ? value.toString('base64') : value.toString('hex');
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}

/** -0 has no spelling in JSON.stringify. */
export function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    Object.is(one, -0) ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('-0') : one,
  );
}

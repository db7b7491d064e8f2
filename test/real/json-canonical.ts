import protobuf from 'protobufjs';
import type { Message } from '../agent/kit/otlp.ts';

/**
 * A decoded request without what protobuf does not tell apart: default values that are written or left out, empty messages that are, ids
 * of zeros (pdata keeps no empty id) and profiles' indices of 0. Members of a oneof and optional fields stay: there a default is a value.
 */
export function canonical(type: protobuf.Type, message: Message): Message {
  type.resolveAll();
  const kept = type.fieldsArray.flatMap((field): [string, unknown][] => {
    const value = message[field.name];
    if (value === undefined) return [];
    const { resolvedType } = field;
    if (field.repeated) {
      const list = value as unknown[];
      return list.length === 0
        ? []
        : [
            [
              field.name,
              resolvedType instanceof protobuf.Type ? list.map((one) => canonical(resolvedType, one as Message)) : list.map(spelled),
            ],
          ];
    }
    if (resolvedType instanceof protobuf.Type) {
      const inner = canonical(resolvedType, value as Message);
      return field.partOf === null && Object.keys(inner).length === 0 ? [] : [[field.name, inner]];
    }
    if (field.partOf !== null) return [[field.name, spelled(value)]];
    return value === 0 || value === '0' || value === '' || value === false || isZeroId(field, value) ? [] : [[field.name, spelled(value)]];
  });
  return Object.fromEntries(kept);
}

/** JSON.stringify has no words for these. */
function spelled(value: unknown): unknown {
  return typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `double ${Object.is(value, -0) ? '-0' : value}`
    : value;
}

function isZeroId(field: protobuf.Field, value: unknown): boolean {
  return /^(?:traceId|spanId|parentSpanId|profileId)$/.test(field.name) && /^A+=*$/.test(String(value));
}

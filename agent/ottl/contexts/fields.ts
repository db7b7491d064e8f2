import type { AnyValue } from '../../otlp/view/any-value.ts';
import type { AttributesView } from '../../otlp/view/attributes.ts';
import type { Accessor } from '../access.ts';
import { Failure } from '../errors.ts';
import { assignMap, getIn, setIn } from '../indexing.ts';
import type { Item } from '../item.ts';
import { Identifier, int64, Parts, Time, typeName, type Value } from '../values.ts';
import { nested, type Segment } from './segment.ts';

/** Accessors of the kinds of field that messages have, by the message that an item has. */

type MakeAccessor = (segment: Segment) => Accessor;

/** ctxutil.ExpectType: nothing is converted. */
function wanted(type: string, value: Value): Failure {
  return new Failure(`wants ${type} but got ${typeName(value)}`);
}

export function expectText(value: Value): string {
  if (typeof value === 'string') return value;
  throw wanted('string', value);
}

export function expectInt(value: Value): bigint {
  if (typeof value === 'bigint') return value;
  throw wanted('int64', value);
}

export function expectDouble(value: Value): number {
  if (typeof value === 'number') return value;
  throw wanted('float64', value);
}

export function expectBool(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw wanted('bool', value);
}

export function text(get: (item: Item) => string, set: (item: Item, value: string) => void): MakeAccessor {
  return () => ({ get, set: (item, value) => set(item, expectText(value)) });
}

/** int32 and uint32: larger numbers are cut as Go cuts them. */
export function number(get: (item: Item) => number, set: (item: Item, value: number) => void, signed = false): MakeAccessor {
  return () => ({
    get: (item) => BigInt(get(item)),
    set: (item, value) => set(item, Number(signed ? BigInt.asIntN(32, expectInt(value)) : BigInt.asUintN(32, expectInt(value)))),
  });
}

/** fixed64 nanoseconds as an integer: `start_time_unix_nano`. */
export function nanos(get: (item: Item) => bigint, set: (item: Item, value: bigint) => void): MakeAccessor {
  return () => ({ get: (item) => int64(get(item)), set: (item, value) => set(item, BigInt.asUintN(64, expectInt(value))) });
}

/** The same as a time: `start_time`. */
export function time(get: (item: Item) => bigint, set: (item: Item, value: bigint) => void): MakeAccessor {
  return () => ({
    get: (item) => new Time(int64(get(item))),
    set: (item, value) => {
      if (!(value instanceof Time)) throw wanted('time', value);
      set(item, BigInt.asUintN(64, value.ns));
    },
  });
}

/** `trace_id` and `trace_id.string`. */
export function identifier(
  kind: 'TraceID' | 'SpanID',
  get: (item: Item) => Uint8Array,
  set: (item: Item, value: Uint8Array) => void,
): MakeAccessor {
  const digits = kind === 'TraceID' ? 32 : 16;
  // An id of zeros is none, and is not written.
  const put = (item: Item, bytes: Uint8Array): void => set(item, bytes.every((byte) => byte === 0) ? new Uint8Array() : bytes);
  return nested(
    () => ({
      get: (item) => Identifier.of(kind, get(item)),
      set: (item, value) => {
        if (!(value instanceof Identifier) || value.kind !== kind) throw wanted(kind, value);
        put(item, value.bytes);
      },
    }),
    {
      string: () => ({
        get: (item) => Identifier.of(kind, get(item)).hex,
        set: (item, value) => {
          const hex = expectText(value);
          if (hex.length !== digits || !/^[0-9a-fA-F]*$/u.test(hex)) throw new Failure(`a ${kind} has ${digits} hexadecimal digits`);
          put(item, Uint8Array.from(Buffer.from(hex, 'hex')));
        },
      }),
    },
  );
}

/** A map: whole, or one of its keys. */
export function map(of: (item: Item) => AttributesView | Map<string, AnyValue>): MakeAccessor {
  return (segment) => {
    const keys = segment.keys();
    if (keys === undefined) return { get: of, set: (item, value) => assignMap(of(item), value) };
    return {
      get: (item) => getIn(of(item), keys, item),
      set: (item, value) => setIn(of(item), keys, value, item),
    };
  };
}

/** Lists of messages and messages: they can be counted and compared with nil; setting one from itself changes nothing. */
export function parts(type: string, get: (item: Item) => Parts | undefined): MakeAccessor {
  return () => ({
    get,
    set: (item, value) => {
      const current = get(item);
      if (!(value instanceof Parts) || value.type !== (current?.type ?? type)) throw wanted(type, value);
      if (value.owner !== current?.owner) throw new Failure(`${type} of something else cannot be copied by this agent`);
    },
  });
}

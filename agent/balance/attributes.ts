import { decodeAnyValue, readKeyValue, valueAt } from '../otlp/view/any-value.ts';
import { anyValueAsString } from '../otlp/view/as-string.ts';
import { asBuffer } from '../otlp/view/attributes.ts';
import { position, readLength, readTag, skipField, WIRE_LEN } from '../otlp/wire.ts';

/** The field `attributes` of the messages that have one; data points by the field of their metric's data. */
export const ATTRIBUTES_OF = {
  resource: 1,
  scope: 3,
  span: 9,
  logRecord: 6,
  /** gauge 5, sum 7, histogram 9, exponential_histogram 10, summary 11 */
  point: { 5: 7, 7: 7, 9: 9, 10: 1, 11: 7 } as Readonly<Record<number, number>>,
} as const;

/** Where a LEN field lies; the last one where there are several, as protobuf has it. Undefined where it is absent. */
export function fieldOf(
  buf: Uint8Array,
  from: number,
  end: number,
  field: number,
): { readonly from: number; readonly end: number } | undefined {
  let found: { readonly from: number; readonly end: number } | undefined;
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const body = position();
    if (tag >>> 3 === field && (tag & 7) === WIRE_LEN) {
      const stop = readLength(buf, body, end);
      found = { from: position(), end: stop };
      pos = stop;
    } else {
      pos = skipField(buf, tag, body, end);
    }
  }
  return found;
}

/** The value of the first attribute of that key, as the Collector's AsString() has it; undefined where it is absent. */
export function attributeText(buf: Uint8Array, from: number, end: number, field: number, key: Buffer): string | undefined {
  const buffer = asBuffer(buf);
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const body = position();
    if (tag >>> 3 !== field || (tag & 7) !== WIRE_LEN) {
      pos = skipField(buf, tag, body, end);
      continue;
    }
    const stop = readLength(buf, body, end);
    const range = readKeyValue(buffer, position(), stop);
    if (range.keyEnd - range.keyFrom === key.length && (key.length === 0 || key.compare(buffer, range.keyFrom, range.keyEnd) === 0)) {
      const { source, from: at, end: to } = valueAt(buffer, range);
      return at < 0 ? '' : anyValueAsString(decodeAnyValue(source, at, to));
    }
    pos = stop;
  }
  return undefined;
}

/** The same of a message inside: `Resource` of a ResourceX, `Scope` of a ScopeX. */
export function attributeTextIn(
  buf: Uint8Array,
  from: number,
  end: number,
  message: number,
  field: number,
  key: Buffer,
): string | undefined {
  const inner = fieldOf(buf, from, end, message);
  return inner === undefined ? undefined : attributeText(buf, inner.from, inner.end, field, key);
}

/** A text field; '' where it is absent. */
export function textOf(buf: Uint8Array, from: number, end: number, field: number): string {
  const found = fieldOf(buf, from, end, field);
  return found === undefined ? '' : asBuffer(buf).toString('utf8', found.from, found.end);
}

/** A varint field below 2^53; 0 where it is absent. */
export function numberOf(buf: Uint8Array, from: number, end: number, field: number): number {
  let value = 0;
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const body = position();
    const stop = skipField(buf, tag, body, end);
    if (tag >>> 3 === field && (tag & 7) === 0) {
      value = 0;
      let scale = 1;
      for (let i = body; i < stop; i += 1) {
        value += ((buf[i] as number) & 0x7f) * scale;
        scale *= 0x80;
      }
    }
    pos = stop;
  }
  return value;
}

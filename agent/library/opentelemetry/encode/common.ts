import type { ProtoWriter } from './writer.ts';

/** A resource of the SDK, as far as it is sent. */
export interface ResourceLike {
  readonly attributes: object;
  readonly schemaUrl?: string | undefined;
}

/** An instrumentation scope of the SDK. */
export interface ScopeLike {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
  readonly attributes?: object | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

/** What int_value holds; other whole numbers are doubles. */
const MIN_INT64 = -(2 ** 63);
const END_INT64 = 2 ** 63;

const hasOwn = Object.prototype.hasOwnProperty;

/** Each attribute as a KeyValue { key = 1, value = 2 } under `tag`. */
export function writeAttributes(writer: ProtoWriter, tag: number, attributes: object | undefined): void {
  const values = attributes as Readonly<Record<string, unknown>>;
  // for..in over an object that has its own keys only: V8 reads key, check and value from the object's shape, without a look-up.
  for (const key in values) {
    if (!hasOwn.call(values, key)) continue;
    const start = writer.beginAttribute(tag, key);
    const value = writer.pos - 1;
    writeAnyValue(writer, values[key]);
    writer.endAttribute(start, value);
  }
}

/**
 * The content of AnyValue: string_value = 1, bool_value = 2, int_value = 3, double_value = 4, array_value = 5 { values = 1 },
 * kvlist_value = 6 { values = 1 }, bytes_value = 7; nothing for undefined, null and what has no value there.
 */
export function writeAnyValue(writer: ProtoWriter, value: unknown): void {
  if (typeof value === 'string') writer.string(0x0a, value);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (typeof value === 'boolean') writer.varint(0x10, value ? 1 : 0);
  else if (typeof value === 'object' && value !== null) writeObject(writer, value);
}

function writeNumber(writer: ProtoWriter, value: number): void {
  if (Number.isInteger(value) && value >= MIN_INT64 && value < END_INT64) {
    writer.varint(0x18, value);
    return;
  }
  writer.byte(0x21);
  writer.double(value);
}

function writeObject(writer: ProtoWriter, value: object): void {
  if (value instanceof Uint8Array) {
    writer.bytes(0x3a, value);
    return;
  }
  if (!Array.isArray(value)) {
    const list = writer.open(0x32, 1);
    writeKeyValues(writer, value as Readonly<Record<string, unknown>>);
    writer.close(list, 1);
    return;
  }
  const list = writer.open(0x2a, 1);
  // By index: an array with holes has values there too.
  for (let i = 0; i < value.length; i += 1) {
    const item = writer.open(0x0a, 1);
    writeAnyValue(writer, value[i]);
    writer.close(item, 1);
  }
  writer.close(list, 1);
}

/** Without the known keys of attributes: keys in here may be data. */
function writeKeyValues(writer: ProtoWriter, values: Readonly<Record<string, unknown>>): void {
  for (const key in values) {
    if (!hasOwn.call(values, key)) continue;
    const start = writer.open(0x0a, 1);
    writer.string(0x0a, key);
    const value = writer.open(0x12, 1);
    writeAnyValue(writer, values[key]);
    writer.close(value, 1);
    writer.close(start, 1);
  }
}

/** Resource { attributes = 1, dropped_attributes_count = 2 }, field 1 of ResourceX. */
export function writeResource(writer: ProtoWriter, { attributes }: ResourceLike): void {
  const at = writer.open(0x0a, 2);
  writeAttributes(writer, 0x0a, attributes);
  writer.varint(0x10, 0);
  writer.close(at, 2);
}

/** InstrumentationScope { name = 1, version = 2, attributes = 3, dropped_attributes_count = 4 }, field 1 of ScopeX. */
export function writeScope(writer: ProtoWriter, scope: ScopeLike): void {
  const at = writer.open(0x0a, 1);
  writer.string(0x0a, scope.name);
  if (scope.version) writer.string(0x12, scope.version);
  writeAttributes(writer, 0x1a, scope.attributes);
  if (scope.droppedAttributesCount) writer.varint(0x20, scope.droppedAttributesCount);
  writer.close(at, 1);
}

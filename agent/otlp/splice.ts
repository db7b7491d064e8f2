import type { AttributeValue, ResourceAction, Signal } from '../config/settings.ts';
import { lenField, lenHeader, type TopField, topFields, WIRE_LEN } from './wire.ts';

/**
 * Rewrites `Resource.attributes` of every ResourceX of a request and leaves all other bytes where they are:
 *
 *   request   | 1 len [ResourceX .....................................] | 1 len [ResourceX ...]
 *   ResourceX            | 1 len [Resource] | 2 len [ScopeX] ... |         the rest is one shared slice on each side
 *   Resource                       | 1 len [KeyValue] ... | 2 dropped_attributes_count | 3 entity_refs |
 *   KeyValue                                 | 1 key | 2 value AnyValue | 3 key_strindex (profiles only) |
 *
 * Semantics are those of the Collector's resource processor: insert where absent, update where present, upsert both, delete.
 * Profiles may name a key by its index into the request's dictionary (key_strindex): those keys are looked up for the comparison.
 */
export class ResourceEditor {
  readonly #actions: readonly Prepared[];
  readonly #profiles: boolean;

  constructor(actions: readonly ResourceAction[], signal: Signal) {
    this.#actions = actions.map(prepare);
    this.#profiles = signal === 'profiles';
  }

  /** The edited request, or why it cannot be edited. */
  edit(request: Uint8Array): { slices: Uint8Array[]; bytes: number } | string {
    try {
      return this.#edit(request);
    } catch (error) {
      return `resource attributes cannot be read: ${(error as Error).message}`;
    }
  }

  #edit(request: Uint8Array): { slices: Uint8Array[]; bytes: number } {
    const slices: Uint8Array[] = [];
    let untouchedFrom = 0;
    const top = topFields(request);
    const strings = this.#profiles ? readStringTable(request, top) : undefined;
    for (const field of top) {
      if (field.tag !== RESOURCE_X_TAG) continue;
      if (field.start > untouchedFrom) slices.push(request.subarray(untouchedFrom, field.start));
      this.#editResourceX(request, field, strings, slices);
      untouchedFrom = field.end;
    }
    if (request.length > untouchedFrom) slices.push(request.subarray(untouchedFrom));
    let bytes = 0;
    for (const slice of slices) bytes += slice.length;
    return { slices, bytes };
  }

  #editResourceX(request: Uint8Array, outer: TopField, strings: readonly string[] | undefined, out: Uint8Array[]): void {
    const fields = topFields(request, outer.bodyStart, outer.end);
    const resources = fields.filter((field) => field.tag === RESOURCE_TAG);
    const resource = lenField(1, this.#editResource(request, resources, strings));
    // What is not the resource, as few slices as possible: usually one, as SDKs write the resource first.
    const rest: Uint8Array[] = [];
    let from = outer.bodyStart;
    let restBytes = 0;
    for (const field of resources) {
      if (field.start > from) rest.push(request.subarray(from, field.start));
      from = field.end;
    }
    if (outer.end > from) rest.push(request.subarray(from, outer.end));
    for (const slice of rest) restBytes += slice.length;
    out.push(joinSmall(lenHeader(1, resource.length + restBytes), resource), ...rest);
  }

  /** Several Resource fields in one ResourceX are one message in pieces, by protobuf's rules: their contents are joined. */
  #editResource(request: Uint8Array, resources: readonly TopField[], strings: readonly string[] | undefined): Uint8Array {
    const attributes: Attribute[] = [];
    const others: Uint8Array[] = [];
    for (const resource of resources) {
      for (const field of topFields(request, resource.bodyStart, resource.end)) {
        const bytes = request.subarray(field.start, field.end);
        if (field.tag === ATTRIBUTE_TAG) attributes.push(readAttribute(request, field, bytes, strings));
        else others.push(bytes);
      }
    }
    let edited = attributes;
    for (const action of this.#actions) edited = apply(action, edited);
    return Buffer.concat([...edited.map((attribute) => attribute.bytes), ...others]);
  }
}

const RESOURCE_X_TAG = (1 << 3) | WIRE_LEN;
const RESOURCE_TAG = (1 << 3) | WIRE_LEN;
const ATTRIBUTE_TAG = (1 << 3) | WIRE_LEN;
const KEY_TAG = (1 << 3) | WIRE_LEN;
const VALUE_TAG = (2 << 3) | WIRE_LEN;
const KEY_STRINDEX_TAG = 3 << 3;
const DICTIONARY_TAG = (2 << 3) | WIRE_LEN;
const STRING_TABLE_TAG = (5 << 3) | WIRE_LEN;

interface Attribute {
  readonly key: string;
  /** KeyValue as a field of Resource, tag included. */
  readonly bytes: Uint8Array;
  /** AnyValue, without tag; undefined where the attribute has none. */
  readonly value: Uint8Array | undefined;
}

interface Prepared {
  readonly action: ResourceAction;
  /** AnyValue of a fixed value. */
  readonly value: Uint8Array | undefined;
}

function prepare(action: ResourceAction): Prepared {
  return { action, value: action.value === undefined ? undefined : encodeAnyValue(action.value) };
}

function apply({ action, value: fixed }: Prepared, attributes: Attribute[]): Attribute[] {
  const present = attributes.findIndex((attribute) => attribute.key === action.key);
  if (action.action === 'delete') {
    const { pattern } = action;
    return attributes.filter((a) => !((action.key !== '' && a.key === action.key) || pattern?.test(a.key)));
  }
  if (action.action === 'insert' && present >= 0) return attributes;
  if (action.action === 'update' && present < 0) return attributes;
  const value = fixed ?? attributes.find((attribute) => attribute.key === action.fromAttribute)?.value;
  if (value === undefined) return attributes; // from_attribute names one that is not there: the Collector does nothing either
  const key = lenField(1, encoder.encode(action.key));
  const attribute: Attribute = { key: action.key, bytes: lenField(1, Buffer.concat([key, lenField(2, value)])), value };
  if (present < 0) return [...attributes, attribute];
  const copy = attributes.slice();
  copy[present] = attribute;
  return copy;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** AnyValue: 1 string | 2 bool | 3 int64 | 4 double. */
export function encodeAnyValue(value: AttributeValue): Uint8Array {
  switch (typeof value) {
    case 'string':
      return lenField(1, encoder.encode(value));
    case 'boolean':
      return Uint8Array.of(2 << 3, value ? 1 : 0);
    case 'bigint':
      return encodeInt64(value);
    default: {
      const bytes = Buffer.alloc(9);
      bytes[0] = (4 << 3) | 1;
      bytes.writeDoubleLE(value, 1);
      return bytes;
    }
  }
}

function encodeInt64(value: bigint): Uint8Array {
  const bytes: number[] = [3 << 3];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function readAttribute(request: Uint8Array, field: TopField, bytes: Uint8Array, strings: readonly string[] | undefined): Attribute {
  let key = '';
  let value: Uint8Array | undefined;
  for (const inner of topFields(request, field.bodyStart, field.end)) {
    if (inner.tag === KEY_TAG) key = decoder.decode(request.subarray(inner.bodyStart, inner.end));
    else if (inner.tag === VALUE_TAG) value = request.subarray(inner.bodyStart, inner.end);
    else if (inner.tag === KEY_STRINDEX_TAG && strings !== undefined) key = strings[readIndex(request, inner)] ?? key;
  }
  return { key, bytes, value };
}

/** string_table = 5 of the dictionary; only profiles have one. */
function readStringTable(request: Uint8Array, top: readonly TopField[]): string[] {
  const strings: string[] = [];
  for (const field of top) {
    if (field.tag !== DICTIONARY_TAG) continue;
    for (const entry of topFields(request, field.bodyStart, field.end)) {
      if (entry.tag === STRING_TABLE_TAG) strings.push(decoder.decode(request.subarray(entry.bodyStart, entry.end)));
    }
  }
  return strings;
}

function readIndex(request: Uint8Array, field: TopField): number {
  let value = 0;
  let scale = 1;
  for (let pos = field.bodyStart; pos < field.end; pos += 1) {
    value += ((request[pos] as number) & 0x7f) * scale;
    scale *= 0x80;
  }
  return value;
}

/** A header of a few bytes and a small resource in one slice: one write less for each resource. */
function joinSmall(header: Uint8Array, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(header.length + body.length);
  out.set(header);
  out.set(body, header.length);
  return out;
}

import type { Signal } from '../../config/settings.ts';
import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LEN, WIRE_VARINT } from '../wire.ts';
import { ENUMS, MESSAGES, REQUESTS } from './schema.generated.ts';

/** The scalar types that OTLP uses, as .proto files name them; `id` is bytes that JSON shows in hex. */
export type Kind =
  | 'message'
  | 'string'
  | 'bytes'
  | 'id'
  | 'bool'
  | 'enum'
  | 'int32'
  | 'sint32'
  | 'uint32'
  | 'fixed32'
  | 'int64'
  | 'uint64'
  | 'fixed64'
  | 'sfixed64'
  | 'double';

export interface FieldType {
  readonly number: number;
  /** lowerCamelCase, the only spelling that OTLP/JSON knows. */
  readonly name: string;
  readonly kind: Kind;
  readonly repeated: boolean;
  /** Its place in the message, and its bit where a message notes what it has seen; no message has more than 30 fields. */
  readonly index: number;
  /** Tag on the wire, packed where the field is a repeated number; all tags of OTLP fit two bytes. */
  readonly tag: number;
  /** `name` in UTF-8. */
  readonly key: Uint8Array;
  /** `"name":`. */
  readonly quoted: Uint8Array;
  /** Of `message`. */
  readonly message: MessageType | undefined;
  /** Of `enum`. */
  readonly names: ReadonlyMap<string, number> | undefined;
  /** Of `id`: bytes. */
  readonly idBytes: number;
  /** Bits of the other members of its oneof; 0 where it is in none. */
  rivals: number;
}

/** One message: its fields by number and by name. */
export class MessageType {
  readonly name: string;
  fields: readonly FieldType[] = [];
  /** By field number; a hole where there is none. */
  byNumber: readonly (FieldType | undefined)[] = [];
  /**
   * How many bytes the length of the last one took. Guessing right saves moving the message after it was written; spans of one sender
   * are all alike.
   */
  lengthBytes = 1;
  /** Open addressing by the hash of a key: a Map would want a string made of bytes first. */
  #slots: (FieldType | undefined)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  setFields(fields: readonly FieldType[]): void {
    this.fields = fields;
    const byNumber: (FieldType | undefined)[] = [];
    let size = 8;
    while (size < fields.length * 4) size *= 2;
    const slots: (FieldType | undefined)[] = new Array(size).fill(undefined);
    for (const field of fields) {
      byNumber[field.number] = field;
      let slot = hash(field.key, 0, field.key.length) & (size - 1);
      while (slots[slot] !== undefined) slot = (slot + 1) & (size - 1);
      slots[slot] = field;
    }
    this.byNumber = byNumber;
    this.#slots = slots;
  }

  /** The field whose name lies at [from, end), or undefined. */
  find(buf: Uint8Array, from: number, end: number): FieldType | undefined {
    if (end === from) return undefined;
    const mask = this.#slots.length - 1;
    let slot = hash(buf, from, end) & mask;
    for (;;) {
      const field = this.#slots[slot];
      if (field === undefined) return undefined;
      if (field.key.length === end - from && same(field.key, buf, from)) return field;
      slot = (slot + 1) & mask;
    }
  }
}

/** Length, first, middle and last letter tell all keys of every OTLP message apart, or nearly. */
function hash(buf: Uint8Array, from: number, end: number): number {
  const length = end - from;
  return length * 7 + (buf[from] as number) + (buf[from + (length >> 1)] as number) * 3 + (buf[end - 1] as number) * 5;
}

function same(key: Uint8Array, buf: Uint8Array, from: number): boolean {
  for (let i = 0; i < key.length; i += 1) if (key[i] !== buf[from + i]) return false;
  return true;
}

const WIRE_TYPES: Readonly<Record<Kind, number>> = {
  message: WIRE_LEN,
  string: WIRE_LEN,
  bytes: WIRE_LEN,
  id: WIRE_LEN,
  bool: WIRE_VARINT,
  enum: WIRE_VARINT,
  int32: WIRE_VARINT,
  sint32: WIRE_VARINT,
  uint32: WIRE_VARINT,
  fixed32: WIRE_FIXED32,
  int64: WIRE_VARINT,
  uint64: WIRE_VARINT,
  fixed64: WIRE_FIXED64,
  sfixed64: WIRE_FIXED64,
  double: WIRE_FIXED64,
};

/** How one value of a kind lies on the wire, not packed. */
export function wireTypeOf(kind: Kind): number {
  return WIRE_TYPES[kind];
}

const encoder = new TextEncoder();
const types = new Map<string, MessageType>();
const enums = new Map<string, ReadonlyMap<string, number>>();

/** The request of a signal. Made of the generated words when it is first asked for: an agent without JSON pays nothing. */
export function requestType(signal: Signal): MessageType {
  return messageType(REQUESTS[signal]);
}

function messageType(name: string): MessageType {
  const known = types.get(name);
  if (known !== undefined) return known;
  const type = new MessageType(name);
  types.set(name, type); // before its fields, as AnyValue holds AnyValue
  const words = (MESSAGES[name] as string).split('|').map((row) => row.split(' ') as [string, string, string, string?]);
  const fields = words.map((row, index) => fieldType(row, index));
  for (const [index, row] of words.entries()) {
    const field = fields[index] as FieldType;
    if (row[3] !== undefined) field.rivals = bits(words, row[3]) & ~(1 << index);
  }
  type.setFields(fields);
  return type;
}

function bits(words: readonly (readonly [string, string, string, string?])[], oneof: string): number {
  return words.reduce((all, row, index) => (row[3] === oneof ? all | (1 << index) : all), 0);
}

function fieldType([number, name, typeWord]: readonly [string, string, string, string?], index: number): FieldType {
  const repeated = typeWord.startsWith('*');
  const word = repeated ? typeWord.slice(1) : typeWord;
  const kind = kindOf(word);
  const wire = repeated ? WIRE_LEN : WIRE_TYPES[kind];
  return {
    number: Number(number),
    name,
    kind,
    repeated,
    index,
    tag: Number(number) * 8 + wire,
    key: encoder.encode(name),
    quoted: encoder.encode(`"${name}":`),
    message: kind === 'message' ? messageType(word) : undefined,
    names: kind === 'enum' ? enumNames(word.slice(1)) : undefined,
    idBytes: kind === 'id' ? Number(word.slice(2)) : 0,
    rivals: 0,
  };
}

function kindOf(word: string): Kind {
  if (word.startsWith(':')) return 'enum';
  if (word === 'id8' || word === 'id16') return 'id';
  return Object.hasOwn(WIRE_TYPES, word) ? (word as Kind) : 'message';
}

function enumNames(name: string): ReadonlyMap<string, number> {
  const known = enums.get(name);
  if (known !== undefined) return known;
  const made = new Map(
    (ENUMS[name] as string)
      .split('|')
      .map((row) => row.split(' ') as [string, string])
      .map(([n, v]) => [n, Number(v)]),
  );
  enums.set(name, made);
  return made;
}

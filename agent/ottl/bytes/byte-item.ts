import { Key } from '../../otlp/attribute-list.ts';
import { ItemFields } from '../../otlp/item-fields.ts';
import { type AnyValue, decodeAnyValue } from '../../otlp/view/any-value.ts';
import { asBuffer } from '../../otlp/view/attributes.ts';
import { RequestView, ResourceView, ScopeView } from '../../otlp/view/request.ts';
import { readInt32, wrongWireType } from '../../otlp/view/scalars.ts';
import { textOf } from '../../otlp/view/text.ts';
import { position, readTag, readVarint, skipField, WIRE_LEN, WIRE_VARINT } from '../../otlp/wire.ts';
import type { Metadata } from '../../process/process.ts';
import { Item } from '../item.ts';

/** A question about a span or log record, answered from its bytes. Throws where these are not what it knows. */
export type ByteTest = (at: ByteItem) => boolean;

export type ByteSignal = 'traces' | 'logs';

/** Numbers of the fields that tests can be about. */
export const SPAN = { parentSpanId: 4, name: 5, kind: 6, status: 15 } as const;
export const LOG = { severityNumber: 2, severityText: 3, body: 5 } as const;
const ATTRIBUTES = { traces: 9, logs: 6 } as const;

/** What a set of tests looks at, gathered while they are made. */
export class ByteSource {
  readonly signal: ByteSignal;
  readonly #keys: Key[] = [];
  readonly #fields = new Map<number, number>();
  readonly #around: ((item: Item) => boolean)[] = [];

  constructor(signal: ByteSignal) {
    this.signal = signal;
  }

  /** Place of an attribute in ItemFields; undefined where bytes do not tell whether it is the one. */
  attribute(name: string): number | undefined {
    if (!isPlainText(name) || Buffer.byteLength(name) >= 0x80) return undefined;
    const known = this.#keys.findIndex((key) => key.text === name);
    return known < 0 ? this.#keys.push(new Key(name)) - 1 : known;
  }

  /** A field below 16. */
  field(number: number, wire: number): number {
    this.#fields.set(number, wire);
    return number;
  }

  /** A question about resource and scope, asked once for all that is in them and only where its answer is needed. */
  around(test: (item: Item) => boolean): ByteTest {
    const place = this.#around.push(test) - 1;
    return (at) => at.around(place);
  }

  /** What the tests are to be asked of. */
  item(): ByteItem {
    const attributes = this.#keys.length === 0 ? {} : { attributes: ATTRIBUTES[this.signal], keys: this.#keys };
    return new ByteItem(this.signal, new ItemFields({ ...attributes, fields: this.#fields }), this.#around);
  }
}

const UNKNOWN = 2;

/** The item at hand, one object for all of them. */
export class ByteItem {
  buf: Buffer = Buffer.alloc(0);
  readonly fields: ItemFields;
  readonly #signal: ByteSignal;
  readonly #tests: readonly ((item: Item) => boolean)[];
  /** Answers about what is around: 0, 1, or UNKNOWN. */
  readonly #answers: Uint8Array;
  #item = new Item();
  #request: RequestView | undefined;

  constructor(signal: ByteSignal, fields: ItemFields, tests: readonly ((item: Item) => boolean)[]) {
    this.#signal = signal;
    this.fields = fields;
    this.#tests = tests;
    this.#answers = new Uint8Array(tests.length);
  }

  /** Before anything is asked about a request. */
  begin(buf: Uint8Array, metadata: Metadata | undefined): void {
    this.buf = asBuffer(buf);
    this.#item = new Item(metadata);
    this.#request = this.#tests.length === 0 ? undefined : new RequestView(this.#signal, this.buf);
  }

  /** Lets the request go. */
  end(): void {
    this.buf = NOTHING;
    this.#item = new Item();
    this.#request = undefined;
  }

  resource(from: number, end: number): void {
    if (this.#request === undefined) return;
    this.#item.resource = new ResourceView(this.#request, this.buf, from, end);
    this.#answers.fill(UNKNOWN);
  }

  scope(from: number, end: number): void {
    if (this.#request === undefined) return;
    this.#item.scope = new ScopeView(this.#item.resource as ResourceView, this.buf, from, end);
    this.#answers.fill(UNKNOWN);
  }

  around(place: number): boolean {
    let answer = this.#answers[place] as number;
    if (answer === UNKNOWN) {
      answer = (this.#tests[place] as (item: Item) => boolean)(this.#item) ? 1 : 0;
      this.#answers[place] = answer;
    }
    return answer === 1;
  }
}

const NOTHING = Buffer.alloc(0);

/** Bytes that are this text decode to it and no others do: what is not UTF-8 decodes to U+FFFD. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\uFFFD');
}

/** Where an AnyValue, or the content of a field, lies; `end` is -1 where it is absent. */
export interface Place {
  from(fields: ItemFields): number;
  end(fields: ItemFields): number;
}

export function placeOfField(field: number): Place {
  return { from: (fields) => fields.from[field] as number, end: (fields) => fields.end[field] as number };
}

export function placeOfAttribute(place: number): Place {
  return { from: (fields) => fields.valueFrom[place] as number, end: (fields) => fields.valueEnd[place] as number };
}

export function textAt({ buf, fields }: ByteItem, place: Place): string {
  const end = place.end(fields);
  return end < 0 ? '' : textOf(buf, place.from(fields), end);
}

export function valueAt({ buf, fields }: ByteItem, place: Place): AnyValue {
  const end = place.end(fields);
  return end < 0 ? undefined : decodeAnyValue(buf, place.from(fields), end);
}

/** An int32 or enum; 0 where it is absent. */
export function intAt({ buf, fields }: ByteItem, field: number): number {
  const end = fields.end[field] as number;
  return end < 0 ? 0 : readInt32(buf, fields.from[field] as number, end);
}

/** Status.code = 3. */
export function statusCodeAt({ buf, fields }: ByteItem): number {
  const end = fields.end[SPAN.status] as number;
  let code = 0;
  let pos = fields.from[SPAN.status] as number;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const at = position();
    if (tag >>> 3 === 3 && (tag & 7) !== WIRE_VARINT) throw wrongWireType(tag, pos);
    pos = skipField(buf, tag, at, end);
    if (tag >>> 3 === 3) code = readInt32(buf, at, pos);
  }
  return code;
}

/** Whether the content is these bytes. */
export function sameBytes(buf: Uint8Array, from: number, end: number, bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (end - from !== length) return false;
  for (let i = 0; i < length; i += 1) if (buf[from + i] !== bytes[i]) return false;
  return true;
}

/** Where the text of an AnyValue begins that is a text and nothing else, up to its end; -1 where it is not. */
export function textFrom(buf: Uint8Array, from: number, end: number): number {
  if (end - from < 2 || buf[from] !== TEXT_TAG) return -1;
  const length = buf[from + 1] as number;
  if (length < 0x80) return from + 2 + length === end ? from + 2 : -1;
  const long = readVarint(buf, from + 1, end);
  return position() + long === end ? position() : -1;
}

/** AnyValue.string_value = 1. */
const TEXT_TAG = (1 << 3) | WIRE_LEN;

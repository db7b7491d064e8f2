import type { Signal } from '../config/settings.ts';
import type { Body, Metadata } from '../process/process.ts';
import { wholeOf } from '../process/process.ts';
import { AttributeList } from './attribute-list.ts';
import type { StringTable } from './view/any-value.ts';
import { asBuffer } from './view/attributes.ts';
import { LogView } from './view/log.ts';
import type { MessageView } from './view/message.ts';
import { MetricView } from './view/metric.ts';
import type { MakeView } from './view/nested.ts';
import { RequestView, ResourceView, ScopeView } from './view/request.ts';
import { fieldTable } from './view/scalars.ts';
import { SpanView } from './view/span.ts';
import { Writer } from './view/writer.ts';
import { MalformedError, WIRE_LEN } from './wire.ts';

/** Acts on the attributes of one message. */
export type EditAttributes = (attributes: AttributeList, metadata: Metadata | undefined) => void;

type SelectableSignal = 'traces' | 'metrics' | 'logs';

/** What a rule may be about; `item.scope` and `item.scope.resource` lie around it. To be read only. */
export type SelectableItem = SpanView | MetricView | LogView;

const SELECTABLE = { traces: SpanView, metrics: MetricView, logs: LogView };

/**
 * Rewrites attributes of a request and leaves all other bytes where they are. From the end to the start, as Writer wants it:
 *
 *   request   | 1 ResourceX .................................................... | 1 ResourceX ...
 *   ResourceX | 1 Resource | 2 ScopeX ....................................... |
 *   ScopeX                 | 1 Scope | 2 Span or LogRecord | 2 Metric ......... |
 *   Metric                                                 | 5-11 data {1 point} |
 *
 * Where no attribute changes, the request comes back as the body that it was. Levels whose attributes are not asked for are skipped by length.
 */
export class AttributeEditor {
  readonly #signal: Signal;
  readonly #level: 'resource' | 'items';
  readonly #edit: EditAttributes;
  readonly #list = new AttributeList();
  readonly #selects: ((item: SelectableItem) => boolean) | undefined;
  #metadata: Metadata | undefined;
  #strings: StringTable;
  /** What lies around the item, to be read by `selects`; made only where there is one. */
  #around: MessageView | undefined;

  /** `selects`: which spans, metrics (with all of their points) and log records are edited; all where it is absent. */
  constructor(signal: Signal, level: 'resource' | 'items', edit: EditAttributes, selects?: (item: SelectableItem) => boolean) {
    this.#signal = signal;
    this.#level = level;
    this.#edit = edit;
    this.#selects = selects;
  }

  /** The edited request, or why it cannot be edited. */
  edit(body: Body, metadata: Metadata | undefined): Body | string {
    try {
      return this.#request(body, metadata);
    } catch (error) {
      if (error instanceof MalformedError) return `attributes cannot be read: ${error.message}`;
      throw error;
    }
  }

  #request(body: Body, metadata: Metadata | undefined): Body {
    this.#metadata = metadata;
    const buf = asBuffer(wholeOf(body));
    // Only profiles may name keys by their index in the request's dictionary.
    this.#strings = this.#signal === 'profiles' ? new RequestView('profiles', buf).strings : undefined;
    this.#around = this.#selects === undefined ? undefined : new RequestView(this.#signal, buf);
    // Of a resource little has to be copied, of items nearly everything.
    const writer = new Writer(this.#level === 'resource' ? RESOURCE_BYTES : buf.length + Math.min(buf.length, 16_384));
    const table = fieldTable(buf, 0, buf.length);
    const changed = this.#each(writer, buf, table, 1, this.#level === 'resource' ? this.#resource : this.#scopes);
    return changed ? { ...writer.finish(), bytes: writer.bytes, items: body.items } : body;
  }

  /** Writes all fields of a message, those of `field` by `write`; whether one of them changed. */
  #each(writer: Writer, buf: Buffer, table: readonly number[], field: number, write: Write): boolean {
    const wanted = (field << 3) | WIRE_LEN;
    let changed = false;
    for (let i = table.length - 4; i >= 0; i -= 4) {
      const start = table[i + 1] as number;
      const end = table[i + 3] as number;
      if (table[i] !== wanted) {
        writer.range(buf, start, end);
        continue;
      }
      const body = table[i + 2] as number;
      const before = writer.bytes;
      if (write.call(this, writer, buf, body, end)) {
        writer.header(field, before);
        changed = true;
      } else {
        writer.range(buf, start, body);
      }
    }
    return changed;
  }

  /** ResourceX: its Resource, which is made where it is missing and joined where it comes in pieces. */
  #resource(writer: Writer, buf: Buffer, from: number, end: number): boolean {
    const table = fieldTable(buf, from, end);
    let count = 0;
    let last = -4;
    for (let i = 0; i < table.length; i += 4) {
      if (table[i] !== RESOURCE_TAG) continue;
      count += 1;
      last = i;
    }
    const list = this.#list;
    if (count <= 1)
      list.load(buf, (table[last + 2] as number | undefined) ?? from, count === 0 ? from : (table[last + 3] as number), 1, this.#strings);
    else list.load(...joined(buf, table), 1, this.#strings);
    this.#edit(list, this.#metadata);
    if (!list.changed) {
      writer.range(buf, from, end);
      return false;
    }
    for (let i = table.length - 4; i >= 0; i -= 4) {
      if (table[i] !== RESOURCE_TAG) writer.range(buf, table[i + 1] as number, table[i + 3] as number);
      else if (i === last) this.#writeList(writer, 1);
    }
    if (count === 0) this.#writeList(writer, 1);
    return true;
  }

  #writeList(writer: Writer, field: number): void {
    const before = writer.bytes;
    this.#list.write(writer);
    writer.header(field, before);
  }

  #scopes(writer: Writer, buf: Buffer, from: number, end: number): boolean {
    const request = this.#around;
    if (request !== undefined) this.#around = new ResourceView(request, buf, from, end);
    const changed = this.#each(writer, buf, fieldTable(buf, from, end), 2, this.#items);
    this.#around = request;
    return changed;
  }

  #items(writer: Writer, buf: Buffer, from: number, end: number): boolean {
    const resource = this.#around;
    if (resource !== undefined) this.#around = new ScopeView(resource, buf, from, end);
    const write = this.#signal === 'metrics' ? this.#metric : this.#item;
    const changed = this.#each(writer, buf, fieldTable(buf, from, end), 2, write);
    this.#around = resource;
    return changed;
  }

  /** Whether an item is left alone. */
  #passes(buf: Buffer, from: number, end: number): boolean {
    if (this.#selects === undefined || this.#around === undefined) return false;
    return !this.#selects(new (SELECTABLE[this.#signal as SelectableSignal] as MakeView<SelectableItem>)(this.#around, buf, from, end));
  }

  #item(writer: Writer, buf: Buffer, from: number, end: number): boolean {
    if (this.#passes(buf, from, end)) {
      writer.range(buf, from, end);
      return false;
    }
    return this.#attributes(writer, buf, from, end, ITEM_ATTRIBUTES[this.#signal] as number);
  }

  #attributes(writer: Writer, buf: Buffer, from: number, end: number, field: number): boolean {
    const list = this.#list;
    list.load(buf, from, end, field);
    this.#edit(list, this.#metadata);
    list.write(writer);
    return list.changed;
  }

  #metric(writer: Writer, buf: Buffer, from: number, end: number): boolean {
    if (this.#passes(buf, from, end)) {
      writer.range(buf, from, end);
      return false;
    }
    const table = fieldTable(buf, from, end);
    let changed = false;
    for (let i = table.length - 4; i >= 0; i -= 4) {
      const tag = table[i] as number;
      const attributes = (tag & 7) === WIRE_LEN ? POINT_ATTRIBUTES[tag >>> 3] : undefined;
      const start = table[i + 1] as number;
      const body = table[i + 2] as number;
      const stop = table[i + 3] as number;
      const before = writer.bytes;
      const point: Write = (w, b, f, e) => this.#attributes(w, b, f, e, attributes as number);
      if (attributes === undefined) writer.range(buf, start, stop);
      else if (this.#each(writer, buf, fieldTable(buf, body, stop), 1, point)) {
        writer.header(tag >>> 3, before);
        changed = true;
      } else writer.range(buf, start, body);
    }
    return changed;
  }
}

/** Writes the content of a message; whether it differs from what it was. */
type Write = (this: AttributeEditor, writer: Writer, buf: Buffer, from: number, end: number) => boolean;

/** What one resource usually takes. */
const RESOURCE_BYTES = 1024;

const RESOURCE_TAG = (1 << 3) | WIRE_LEN;

/** Number of the field `attributes`, by signal; metrics have them in their points. */
const ITEM_ATTRIBUTES: Readonly<Partial<Record<Signal, number>>> = { traces: 9, logs: 6 };

/** The same in the points of gauge 5, sum 7, histogram 9, exponential histogram 10 and summary 11. */
const POINT_ATTRIBUTES: Readonly<Record<number, number | undefined>> = { 5: 7, 7: 7, 9: 9, 10: 1, 11: 7 };

/** Several fields Resource are one message in pieces, by protobuf's rules: their contents are joined. */
function joined(buf: Buffer, table: readonly number[]): [Buffer, number, number] {
  const pieces: Buffer[] = [];
  for (let i = 0; i < table.length; i += 4) if (table[i] === RESOURCE_TAG) pieces.push(buf.subarray(table[i + 2], table[i + 3]));
  const whole = Buffer.concat(pieces);
  return [whole, 0, whole.length];
}

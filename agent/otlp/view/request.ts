import type { Signal } from '../../config/settings.ts';
import type { Body } from '../../process/process.ts';
import { wholeOf } from '../../process/process.ts';
import { MalformedError, scan, WIRE_LEN } from '../wire.ts';
import type { StringTable } from './any-value.ts';
import { AttributesView, asBuffer } from './attributes.ts';
import { LogView } from './log.ts';
import { MessageView } from './message.ts';
import { MetricView } from './metric.ts';
import { type MakeView, RepeatedSlot, SingularSlot } from './nested.ts';
import { SpanView } from './span.ts';
import { Writer } from './writer.ts';

/** What a scope holds, by signal. */
export interface ItemViews {
  readonly traces: SpanView;
  readonly metrics: MetricView;
  readonly logs: LogView;
  /** Opaque: the Collector's processors do not look into profiles either. */
  readonly profiles: MessageView;
}

export const ITEM_VIEWS: { readonly [S in Signal]: MakeView<ItemViews[S]> } = {
  traces: SpanView,
  metrics: MetricView,
  logs: LogView,
  profiles: class ProfileView extends MessageView {
    /** Profile: 2 Sample ... */
    override itemCount(): number {
      let count = 0;
      for (let i = 0; i < this.tableEnd; i += 4) if (this.table[i] === ((2 << 3) | WIRE_LEN)) count += 1;
      return count;
    }
  },
};

/** The smallest attribute that says anything takes nine. */
const MIN_MESSAGE_BYTES = 8;

/** Messages and attributes that a request may have however small it is. */
const ALWAYS_ALLOWED = 10_000;

/**
 * A request as a tree that can be changed: `new RequestView('traces', body).resources[0].scopes[0].items[0].attributes.set('a', 'b')`, then
 * `toBody()`. Nothing is decoded before it is asked for, and what nobody touched leaves as the bytes it came in. Reading throws
 * MalformedError where the bytes are not what they should be: let it be a reason for refusal (`process` returns a string).
 */
export class RequestView<S extends Signal = Signal> extends MessageView {
  readonly signal: S;
  readonly #body: Body | undefined;
  #removedItems = 0;
  #claimed = 0;

  /** `body`: a Body, or a whole request. */
  constructor(signal: S, body: Body | Uint8Array) {
    const buf = asBuffer(body instanceof Uint8Array ? body : wholeOf(body));
    super(undefined, buf, 0, buf.length);
    this.signal = signal;
    this.#body = body instanceof Uint8Array ? undefined : body;
  }

  /** ResourceSpans and the like. */
  get resources(): readonly ResourceView<S>[] {
    return this.#slot().views;
  }

  /** What is in the dictionary of profiles; undefined for other signals. */
  get strings(): StringTable {
    if (this.signal !== 'profiles') return undefined;
    return this.slot(2, () => new SingularSlot(this, 2, DictionaryView)).view.strings;
  }

  /** The changed request, or the very body it was made of where nothing changed. Without resources nothing is left: `bytes` is 0. */
  toBody(): Body {
    if (!this.dirty) return this.#original();
    const items = this.#original().items - this.#removedItems;
    if (this.resources.length === 0) return { slices: [], bytes: 0, items: 0 };
    const writer = new Writer(this.buf.length + Math.min(this.buf.length, 16_384));
    this.write(writer);
    return { ...writer.finish(), bytes: writer.bytes, items };
  }

  /** Items that are left. */
  override itemCount(): number {
    return this.#original().items - this.#removedItems;
  }

  /** Objects take a hundred bytes and more, and a hostile message takes two: what is that small on average is refused. */
  override claim(count: number): void {
    this.#claimed += count;
    if (this.#claimed > this.buf.length / MIN_MESSAGE_BYTES + ALWAYS_ALLOWED)
      throw new MalformedError(`messages and attributes of less than ${MIN_MESSAGE_BYTES} bytes on average`, 0);
  }

  override itemsRemoved(items: number): void {
    this.#removedItems += items;
  }

  #slot(): RepeatedSlot<ResourceView<S>> {
    return this.slot(1, () => new RepeatedSlot(this, 1, ResourceView as MakeView<ResourceView<S>>));
  }

  #original(): Body {
    if (this.#body !== undefined) return this.#body;
    const found = scan(this.signal, this.buf);
    return { slices: this.buf.length === 0 ? [] : [this.buf], bytes: this.buf.length, items: found.ok ? found.items : 0 };
  }
}

/** ResourceSpans, ResourceMetrics, ResourceLogs, ResourceProfiles: 1 Resource | 2 ScopeX ... | 3 schema_url. */
export class ResourceView<S extends Signal = Signal> extends MessageView {
  /** Of the Resource; setting one makes the Resource where it is missing. */
  get attributes(): AttributesView {
    return this.resource.attributes;
  }

  /** The message Resource itself. */
  get resource(): ResourceMessage {
    return this.slot(1, () => new SingularSlot(this, 1, ResourceMessage)).view;
  }

  get droppedAttributesCount(): number {
    return this.resource.droppedAttributesCount;
  }

  set droppedAttributesCount(value: number) {
    this.resource.droppedAttributesCount = value;
  }

  get scopes(): readonly ScopeView<S>[] {
    return this.slot(2, () => new RepeatedSlot(this, 2, ScopeView as MakeView<ScopeView<S>>)).views;
  }

  get schemaUrl(): string {
    return this.text(3);
  }

  set schemaUrl(value: string) {
    this.setText(3, value);
  }

  get request(): RequestView<S> {
    return this.parent as RequestView<S>;
  }

  override itemCount(): number {
    let items = 0;
    for (const scope of this.scopes) items += scope.itemCount();
    return items;
  }
}

/** Resource: 1 attributes | 2 dropped_attributes_count | 3 entity_refs. */
export class ResourceMessage extends MessageView {
  get attributes(): AttributesView {
    return this.slot(1, () => new AttributesView(this, 1, (this.parent as ResourceView).request.strings));
  }

  get droppedAttributesCount(): number {
    return this.uint32(2);
  }

  set droppedAttributesCount(value: number) {
    this.setUint32(2, value);
  }
}

/** ScopeSpans, ScopeMetrics, ScopeLogs, ScopeProfiles: 1 InstrumentationScope | 2 Span, Metric, LogRecord or Profile ... | 3 schema_url. */
export class ScopeView<S extends Signal = Signal> extends MessageView {
  get scope(): ScopeMessage {
    return this.slot(1, () => new SingularSlot(this, 1, ScopeMessage)).view;
  }

  get name(): string {
    return this.scope.name;
  }

  set name(value: string) {
    this.scope.name = value;
  }

  get version(): string {
    return this.scope.version;
  }

  set version(value: string) {
    this.scope.version = value;
  }

  get attributes(): AttributesView {
    return this.scope.attributes;
  }

  get droppedAttributesCount(): number {
    return this.scope.droppedAttributesCount;
  }

  set droppedAttributesCount(value: number) {
    this.scope.droppedAttributesCount = value;
  }

  get schemaUrl(): string {
    return this.text(3);
  }

  set schemaUrl(value: string) {
    this.setText(3, value);
  }

  /** Spans, metrics, log records or profiles. */
  get items(): readonly ItemViews[S][] {
    const view = ITEM_VIEWS[this.resource.request.signal] as MakeView<ItemViews[S]>;
    return this.slot(2, () => new RepeatedSlot<ItemViews[S]>(this, 2, view)).views;
  }

  get resource(): ResourceView<S> {
    return this.parent as ResourceView<S>;
  }

  override itemCount(): number {
    let items = 0;
    for (const item of this.items) items += item.itemCount();
    return items;
  }
}

/** InstrumentationScope: 1 name | 2 version | 3 attributes | 4 dropped_attributes_count. */
export class ScopeMessage extends MessageView {
  get name(): string {
    return this.text(1);
  }

  set name(value: string) {
    this.setText(1, value);
  }

  get version(): string {
    return this.text(2);
  }

  set version(value: string) {
    this.setText(2, value);
  }

  get attributes(): AttributesView {
    return this.slot(3, () => new AttributesView(this, 3, (this.parent as ScopeView).resource.request.strings));
  }

  get droppedAttributesCount(): number {
    return this.uint32(4);
  }

  set droppedAttributesCount(value: number) {
    this.setUint32(4, value);
  }
}

/** ProfilesDictionary: 5 string_table ... */
class DictionaryView extends MessageView {
  #strings: string[] | undefined;

  get strings(): readonly string[] {
    this.#strings ??= this.#read();
    return this.#strings;
  }

  #read(): string[] {
    const strings: string[] = [];
    const { table, tableEnd } = this;
    for (let i = 0; i < tableEnd; i += 4)
      if (table[i] === ((5 << 3) | WIRE_LEN)) strings.push(this.buf.toString('utf8', table[i + 2], table[i + 3]));
    return strings;
  }
}

import { AttributesView } from './attributes.ts';
import { MessageView } from './message.ts';
import { RepeatedSlot, SingularSlot } from './nested.ts';
import type { ScopeView } from './request.ts';

/**
 * Span: 1 trace_id | 2 span_id | 3 trace_state | 4 parent_span_id | 5 name | 6 kind | 7 start | 8 end | 9 attributes |
 *       10 dropped_attributes_count | 11 Event ... | 12 dropped_events_count | 13 Link ... | 14 dropped_links_count | 15 Status | 16 flags
 */
export class SpanView extends MessageView {
  get traceId(): Uint8Array {
    return this.bytes(1);
  }

  set traceId(value: Uint8Array) {
    this.setBytes(1, value);
  }

  get spanId(): Uint8Array {
    return this.bytes(2);
  }

  set spanId(value: Uint8Array) {
    this.setBytes(2, value);
  }

  get traceState(): string {
    return this.text(3);
  }

  set traceState(value: string) {
    this.setText(3, value);
  }

  get parentSpanId(): Uint8Array {
    return this.bytes(4);
  }

  set parentSpanId(value: Uint8Array) {
    this.setBytes(4, value);
  }

  get name(): string {
    return this.text(5);
  }

  set name(value: string) {
    this.setText(5, value);
  }

  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer; others as they come. */
  get kind(): number {
    return this.int32(6);
  }

  set kind(value: number) {
    this.setInt32(6, value);
  }

  get startTimeUnixNano(): bigint {
    return this.fixed64(7);
  }

  set startTimeUnixNano(value: bigint) {
    this.setFixed64(7, value);
  }

  get endTimeUnixNano(): bigint {
    return this.fixed64(8);
  }

  set endTimeUnixNano(value: bigint) {
    this.setFixed64(8, value);
  }

  get attributes(): AttributesView {
    return this.slot(9, () => new AttributesView(this, 9));
  }

  get droppedAttributesCount(): number {
    return this.uint32(10);
  }

  set droppedAttributesCount(value: number) {
    this.setUint32(10, value);
  }

  get events(): readonly SpanEventView[] {
    return this.slot(11, () => new RepeatedSlot(this, 11, SpanEventView)).views;
  }

  get droppedEventsCount(): number {
    return this.uint32(12);
  }

  set droppedEventsCount(value: number) {
    this.setUint32(12, value);
  }

  get links(): readonly SpanLinkView[] {
    return this.slot(13, () => new RepeatedSlot(this, 13, SpanLinkView)).views;
  }

  get droppedLinksCount(): number {
    return this.uint32(14);
  }

  set droppedLinksCount(value: number) {
    this.setUint32(14, value);
  }

  get status(): StatusView {
    return this.slot(15, () => new SingularSlot(this, 15, StatusView)).view;
  }

  get flags(): number {
    return this.fixed32(16);
  }

  set flags(value: number) {
    this.setFixed32(16, value);
  }

  get scope(): ScopeView<'traces'> {
    return this.parent as ScopeView<'traces'>;
  }

  override itemCount(): number {
    return 1;
  }
}

/** Status: 2 message | 3 code. */
export class StatusView extends MessageView {
  get message(): string {
    return this.text(2);
  }

  set message(value: string) {
    this.setText(2, value);
  }

  /** 0 unset, 1 ok, 2 error. */
  get code(): number {
    return this.int32(3);
  }

  set code(value: number) {
    this.setInt32(3, value);
  }
}

/** Event: 1 time | 2 name | 3 attributes | 4 dropped_attributes_count. */
export class SpanEventView extends MessageView {
  get timeUnixNano(): bigint {
    return this.fixed64(1);
  }

  set timeUnixNano(value: bigint) {
    this.setFixed64(1, value);
  }

  get name(): string {
    return this.text(2);
  }

  set name(value: string) {
    this.setText(2, value);
  }

  get attributes(): AttributesView {
    return this.slot(3, () => new AttributesView(this, 3));
  }

  get droppedAttributesCount(): number {
    return this.uint32(4);
  }

  set droppedAttributesCount(value: number) {
    this.setUint32(4, value);
  }

  get span(): SpanView {
    return this.parent as SpanView;
  }
}

/** Link: 1 trace_id | 2 span_id | 3 trace_state | 4 attributes | 5 dropped_attributes_count | 6 flags. */
export class SpanLinkView extends MessageView {
  get traceId(): Uint8Array {
    return this.bytes(1);
  }

  set traceId(value: Uint8Array) {
    this.setBytes(1, value);
  }

  get spanId(): Uint8Array {
    return this.bytes(2);
  }

  set spanId(value: Uint8Array) {
    this.setBytes(2, value);
  }

  get traceState(): string {
    return this.text(3);
  }

  set traceState(value: string) {
    this.setText(3, value);
  }

  get attributes(): AttributesView {
    return this.slot(4, () => new AttributesView(this, 4));
  }

  get droppedAttributesCount(): number {
    return this.uint32(5);
  }

  set droppedAttributesCount(value: number) {
    this.setUint32(5, value);
  }

  get flags(): number {
    return this.fixed32(6);
  }

  set flags(value: number) {
    this.setFixed32(6, value);
  }

  get span(): SpanView {
    return this.parent as SpanView;
  }
}

import { type AnyValue, decodeAnyValue, encodeAnyValue, replacedValues } from './any-value.ts';
import { AttributesView } from './attributes.ts';
import { MessageView } from './message.ts';
import { SingularSlot } from './nested.ts';
import type { ScopeView } from './request.ts';

/**
 * LogRecord: 1 time | 2 severity_number | 3 severity_text | 5 body AnyValue | 6 attributes | 7 dropped_attributes_count | 8 flags |
 *            9 trace_id | 10 span_id | 11 observed_time | 12 event_name
 */
export class LogView extends MessageView {
  #body: { readonly value: AnyValue; readonly isWhole: boolean } | undefined;

  override point(buf: Buffer, from: number, end: number): void {
    super.point(buf, from, end);
    this.#body = undefined;
  }

  get timeUnixNano(): bigint {
    return this.fixed64(1);
  }

  set timeUnixNano(value: bigint) {
    this.setFixed64(1, value);
  }

  get observedTimeUnixNano(): bigint {
    return this.fixed64(11);
  }

  set observedTimeUnixNano(value: bigint) {
    this.setFixed64(11, value);
  }

  /** 0 unspecified, 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn, 17-20 error, 21-24 fatal; others as they come. */
  get severityNumber(): number {
    return this.int32(2);
  }

  set severityNumber(value: number) {
    this.setInt32(2, value);
  }

  get severityText(): string {
    return this.text(3);
  }

  set severityText(value: string) {
    this.setText(3, value);
  }

  /** Any value; undefined where it is absent or empty. */
  get body(): AnyValue {
    return this.#readBody().value;
  }

  /** False where a key of a map in it is there twice: `body` has the last value, and the bytes have both until somebody sets it. */
  get bodyIsWhole(): boolean {
    return this.#readBody().isWhole;
  }

  #readBody(): { readonly value: AnyValue; readonly isWhole: boolean } {
    if (this.#body === undefined) {
      const before = replacedValues();
      const { value } = this.slot(5, () => new SingularSlot(this, 5, ValueMessage)).view;
      this.#body = { value, isWhole: replacedValues() === before };
    }
    return this.#body;
  }

  set body(value: AnyValue) {
    this.#body = { value, isWhole: true };
    this.slot(5, () => new SingularSlot(this, 5, ValueMessage)).view.set(value);
  }

  get attributes(): AttributesView {
    return this.slot(6, () => new AttributesView(this, 6));
  }

  get droppedAttributesCount(): number {
    return this.uint32(7);
  }

  set droppedAttributesCount(value: number) {
    this.setUint32(7, value);
  }

  get flags(): number {
    return this.fixed32(8);
  }

  set flags(value: number) {
    this.setFixed32(8, value);
  }

  get traceId(): Uint8Array {
    return this.bytes(9);
  }

  set traceId(value: Uint8Array) {
    this.setBytes(9, value);
  }

  get spanId(): Uint8Array {
    return this.bytes(10);
  }

  set spanId(value: Uint8Array) {
    this.setBytes(10, value);
  }

  get eventName(): string {
    return this.text(12);
  }

  set eventName(value: string) {
    this.setText(12, value);
  }

  get scope(): ScopeView<'logs'> {
    return this.parent as ScopeView<'logs'>;
  }

  override itemCount(): number {
    return 1;
  }
}

/** AnyValue as a message of its own. */
class ValueMessage extends MessageView {
  get value(): AnyValue {
    const { table, tableEnd } = this;
    return tableEnd === 0 ? undefined : decodeAnyValue(this.buf, table[1] as number, table[tableEnd - 1] as number);
  }

  /** All kinds of the oneof go, one comes. */
  set(value: AnyValue): void {
    for (let field = 1; field <= 8; field += 1) this.replace(field, undefined, undefined);
    const field = fieldOf(value);
    if (field !== 0) this.replace(field, encodeAnyValue(value), value);
  }
}

/** Number of the field of AnyValue that a value is written as; 0 for the empty one. */
function fieldOf(value: AnyValue): number {
  switch (typeof value) {
    case 'undefined':
      return 0;
    case 'string':
      return 1;
    case 'boolean':
      return 2;
    case 'bigint':
      return 3;
    case 'number':
      return 4;
    default:
      if (value instanceof Uint8Array) return 7;
      return value instanceof Map ? 6 : 5;
  }
}

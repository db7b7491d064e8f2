import { type ResourceLike, type ScopeLike, writeAttributes, writeResource, writeScope } from './common.ts';
import { grouped } from './groups.ts';
import type { ProtoWriter } from './writer.ts';

type Time = readonly [number, number];

/** SpanContext of @opentelemetry/api. */
export interface ContextLike {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean | undefined;
  readonly traceState?: { serialize(): string } | undefined;
}

export interface EventLike {
  readonly time: Time;
  readonly name: string;
  readonly attributes?: object | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

export interface LinkLike {
  readonly context: ContextLike;
  readonly attributes?: object | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

/** ReadableSpan of the SDK, 2.0 and later, as far as it is sent. */
export interface SpanLike {
  readonly name: string;
  readonly kind: number;
  readonly spanContext: () => ContextLike;
  readonly parentSpanContext?: ContextLike | undefined;
  readonly startTime: Time;
  readonly endTime: Time;
  readonly status: { readonly code: number; readonly message?: string | undefined };
  readonly attributes: object;
  readonly links: readonly LinkLike[];
  readonly events: readonly EventLike[];
  readonly resource: ResourceLike;
  readonly instrumentationScope: ScopeLike;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

/** SpanFlags: below are the eight of W3C; then whether it is known that the parent is remote, and whether it is. */
const W3C_MASK = 0xff;
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** ExportTraceServiceRequest { resource_spans = 1 }; ResourceSpans { resource = 1, scope_spans = 2, schema_url = 3 }. */
export function writeTraces(writer: ProtoWriter, spans: readonly SpanLike[]): void {
  for (const { resource, scopes } of grouped(spans)) {
    const at = writer.open(0x0a, 3);
    writeResource(writer, resource);
    for (const { scope, items } of scopes.values()) writeScopeSpans(writer, scope, items);
    if (resource.schemaUrl) writer.string(0x1a, resource.schemaUrl);
    writer.close(at, 3);
  }
}

/** ScopeSpans { scope = 1, spans = 2, schema_url = 3 }. */
function writeScopeSpans(writer: ProtoWriter, scope: ScopeLike, spans: readonly SpanLike[]): void {
  const at = writer.open(0x12, 3);
  writeScope(writer, scope);
  for (const span of spans) writeSpan(writer, span);
  if (scope.schemaUrl) writer.string(0x1a, scope.schemaUrl);
  writer.close(at, 3);
}

/**
 * Span { trace_id = 1, span_id = 2, trace_state = 3, parent_span_id = 4, name = 5, kind = 6, start_time_unix_nano = 7,
 * end_time_unix_nano = 8, attributes = 9, dropped_attributes_count = 10, events = 11, dropped_events_count = 12, links = 13,
 * dropped_links_count = 14, status = 15, flags = 16 }. Zeros are written where the official serializer writes them: the bytes are equal.
 */
function writeSpan(writer: ProtoWriter, span: SpanLike): void {
  const at = writer.open(0x12, 2);
  const context = span.spanContext();
  const parent = span.parentSpanContext;
  writer.hex(0x0a, context.traceId);
  writer.hex(0x12, context.spanId);
  const traceState = context.traceState?.serialize();
  if (traceState) writer.string(0x1a, traceState);
  if (parent?.spanId) writer.hex(0x22, parent.spanId);
  writer.string(0x2a, span.name);
  // SpanKind begins with UNSPECIFIED, the SDK's with INTERNAL.
  const kind = span.kind == null ? 0 : span.kind + 1;
  if (kind !== 0) writer.varint(0x30, kind);
  writer.time(0x39, span.startTime);
  writer.time(0x41, span.endTime);
  writeAttributes(writer, 0x4a, span.attributes);
  writer.varint(0x50, span.droppedAttributesCount);
  for (const event of span.events) writeEvent(writer, event);
  writer.varint(0x60, span.droppedEventsCount);
  for (const link of span.links) writeLink(writer, link);
  writer.varint(0x70, span.droppedLinksCount);
  writeStatus(writer, span.status);
  // Field 16 has a tag of two bytes.
  writer.byte(0x85);
  writer.byte(0x01);
  writer.fixed32(flagsOf(context.traceFlags, parent?.isRemote));
  writer.close(at, 2);
}

/** Event { time_unix_nano = 1, name = 2, attributes = 3, dropped_attributes_count = 4 }. */
function writeEvent(writer: ProtoWriter, event: EventLike): void {
  const at = writer.open(0x5a, 1);
  writer.time(0x09, event.time);
  writer.string(0x12, event.name);
  writeAttributes(writer, 0x1a, event.attributes);
  writer.varint(0x20, event.droppedAttributesCount || 0);
  writer.close(at, 1);
}

/** Link { trace_id = 1, span_id = 2, trace_state = 3, attributes = 4, dropped_attributes_count = 5, flags = 6 }. */
function writeLink(writer: ProtoWriter, { context, attributes, droppedAttributesCount }: LinkLike): void {
  const at = writer.open(0x6a, 1);
  writer.hex(0x0a, context.traceId);
  writer.hex(0x12, context.spanId);
  const traceState = context.traceState?.serialize();
  if (traceState) writer.string(0x1a, traceState);
  writeAttributes(writer, 0x22, attributes);
  writer.varint(0x28, droppedAttributesCount || 0);
  writer.byte(0x35);
  writer.fixed32(flagsOf(context.traceFlags, context.isRemote));
  writer.close(at, 1);
}

/** Status { message = 2, code = 3 }. */
function writeStatus(writer: ProtoWriter, status: SpanLike['status']): void {
  const at = writer.open(0x7a, 1);
  if (status.message) writer.string(0x12, status.message);
  writer.varint(0x18, status.code);
  writer.close(at, 1);
}

function flagsOf(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & W3C_MASK) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0);
}

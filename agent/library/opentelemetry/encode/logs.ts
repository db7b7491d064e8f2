import { type ResourceLike, type ScopeLike, writeAnyValue, writeAttributes, writeResource, writeScope } from './common.ts';
import { grouped } from './groups.ts';
import type { ContextLike } from './traces.ts';
import type { ProtoWriter } from './writer.ts';

type Time = readonly [number, number];

/** ReadableLogRecord of the SDK, as far as it is sent. */
export interface LogRecordLike {
  readonly hrTime: Time;
  readonly hrTimeObserved: Time;
  readonly spanContext?: ContextLike | undefined;
  readonly severityText?: string | undefined;
  readonly severityNumber?: number | undefined;
  readonly body?: unknown;
  readonly eventName?: string | undefined;
  readonly resource: ResourceLike;
  readonly instrumentationScope: ScopeLike;
  readonly attributes: object;
  readonly droppedAttributesCount: number;
}

/** ExportLogsServiceRequest { resource_logs = 1 }; ResourceLogs { resource = 1, scope_logs = 2, schema_url = 3 }. */
export function writeLogs(writer: ProtoWriter, records: readonly LogRecordLike[]): void {
  for (const { resource, scopes } of grouped(records)) {
    const at = writer.open(0x0a, 3);
    writeResource(writer, resource);
    for (const { scope, items } of scopes.values()) writeScopeLogs(writer, scope, items);
    if (resource.schemaUrl) writer.string(0x1a, resource.schemaUrl);
    writer.close(at, 3);
  }
}

/** ScopeLogs { scope = 1, log_records = 2, schema_url = 3 }. */
function writeScopeLogs(writer: ProtoWriter, scope: ScopeLike, records: readonly LogRecordLike[]): void {
  const at = writer.open(0x12, 3);
  writeScope(writer, scope);
  for (const record of records) writeLogRecord(writer, record);
  if (scope.schemaUrl) writer.string(0x1a, scope.schemaUrl);
  writer.close(at, 3);
}

/**
 * LogRecord { time_unix_nano = 1, severity_number = 2, severity_text = 3, body = 5, attributes = 6, dropped_attributes_count = 7,
 * flags = 8, trace_id = 9, span_id = 10, observed_time_unix_nano = 11, event_name = 12 }.
 */
function writeLogRecord(writer: ProtoWriter, record: LogRecordLike): void {
  const at = writer.open(0x12, 2);
  const context = record.spanContext;
  writer.time(0x09, record.hrTime);
  if (record.severityNumber !== undefined && record.severityNumber !== 0) writer.varint(0x10, record.severityNumber);
  if (record.severityText) writer.string(0x1a, record.severityText);
  if (record.body !== undefined) {
    const body = writer.open(0x2a, 1);
    writeAnyValue(writer, record.body);
    writer.close(body, 1);
  }
  writeAttributes(writer, 0x32, record.attributes);
  writer.varint(0x38, record.droppedAttributesCount);
  if (context?.traceFlags) {
    writer.byte(0x45);
    writer.fixed32(context.traceFlags);
  }
  if (context?.traceId) writer.hex(0x4a, context.traceId);
  if (context?.spanId) writer.hex(0x52, context.spanId);
  writer.time(0x59, record.hrTimeObserved);
  if (record.eventName) writer.string(0x62, record.eventName);
  writer.close(at, 2);
}

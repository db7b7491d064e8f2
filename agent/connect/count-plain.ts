import { position, readLength, readTag, skipField, WIRE_FIXED64, WIRE_LEN } from '../otlp/wire.ts';
import type { Counter } from './count-metric.ts';

/**
 * Counts by walking, for metrics without conditions and attributes: of an item only its times are read. Views cost ten times as much
 * (test/bench/agent-components: count, and count by an attribute).
 *
 *   ResourceX   2 ScopeX { 2 item ... }
 *   Span        7 start | 8 end | 11 Event { 1 time }
 *   LogRecord   1 time
 */
const ITEM_TAG = (2 << 3) | WIRE_LEN;
const TIME_TAG = (1 << 3) | WIRE_FIXED64;
const START_TAG = (7 << 3) | WIRE_FIXED64;
const END_TAG = (8 << 3) | WIRE_FIXED64;
const EVENT_TAG = (11 << 3) | WIRE_LEN;

/** The spans, and the events in them, of the ResourceSpans at [from, end). */
export function countSpans(buf: Buffer, from: number, end: number, spans: Counter, events: Counter): void {
  let spanCount = 0;
  let eventCount = 0;
  forItems(buf, from, end, (spanFrom, spanEnd) => {
    spanCount += 1;
    let pos = spanFrom;
    while (pos < spanEnd) {
      const tag = readTag(buf, pos, spanEnd);
      const at = position();
      pos = skipField(buf, tag, at, spanEnd);
      if (tag === START_TAG || tag === END_TAG) spans.time(buf.readBigUInt64LE(at));
      else if (tag === EVENT_TAG) {
        eventCount += 1;
        readLength(buf, at, spanEnd);
        events.time(timeOf(buf, position(), pos));
      }
    }
  });
  spans.updatePlain(spanCount);
  events.updatePlain(eventCount);
}

/** The log records of the ResourceLogs at [from, end). */
export function countLogs(buf: Buffer, from: number, end: number, logs: Counter): void {
  let count = 0;
  forItems(buf, from, end, (itemFrom, itemEnd) => {
    count += 1;
    logs.time(timeOf(buf, itemFrom, itemEnd));
  });
  logs.updatePlain(count);
}

/** Field 1 of an event or a log record; 0 where there is none, the last one where there are several. */
function timeOf(buf: Buffer, from: number, end: number): bigint {
  let time = 0n;
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const at = position();
    pos = skipField(buf, tag, at, end);
    if (tag === TIME_TAG) time = buf.readBigUInt64LE(at);
  }
  return time;
}

function forItems(buf: Buffer, from: number, end: number, visit: (from: number, end: number) => void): void {
  forFields(buf, from, end, (scopeFrom, scopeEnd) => forFields(buf, scopeFrom, scopeEnd, visit));
}

/** Every field 2: a scope of a resource, an item of a scope. */
function forFields(buf: Buffer, from: number, end: number, visit: (from: number, end: number) => void): void {
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const at = position();
    if (tag === ITEM_TAG) {
      pos = readLength(buf, at, end);
      visit(position(), pos);
    } else {
      pos = skipField(buf, tag, at, end);
    }
  }
}

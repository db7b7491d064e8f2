import type { SpanEventView, SpanView } from '../../otlp/view/span.ts';
import type { Accessor } from '../access.ts';
import { Failure } from '../errors.ts';
import type { Item } from '../item.ts';
import { Parts } from '../values.ts';
import { expectText, identifier, map, nanos, number, parts, text, time } from './fields.ts';
import { nested, type Paths, type Segment } from './segment.ts';
import { getTraceState, setTraceState } from './trace-state.ts';

const spanOf = (item: Item): SpanView => item.span as SpanView;
const eventOf = (item: Item): SpanEventView => item.event as SpanEventView;

const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
/** traceutil.SpanKindStr. */
const DEPRECATED_KINDS = KINDS.map((name) => `SPAN_KIND_${name.toUpperCase()}`);

/** The kind as text: `unknown` is what a number without a name is called. */
function kindText(names: readonly string[], unknown: string): () => Accessor {
  return () => ({
    get: (item) => names[spanOf(item).kind] ?? unknown,
    set: (item, value) => {
      const kind = names.indexOf(expectText(value));
      if (kind < 0) throw new Failure(`unknown span kind ${JSON.stringify(value)}`);
      spanOf(item).kind = kind;
    },
  });
}

/** pkg/ottl/contexts/internal/ctxspan. */
export const SPAN_PATHS: Paths = {
  trace_id: identifier(
    'TraceID',
    (item) => spanOf(item).traceId,
    (item, value) => {
      spanOf(item).traceId = value;
    },
  ),
  span_id: identifier(
    'SpanID',
    (item) => spanOf(item).spanId,
    (item, value) => {
      spanOf(item).spanId = value;
    },
  ),
  parent_span_id: identifier(
    'SpanID',
    (item) => spanOf(item).parentSpanId,
    (item, value) => {
      spanOf(item).parentSpanId = value;
    },
  ),
  trace_state: traceState,
  name: text(
    (item) => spanOf(item).name,
    (item, value) => {
      spanOf(item).name = value;
    },
  ),
  kind: nested(
    number(
      (item) => spanOf(item).kind,
      (item, value) => {
        spanOf(item).kind = value;
      },
      true,
    ),
    { string: kindText(KINDS, ''), deprecated_string: kindText(DEPRECATED_KINDS, '') },
  ),
  start_time_unix_nano: nanos(startOf, setStart),
  end_time_unix_nano: nanos(endOf, setEnd),
  start_time: time(startOf, setStart),
  end_time: time(endOf, setEnd),
  attributes: map((item) => spanOf(item).attributes),
  dropped_attributes_count: number(
    (item) => spanOf(item).droppedAttributesCount,
    (item, value) => {
      spanOf(item).droppedAttributesCount = value;
    },
  ),
  events: parts('span events', (item) => new Parts('span events', spanOf(item).events.length, spanOf(item))),
  dropped_events_count: number(
    (item) => spanOf(item).droppedEventsCount,
    (item, value) => {
      spanOf(item).droppedEventsCount = value;
    },
  ),
  links: parts('span links', (item) => new Parts('span links', spanOf(item).links.length, spanOf(item))),
  dropped_links_count: number(
    (item) => spanOf(item).droppedLinksCount,
    (item, value) => {
      spanOf(item).droppedLinksCount = value;
    },
  ),
  status: nested(
    parts('status', (item) => new Parts('status', undefined, spanOf(item))),
    {
      code: number(
        (item) => spanOf(item).status.code,
        (item, value) => {
          spanOf(item).status.code = value;
        },
        true,
      ),
      message: text(
        (item) => spanOf(item).status.message,
        (item, value) => {
          spanOf(item).status.message = value;
        },
      ),
    },
  ),
  flags: () => ({
    get: (item) => BigInt(spanOf(item).flags),
    set: (item, value) => {
      if (typeof value !== 'bigint' || value < 0n || value > 0xffff_ffffn) throw new Failure('flags want an integer of 32 bits');
      spanOf(item).flags = Number(value);
    },
  }),
};

/** pkg/ottl/contexts/internal/ctxspanevent. */
export const SPAN_EVENT_PATHS: Paths = {
  // Nothing sets it in the processors of the Collector 0.155, so that reading it fails there for every event.
  event_index: () => ({
    get: ({ eventIndex }) => (eventIndex === undefined ? noEventIndex() : BigInt(eventIndex)),
    set: noEventIndex,
  }),
  time_unix_nano: nanos(eventTime, setEventTime),
  time: time(eventTime, setEventTime),
  name: text(
    (item) => eventOf(item).name,
    (item, value) => {
      eventOf(item).name = value;
    },
  ),
  attributes: map((item) => eventOf(item).attributes),
  dropped_attributes_count: number(
    (item) => eventOf(item).droppedAttributesCount,
    (item, value) => {
      eventOf(item).droppedAttributesCount = value;
    },
  ),
};

/** pkg/ottl/contexts/internal/ctxspan/symbols.go. */
export const SPAN_ENUMS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(DEPRECATED_KINDS.map((name, i) => [name, i])),
  STATUS_CODE_UNSET: 0,
  STATUS_CODE_OK: 1,
  STATUS_CODE_ERROR: 2,
};

/** Whether a span has no parent: IsRootSpan(). */
export function isRootSpan(item: Item): boolean {
  return spanOf(item).parentSpanId.every((byte) => byte === 0);
}

function noEventIndex(): never {
  throw new Failure('event_index is not known here');
}

function startOf(item: Item): bigint {
  return spanOf(item).startTimeUnixNano;
}

function setStart(item: Item, value: bigint): void {
  spanOf(item).startTimeUnixNano = value;
}

function endOf(item: Item): bigint {
  return spanOf(item).endTimeUnixNano;
}

function setEnd(item: Item, value: bigint): void {
  spanOf(item).endTimeUnixNano = value;
}

function eventTime(item: Item): bigint {
  return eventOf(item).timeUnixNano;
}

function setEventTime(item: Item, value: bigint): void {
  eventOf(item).timeUnixNano = value;
}

/** `trace_state`, or one member of it: `trace_state["vendor"]`. */
function traceState(segment: Segment): Accessor {
  const keys = segment.keys();
  if (keys === undefined) {
    return {
      get: (item) => spanOf(item).traceState,
      set: (item, value) => {
        spanOf(item).traceState = expectText(value);
      },
    };
  }
  const [key] = keys;
  if (keys.length !== 1 || key === undefined) throw segment.error('trace_state takes exactly one key');
  const name = (): string => {
    if (key.kind !== 'string') throw new Failure('trace_state wants a text as key');
    return key.value;
  };
  return {
    get: (item) => getTraceState(spanOf(item).traceState, name),
    set: (item, value) => {
      const member = expectText(value);
      const changed = setTraceState(spanOf(item).traceState, name, member);
      if (changed !== undefined) spanOf(item).traceState = changed;
    },
  };
}

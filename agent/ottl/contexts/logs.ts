import { anyValueAsString } from '../../otlp/view/as-string.ts';
import type { LogView } from '../../otlp/view/log.ts';
import type { Accessor } from '../access.ts';
import { Failure, OttlError } from '../errors.ts';
import { assigned, getInValue, placed } from '../indexing.ts';
import type { Item } from '../item.ts';
import { isList, isMap, typeName } from '../values.ts';
import { expectText, identifier, map, nanos, number, text, time } from './fields.ts';
import type { Paths, Segment } from './segment.ts';

const logOf = (item: Item): LogView => item.log as LogView;

/** pkg/ottl/contexts/internal/ctxlog. */
export const LOG_PATHS: Paths = {
  time_unix_nano: nanos(timeOf, setTime),
  observed_time_unix_nano: nanos(observedTimeOf, setObservedTime),
  time: time(timeOf, setTime),
  observed_time: time(observedTimeOf, setObservedTime),
  severity_number: number(
    (item) => logOf(item).severityNumber,
    (item, value) => {
      logOf(item).severityNumber = value;
    },
    true,
  ),
  severity_text: text(
    (item) => logOf(item).severityText,
    (item, value) => {
      logOf(item).severityText = value;
    },
  ),
  body,
  attributes: map((item) => logOf(item).attributes),
  dropped_attributes_count: number(
    (item) => logOf(item).droppedAttributesCount,
    (item, value) => {
      logOf(item).droppedAttributesCount = value;
    },
  ),
  flags: number(
    (item) => logOf(item).flags,
    (item, value) => {
      logOf(item).flags = value;
    },
  ),
  trace_id: identifier(
    'TraceID',
    (item) => logOf(item).traceId,
    (item, value) => {
      logOf(item).traceId = value;
    },
  ),
  span_id: identifier(
    'SpanID',
    (item) => logOf(item).spanId,
    (item, value) => {
      logOf(item).spanId = value;
    },
  ),
  event_name: text(
    (item) => logOf(item).eventName,
    (item, value) => {
      logOf(item).eventName = value;
    },
  ),
};

const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** pkg/ottl/contexts/internal/ctxlog/symbols.go. */
export const LOG_ENUMS: Readonly<Record<string, number>> = {
  SEVERITY_NUMBER_UNSPECIFIED: 0,
  ...Object.fromEntries(
    SEVERITIES.flatMap((name, i) => [0, 1, 2, 3].map((sub) => [`SEVERITY_NUMBER_${name}${sub === 0 ? '' : sub + 1}`, i * 4 + sub + 1])),
  ),
};

/** `body`, `body.string` (any value as text), `body["key"]`, `body[0]`. */
function body(segment: Segment): Accessor {
  const next = segment.next();
  if (next !== undefined) {
    if (next.name !== 'string') throw new OttlError(`body has no "${next.name}"; it has string`, next.at);
    return {
      get: (item) => anyValueAsString(logOf(item).body),
      set: (item, value) => {
        logOf(item).body = expectText(value);
      },
    };
  }
  const keys = segment.keys();
  if (keys === undefined) {
    return {
      get: (item) => logOf(item).body,
      set: (item, value) => {
        const log = logOf(item);
        log.body = assigned(log.body, value);
      },
    };
  }
  return {
    get: (item) => {
      const value = logOf(item).body;
      if (!isMap(value) && !isList(value)) throw new Failure(`a body that is a ${typeName(value)} cannot be indexed`);
      return getInValue(value, keys, 0, item);
    },
    set: (item, value) => {
      const log = logOf(item);
      const current = log.body;
      if (!isMap(current) && !isList(current)) throw new Failure(`a body that is a ${typeName(current)} cannot be indexed`);
      const result = placed(current, keys, 0, value, item);
      if (result.value !== current) log.body = result.value;
      if (result.failure !== undefined) throw result.failure;
    },
  };
}

function timeOf(item: Item): bigint {
  return logOf(item).timeUnixNano;
}

function setTime(item: Item, value: bigint): void {
  logOf(item).timeUnixNano = value;
}

function observedTimeOf(item: Item): bigint {
  return logOf(item).observedTimeUnixNano;
}

function setObservedTime(item: Item, value: bigint): void {
  logOf(item).observedTimeUnixNano = value;
}

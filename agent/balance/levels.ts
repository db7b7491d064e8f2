import type { Signal } from '../config/settings.ts';
import { position, readLength, readTag, skipField, WIRE_LEN } from '../otlp/wire.ts';

/**
 * The levels of a request, and the field that leads from each to the next:
 *
 *   0 request -1-> 1 ResourceX -2-> 2 ScopeX -2-> 3 Span, LogRecord, Metric -5|7|9|10|11-> 4 data of a metric -1-> 5 data point
 */
export const RESOURCE = 1;
export const SCOPE = 2;
export const ITEM = 3;
export const POINT = 5;
/** Levels that hold others, the request included. */
export const LEVELS = 5;

/** Whether `field` of a message at `level` is one level down. */
export function isChild(signal: Signal, level: number, field: number): boolean {
  switch (level) {
    case 0:
    case 4:
      return field === 1;
    case RESOURCE:
    case SCOPE:
      return field === 2;
    default:
      return signal === 'metrics' && (field === 5 || field === 7 || (field >= 9 && field <= 11));
  }
}

/** The level that is counted: data points of metrics, else items. */
export function countedLevel(signal: Signal): number {
  return signal === 'metrics' ? POINT : ITEM;
}

/** Items in the message at [from, end) of this level. Throws on malformed bytes. */
export function itemsIn(signal: Signal, level: number, buf: Uint8Array, from: number, end: number): number {
  if (level === countedLevel(signal)) return 1;
  let items = 0;
  let pos = from;
  while (pos < end) {
    const tag = readTag(buf, pos, end);
    const body = position();
    if ((tag & 7) === WIRE_LEN && isChild(signal, level, tag >>> 3)) {
      const stop = readLength(buf, body, end);
      items += itemsIn(signal, level + 1, buf, position(), stop);
      pos = stop;
    } else {
      pos = skipField(buf, tag, body, end);
    }
  }
  return items;
}

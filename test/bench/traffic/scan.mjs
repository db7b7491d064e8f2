/**
 * Counts the items of an Export request by walking its length prefixes, and finds the marks that the open-loop driver leaves in trace ids.
 * Not the agent's scanner: what is under test must not judge itself.
 */

/** The first four bytes of the trace id of the first span of a marked request; the next eight are when it was to be sent. */
export const MARK = 0x4f4c4231;
/** A span begins with its trace id, or, as the Collector writes its fields backwards, ends with it: tag, length, and then the mark. */
const MARK_TAG = 0x0a10;
/** With tag and length. */
const TRACE_ID_BYTES = 18;
const ITEMS = 2;

/**
 * @param {Buffer} body
 * @param {string} signal traces, metrics or logs
 * @param {(position: number) => void} [onMark] called with the position of the eight bytes
 * @returns how many spans, log records or data points `body` has
 */
export function countItems(body, signal, onMark) {
  let items = 0;
  walk(body, 0, body.length, 1, (from, to) => {
    walk(body, from, to, ITEMS, (scopeFrom, scopeTo) => {
      if (signal === 'metrics') {
        walk(body, scopeFrom, scopeTo, ITEMS, (at, end) => {
          items += pointsOf(body, at, end);
        });
      } else if (signal === 'traces') {
        items += spansOf(body, scopeFrom, scopeTo, onMark);
      } else {
        walk(body, scopeFrom, scopeTo, ITEMS, () => {
          items += 1;
        });
      }
    });
  });
  return items;
}

/** The hot one: no closure per span. */
function spansOf(body, from, to, onMark) {
  let items = 0;
  let at = from;
  while (at < to) {
    const tag = body[at];
    if (tag !== 0x12) {
      at = skip(body, at);
      continue;
    }
    let length = body[at + 1];
    at += 2;
    if (length > 0x7f) {
      length &= 0x7f;
      for (let shift = 7; ; shift += 7) {
        const byte = body[at++];
        length += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) break;
      }
    }
    if (onMark !== undefined && length >= TRACE_ID_BYTES) {
      if (isMark(body, at)) onMark(at + 6);
      else if (isMark(body, at + length - TRACE_ID_BYTES)) onMark(at + length - TRACE_ID_BYTES + 6);
    }
    at += length;
    items += 1;
  }
  if (at !== to) throw new Error('a span is longer than its scope');
  return items;
}

function isMark(body, at) {
  return body.readUInt16BE(at) === MARK_TAG && body.readUInt32BE(at + 2) === MARK;
}

/** A metric's data is in fields 5 (gauge), 7, 9, 10 and 11; the points are field 1 of each. */
function pointsOf(body, from, to) {
  let points = 0;
  for (const field of [5, 7, 9, 10, 11]) {
    walk(body, from, to, field, (at, end) => {
      walk(body, at, end, 1, () => {
        points += 1;
      });
    });
  }
  return points;
}

/** Calls `each(from, to)` for every length-delimited field of that number. */
function walk(body, from, to, field, each) {
  let at = from;
  while (at < to) {
    const [tag, afterTag] = varint(body, at);
    if ((tag & 7) !== 2) {
      at = skip(body, at);
      continue;
    }
    const [length, start] = varint(body, afterTag);
    if (start + length > to) throw new Error(`a field of ${length} bytes is longer than what it is in`);
    if (tag >>> 3 === field) each(start, start + length);
    at = start + length;
  }
}

function skip(body, at) {
  const [tag, next] = varint(body, at);
  const type = tag & 7;
  if (type === 0) return varint(body, next)[1];
  if (type === 1) return next + 8;
  if (type === 5) return next + 4;
  if (type !== 2) throw new Error(`wire type ${type}`);
  const [length, start] = varint(body, next);
  return start + length;
}

function varint(body, at) {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = body[at++];
    if (byte === undefined) throw new Error('the request ends in the middle of a number');
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at];
  }
}

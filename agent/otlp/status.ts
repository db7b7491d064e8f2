import type { Signal } from '../config/settings.ts';
import { fieldOf, lenField, position, readLength, readTag, readVarint, skipField, varintField, WIRE_LEN, WIRE_VARINT } from './wire.ts';

/**
 * The small messages around a request, written and read by hand as they have a handful of fields.
 *
 *   google.rpc.Status      1 code int32 | 2 message string | 3 details repeated google.protobuf.Any
 *   google.protobuf.Any    1 type_url string | 2 value bytes
 *   google.rpc.RetryInfo   1 retry_delay google.protobuf.Duration (1 seconds int64, 2 nanos int32)
 *   ExportXServiceResponse 1 partial_success { 1 rejected_x int64 | 2 error_message string }
 */
const RETRY_INFO_URL = 'type.googleapis.com/google.rpc.RetryInfo';

/** Responses above 4 MiB are not sent (spec 1.11, response size); the message is what can grow. */
const MAX_MESSAGE_CHARS = 4096;

/** What of a message goes into a response. */
export function shortMessage(message: string): string {
  return message.slice(0, MAX_MESSAGE_CHARS);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `google.rpc.Status` with a RetryInfo where `retryAfterMs` is given. */
export function encodeStatus(code: number, message: string, retryAfterMs?: number): Buffer {
  const parts: Uint8Array[] = [];
  if (code !== 0) parts.push(varintField(1, code));
  if (message !== '') parts.push(lenField(2, encoder.encode(shortMessage(message))));
  if (retryAfterMs !== undefined) {
    const seconds = Math.floor(retryAfterMs / 1000);
    const nanos = Math.round((retryAfterMs % 1000) * 1e6);
    const duration = Buffer.concat([
      seconds > 0 ? varintField(1, seconds) : new Uint8Array(0),
      nanos > 0 ? varintField(2, nanos) : new Uint8Array(0),
    ]);
    const any = Buffer.concat([lenField(1, encoder.encode(RETRY_INFO_URL)), lenField(2, lenField(1, duration))]);
    parts.push(lenField(3, any));
  }
  return Buffer.concat(parts);
}

export interface DecodedStatus {
  readonly code: number;
  readonly message: string;
  /** Of a RetryInfo among the details. */
  readonly retryAfterMs: number | undefined;
}

/** Reads a google.rpc.Status; undefined where the bytes are none. */
export function decodeStatus(bytes: Uint8Array): DecodedStatus | undefined {
  try {
    const status = readMessage(bytes, 0, bytes.length);
    let retryAfterMs: number | undefined;
    for (const detail of status.lens(3)) {
      const any = readMessage(bytes, detail[0], detail[1]);
      const url = any.text(1);
      const value = any.lens(2)[0];
      if (!url.endsWith('/google.rpc.RetryInfo') || value === undefined) continue;
      const delay = readMessage(bytes, value[0], value[1]).lens(1)[0];
      if (delay === undefined) {
        retryAfterMs = 0;
        continue;
      }
      const duration = readMessage(bytes, delay[0], delay[1]);
      retryAfterMs = duration.int(1) * 1000 + duration.int(2) / 1e6;
    }
    return { code: status.int(1), message: status.text(2), retryAfterMs };
  } catch {
    return undefined;
  }
}

export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/** Reads `partial_success` of an ExportXServiceResponse; undefined where it is not set or the bytes are no such message. */
export function decodePartialSuccess(bytes: Uint8Array): PartialSuccess | undefined {
  if (bytes.length === 0) return undefined;
  try {
    const field = readMessage(bytes, 0, bytes.length).lens(1)[0];
    if (field === undefined) return undefined;
    const partial = readMessage(bytes, field[0], field[1]);
    return { rejected: partial.int(1), message: partial.text(2) };
  } catch {
    return undefined;
  }
}

const EMPTY = Buffer.alloc(0);

/** An ExportXServiceResponse: empty on full success, as the spec wants `partial_success` unset then. The same numbers in all signals. */
export function encodeResponse(_signal: Signal, rejected: number, message: string): Buffer {
  if (rejected === 0 && message === '') return EMPTY;
  const parts: Uint8Array[] = [];
  if (rejected > 0) parts.push(varintField(1, rejected));
  if (message !== '') parts.push(lenField(2, encoder.encode(shortMessage(message))));
  return Buffer.from(lenField(1, Buffer.concat(parts)));
}

class Message {
  readonly #buf: Uint8Array;
  readonly #ints = new Map<number, number>();
  readonly #lens = new Map<number, [number, number][]>();

  constructor(buf: Uint8Array, from: number, end: number) {
    this.#buf = buf;
    let pos = from;
    while (pos < end) {
      const tag = readTag(buf, pos, end);
      const valueAt = position();
      if ((tag & 7) === WIRE_VARINT) {
        this.#ints.set(fieldOf(tag), readVarint(buf, valueAt, end));
        pos = position();
      } else if ((tag & 7) === WIRE_LEN) {
        pos = readLength(buf, valueAt, end);
        const list = this.#lens.get(fieldOf(tag));
        if (list === undefined) this.#lens.set(fieldOf(tag), [[position(), pos]]);
        else list.push([position(), pos]);
      } else {
        pos = skipField(buf, tag, valueAt, end);
      }
    }
  }

  int(field: number): number {
    const value = this.#ints.get(field) ?? 0;
    return value > Number.MAX_SAFE_INTEGER ? 0 : value; // negative int64s are 10-byte varints: no count and no delay is negative
  }

  lens(field: number): [number, number][] {
    return this.#lens.get(field) ?? [];
  }

  text(field: number): string {
    const range = this.#lens.get(field)?.at(-1);
    return range === undefined ? '' : decoder.decode(this.#buf.subarray(range[0], range[1]));
  }
}

function readMessage(buf: Uint8Array, from: number, end: number): Message {
  return new Message(buf, from, end);
}

import { type Refusal, refusalText } from '../admit/errors.ts';
import type { ResponseHeaders, ServerStream } from '../http2/server.ts';
import { encodeStatus } from '../otlp/status.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';

/** Advertised to clients, so that they know what they may send. */
const ACCEPT_ENCODING = 'identity,gzip,zstd,snappy';

const OK_HEADERS: ResponseHeaders = { ':status': '200', 'content-type': 'application/grpc', 'grpc-accept-encoding': ACCEPT_ENCODING };
const OK_TRAILERS: ResponseHeaders = { 'grpc-status': '0' };

/**
 * Of grpc-message before it is percent-encoded, which makes it three times as long at worst, and of the message in the details: clients
 * take 8 KiB of metadata in all, and reset the stream above it instead of reading the status.
 */
const MAX_MESSAGE_BYTES = 1024;

/** A message of no bytes: [not compressed][length 0]. */
const EMPTY_FRAME = Buffer.alloc(5);

/** Success: HEADERS, one DATA frame, trailers. */
export function respondOk(stream: ServerStream, message: Buffer): void {
  stream.respond(OK_HEADERS, message.length === 0 ? EMPTY_FRAME : grpcFrame(message), OK_TRAILERS);
}

/** The head of an answer in several messages. */
export function beginOk(stream: ServerStream): void {
  stream.begin(OK_HEADERS);
}

/** A gRPC status other than OK, as one HEADERS frame with END_STREAM ("trailers-only"). */
export function respondStatus(stream: ServerStream, code: number, message: string, retryAfterMs: number | undefined): void {
  const short = shorten(message);
  const headers: Record<string, string> = {
    ...OK_HEADERS,
    'grpc-status': String(code),
    'grpc-message': percentEncode(short),
  };
  if (retryAfterMs !== undefined) headers['grpc-status-details-bin'] = encodeStatus(code, short, retryAfterMs).toString('base64');
  stream.respond(headers);
}

export function respondRefusal(stream: ServerStream, refusal: Refusal): void {
  respondStatus(stream, refusal.kind.grpc, refusalText(refusal), refusal.retryAfterMs);
}

/** Not gRPC at all: a plain HTTP status (grpc PROTOCOL-HTTP2.md: 415 for other content types). */
export function respondHttpError(stream: ServerStream, status: number, message: string): void {
  const headers = {
    ':status': String(status),
    'content-type': 'text/plain',
    'grpc-status': String(GrpcStatus.INTERNAL),
    'grpc-message': percentEncode(message),
  };
  stream.respond(headers, stream.headers[':method'] === 'HEAD' ? undefined : Buffer.from(message, 'utf8'));
}

/** [not compressed][length, 4 bytes, big endian][message] */
export function grpcFrame(message: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(5 + message.length);
  out[0] = 0;
  out.writeUInt32BE(message.length, 1);
  out.set(message, 5);
  return out;
}

/** The beginning of a text in so many bytes of UTF-8, never half a character. */
function shorten(message: string): string {
  const bytes = Buffer.from(message, 'utf8');
  if (bytes.length <= MAX_MESSAGE_BYTES) return message;
  let end = MAX_MESSAGE_BYTES - 3;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}...`;
}

/** grpc-message: printable ASCII but `%` as it is, all else %XX of its UTF-8 bytes (grpc PROTOCOL-HTTP2.md). */
function percentEncode(message: string): string {
  let out = '';
  for (const byte of Buffer.from(message, 'utf8')) {
    out +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

import { constants, type ServerHttp2Stream } from 'node:http2';
import { type Refusal, refusalText } from '../admit/errors.ts';
import { encodeStatus } from '../otlp/status.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';

/** Advertised to clients, so that they know what they may send. */
const ACCEPT_ENCODING = 'identity,gzip,zstd';

const OK_HEADERS = { ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': ACCEPT_ENCODING } as const;
const OK_TRAILERS = { 'grpc-status': '0' } as const;
const KEEP_OPEN_FOR_TRAILERS = { waitForTrailers: true } as const;

/** A message of no bytes: [not compressed][length 0]. */
const EMPTY_FRAME = Buffer.alloc(5);

/** Success: HEADERS, one DATA frame, trailers. Never on a destroyed stream: node:http2 throws there. */
export function respondOk(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond(OK_HEADERS, KEEP_OPEN_FOR_TRAILERS);
  stream.once('wantTrailers', sendOkTrailers);
  stream.end(message.length === 0 ? EMPTY_FRAME : frame(message));
}

// A named function over `this`, as a closure per call would be one more allocation per request.
function sendOkTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS);
}

/** A gRPC status other than OK, as one HEADERS frame with END_STREAM ("trailers-only"). */
export function respondStatus(stream: ServerHttp2Stream, code: number, message: string, retryAfterMs: number | undefined): void {
  if (stream.destroyed || stream.closed) return;
  const headers: Record<string, string | number> = {
    ...OK_HEADERS,
    'grpc-status': String(code),
    'grpc-message': percentEncode(message),
  };
  if (retryAfterMs !== undefined) headers['grpc-status-details-bin'] = encodeStatus(code, message, retryAfterMs).toString('base64');
  stream.respond(headers, { endStream: true });
  stopReading(stream);
}

export function respondRefusal(stream: ServerHttp2Stream, refusal: Refusal): void {
  respondStatus(stream, refusal.kind.grpc, refusalText(refusal), refusal.retryAfterMs);
}

/** Not gRPC at all: a plain HTTP status (grpc PROTOCOL-HTTP2.md: 415 for other content types). */
export function respondHttpError(stream: ServerHttp2Stream, status: number, message: string): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond(
    { ':status': status, 'content-type': 'text/plain', 'grpc-status': String(GrpcStatus.INTERNAL), 'grpc-message': percentEncode(message) },
    { endStream: true },
  );
  stopReading(stream);
}

/**
 * The answer is complete and the request is not: RST_STREAM NO_ERROR tells the client to stop sending (RFC 9113, 8.1). One turn of the
 * loop later, as nghttp2 drops response headers that wait behind a reset of their stream.
 */
function stopReading(stream: ServerHttp2Stream): void {
  stream.resume();
  if (!stream.readableEnded) setImmediate(resetQuietly, stream);
}

function resetQuietly(stream: ServerHttp2Stream): void {
  if (!stream.destroyed && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
}

function frame(message: Buffer): Buffer {
  const out = Buffer.allocUnsafe(5 + message.length);
  out[0] = 0;
  out.writeUInt32BE(message.length, 1);
  message.copy(out, 5);
  return out;
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

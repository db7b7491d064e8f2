import { constants, type ServerHttp2Stream } from 'node:http2';
import { type Refusal, refusalText } from '../admit/errors.ts';
import { encodeStatus } from '../otlp/status.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';

/** Advertised to clients, so that they know what they may send. */
const ACCEPT_ENCODING = 'identity,gzip,zstd,snappy';

const OK_HEADERS = { ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': ACCEPT_ENCODING } as const;
const OK_TRAILERS = { 'grpc-status': '0' } as const;
const KEEP_OPEN_FOR_TRAILERS = { waitForTrailers: true } as const;

/** Of a refused body. More than what is under way when the client learns of the refusal. */
const MAX_THROWN_AWAY_BYTES = 16 * 1024 * 1024;
const MAX_LINGER_MS = 5_000;

/**
 * Of grpc-message before it is percent-encoded, which makes it three times as long at worst, and of the message in the details: clients
 * take 8 KiB of metadata in all, and reset the stream above it instead of reading the status.
 */
const MAX_MESSAGE_BYTES = 1024;

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
  const short = shorten(message);
  const headers: Record<string, string | number> = {
    ...OK_HEADERS,
    'grpc-status': String(code),
    'grpc-message': percentEncode(short),
  };
  if (retryAfterMs !== undefined) headers['grpc-status-details-bin'] = encodeStatus(code, short, retryAfterMs).toString('base64');
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
 * The answer is complete and the request is not: what the client still sends is read and thrown away, as it stops by itself on the
 * trailers. Resetting the stream at once (RFC 9113, 8.1 allows it) would be wrong twice on node:http2: it drops response headers that wait
 * behind the reset, and DATA that arrives for a stream it has destroyed is never given back to the connection's window, so that after
 * some refusals the whole connection stands still. Who sends on and on is reset, and its connection replaced by GOAWAY for that reason.
 */
export function stopReading(stream: ServerHttp2Stream): void {
  if (stream.readableEnded) return;
  let thrownAway = 0;
  stream.on('data', (data: Buffer) => {
    thrownAway += data.length;
    if (thrownAway > MAX_THROWN_AWAY_BYTES) resetStream(stream);
  });
  const timer = setTimeout(resetStream, MAX_LINGER_MS, stream).unref();
  stream.once('close', () => clearTimeout(timer));
}

function resetStream(stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.closed) return;
  const { session } = stream;
  stream.close(constants.NGHTTP2_NO_ERROR);
  session?.close();
}

/** The beginning of a text in so many bytes of UTF-8, never half a character. */
function shorten(message: string): string {
  const bytes = Buffer.from(message, 'utf8');
  if (bytes.length <= MAX_MESSAGE_BYTES) return message;
  let end = MAX_MESSAGE_BYTES - 3;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}...`;
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

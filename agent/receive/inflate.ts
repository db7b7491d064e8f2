import { promisify } from 'node:util';
import {
  brotliDecompress,
  brotliDecompressSync,
  gunzip,
  gunzipSync,
  inflate,
  inflateSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import type { Grant } from '../admit/budget.ts';
import { REFUSALS, type Refusal, refuse } from '../admit/errors.ts';
import { isFramedSnappy, snappyDecode, snappyLength } from '../compression/snappy-decode.ts';
import { zstdFrames } from '../compression/zstd-frames.ts';

/** `snappy` is a block, or the framed form under its older name; `deflate` is that of zlib, as HTTP means it. */
export type BodyEncoding = 'identity' | 'gzip' | 'zstd' | 'deflate' | 'br' | 'snappy' | 'x-snappy-framed';

type ZlibEncoding = 'gzip' | 'zstd' | 'deflate' | 'br';

/** Up to here inflating on the spot is cheaper than the way to libuv's pool and back, and blocks the loop for less than a millisecond. */
const SYNC_BELOW_BYTES = 64 * 1024;
/** Guess for formats that do not say how large they become: telemetry shrinks 5 to 12 times. */
const GUESSED_RATIO = 16;
const MIN_OUTPUT_BYTES = 1024;
/** zstd's decoder refuses larger windows (ZSTD_WINDOWLOG_LIMIT_DEFAULT). */
const MAX_ZSTD_WINDOW_BYTES = 128 * 1024 * 1024;

const SYNC = { gzip: gunzipSync, zstd: zstdDecompressSync, deflate: inflateSync, br: brotliDecompressSync };
const ASYNC = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress), deflate: promisify(inflate), br: promisify(brotliDecompress) };

/**
 * Inflates a body whose bytes are already charged to `grant`. Memory is charged before it is used: for what the body says it becomes
 * (gzip's trailer, the headers of zstd and snappy) or a guess, and the inflater may not write more than was charged. A body that lied is
 * inflated once more, charged with the whole limit: a bomb meets either the receiver's limit or the memory limit, never memory itself.
 */
export function inflateBody(
  encoding: Exclude<BodyEncoding, 'identity'>,
  body: Buffer,
  limit: number,
  grant: Grant,
): Buffer | Refusal | Promise<Buffer | Refusal> {
  if (encoding === 'snappy' || encoding === 'x-snappy-framed') return inflateSnappy(encoding, body, limit, grant);
  if (encoding === 'zstd') return inflateZstd(body, limit, grant);
  return inflateZlib(encoding, body, limit, sizeHint(encoding, body), 0, grant);
}

/** `expected` bytes are charged, and `beside` them what the decoder itself needs. */
function inflateZlib(
  encoding: ZlibEncoding,
  body: Buffer,
  limit: number,
  expected: number,
  beside: number,
  grant: Grant,
): Buffer | Refusal | Promise<Buffer | Refusal> {
  const hint = Math.min(limit, Math.max(MIN_OUTPUT_BYTES, expected));
  if (body.length < SYNC_BELOW_BYTES && hint < 8 * SYNC_BELOW_BYTES) {
    if (!grant.resize(body.length + hint + beside)) return refuse(REFUSALS.MEMORY);
    try {
      return SYNC[encoding](body, options(encoding, hint));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ERR_BUFFER_TOO_LARGE') return broken(encoding, code ?? (error as Error).message);
      if (hint >= limit) return tooLarge(limit);
      // It lied or was guessed wrongly: on to the pool with the whole limit.
      return inflateWithin(encoding, body, limit, limit, beside, grant);
    }
  }
  return inflateWithin(encoding, body, hint, limit, beside, grant);
}

async function inflateWithin(
  encoding: ZlibEncoding,
  body: Buffer,
  room: number,
  limit: number,
  beside: number,
  grant: Grant,
): Promise<Buffer | Refusal> {
  if (!grant.resize(body.length + room + beside)) return refuse(REFUSALS.MEMORY);
  grant.retain(1); // the pool writes on when the client has gone and its call has given the grant back
  try {
    return await ASYNC[encoding](body, options(encoding, room));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_BUFFER_TOO_LARGE') return broken(encoding, code ?? (error as Error).message);
    if (room >= limit) return tooLarge(limit);
    return await inflateWithin(encoding, body, limit, limit, beside, grant);
  } finally {
    grant.release();
  }
}

/** Several frames are one body: RFC 8878, 3.1. Most senders write one. */
function inflateZstd(body: Buffer, limit: number, grant: Grant): Buffer | Refusal | Promise<Buffer | Refusal> {
  const frames = zstdFrames(body);
  if (frames === undefined) return broken('zstd', 'no row of whole frames');
  let known = true;
  let bytes = 0;
  let window = 0;
  for (const { contentBytes, windowBytes } of frames) {
    if (contentBytes === undefined) known = false;
    else bytes += contentBytes;
    window = Math.max(window, windowBytes);
  }
  if (bytes > limit) return tooLarge(limit);
  if (window > MAX_ZSTD_WINDOW_BYTES) return broken('zstd', `a window of ${window} bytes`);
  const expected = known ? bytes + 1 : body.length * GUESSED_RATIO;
  // A decoder takes no more window than there is content, where it is known.
  const beside = known ? Math.min(window, bytes) : window;
  const [first] = frames;
  if (first === undefined) return Buffer.alloc(0);
  if (frames.length === 1) return inflateZlib('zstd', body, limit, expected, beside, grant);
  return inflateFrames(
    frames.map(({ start, end }) => body.subarray(start, end)),
    body.length,
    limit,
    expected,
    beside,
    grant,
  );
}

/** Frame by frame, as an older node:zlib stops after the first. Charged for the frames and the buffer that they are joined into. */
async function inflateFrames(
  frames: readonly Buffer[],
  bodyBytes: number,
  limit: number,
  expected: number,
  beside: number,
  grant: Grant,
): Promise<Buffer | Refusal> {
  const room = Math.min(limit, Math.max(MIN_OUTPUT_BYTES, expected));
  const parts: Buffer[] = [];
  let bytes = 0;
  if (!grant.resize(bodyBytes + 2 * room + beside)) return refuse(REFUSALS.MEMORY);
  grant.retain(1);
  try {
    for (const frame of frames) {
      const part = await ASYNC.zstd(frame, { maxOutputLength: Math.max(1, room - bytes) });
      bytes += part.length;
      parts.push(part);
    }
    return Buffer.concat(parts, bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_BUFFER_TOO_LARGE') return broken('zstd', code ?? (error as Error).message);
    if (room >= limit) return tooLarge(limit);
    return await inflateFrames(frames, bodyBytes, limit, limit, beside, grant);
  } finally {
    grant.release();
  }
}

function inflateSnappy(encoding: 'snappy' | 'x-snappy-framed', body: Buffer, limit: number, grant: Grant): Buffer | Refusal {
  const framed = encoding === 'x-snappy-framed' || isFramedSnappy(body);
  const length = snappyLength(body, framed);
  if (length === undefined) return broken(encoding, 'no snappy');
  if (length > limit) return tooLarge(limit);
  if (!grant.resize(body.length + length)) return refuse(REFUSALS.MEMORY);
  const out = Buffer.allocUnsafeSlow(length);
  return snappyDecode(body, framed, out) ? out : broken(encoding, 'broken data');
}

function broken(encoding: string, why: string): Refusal {
  return refuse(REFUSALS.BAD_COMPRESSION, `${encoding}: ${why}`);
}

function tooLarge(limit: number): Refusal {
  return refuse(REFUSALS.TOO_LARGE, `more than ${limit} bytes after decompression`);
}

/** One output buffer of the expected size instead of many of 16 KiB that must be joined. */
function options(encoding: ZlibEncoding, room: number): { maxOutputLength: number; chunkSize?: number } {
  return encoding === 'zstd' ? { maxOutputLength: room } : { maxOutputLength: room, chunkSize: Math.max(64, Math.min(room, 1024 * 1024)) };
}

/** gzip ends with the inflated size of its last member, little endian, modulo 2^32 (RFC 1952, ISIZE). One more byte shows that it fits. */
function sizeHint(encoding: ZlibEncoding, body: Buffer): number {
  if (encoding === 'gzip' && body.length >= 18) return body.readUInt32LE(body.length - 4) + 1;
  return body.length * GUESSED_RATIO;
}

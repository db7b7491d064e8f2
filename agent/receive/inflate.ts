import { promisify } from 'node:util';
import { gunzip, gunzipSync, inflate, inflateSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { Grant } from '../admit/budget.ts';
import { REFUSALS, type Refusal, refuse } from '../admit/errors.ts';

export type BodyEncoding = 'identity' | 'gzip' | 'zstd' | 'deflate';

/** Up to here inflating on the spot is cheaper than the way to libuv's pool and back, and blocks the loop for less than a millisecond. */
const SYNC_BELOW_BYTES = 64 * 1024;
/** Guess for formats that do not say how large they become: telemetry shrinks 5 to 12 times. */
const GUESSED_RATIO = 16;
const MIN_OUTPUT_BYTES = 1024;

const SYNC = { gzip: gunzipSync, zstd: zstdDecompressSync, deflate: inflateSync };
const ASYNC = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress), deflate: promisify(inflate) };

/**
 * Inflates a body whose bytes are already charged to `grant`. Memory is charged before it is used: for what the body says it becomes
 * (gzip's trailer) or a guess, and the inflater may not write more than was charged. A body that lied is inflated once more, charged
 * with the whole limit: a bomb meets either the receiver's limit or the memory limit, never memory itself.
 */
export function inflateBody(
  encoding: Exclude<BodyEncoding, 'identity'>,
  body: Buffer,
  limit: number,
  grant: Grant,
): Buffer | Refusal | Promise<Buffer | Refusal> {
  const hint = Math.min(limit, Math.max(MIN_OUTPUT_BYTES, sizeHint(encoding, body)));
  if (body.length < SYNC_BELOW_BYTES && hint < 8 * SYNC_BELOW_BYTES) {
    if (!grant.resize(body.length + hint)) return refuse(REFUSALS.MEMORY);
    try {
      return SYNC[encoding](body, options(encoding, hint));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ERR_BUFFER_TOO_LARGE') return refuse(REFUSALS.BAD_COMPRESSION, `${encoding}: ${code ?? (error as Error).message}`);
      if (hint >= limit) return tooLarge(limit);
      // It lied or was guessed wrongly: on to the pool with the whole limit.
      return inflateWithin(encoding, body, limit, limit, grant);
    }
  }
  return inflateWithin(encoding, body, hint, limit, grant);
}

async function inflateWithin(
  encoding: Exclude<BodyEncoding, 'identity'>,
  body: Buffer,
  room: number,
  limit: number,
  grant: Grant,
): Promise<Buffer | Refusal> {
  if (!grant.resize(body.length + room)) return refuse(REFUSALS.MEMORY);
  grant.retain(1); // the pool writes on when the client has gone and its call has given the grant back
  try {
    return await ASYNC[encoding](body, options(encoding, room));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_BUFFER_TOO_LARGE') return refuse(REFUSALS.BAD_COMPRESSION, `${encoding}: ${code ?? (error as Error).message}`);
    if (room >= limit) return tooLarge(limit);
    return await inflateWithin(encoding, body, limit, limit, grant);
  } finally {
    grant.release();
  }
}

function tooLarge(limit: number): Refusal {
  return refuse(REFUSALS.TOO_LARGE, `more than ${limit} bytes after decompression`);
}

/** One output buffer of the expected size instead of many of 16 KiB that must be joined. */
function options(encoding: BodyEncoding, room: number): { maxOutputLength: number; chunkSize?: number } {
  return encoding === 'zstd' ? { maxOutputLength: room } : { maxOutputLength: room, chunkSize: Math.max(64, Math.min(room, 1024 * 1024)) };
}

/** gzip ends with the inflated size of its last member, little endian, modulo 2^32 (RFC 1952, ISIZE). One more byte shows that it fits. */
function sizeHint(encoding: BodyEncoding, body: Buffer): number {
  if (encoding === 'gzip' && body.length >= 18) return body.readUInt32LE(body.length - 4) + 1;
  return body.length * GUESSED_RATIO;
}

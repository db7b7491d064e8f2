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
import { BROKEN, FULL, ZlibContext } from '../compression/zlib-context.ts';
import { zstdFrames } from '../compression/zstd-frames.ts';

/** `snappy` is a block, or the framed form under its older name; `deflate` is that of zlib, as HTTP means it. */
export type BodyEncoding = 'identity' | 'gzip' | 'zstd' | 'deflate' | 'br' | 'snappy' | 'x-snappy-framed';

type ZlibEncoding = 'gzip' | 'zstd' | 'deflate' | 'br';

/**
 * Up to here inflating on the spot is cheaper than the way to libuv's pool and back (70 microseconds of CPU), and blocks the loop for about
 * a millisecond: what goes in, and what comes out.
 */
const SYNC_INPUT_BYTES = 256 * 1024;
const SYNC_OUTPUT_BYTES = 1024 * 1024;
/** Guess for formats that do not say how large they become: telemetry shrinks 5 to 12 times. */
const GUESSED_RATIO = 16;
const MIN_OUTPUT_BYTES = 1024;
/** zstd's decoder refuses larger windows (ZSTD_WINDOWLOG_LIMIT_DEFAULT). */
const MAX_ZSTD_WINDOW_BYTES = 128 * 1024 * 1024;

/** A decoder that is used again keeps its window: those of larger ones are made for one body. */
const MAX_KEPT_WINDOW_BYTES = 1024 * 1024;
/** Pieces of output on the pool where it is not known how many bytes come. */
const UNKNOWN_CHUNK_BYTES = 1024 * 1024;

/** The types of node:zlib know `info` of none of them. */
type OnPool = (body: Buffer, how: Partial<How>, done: (error: Error | null, result: Informed) => void) => void;
type OnLoop = (body: Buffer, how: How) => Informed;
const SYNC = { gzip: gunzipSync, zstd: zstdDecompressSync, deflate: inflateSync, br: brotliDecompressSync } as unknown as Record<
  ZlibEncoding,
  OnLoop
>;
const ASYNC = { gzip: gunzip, zstd: zstdDecompress, deflate: inflate, br: brotliDecompress } as unknown as Record<ZlibEncoding, OnPool>;

/**
 * Inflates a body whose bytes are already charged to `grant`. Memory is charged before it is used: for what the body says it becomes
 * (gzip's trailer, the headers of zstd and snappy) or a guess, and the inflater may not write more than was charged. A body that became
 * more is inflated again, charged with more, at last with the whole limit: a bomb meets either the receiver's limit or the memory limit, never memory itself.
 */
export function inflateBody(
  encoding: Exclude<BodyEncoding, 'identity'>,
  body: Buffer,
  limit: number,
  grant: Grant,
): Buffer | Refusal | Promise<Buffer | Refusal> {
  const result = inflateView(encoding, body, limit, grant);
  return Buffer.isBuffer(result) ? keep(result) : result;
}

/**
 * Like inflateBody(), for who only looks, or copies at once: what is returned at once may lie in memory that the next call writes over.
 * A promise has memory of its own.
 */
export function inflateView(
  encoding: Exclude<BodyEncoding, 'identity'>,
  body: Buffer,
  limit: number,
  grant: Grant,
): Buffer | Refusal | Promise<Buffer | Refusal> {
  if (encoding === 'snappy' || encoding === 'x-snappy-framed') return inflateSnappy(encoding, body, limit, grant);
  if (encoding === 'zstd') return inflateZstd(body, limit, grant);
  return inflateZlib(encoding, body, limit, sizeHint(encoding, body), 0, grant);
}

/**
 * What a body is inflated into before it is copied to its place: pages that are used again are in the cache, new ones cost a fault each.
 * Inflating 512 spans there and copying them costs no more than inflating them into new memory, and what is kept is exactly as long as what
 * is charged, also where the sender had announced more.
 */
let scratch: Buffer | undefined;
let gunzipper: ZlibContext | undefined | null;
let unzstder: ZlibContext | undefined | null;

/** A body of its own of what inflateView() has returned. */
export function keep(view: Buffer): Buffer {
  if (view.buffer !== scratch?.buffer) return view;
  const own = Buffer.allocUnsafeSlow(view.length);
  own.set(view);
  return own;
}

/**
 * The same in the place of the compressed body: charged to the grant as what it is, small ones in its slab. Undefined where a memory limit
 * is in the way.
 */
export function keepIn(view: Buffer, grant: Grant): Buffer | undefined {
  grant.leaveBody();
  if (view.buffer !== scratch?.buffer) return grant.resize(view.length) ? view : undefined;
  const own = grant.allocate(view.length);
  own?.set(view);
  return own;
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
  if (body.length > SYNC_INPUT_BYTES || hint > SYNC_OUTPUT_BYTES) return inflateWithin(encoding, body, hint, true, limit, beside, grant);
  if (!grant.resize(body.length + hint + beside)) return refuse(REFUSALS.MEMORY);
  const context = contextOf(encoding, beside);
  const result = context === undefined ? oneShot(encoding, body, hint) : inScratch(encoding, context, body, hint);
  if (result !== undefined) return result;
  if (hint >= limit) return tooLarge(limit);
  // It has several members, lied or was guessed wrongly: on to the pool.
  return inflateWithin(encoding, body, nextRoom(body, hint, limit), false, limit, beside, grant);
}

/** After a room that was too small: first what telemetry at most becomes, as the whole limit is much to charge; then the limit. */
function nextRoom(body: Buffer, room: number, limit: number): number {
  const guess = body.length * GUESSED_RATIO;
  return room < guess ? Math.min(limit, guess) : limit;
}

function contextOf(encoding: ZlibEncoding, window: number): ZlibContext | undefined {
  // null: Node has another inside than the one that is known.
  if (encoding === 'gzip') {
    if (gunzipper === undefined) gunzipper = ZlibContext.gunzip() ?? null;
    return gunzipper ?? undefined;
  }
  if (encoding !== 'zstd' || window > MAX_KEPT_WINDOW_BYTES) return undefined;
  if (unzstder === undefined) unzstder = ZlibContext.unzstd() ?? null;
  return unzstder ?? undefined;
}

/** Undefined where it becomes more than `room`. */
function inScratch(encoding: ZlibEncoding, context: ZlibContext, body: Buffer, room: number): Buffer | Refusal | undefined {
  scratch ??= Buffer.allocUnsafeSlow(SYNC_OUTPUT_BYTES + 1);
  const bytes = context.run(body, scratch, room + 1);
  if (bytes === FULL) return undefined;
  if (bytes === BROKEN) return broken(encoding, context.error);
  if (context.left > 0) return rest(encoding, context.left);
  return scratch.subarray(0, bytes);
}

function oneShot(encoding: ZlibEncoding, body: Buffer, room: number): Buffer | Refusal | undefined {
  try {
    const { buffer, engine } = SYNC[encoding](body, options(room, true));
    return encoding === 'gzip' && engine.bytesWritten < body.length ? rest(encoding, body.length - engine.bytesWritten) : trim(buffer);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ERR_BUFFER_TOO_LARGE' ? undefined : broken(encoding, code ?? message);
  }
}

async function inflateWithin(
  encoding: ZlibEncoding,
  body: Buffer,
  room: number,
  known: boolean,
  limit: number,
  beside: number,
  grant: Grant,
): Promise<Buffer | Refusal> {
  if (!grant.resize(body.length + room + beside)) return refuse(REFUSALS.MEMORY);
  grant.retain(1); // the pool writes on when the client has gone and its call has given the grant back
  try {
    const { buffer, engine } = await onPool(encoding, body, options(room, known));
    return encoding === 'gzip' && engine.bytesWritten < body.length ? rest(encoding, body.length - engine.bytesWritten) : trim(buffer);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_BUFFER_TOO_LARGE') return broken(encoding, code ?? (error as Error).message);
    if (room >= limit) return tooLarge(limit);
    return await inflateWithin(encoding, body, nextRoom(body, room, limit), false, limit, beside, grant);
  } finally {
    grant.release();
  }
}

interface How {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
  readonly info: boolean;
}

/** What node:zlib gives with `info`: bytesWritten is what the engine has read. */
interface Informed {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function onPool(encoding: ZlibEncoding, body: Buffer, how: Partial<How>): Promise<Informed> {
  const { promise, resolve, reject } = Promise.withResolvers<Informed>();
  ASYNC[encoding](body, how, (error, result) => (error === null ? resolve(result) : reject(error)));
  return promise;
}

/** What is kept is what is charged: output memory much larger than the output, which a wrong trailer asks for, is not. */
function trim(out: Buffer): Buffer {
  return out.buffer.byteLength <= out.length + MIN_OUTPUT_BYTES ? out : Buffer.from(Uint8Array.prototype.slice.call(out).buffer);
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
  if (frames.length === 1 && first.end - first.start === body.length) return inflateZlib('zstd', body, limit, expected, beside, grant);
  return inflateFrames(
    frames.map(({ start, end, contentBytes }) => ({ bytes: body.subarray(start, end), contentBytes })),
    body.length,
    limit,
    expected,
    beside,
    grant,
  );
}

/** Frame by frame, as an older node:zlib stops after the first. Charged for the frame at hand and the buffer that all are joined in. */
async function inflateFrames(
  frames: readonly { readonly bytes: Buffer; readonly contentBytes: number | undefined }[],
  bodyBytes: number,
  limit: number,
  expected: number,
  beside: number,
  grant: Grant,
): Promise<Buffer | Refusal> {
  const room = Math.min(limit, Math.max(MIN_OUTPUT_BYTES, expected));
  let bytes = 0;
  if (!grant.resize(bodyBytes + 2 * room + beside)) return refuse(REFUSALS.MEMORY);
  const again = (): Refusal | Promise<Buffer | Refusal> =>
    room >= limit ? tooLarge(limit) : inflateFrames(frames, bodyBytes, limit, limit, beside, grant);
  grant.retain(1);
  try {
    // One by one to its place: kept until the end, each of a thousand small ones would keep the 16 KiB that it was inflated into.
    const out = Buffer.allocUnsafeSlow(room);
    for (const frame of frames) {
      // Into one buffer where its size is known: in smaller pieces the decoder would keep all of it a second time, as its window.
      const most = Math.max(1, Math.min(room - bytes, frame.contentBytes ?? room));
      const { buffer: part } = await onPool('zstd', frame.bytes, options(most, frame.contentBytes !== undefined));
      if (bytes + part.length > room) return await again();
      bytes += part.copy(out, bytes);
    }
    return trim(out.subarray(0, bytes));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_BUFFER_TOO_LARGE') return broken('zstd', code ?? (error as Error).message);
    return await again();
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

/** RFC 1952 knows no padding; what lies behind zeros would be lost in silence, as node:zlib ends there. The Collector refuses it too. */
function rest(encoding: string, bytes: number): Refusal {
  return broken(encoding, `${bytes} bytes behind its end`);
}

function tooLarge(limit: number): Refusal {
  return refuse(REFUSALS.TOO_LARGE, `more than ${limit} bytes after decompression`);
}

/** One output buffer of the expected size instead of many of 16 KiB that must be joined, each a way to the pool and back. */
function options(room: number, known: boolean): How {
  const chunkSize = known ? room + 1 : Math.min(room, UNKNOWN_CHUNK_BYTES);
  return { maxOutputLength: room, chunkSize: Math.max(64, chunkSize), info: true };
}

/** gzip ends with the inflated size of its last member, little endian, modulo 2^32 (RFC 1952, ISIZE). One more byte shows that it fits. */
function sizeHint(encoding: ZlibEncoding, body: Buffer): number {
  if (encoding === 'gzip' && body.length >= 18) return body.readUInt32LE(body.length - 4) + 1;
  return body.length * GUESSED_RATIO;
}

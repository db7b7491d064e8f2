import { deflate, gzip, constants as zlib, zstdCompress } from 'node:zlib';
import { snappyBlock, snappyFramed } from '../compression/snappy-encode.ts';
import { stage } from '../compression/staging.ts';
import { ZlibContext } from '../compression/zlib-context.ts';
import type { Compression, Signal } from '../config/settings.ts';
import type { Encoded } from './transport.ts';

export type Encoding = Encoded['encoding'];

/**
 * Level 1 is 430 MB/s where 6 is 130, for a tenth more bytes on telemetry; level 6 costs more CPU than the network it saves. Measured with
 * 3 MB of spans, and no better: levels 2 and 3, smaller windows, Z_FILTERED and Z_FIXED; Z_RLE and Z_HUFFMAN_ONLY are slower and leave four
 * times the bytes (bench: test/bench/agent-compression.mjs).
 */
const GZIP_LEVEL = 1;
/** Half as many blocks, each with a Huffman table that has to be made: a tenth less CPU than 8, the default, for 128 kB more while it runs. */
const GZIP_MEM_LEVEL = 9;
/** 900 MB/s and still smaller than gzip. */
const ZSTD_LEVEL = 1;
/** Below it gzip and zstd of a low level are made on the spot: the way to the pool and back costs 100 microseconds of CPU, and the loop waits for less than that. */
const SYNC_BELOW_BYTES = 32 * 1024;
/** Higher ones take several times as long. */
const SYNC_UP_TO_LEVEL = 3;
/** First guess of what is left of telemetry; later ones are made from what was left of the request before. */
const FIRST_RATIO = 0.2;
const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** Memory behind a result that it does not fill, as a part of it: more is copied off, as the result is what is charged. */
const MAX_SLACK = 1 / 8;

type PoolKind = 'gzip' | 'deflate' | 'zstd';
type OnPool = (body: Buffer, options: object, done: (error: Error | null, result: Buffer) => void) => void;

const POOL: Record<PoolKind, OnPool> = { gzip, deflate, zstd: zstdCompress };
const ratios: Record<PoolKind, number> = { gzip: FIRST_RATIO, deflate: FIRST_RATIO, zstd: FIRST_RATIO };
const NO_MEMBERS: readonly Uint8Array[] = [];

/**
 * Makes the body of a merged request. `none` passes the slices on as they are; snappy and what is small is made here, gzip, deflate and
 * zstd on libuv's pool. `members` are gzip bodies that go on as they came, and only with gzip: RFC 1952, 2.2 makes one body of a row of them.
 */
export function compress(
  kind: Compression,
  level: number | undefined,
  signal: Signal,
  slices: readonly Uint8Array[],
  bytes: number,
  items: number,
  members: readonly Uint8Array[] = NO_MEMBERS,
): Encoded | Promise<Encoded> {
  if (kind === 'none') return { signal, slices, bytes, items, encoding: 'identity' };
  const done = (made: Uint8Array): Encoded =>
    members.length === 0
      ? { signal, slices: [made], bytes: made.length, items, encoding: kind }
      : { signal, slices: [...members, made], bytes: lengthOf(members) + made.length, items, encoding: kind };
  let out: Uint8Array | undefined;
  switch (kind) {
    case 'gzip':
      if (slices.length === 0) return { signal, slices: members, bytes: lengthOf(members), items, encoding: kind };
      out = now('gzip', level ?? GZIP_LEVEL, slices, bytes);
      return out === undefined ? onPool('gzip', zlibOptions(level), slices, bytes).then(done) : done(out);
    case 'deflate':
    case 'zlib': // the same format under two names
      return onPool('deflate', zlibOptions(level), slices, bytes).then(done);
    case 'zstd':
      out = now('zstd', level ?? ZSTD_LEVEL, slices, bytes);
      return out === undefined ? onPool('zstd', zstdOptions(bytes, level), slices, bytes).then(done) : done(out);
    case 'snappy':
      return done(snappyBlock(wholeOf(slices, bytes)));
    case 'x-snappy-framed':
      return done(snappyFramed(wholeOf(slices, bytes)));
  }
}

const zlibOptions = (level = GZIP_LEVEL): object => ({ level, memLevel: GZIP_MEM_LEVEL });
/** With its size in the frame's header the next hop need not guess how much memory the request takes. */
const zstdOptions = (bytes: number, level = ZSTD_LEVEL): object => ({
  params: { [zlib.ZSTD_c_compressionLevel]: level },
  pledgedSrcSize: bytes,
});

/** One output of about the right size: each further piece is a way to the pool and back, and they are joined in the end. */
function onPool(kind: PoolKind, options: object, slices: readonly Uint8Array[], bytes: number): Promise<Uint8Array> {
  const staged = slices.length === 1 ? undefined : stage(slices, bytes);
  const guess = Math.ceil(bytes * ratios[kind] * (1 + MAX_SLACK / 2)) + 64;
  const chunkSize = Math.min(Math.max(guess, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  POOL[kind](staged?.joined ?? (slices[0] as Buffer), { ...options, chunkSize }, (error, out) => {
    staged?.end();
    if (error !== null) {
      reject(error);
      return;
    }
    ratios[kind] = out.length / bytes;
    resolve(out.buffer.byteLength <= out.length * (1 + MAX_SLACK) ? out : Uint8Array.prototype.slice.call(out));
  });
  return promise;
}

const MAKE = { gzip: (level: number) => ZlibContext.gzip(level), zstd: (level: number) => ZlibContext.zstd(level) } as const;
/** One for each level that was asked for: a program has few exporters, and one of gzip is 268 kB. */
const contexts = { gzip: new Map<number, ZlibContext | undefined>(), zstd: new Map<number, ZlibContext | undefined>() };
let scratch: Buffer | undefined;

/** Made on the spot; undefined where it is much, or Node has another inside than the one that is known. */
function now(kind: keyof typeof MAKE, level: number, slices: readonly Uint8Array[], bytes: number): Uint8Array | undefined {
  if (bytes >= SYNC_BELOW_BYTES || level > SYNC_UP_TO_LEVEL) return undefined;
  const made = contexts[kind];
  if (!made.has(level)) made.set(level, MAKE[kind](level));
  const context = made.get(level);
  if (context === undefined) return undefined;
  scratch ??= Buffer.allocUnsafeSlow(2 * SYNC_BELOW_BYTES);
  const staged = stage(slices, bytes);
  const written = context.run(staged.joined, scratch);
  staged.end();
  return written > 0 ? Uint8Array.prototype.slice.call(scratch, 0, written) : undefined;
}

function wholeOf(slices: readonly Uint8Array[], bytes: number): Uint8Array {
  return slices.length === 1 ? (slices[0] as Uint8Array) : Buffer.concat(slices, bytes);
}

function lengthOf(members: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const member of members) bytes += member.length;
  return bytes;
}

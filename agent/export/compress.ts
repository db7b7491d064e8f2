import { promisify } from 'node:util';
import { deflate, gzip, constants as zlib, zstdCompress } from 'node:zlib';
import { snappyBlock, snappyFramed } from '../compression/snappy-encode.ts';
import type { Compression, Signal } from '../config/settings.ts';
import type { Encoded } from './transport.ts';

export type Encoding = Encoded['encoding'];

/** Level 1 is 340 MB/s where 6 is 110..150, for a tenth more bytes on telemetry; level 6 costs more CPU than the network it saves. */
const GZIP_LEVEL = 1;
/** 900 MB/s and still smaller than gzip. */
const ZSTD_LEVEL = 1;

const gzipAsync = promisify(gzip);
const deflateAsync = promisify(deflate);
const zstdAsync = promisify(zstdCompress);

/** Compresses a merged body on libuv's pool (snappy here: no faster than its own way there); `none` passes the slices on as they are. */
export function compress(
  kind: Compression,
  level: number | undefined,
  signal: Signal,
  slices: readonly Uint8Array[],
  bytes: number,
  items: number,
): Encoded | Promise<Encoded> {
  if (kind === 'none') return { signal, slices, bytes, items, encoding: 'identity' };
  const whole = slices.length === 1 ? (slices[0] as Uint8Array) : Buffer.concat(slices, bytes);
  const done = (out: Uint8Array): Encoded => ({ signal, slices: [out], bytes: out.length, items, encoding: kind });
  switch (kind) {
    case 'gzip':
      return gzipAsync(whole, { level: level ?? GZIP_LEVEL }).then(done);
    case 'deflate':
    case 'zlib': // the same format under two names
      return deflateAsync(whole, { level: level ?? GZIP_LEVEL }).then(done);
    case 'zstd':
      return zstdAsync(whole, { params: { [zlib.ZSTD_c_compressionLevel]: level ?? ZSTD_LEVEL } }).then(done);
    case 'snappy':
      return done(snappyBlock(whole));
    case 'x-snappy-framed':
      return done(snappyFramed(whole));
  }
}

import type { BodyEncoding } from './inflate.ts';

/**
 * The names of Content-Encoding that the receiver takes, as `compression_algorithms` and the header spell them. All but `br` are the
 * Collector's; it has `lz4` too, for which npm has no reader that is kept.
 */
const ENCODINGS: Readonly<Record<string, BodyEncoding>> = {
  gzip: 'gzip',
  zstd: 'zstd',
  zlib: 'deflate',
  snappy: 'snappy',
  deflate: 'deflate',
  'x-snappy-framed': 'x-snappy-framed',
  br: 'br',
};

export const CONTENT_ENCODINGS: readonly string[] = Object.keys(ENCODINGS);

/** `none` is not in HTTP; SDKs have sent it. */
const NO_ENCODING: ReadonlySet<string> = new Set(['', 'identity', 'none']);

/** What a header's value means; undefined where it is not among `allowed`. */
export function contentEncoding(header: string | undefined, allowed: readonly string[]): BodyEncoding | undefined {
  if (header === undefined) return 'identity';
  const name = header.trim().toLowerCase();
  if (NO_ENCODING.has(name)) return 'identity';
  return allowed.includes(name) ? ENCODINGS[name] : undefined;
}

/** XXH64 with seed 0 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), for the Collector's attribute hashes. */
const MASK = 0xffff_ffff_ffff_ffffn;
const P1 = 11400714785074694791n;
const P2 = 14029467366897019727n;
const P3 = 1609587929392839161n;
const P4 = 9650029242287828579n;
const P5 = 2870177450012600261n;

const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & MASK;
const round = (sum: bigint, lane: bigint): bigint => (rotate((sum + lane * P2) & MASK, 31n) * P1) & MASK;
const merge = (sum: bigint, lane: bigint): bigint => ((sum ^ round(0n, lane)) * P1 + P4) & MASK;

/** Whole attribute sets are some hundred bytes and hashed once for each resource or point, so that bigint is quick enough. */
export function xxhash64(bytes: Buffer): bigint {
  let pos = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    let [a, b, c, d] = [(P1 + P2) & MASK, P2, 0n, (MASK + 1n - P1) & MASK];
    for (; pos + 32 <= bytes.length; pos += 32) {
      a = round(a, bytes.readBigUInt64LE(pos));
      b = round(b, bytes.readBigUInt64LE(pos + 8));
      c = round(c, bytes.readBigUInt64LE(pos + 16));
      d = round(d, bytes.readBigUInt64LE(pos + 24));
    }
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK;
    for (const lane of [a, b, c, d]) hash = merge(hash, lane);
  } else {
    hash = P5;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; pos + 8 <= bytes.length; pos += 8) hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(pos)), 27n) * P1 + P4) & MASK;
  if (pos + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(pos)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    pos += 4;
  }
  for (; pos < bytes.length; pos += 1) hash = (rotate(hash ^ ((BigInt(bytes[pos] as number) * P5) & MASK), 11n) * P1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

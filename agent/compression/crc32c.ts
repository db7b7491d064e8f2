/** CRC-32C (Castagnoli), masked as snappy's framing wants it (framing_format.txt, 3). */
const TABLE = new Int32Array(256);
for (let i = 0; i < 256; i += 1) {
  let crc = i;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  TABLE[i] = crc;
}

export function maskedCrc32c(buf: Uint8Array, from: number, end: number): number {
  let crc = -1;
  for (let i = from; i < end; i += 1) crc = (TABLE[(crc ^ (buf[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  crc = ~crc;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

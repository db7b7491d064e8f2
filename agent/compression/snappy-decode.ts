import { maskedCrc32c } from './crc32c.ts';

/**
 * Snappy in both its forms (github.com/google/snappy, format_description.txt and framing_format.txt). Own code, as the format is one page
 * and what npm has is native or no longer kept. Both forms say how large they become before a byte is written, so that memory is charged
 * exactly and a bomb is refused by its header.
 *
 *   block    length varint | elements: literal (00), copy (01, 10, 11)
 *   framed   ff 06 00 00 "sNaPpY" | chunks: type 1, length 3, masked crc32c 4, block or bytes of at most 64 KiB
 */
const STREAM_HEADER = Buffer.from([0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]);
const COMPRESSED_CHUNK = 0x00;
const PLAIN_CHUNK = 0x01;
const FIRST_SKIPPABLE_CHUNK = 0x80;
const MAX_CHUNK_CONTENT = 65_536;
const CRC_BYTES = 4;

/** Whether a body begins as the framed form does; the Collector finds it so under the name of the other, which older ones used. */
export function isFramedSnappy(body: Buffer): boolean {
  return body.length >= STREAM_HEADER.length && body.compare(STREAM_HEADER, 0, STREAM_HEADER.length, 0, STREAM_HEADER.length) === 0;
}

/** Bytes after inflating, or undefined where the body is no snappy. */
export function snappyLength(body: Buffer, framed: boolean): number | undefined {
  if (!framed) return blockLength(body, 0, body.length)?.length;
  let total = 0;
  const whole = eachChunk(body, (type, from, end) => {
    const content = from + CRC_BYTES;
    const length = type === PLAIN_CHUNK ? end - content : blockLength(body, content, end)?.length;
    if (length === undefined || length > MAX_CHUNK_CONTENT) return false;
    total += length;
    return true;
  });
  return whole ? total : undefined;
}

/** Inflates into `out`, which has exactly snappyLength() bytes; false where the body is malformed. */
export function snappyDecode(body: Buffer, framed: boolean, out: Buffer): boolean {
  if (!framed) return decodeBlock(body, 0, body.length, out, 0) === out.length;
  let at = 0;
  return eachChunk(body, (type, from, end) => {
    const content = from + CRC_BYTES;
    const start = at;
    if (type === PLAIN_CHUNK) at += body.copy(out, at, content, end);
    else at = decodeBlock(body, content, end, out, at);
    return at >= 0 && maskedCrc32c(out, start, at) === body.readUInt32LE(from);
  });
}

/** Calls `use` with the range of every chunk that holds data; false where the framing is broken or `use` says so. */
function eachChunk(body: Buffer, use: (type: number, from: number, end: number) => boolean): boolean {
  if (!isFramedSnappy(body)) return false;
  let pos = 0;
  while (pos < body.length) {
    if (pos + 4 > body.length) return false;
    const type = body[pos] as number;
    const from = pos + 4;
    const end = from + body.readUIntLE(pos + 1, 3);
    if (end > body.length) return false;
    if (type === COMPRESSED_CHUNK || type === PLAIN_CHUNK) {
      if (end - from < CRC_BYTES || !use(type, from, end)) return false;
    } else if (type < FIRST_SKIPPABLE_CHUNK) return false; // 0x02 to 0x7f: must not be skipped, and nobody knows them
    pos = end;
  }
  return true;
}

function blockLength(buf: Uint8Array, from: number, end: number): { readonly length: number; readonly next: number } | undefined {
  let length = 0;
  let scale = 1;
  for (let pos = from; pos < end && pos < from + 5; pos += 1) {
    const byte = buf[pos] as number;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return length > 0xffff_ffff ? undefined : { length, next: pos + 1 };
    scale *= 0x80;
  }
  return undefined;
}

/** Writes one block at `start`; returns the position behind it, or -1 where the block is malformed or does not fit. */
function decodeBlock(buf: Buffer, from: number, end: number, out: Buffer, start: number): number {
  const head = blockLength(buf, from, end);
  if (head === undefined) return -1;
  const stop = start + head.length;
  if (stop > out.length) return -1;
  let pos = head.next;
  let at = start;
  while (pos < end) {
    const tag = buf[pos] as number;
    pos += 1;
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        if (pos + bytes > end) return -1;
        length = buf.readUIntLE(pos, bytes) + 1;
        pos += bytes;
      }
      if (pos + length > end || at + length > stop) return -1;
      if (length <= 32) for (let i = 0; i < length; i += 1) out[at + i] = buf[pos + i] as number;
      else buf.copy(out, at, pos, pos + length);
      pos += length;
      at += length;
      continue;
    }
    const offsetBytes = (tag & 3) === 3 ? 4 : tag & 3;
    if (pos + offsetBytes > end) return -1;
    const short = offsetBytes === 1;
    const length = short ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = short ? ((tag >> 5) << 8) | (buf[pos] as number) : buf.readUIntLE(pos, offsetBytes);
    pos += offsetBytes;
    if (offset === 0 || offset > at - start || at + length > stop) return -1;
    // Byte by byte: the ranges overlap where a pattern is repeated.
    for (let i = 0; i < length; i += 1) out[at + i] = out[at - offset + i] as number;
    at += length;
  }
  return at === stop ? at : -1;
}

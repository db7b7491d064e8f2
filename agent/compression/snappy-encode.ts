import { maskedCrc32c } from './crc32c.ts';

/**
 * Snappy's block and framed forms, as snappy-decode.ts reads them: the greedy search of the reference implementation, one hash table over
 * four bytes.
 */
const HASH_BITS = 14;
const HASH_MULTIPLIER = 0x1e35a7bd;
const MAX_BLOCK = 65_536;
const MIN_MATCH = 4;
const MAX_COPY = 64;
const STREAM_HEADER = Buffer.from([0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]);

/** One block, as `Content-Encoding: snappy` means it. */
export function snappyBlock(body: Uint8Array): Buffer {
  const input = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const out = Buffer.allocUnsafeSlow(maxBlockBytes(input.length));
  return out.subarray(0, writeBlock(input, 0, input.length, out, 0));
}

/** Chunks of 64 KiB with checksums, as `Content-Encoding: x-snappy-framed` means it. */
export function snappyFramed(body: Uint8Array): Buffer {
  const input = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const parts: Buffer[] = [STREAM_HEADER];
  for (let from = 0; from < input.length; from += MAX_BLOCK) {
    const end = Math.min(from + MAX_BLOCK, input.length);
    const chunk = Buffer.allocUnsafeSlow(8 + maxBlockBytes(end - from));
    let stop = writeBlock(input, from, end, chunk, 8);
    // What does not shrink by an eighth goes as it is, as the reference does.
    const plain = stop - 8 >= end - from - ((end - from) >> 3);
    if (plain) stop = 8 + input.copy(chunk, 8, from, end);
    chunk[0] = plain ? 1 : 0;
    chunk.writeUIntLE(stop - 4, 1, 3);
    chunk.writeUInt32LE(maskedCrc32c(input, from, end), 4);
    parts.push(chunk.subarray(0, stop));
  }
  return Buffer.concat(parts);
}

/** snappy::MaxCompressedLength, and the length before it. */
function maxBlockBytes(bytes: number): number {
  return 32 + bytes + Math.ceil(bytes / 6);
}

function writeBlock(input: Buffer, from: number, end: number, out: Buffer, start: number): number {
  let at = start;
  let rest = end - from;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  const table = new Uint16Array(1 << HASH_BITS);
  // Offsets are kept to 16 bits, so matches are looked for within pieces of 64 KiB, as the reference does.
  for (let piece = from; piece < end; piece += MAX_BLOCK) {
    if (piece > from) table.fill(0);
    at = writePiece(input, piece, Math.min(piece + MAX_BLOCK, end), out, at, table);
  }
  return at;
}

function writePiece(input: Buffer, from: number, end: number, out: Buffer, start: number, table: Uint16Array): number {
  let at = start;
  let literal = from;
  let pos = from + 1; // position 0 is the table's "nothing"
  let misses = 32;
  while (pos + MIN_MATCH <= end) {
    const four = input.readUInt32LE(pos);
    const slot = Math.imul(four, HASH_MULTIPLIER) >>> (32 - HASH_BITS);
    const candidate = from + (table[slot] as number);
    table[slot] = pos - from;
    if (candidate >= pos || input.readUInt32LE(candidate) !== four) {
      pos += misses++ >> 5; // data that does not repeat is walked in longer and longer steps
      continue;
    }
    misses = 32;
    let length = MIN_MATCH;
    while (pos + length < end && input[candidate + length] === input[pos + length]) length += 1;
    at = writeLiteral(input, literal, pos, out, at);
    at = writeCopies(out, at, pos - candidate, length);
    pos += length;
    literal = pos;
  }
  return writeLiteral(input, literal, end, out, at);
}

function writeLiteral(input: Buffer, from: number, end: number, out: Buffer, start: number): number {
  let at = start;
  const length = end - from;
  if (length === 0) return at;
  if (length <= 60) out[at++] = (length - 1) << 2;
  else {
    const bytes = length <= 0x100 ? 1 : length <= 0x10000 ? 2 : 3;
    out[at++] = (59 + bytes) << 2;
    at = out.writeUIntLE(length - 1, at, bytes);
  }
  return at + input.copy(out, at, from, end);
}

/** Copies of at most 64 bytes with offsets of two bytes. */
function writeCopies(out: Buffer, start: number, offset: number, length: number): number {
  let at = start;
  for (let rest = length; rest > 0; ) {
    const part = Math.min(rest, MAX_COPY);
    out[at++] = ((part - 1) << 2) | 2;
    at = out.writeUInt16LE(offset, at);
    rest -= part;
  }
  return at;
}

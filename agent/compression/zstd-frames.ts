/**
 * Where the frames of a zstd body lie and how large they become, by their headers alone (RFC 8878, 3.1): nothing is inflated.
 *
 *   magic 4 | descriptor 1 | window 0-1 | dictionary 0-4 | content size 0-8 | blocks: 3 bytes of header + size, until "last" | checksum 0-4
 *
 * node:zlib is silent where a body goes on after a frame and is no other frame; and Node 22 inflates the first frame only.
 */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** Bytes after inflating, where the header says. */
  readonly contentBytes: number | undefined;
  /** Memory that the decoder needs beside its output. */
  readonly windowBytes: number;
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
/** Nobody cuts a request into more; each is a call of its own, and an empty one has 9 bytes. */
const MAX_FRAMES = 1024;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** The frames with content, or undefined where the body is no row of whole frames, or of very many. */
export function zstdFrames(body: Buffer): ZstdFrame[] | undefined {
  const frames: ZstdFrame[] = [];
  let pos = 0;
  while (pos < body.length) {
    if (pos + 8 > body.length) return undefined;
    const magic = body.readUInt32LE(pos);
    if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC) {
      pos += 8 + body.readUInt32LE(pos + 4);
      if (pos > body.length) return undefined;
      continue;
    }
    const frame = magic === MAGIC ? readFrame(body, pos) : undefined;
    if (frame === undefined || frames.length === MAX_FRAMES) return undefined;
    frames.push(frame);
    pos = frame.end;
  }
  return frames;
}

function readFrame(body: Buffer, start: number): ZstdFrame | undefined {
  const descriptor = body[start + 4] as number;
  const single = (descriptor & 0x20) !== 0;
  let pos = start + 5;
  let windowBytes = 0;
  if (!single) {
    const window = body[pos] as number;
    const base = 2 ** (10 + (window >> 3));
    windowBytes = base + (base / 8) * (window & 7);
    pos += 1;
  }
  pos += DICTIONARY_BYTES[descriptor & 3] as number;
  const sizeBytes = contentSizeBytes(descriptor >> 6, single);
  if (pos + sizeBytes > body.length) return undefined;
  const contentBytes = readContentSize(body, pos, sizeBytes);
  pos += sizeBytes;
  for (let last = false; !last; ) {
    if (pos + 3 > body.length) return undefined;
    const header = body.readUIntLE(pos, 3);
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) return undefined;
    last = (header & 1) === 1;
    pos += 3 + (type === RLE_BLOCK ? 1 : header >> 3);
  }
  if ((descriptor & 4) !== 0) pos += 4;
  return pos > body.length ? undefined : { start, end: pos, contentBytes, windowBytes };
}

function contentSizeBytes(flag: number, single: boolean): number {
  if (flag === 0) return single ? 1 : 0;
  return 2 ** flag;
}

function readContentSize(body: Buffer, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 0:
      return undefined;
    case 1:
      return body[at];
    case 2:
      return body.readUInt16LE(at) + 256;
    case 4:
      return body.readUInt32LE(at);
    default:
      return body.readUInt32LE(at) + body.readUInt32LE(at + 4) * 2 ** 32;
  }
}

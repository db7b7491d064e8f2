import type { ClientHttp2Stream } from 'node:http2';
import type { Encoded } from './transport.ts';

/**
 * Below it, slices are joined before they are written: a write costs about as much as copying so many bytes. Measured with requests of
 * 9.4 kB merged to 3 MB, CPU s per million spans: 0.31 with 16 KiB here, 0.19 with 8, 4, 2 and 1 KiB alike.
 */
const JOIN_BELOW_BYTES = 4 * 1024;
const JOINED_BYTES = 64 * 1024;

/**
 * DATA [flag 0|1][length, 4 bytes, big endian][request] END_STREAM. Prefix and slices in one corked burst: node:http2 hands them to
 * nghttp2 with a single writev and copies nothing on our side.
 */
export function writeFrame(stream: ClientHttp2Stream, body: Encoded): void {
  const prefix = Buffer.allocUnsafe(5);
  prefix[0] = body.encoding === 'identity' ? 0 : 1;
  prefix.writeUInt32BE(body.bytes, 1);
  stream.cork();
  let small: Uint8Array[] = [prefix];
  let smallBytes = 5;
  for (const slice of body.slices) {
    if (slice.length < JOIN_BELOW_BYTES) {
      small.push(slice);
      smallBytes += slice.length;
      if (smallBytes < JOINED_BYTES) continue;
      stream.write(Buffer.concat(small, smallBytes));
      small = [];
      smallBytes = 0;
      continue;
    }
    if (smallBytes > 0) stream.write(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small, smallBytes));
    small = [];
    smallBytes = 0;
    stream.write(slice);
  }
  if (smallBytes > 0) stream.write(Buffer.concat(small, smallBytes));
  stream.end();
}

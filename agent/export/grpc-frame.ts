import type { Encoded } from './transport.ts';

/** What a call sends: [flag 0|1][length, 4 bytes, big endian][request]. The slices stay as they are. */
export function framed({ encoding, bytes, slices }: Encoded): readonly Uint8Array[] {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix[0] = encoding === 'identity' ? 0 : 1;
  prefix.writeUInt32BE(bytes, 1);
  return [prefix, ...slices];
}

export const PREFIX_BYTES = 5;

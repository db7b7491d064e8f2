import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskedCrc32c } from '../../../agent/compression/crc32c.ts';
import { isFramedSnappy, snappyDecode, snappyLength } from '../../../agent/compression/snappy-decode.ts';
import { snappyBlock, snappyFramed } from '../../../agent/compression/snappy-encode.ts';
import { request } from '../kit/otlp.ts';

function inflate(body: Buffer, framed: boolean): Buffer | undefined {
  const length = snappyLength(body, framed);
  if (length === undefined || length > 2 ** 24) return undefined;
  const out = Buffer.alloc(length);
  return snappyDecode(body, framed, out) ? out : undefined;
}

/** Bytes that repeat and bytes that do not, across the 64 KiB of a piece. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(9000)).map(([one, n]) => repeat(one, n)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

function repeat(one: Uint8Array, times: number): Uint8Array {
  return Buffer.alloc(one.length * times, Buffer.from(one));
}

describe('snappy', () => {
  it('gives back what it was given, in both forms', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        expect(inflate(snappyBlock(input), false)?.equals(input)).toBe(true);
        const framed = snappyFramed(input);
        expect(isFramedSnappy(framed)).toBe(true);
        expect(inflate(framed, true)?.equals(input)).toBe(true);
      }),
    );
  });

  it('reads the element kinds that its own writer never makes', () => {
    // "abcd", a copy of 5 from 4 back in one byte of offset, of 4 from 9 back in four bytes
    const block = Buffer.from([13, 0x0c, 0x61, 0x62, 0x63, 0x64, 0x05, 0x04, 0x0f, 9, 0, 0, 0]);
    expect(inflate(block, false)?.toString()).toBe('abcdabcdaabcd');
  });

  it('has the checksum of the framing format', () => {
    // crc32c("123456789") is 0xe3069283
    const crc = 0xe3069283;
    expect(maskedCrc32c(Buffer.from('123456789'), 0, 9)).toBe((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  });

  it('makes telemetry smaller', () => {
    const body = request('traces', 500);
    expect(snappyBlock(body).length).toBeLessThan(body.length / 2);
  });

  it('fails on cut and mutated bodies without writing past its buffer', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.nat(255), fc.boolean(), (input, at, byte, framed) => {
        const body = framed ? snappyFramed(input) : snappyBlock(input);
        body[at % body.length] = byte;
        inflate(body, framed);
        const cut = (framed ? snappyFramed(input) : snappyBlock(input)).subarray(0, -1);
        expect(inflate(cut, framed)).toBeUndefined();
      }),
    );
  });

  it('fails on a wrong checksum, a reserved chunk and an offset before the start', () => {
    const framed = snappyFramed(Buffer.from('hello hello hello hello'));
    framed[14] = (framed[14] as number) ^ 1;
    expect(inflate(framed, true)).toBeUndefined();
    expect(inflate(Buffer.concat([snappyFramed(Buffer.alloc(0)), Buffer.from([0x02, 0, 0, 0])]), true)).toBeUndefined();
    expect(inflate(Buffer.from([5, 0x00, 0x61, 0x01, 0x02]), false)).toBeUndefined();
  });
});

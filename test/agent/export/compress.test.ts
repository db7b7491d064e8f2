import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { snappyDecode, snappyLength } from '../../../agent/compression/snappy-decode.ts';
import { zstdFrames } from '../../../agent/compression/zstd-frames.ts';
import { compress, type Encoding } from '../../../agent/export/compress.ts';

const KINDS = ['none', 'gzip', 'deflate', 'zlib', 'zstd', 'snappy', 'x-snappy-framed'] as const;

/** Of any size, from what compresses well to what does not at all. */
const slice = fc.tuple(fc.nat(60_000), fc.nat(255), fc.integer()).map(([size, spread, seed]) => {
  const out = Buffer.alloc(size);
  let state = seed >>> 0;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[i] = (state >>> 24) % (spread + 1);
  }
  return out;
});

function plainOf(encoding: Encoding, body: Buffer): Buffer {
  switch (encoding) {
    case 'identity':
      return body;
    case 'gzip':
      return gunzipSync(body);
    case 'deflate':
    case 'zlib':
      return inflateSync(body);
    case 'zstd':
      return zstdDecompressSync(body);
    default: {
      const framed = encoding === 'x-snappy-framed';
      const out = Buffer.alloc(snappyLength(body, framed) ?? 0);
      expect(snappyDecode(body, framed, out)).toBe(true);
      return out;
    }
  }
}

const lengthOf = (slices: readonly Uint8Array[]): number => slices.reduce((total, one) => total + one.length, 0);

describe('compressing a merged request', () => {
  it('loses nothing, many at a time, whatever the slices are', async () => {
    const requests = fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.array(slice, { minLength: 1, maxLength: 8 })), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(requests, async (all) => {
        const bodies = await Promise.all(
          all.map(async ([kind, slices]) => await compress(kind, undefined, 'traces', slices, lengthOf(slices), 1)),
        );
        for (const [i, { encoding, slices, bytes }] of bodies.entries()) {
          const [kind, plain] = all[i] as (typeof all)[number];
          expect(encoding).toBe(kind === 'none' ? 'identity' : kind);
          expect(bytes).toBe(lengthOf(slices));
          expect(plainOf(encoding, Buffer.concat(slices)).equals(Buffer.concat(plain))).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('says in zstd how large it becomes, one request after the other, small and large', async () => {
    for (const size of [1, 20_000, 300_000, 5000, 5001]) {
      const { slices } = await compress('zstd', undefined, 'traces', [Buffer.alloc(size, 'otlp')], size, 1);
      expect(zstdFrames(Buffer.concat(slices))).toMatchObject([{ contentBytes: size }]);
    }
  });

  it('keeps little more memory than the result has, as that is what is charged', async () => {
    const plain = [Buffer.alloc(2_000_000, 'a'), Buffer.alloc(1_000_000, 'b')];
    for (const kind of ['gzip', 'zstd', 'deflate'] as const) {
      const { slices, bytes } = await compress(kind, undefined, 'traces', plain, 3_000_000, 1);
      expect((slices[0] as Uint8Array).buffer.byteLength).toBeLessThanOrEqual(bytes * 1.125);
    }
  });

  it('puts gzip bodies that go on as they came in front of what is compressed here, or sends them alone', async () => {
    const members = ['one, ', 'two, '].map((text) => Buffer.from(compressNow(text)));
    const both = await compress('gzip', undefined, 'traces', [Buffer.from('three')], 5, 3, members);
    expect(String(gunzipSync(Buffer.concat(both.slices)))).toBe('one, two, three');
    expect(both).toMatchObject({ items: 3, encoding: 'gzip', bytes: lengthOf(both.slices) });
    const alone = await compress('gzip', undefined, 'traces', [], 0, 2, members);
    expect(alone).toEqual({ signal: 'traces', slices: members, bytes: lengthOf(members), items: 2, encoding: 'gzip' });
  });
});

function compressNow(text: string): Uint8Array {
  const body = compress('gzip', undefined, 'traces', [Buffer.from(text)], text.length, 1);
  if (body instanceof Promise) throw new Error('small gzip is made at once');
  return body.slices[0] as Uint8Array;
}

import { createZstdCompress, constants as zlib, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zstdFrames } from '../../../agent/compression/zstd-frames.ts';

describe('frames of zstd', () => {
  it('are found by their headers, whatever their size, level and checksum', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(300_000), fc.constantFrom(1, 3, 19), fc.boolean()), { minLength: 1, maxLength: 4 }),
        (shapes) => {
          const parts = shapes.map(([size, level, checksum]) =>
            zstdCompressSync(Buffer.alloc(size, 'otlp'), {
              params: { [zlib.ZSTD_c_compressionLevel]: level, [zlib.ZSTD_c_checksumFlag]: checksum ? 1 : 0 },
            }),
          );
          const frames = zstdFrames(Buffer.concat(parts));
          expect(frames?.map(({ start, end }) => end - start)).toEqual(parts.map((part) => part.length));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('say their content where the writer knew it', async () => {
    const stream = createZstdCompress({ pledgedSrcSize: 70_000 });
    stream.end(Buffer.alloc(70_000, 'x'));
    expect(zstdFrames(Buffer.concat(await stream.toArray()))).toMatchObject([{ contentBytes: 70_000 }]);
  });

  it('leaves skippable frames out', () => {
    const frame = zstdCompressSync('x');
    const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    expect(zstdFrames(Buffer.concat([skippable, frame, skippable]))).toMatchObject([{ start: 11, end: 11 + frame.length }]);
  });

  it('fails on what goes on after a frame and is none, on every cut, and never throws', () => {
    const frame = zstdCompressSync(Buffer.alloc(1000, 'abc'));
    expect(zstdFrames(Buffer.concat([frame, Buffer.from('garbage!')]))).toBeUndefined();
    for (let end = 1; end < frame.length; end += 1) expect(zstdFrames(frame.subarray(0, end))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void zstdFrames(Buffer.concat([frame.subarray(0, 4), bytes]))));
  });
});

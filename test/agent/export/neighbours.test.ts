import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Neighbours } from '../../../agent/export/neighbours.ts';

describe('slices that lie side by side', () => {
  it('become one view of the same memory, others stay as they are', () => {
    const slab = Buffer.allocUnsafeSlow(100);
    const other = Buffer.allocUnsafeSlow(10);
    const all = new Neighbours();
    for (const slice of [slab.subarray(0, 10), slab.subarray(10, 30), other, slab.subarray(30, 40), slab.subarray(50, 60)]) all.add(slice);
    const slices = all.end();
    expect(slices.map((slice) => [slice.buffer === slab.buffer, slice.byteOffset, slice.length])).toEqual([
      [true, 0, 30],
      [false, 0, 10],
      [true, 30, 10],
      [true, 50, 10],
    ]);
  });

  it('are the same bytes in the same order, whatever they are cut of', () => {
    const seed = Date.now() & 0x7fffffff;
    console.log(`seed ${seed}`);
    const slabs = [0, 1, 2].map((n) => Buffer.from(Array.from({ length: 64 }, (_, i) => n * 64 + i)));
    const cut = fc
      .tuple(fc.constantFrom(...slabs), fc.nat(64), fc.nat(64))
      .map(([slab, a, b]) => slab.subarray(Math.min(a, b), Math.max(a, b)));
    fc.assert(
      fc.property(fc.array(cut, { maxLength: 30 }), (slices) => {
        const all = new Neighbours();
        for (const slice of slices) all.add(slice);
        expect(Buffer.concat(all.end())).toEqual(Buffer.concat(slices));
      }),
      { seed },
    );
  });
});

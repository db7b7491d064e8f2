import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ItemWriter } from '../../../../agent/otlp/view/item-writer.ts';
import { type BackwardWriter, Writer } from '../../../../agent/otlp/view/writer.ts';

const INPUT = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));

const step: fc.Arbitrary<(writer: BackwardWriter) => void> = fc.oneof(
  fc.tuple(fc.nat(5000), fc.nat(5000)).map(
    ([a, b]) =>
      (writer: BackwardWriter) =>
        writer.range(INPUT, Math.min(a, b), Math.max(a, b)),
  ),
  fc.nat(30).map((i) => (writer: BackwardWriter) => {
    // Neighbours, from the end to the start.
    for (let end = 3000; end > 3000 - i * 10; end -= 10) writer.range(INPUT, end - 10, end);
  }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => (writer: BackwardWriter) => writer.put(bytes)),
  fc
    .oneof(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.constantFrom('x'.repeat(64), 'é'.repeat(60), 'y'.repeat(20_000)))
    .map((text) => (writer: BackwardWriter) => writer.text(text)),
  fc.maxSafeNat().map((value) => (writer: BackwardWriter) => writer.varint(value)),
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(400)).map(([field, inside]) => (writer: BackwardWriter) => {
    const before = writer.bytes;
    writer.put(INPUT.subarray(0, inside));
    writer.header(field, before);
  }),
);

describe('the writer of items', () => {
  it('writes one after the other what the writer of requests writes', () => {
    const items = new ItemWriter();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const whole = new Writer(1000);
        items.begin();
        for (const each of steps) {
          each(whole);
          each(items);
          expect(items.bytes).toBe(whole.bytes);
        }
        const out = Buffer.alloc(items.bytes + 7, 0xee);
        expect(items.copyTo(out, 3)).toBe(items.bytes + 3);
        expect(out.subarray(3, -4).equals(Buffer.concat(whole.finish().slices))).toBe(true);
        expect([...out.subarray(0, 3), ...out.subarray(-4)]).toEqual(new Array(7).fill(0xee));
      }),
      { numRuns: 300 },
    );
  });

  it('holds nothing of what it wrote when it ends, and can begin again', () => {
    const items = new ItemWriter();
    items.begin();
    items.range(INPUT, 0, 10);
    items.text('a');
    items.end();
    items.begin();
    expect(items.bytes).toBe(0);
    items.text('b');
    const out = Buffer.alloc(1);
    expect([items.copyTo(out, 0), out.toString()]).toEqual([1, 'b']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitRequest } from '../../../agent/otlp/split.ts';
import { scan } from '../../../agent/otlp/wire.ts';
import { request } from '../kit/otlp.ts';

describe('cutting a request that is larger than a batch', () => {
  it('keeps every byte in order, counts each piece, and stays below the maximum unless one resource is above it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 20 }), (counts, max) => {
        const body = Buffer.concat(counts.map((items, i) => request('traces', items, `r${i}`)));
        const pieces = splitRequest('traces', [body], max, 'items');
        expect(Buffer.concat(pieces.flatMap((piece) => piece.slices))).toEqual(body);
        for (const piece of pieces) {
          const bytes = Buffer.concat(piece.slices);
          expect(piece.bytes).toBe(bytes.length);
          expect(scan('traces', bytes)).toEqual({ ok: true, items: piece.items });
          if (piece.items > max) expect(counts).toContain(piece.items);
        }
      }),
    );
  });

  it('cuts by bytes too', () => {
    const one = request('logs', 3);
    const pieces = splitRequest('logs', [Buffer.concat([one, one, one])], one.length * 2, 'bytes');
    expect(pieces.map((piece) => piece.bytes)).toEqual([one.length * 2, one.length]);
  });

  it('never cuts profiles: all of a request needs its one dictionary', () => {
    const body = request('profiles', 4, 'p', 5);
    expect(splitRequest('profiles', [body], 1, 'items')).toEqual([{ slices: [body], bytes: body.length, items: 20 }]);
  });
});

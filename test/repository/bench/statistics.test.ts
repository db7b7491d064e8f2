import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generator, median, quantile, ratioOf, rounded } from '../../bench/lib/statistics.mjs';

const SEED = 20261121;
const positive = fc.double({ min: 0.01, max: 100, noNaN: true });

describe('the statistics of the benches', () => {
  it('median: the middle value, or the mean of the two in the middle; the list stays as it was', () => {
    const values = [5, 1, 3];
    expect(median(values)).toBe(3);
    expect(values).toEqual([5, 1, 3]);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('quantile: the smallest value that at least the share does not exceed', () => {
    const sorted = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(quantile(sorted, 0.5)).toBe(50);
    expect(quantile(sorted, 0.95)).toBe(95);
    expect(quantile(sorted, 1)).toBe(100);
    expect(quantile(sorted, 0)).toBe(1);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('ratio: that of the medians, with the least and the most of a round', () => {
    expect(ratioOf([4, 8, 6], [2, 2, 1])).toMatchObject({ ratio: 3, min: 2, max: 6, rounds: 3 });
  });

  it('ratio: runs without a partner are left out, none is no ratio', () => {
    expect(ratioOf([4, 4, 400], [1, 1])).toMatchObject({ ratio: 4, rounds: 2 });
    expect(ratioOf([], [1])).toBeUndefined();
  });

  it('ratio: the interval holds the ratio, is within the extremes, and is the same for the same runs', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(positive, positive), { minLength: 1, maxLength: 7 }), (pairs) => {
        const theirs = pairs.map(([one]) => one);
        const ours = pairs.map(([, one]) => one);
        const found = ratioOf(theirs, ours);
        const [low, high] = (found as NonNullable<typeof found>).interval95 as [number, number];
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(Math.min(...theirs) / Math.max(...ours) - 1e-9);
        expect(high).toBeLessThanOrEqual(Math.max(...theirs) / Math.min(...ours) + 1e-9);
        expect(ratioOf(theirs, ours)).toEqual(found);
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  it('ratio: an interval as narrow as the runs are alike', () => {
    expect(ratioOf([4, 4, 4, 4, 4], [2, 2, 2, 2, 2])).toMatchObject({ ratio: 2, interval95: [2, 2] });
    const spread = ratioOf([4, 4.4, 3.9, 4.1, 4], [1, 1.1, 0.9, 1, 1]);
    const [low, high] = (spread as NonNullable<typeof spread>).interval95 as [number, number];
    expect(low).toBeGreaterThan(3.4);
    expect(high).toBeLessThan(4.6);
  });

  it('random numbers are evenly spread and repeat with their seed', () => {
    const random = generator(7);
    const numbers = Array.from({ length: 10_000 }, random);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(numbers.reduce((sum, one) => sum + one, 0) / numbers.length).toBeCloseTo(0.5, 1);
    expect(generator(7)()).toBe(numbers[0]);
  });

  it('rounded keeps significant digits', () => {
    expect(rounded(0.123456)).toBe(0.1235);
    expect(rounded(Number.NaN)).toBeNaN();
  });
});

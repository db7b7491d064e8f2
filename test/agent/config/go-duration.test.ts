import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGoDuration, printGoDuration } from '../../../agent/config/go-duration.ts';

const HOUR_MS = 3_600_000;

describe('durations in the syntax of Go', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['100ms', 100],
    ['5s', 5000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['1.s', 1000],
    ['1h30m', 5_400_000],
    ['1m30.5s', 90_500],
    ['-2s', -2000],
    ['+2s', 2000],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['250ns', 0.00025],
  ])('reads %s', (text, milliseconds) => {
    expect(parseGoDuration(text)).toBeCloseTo(milliseconds, 9);
  });

  it.each(['', 's', '5', '5 s', '1d', '5S', '.s', '1h-1m', '--1s', '1e3s', '1s ', '300000000h'])('fails on %j as Go does', (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });

  it('prints what it reads again as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 * HOUR_MS }), (milliseconds) => {
        expect(parseGoDuration(printGoDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });

  it.each([
    [0, '0s'],
    [200, '200ms'],
    [5000, '5s'],
    [90_000, '1m30s'],
    [HOUR_MS, '1h'],
    [0.000005, '5ns'],
  ])('prints %d ms as %s', (milliseconds, text) => {
    expect(printGoDuration(milliseconds)).toBe(text);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highestRate } from '../../bench/hop/search.mjs';
import { Schedule } from '../../bench/traffic/schedule.mjs';

const SEED = 20261121;

describe('the schedule of the open loop', () => {
  it('says when each request is due, whatever became of those before it', () => {
    const schedule = new Schedule(1000, 500, 4);
    expect(schedule.take(999)).toBe(-1);
    expect(schedule.waitMs(999)).toBe(1);
    expect(schedule.take(1000)).toBe(0);
    expect(schedule.take(1000)).toBe(-1);
    // A stall of the driver: all that was due goes out at once, each with its own intended time.
    expect([schedule.take(1005), schedule.take(1005), schedule.take(1005)]).toEqual([1, 2, -1]);
    expect([schedule.at(1), schedule.at(2)]).toEqual([1002, 1004]);
    expect(schedule.take(1006)).toBe(3);
    expect(schedule.done).toBe(true);
    expect(schedule.take(9999)).toBe(-1);
    expect(schedule.waitMs(9999)).toBe(Number.POSITIVE_INFINITY);
  });

  it('gives every request once, in order, none before its time, at any rhythm of asking', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1, maxLength: 50 }),
        (perSecond, pauses) => {
          const schedule = new Schedule(0, perSecond, 200);
          const taken: number[] = [];
          let now = 0;
          for (const pause of [...pauses, 1e9]) {
            now += pause;
            for (let index = schedule.take(now); index >= 0; index = schedule.take(now)) {
              expect(schedule.at(index)).toBeLessThanOrEqual(now);
              taken.push(index);
            }
          }
          expect(taken).toEqual(Array.from({ length: 200 }, (_, index) => index));
        },
      ),
      { seed: SEED, numRuns: 100 },
    );
  });
});

describe('the search for the highest rate', () => {
  const upTo = (limit: number) => async (rate: number) => (rate <= limit ? ('yes' as const) : ('no' as const));

  it('finds it to 5 %, from below and from above', async () => {
    for (const limit of [1_234_000, 700_000, 210_000]) {
      const { rate, limitedBy } = await highestRate({ holds: upTo(limit), from: 540_000, lowest: 150_000 });
      expect(rate).toBeLessThanOrEqual(limit);
      expect(rate).toBeGreaterThan(limit / 1.06);
      expect(limitedBy).toBe('program');
    }
  });

  it('says when nothing holds', async () => {
    const asked: number[] = [];
    const holds = async (rate: number) => {
      asked.push(rate);
      return 'no' as const;
    };
    expect(await highestRate({ holds, from: 250_000, lowest: 150_000 })).toEqual({ rate: undefined, limitedBy: 'program' });
    expect(asked.at(-1)).toBe(150_000);
  });

  it('says when the bench could do no more', async () => {
    const holds = async (rate: number) => (rate < 800_000 ? ('yes' as const) : ('void' as const));
    expect(await highestRate({ holds, from: 540_000, lowest: 150_000 })).toMatchObject({ limitedBy: 'bench' });
  });
});

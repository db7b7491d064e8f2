import { describe, expect, it } from 'vitest';
import { judge, untilItCounts } from '../../bench/hop/judge.mjs';

const busy = (subject: number, driver: number, sink: number) => ({ subject, drivers: [driver / 2, driver], sink });

describe('which runs of the bench count', () => {
  it('one in which all arrived counts', () => {
    expect(judge({ busy: busy(0.8, 0.5, 0.5), expected: 100, delivered: 100 })).toBeUndefined();
  });

  it('one in which something is missing or came twice is wrong, not void', () => {
    expect(judge({ busy: busy(1, 0.5, 0.5), expected: 100, delivered: 99 })).toEqual({ wrong: '99 items of 100 were delivered' });
    expect(judge({ expected: 100, delivered: 101 })).toHaveProperty('wrong');
    expect(judge({ delivered: 0, problems: ['a span is longer than its scope'] })).toEqual({ wrong: 'a span is longer than its scope' });
  });

  it('one is void when the open-loop driver was more than 5 ms late at p99', () => {
    expect(judge({ delivered: 1, lateMs: { p99: 5.1 } })).toEqual({ void: 'the driver was 5.1 ms late at p99' });
    expect(judge({ delivered: 1, lateMs: { p99: 5 } })).toBeUndefined();
    expect(judge({ delivered: 1, lateMs: { p99: Number.NaN } })).toHaveProperty('void');
  });

  it("one is void when the driver's or the sink's CPU was full and the program's was not", () => {
    expect(judge({ busy: busy(0.9, 0.96, 0.5), delivered: 1 })).toEqual({
      void: "the driver's CPU was full (96 %), that of the program was not (90 %)",
    });
    expect(judge({ busy: busy(0.9, 0.5, 0.99), delivered: 1 })).toHaveProperty('void');
    expect(judge({ busy: busy(0.96, 0.99, 0.99), delivered: 1 })).toBeUndefined();
  });

  it('one is void when others had the CPU of the driver or the sink', () => {
    expect(judge({ delivered: 1, waited: { driver: 0.01, sink: 0.2 } })).toEqual({
      void: 'other programs had the CPU of the sink for 20 % of the time',
    });
    expect(judge({ delivered: 1, waited: { driver: 0.05, sink: 0.05 } })).toBeUndefined();
  });

  it('void runs are made again until one counts, and are counted', async () => {
    const verdicts = [{ void: 'late' }, { wrong: 'lost' }, undefined];
    let made = 0;
    const { run, voids } = await untilItCounts(async () => ({ number: made, verdict: verdicts[made++] }));
    expect(run).toEqual({ number: 2, verdict: undefined });
    expect(voids).toEqual(['late', 'lost']);
  });

  it('void runs come to an end', async () => {
    let made = 0;
    const { run, voids } = await untilItCounts(async () => {
      made += 1;
      return { verdict: { void: `late ${made}` } };
    }, 4);
    expect(run).toBeUndefined();
    expect(voids).toHaveLength(4);
  });
});

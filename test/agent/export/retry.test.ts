import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attempt } from '../../../agent/export/attempt.ts';
import { Backoff, type BackoffSettings } from '../../../agent/runtime/backoff.ts';
import { ok, reject, retryLater, scripted } from './support/scripted.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const SCHEDULE: BackoffSettings = { initialIntervalMs: 5000, multiplier: 1.5, maxIntervalMs: 30_000, randomizationFactor: 0 };
const waits = (count: number, settings: BackoffSettings, random?: () => number): number[] => {
  const backoff = new Backoff(settings, random);
  return Array.from({ length: count }, () => backoff.next());
};
const gaps = (attempts: readonly { at: number }[]): number[] => attempts.slice(1).map((one, i) => one.at - (attempts[i]?.at ?? 0));

describe('the schedule of retry_on_failure', () => {
  it('multiplies the interval up to max_interval and stays there', () => {
    expect(waits(8, SCHEDULE)).toEqual([5000, 7500, 11_250, 16_875, 25_312.5, 30_000, 30_000, 30_000]);
  });

  it('spreads each wait evenly over 1 - factor to 1 + factor of its interval', () => {
    const half = { ...SCHEDULE, randomizationFactor: 0.5 };
    expect(waits(3, half, () => 0)).toEqual([2500, 3750, 5625]);
    expect(waits(3, half, () => 0.5)).toEqual([5000, 7500, 11_250]);
    expect(waits(2, half, () => 1)).toEqual([7500, 11_250]);
  });

  it('stays within its bounds for any settings and any luck', () => {
    fc.assert(
      fc.property(
        fc.record({
          initialIntervalMs: fc.integer({ min: 0, max: 60_000 }),
          multiplier: fc.double({ min: 0, max: 10, noNaN: true }),
          maxIntervalMs: fc.integer({ min: 0, max: 120_000 }),
          randomizationFactor: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })),
        (settings, luck) => {
          const most = Math.max(settings.initialIntervalMs, settings.maxIntervalMs) * (1 + settings.randomizationFactor);
          for (const wait of waits(20, settings, () => luck.next().value as number)) {
            expect(wait).toBeGreaterThanOrEqual(0);
            expect(wait).toBeLessThanOrEqual(most + 1e-6);
          }
        },
      ),
    );
  });

  it('begins anew with each request', async () => {
    const line = scripted((_one, n) => (n % 3 === 0 ? ok() : retryLater()), { retry: { ...SCHEDULE } });
    for (let i = 0; i < 2; i += 1) {
      const done = attempt([line.chunk(i)], line.sending);
      await vi.runAllTimersAsync();
      await done;
    }
    expect(gaps(line.attempts)).toEqual([5000, 7500, 0, 5000, 7500]);
  });
});

describe('max_elapsed_time', () => {
  it('begins no wait that would end after it, and counts from the first attempt', async () => {
    const line = scripted(() => retryLater(), { retry: { ...SCHEDULE, maxElapsedMs: 30_000 } });
    const ending = attempt([line.chunk(1)], line.sending);
    await vi.runAllTimersAsync();
    // 0, 5, 12.5 and 23.75 s; the next would be at 40.6 s.
    expect(await ending).toMatchObject({ kind: 'told', outcome: { kind: 'retry' } });
    expect(line.attempts.map((one) => one.at - (line.attempts[0]?.at ?? 0))).toEqual([0, 5000, 12_500, 23_750]);
    expect(line.sending.counters.retries).toBe(4);
  });

  it('0 never gives up', async () => {
    const line = scripted((_one, n) => (n === 500 ? ok() : retryLater()), { retry: { ...SCHEDULE, maxElapsedMs: 0 } });
    const ending = attempt([line.chunk(1)], line.sending);
    await vi.runAllTimersAsync();
    expect(await ending).toMatchObject({ outcome: { kind: 'ok' } });
    expect(performance.now()).toBeGreaterThan(4 * 3_600_000);
  });

  it('the time that a request takes to be answered is part of it', async () => {
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 9000));
      return retryLater();
    };
    const line = scripted(slow, { retry: { ...SCHEDULE, maxElapsedMs: 30_000 } });
    const ending = attempt([line.chunk(1)], line.sending);
    await vi.runAllTimersAsync();
    expect((await ending).kind).toBe('told');
    expect(line.attempts).toHaveLength(2);
  });

  it('a wait of RetryInfo that ends after it is not begun', async () => {
    const line = scripted(() => retryLater(60_000), { retry: { ...SCHEDULE, maxElapsedMs: 30_000 } });
    expect(await attempt([line.chunk(1)], line.sending)).toMatchObject({ kind: 'told', outcome: { kind: 'retry' } });
    expect(line.attempts).toHaveLength(1);
  });
});

describe('what is sent again', () => {
  it('not before RetryInfo or Retry-After says so, where that is longer than the backoff', async () => {
    const line = scripted((_one, n) => (n === 1 ? retryLater(20_000) : n === 2 ? retryLater(100) : ok()), {
      retry: { ...SCHEDULE },
      random: () => 0,
    });
    const ending = attempt([line.chunk(1)], line.sending);
    await vi.runAllTimersAsync();
    expect((await ending).outcome.kind).toBe('ok');
    expect(gaps(line.attempts)).toEqual([20_000, 7500]);
    expect(line.sending.counters.throttled).toBe(2);
  });

  it('nothing after success, partial success or a rejection', async () => {
    for (const last of [ok(), ok(1), reject()]) {
      const line = scripted(() => last);
      expect(await attempt([line.chunk(1, 5)], line.sending)).toEqual({ kind: 'told', outcome: last });
      await vi.runAllTimersAsync();
      expect(line.attempts).toHaveLength(1);
    }
  });

  it('nothing with retry_on_failure off', async () => {
    const line = scripted(() => retryLater(), { retry: { enabled: false } });
    expect(await attempt([line.chunk(1)], line.sending)).toMatchObject({ kind: 'told', outcome: { kind: 'retry' } });
    expect(line.attempts).toHaveLength(1);
  });

  it('a stop ends the wait at once, and the request is evicted', async () => {
    const line = scripted(() => retryLater(), { retry: { ...SCHEDULE, maxElapsedMs: 0 } });
    const ending = attempt([line.chunk(1)], line.sending);
    await vi.advanceTimersByTimeAsync(6000);
    line.stop.abort();
    expect((await ending).kind).toBe('evicted');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('memory of a compressed body', () => {
  it('is charged while the body lives and given back with the last attempt', async () => {
    const line = scripted((_one, n) => (n < 3 ? retryLater() : ok()), { encodedBytes: 700 });
    const ending = attempt([line.chunk(1), line.chunk(2)], line.sending);
    // Joined and compressed at the same time: at most twice the request, before the result is known.
    expect(line.budget.used).toBe(2 + 4);
    await vi.runAllTimersAsync();
    await ending;
    expect(line.held).toEqual([702, 702, 702]);
    expect(line.budget.used).toBe(2);
  });

  it('a body that is the chunks themselves costs nothing more', async () => {
    const line = scripted(() => ok());
    await attempt([line.chunk(1), line.chunk(2)], line.sending);
    expect(line.held).toEqual([2]);
  });
});

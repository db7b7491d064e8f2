import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attempt } from '../../../agent/export/attempt.ts';
import { Throttle } from '../../../agent/export/throttle.ts';
import type { Outcome } from '../../../agent/runtime/outcome.ts';
import { ok, reject, retryLater, scripted } from './support/scripted.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const FOREVER = Number.POSITIVE_INFINITY;
const never = new AbortController().signal;

/** A throttle whose passes are taken and given back by hand. */
function throttle(most = 10): { one: Throttle; enter: () => number; opened: () => number } {
  let opened = 0;
  const one = new Throttle(
    most,
    () => {
      opened += 1;
    },
    () => 0,
  );
  const enter = (): number => {
    const pass = one.enter(never, FOREVER);
    if (typeof pass !== 'number') throw new Error('it had to wait');
    return pass;
  };
  return { one, enter, opened: () => opened };
}

describe('a line that is throttled', () => {
  it('sends nothing before the time is over, then one request, then as many more as are answered', async () => {
    const { one, enter, opened } = throttle(10);
    one.leave(enter(), retryLater(1000));
    expect(one.paused).toBe(true);
    expect(one.limit).toBe(1);
    let admitted = 0;
    const passes: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      void Promise.resolve(one.enter(never, FOREVER)).then((pass) => {
        admitted += 1;
        passes.push(pass as number);
      });
    }
    await vi.advanceTimersByTimeAsync(999);
    expect(admitted).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(admitted).toBe(1);
    const rounds: number[] = [];
    while (admitted < 10) {
      for (const pass of passes.splice(0)) one.leave(pass, ok());
      await vi.advanceTimersByTimeAsync(0);
      rounds.push(admitted);
    }
    // 1, then 2 at a time, then 4: what may be on the wire doubles with each round trip.
    expect(rounds).toEqual([3, 7, 10]);
    for (const pass of passes.splice(0)) one.leave(pass, ok());
    expect(one.limit).toBe(10);
    expect(opened()).toBeGreaterThan(0);
  });

  it('is paused again when the probe hears the same, from then on', async () => {
    const { one, enter } = throttle();
    one.leave(enter(), retryLater(100));
    await vi.advanceTimersByTimeAsync(100);
    expect(one.paused).toBe(false);
    one.leave(enter(), retryLater(5000));
    await vi.advanceTimersByTimeAsync(4999);
    expect(one.paused).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(one.paused).toBe(false);
    expect(one.limit).toBe(1);
  });

  it('keeps the longest time that it was told', async () => {
    const { one, enter } = throttle();
    const [first, second] = [enter(), enter()];
    one.leave(first, retryLater(5000));
    one.leave(second, retryLater(100));
    await vi.advanceTimersByTimeAsync(4999);
    expect(one.paused).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(one.paused).toBe(false);
  });

  it('does not grow by answers to what was sent before it', () => {
    const { one, enter } = throttle();
    const before = [enter(), enter(), enter()];
    one.leave(enter(), retryLater(1000));
    for (const pass of before) one.leave(pass, ok());
    expect(one.limit).toBe(1);
  });

  it('grows by rejections too, and not by failures without a time', async () => {
    const { one, enter } = throttle();
    one.leave(enter(), retryLater(10));
    await vi.advanceTimersByTimeAsync(10);
    one.leave(enter(), retryLater());
    expect(one.limit).toBe(1);
    one.leave(enter(), reject());
    expect(one.limit).toBe(2);
  });

  it('a failure without a time throttles nothing', () => {
    const { one, enter } = throttle();
    one.leave(enter(), retryLater());
    expect(one.paused).toBe(false);
    expect(one.limit).toBe(10);
  });

  it('spreads the end of its pause by a tenth, so that clients do not come back together', async () => {
    const one = new Throttle(
      10,
      () => undefined,
      () => 1,
    );
    one.leave(one.enter(never, FOREVER) as number, retryLater(1000));
    await vi.advanceTimersByTimeAsync(1099);
    expect(one.paused).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(one.paused).toBe(false);
  });

  it('whoever waits leaves when it is stopped, or when its own time is over', async () => {
    const { one, enter } = throttle();
    one.leave(enter(), retryLater(60_000));
    const stop = new AbortController();
    const stopped = one.enter(stop.signal, FOREVER);
    const late = one.enter(never, performance.now() + 500);
    const patient = one.enter(never, FOREVER);
    stop.abort();
    expect(await stopped).toBeUndefined();
    await vi.advanceTimersByTimeAsync(500);
    expect(await late).toBeUndefined();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await patient).toBeTypeOf('number');
  });
});

describe('requests of one line', () => {
  it('those that were told nothing wait too', async () => {
    const answers: ((outcome: Outcome) => void)[] = [];
    const line = scripted(() => new Promise((resolve) => answers.push(resolve)), { random: () => 0, retry: { initialIntervalMs: 10 } });
    const first = attempt([line.chunk(1)], line.sending);
    await vi.advanceTimersByTimeAsync(0);
    answers.shift()?.(retryLater(30_000));
    await vi.advanceTimersByTimeAsync(0);
    const others = [2, 3, 4].map((id) => attempt([line.chunk(id)], line.sending));
    await vi.advanceTimersByTimeAsync(29_999);
    expect(line.attempts.map((one) => one.chunks[0])).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(line.attempts).toHaveLength(2); // the probe
    answers.shift()?.(ok());
    await vi.advanceTimersByTimeAsync(0);
    expect(line.attempts).toHaveLength(4);
    for (const answer of answers.splice(0)) answer(ok());
    await vi.advanceTimersByTimeAsync(0);
    for (const answer of answers.splice(0)) answer(ok());
    for (const ending of await Promise.all([first, ...others])) expect(ending).toMatchObject({ kind: 'told', outcome: { kind: 'ok' } });
  });

  it('a request that waits behind the probe is given up at its max_elapsed_time', async () => {
    const line = scripted((_one, n) => (n <= 2 ? retryLater(1000) : new Promise<Outcome>(() => undefined)), {
      random: () => 0,
      retry: { initialIntervalMs: 10, maxIntervalMs: 10, maxElapsedMs: 10_000 },
    });
    const endings: string[] = [];
    for (const id of [1, 2]) void attempt([line.chunk(id)], line.sending).then((ending) => endings.push(ending.outcome.kind));
    await vi.advanceTimersByTimeAsync(9999);
    expect(endings).toEqual([]);
    expect(line.attempts).toHaveLength(3); // one probes and gets no answer
    await vi.advanceTimersByTimeAsync(1);
    expect(endings).toEqual(['retry']);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { Budget } from '../../../agent/admit/budget.ts';
import { MemoryGuard } from '../../../agent/admit/memory-guard.ts';
import type { MemoryLimiterSettings } from '../../../agent/config/settings.ts';
import { type LogLine, recordingLog } from '../kit/agent.ts';
import { agentSettings } from '../kit/settings.ts';

const MIB = 2 ** 20;
const LIMITER: MemoryLimiterSettings = {
  kind: 'memory_limiter',
  id: 'memory_limiter',
  checkIntervalMs: 1000,
  minGcIntervalSoftMs: 10_000,
  minGcIntervalHardMs: 0,
  limitBytes: 100 * MIB,
  spikeBytes: 20 * MIB,
};

/** A guard over one budget, its process played by `rss`, each collection taking `frees` away. */
function guarded(limiters = [LIMITER], memoryLimitBytes?: number) {
  const budget = new Budget('memory_limiter', 80 * MIB, 20 * MIB);
  const counters = { collections: 0, pressed: false };
  const lines: LogLine[] = [];
  const guard = new MemoryGuard(() => [budget], counters, recordingLog(lines));
  guard.apply(agentSettings({ exporters: [], processors: limiters, ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }) }));
  guard.close(); // no looks of its own at this very process
  const state = { rss: 0 };
  const look = (rssMib: number, freesMib: number): void => {
    state.rss = rssMib * MIB;
    guard.check(
      () => state.rss,
      () => {
        state.rss -= freesMib * MIB;
      },
    );
  };
  return { budget, counters, lines, guard, look };
}

afterEach(() => vi.useRealTimers());

describe('the guard over the memory of the process', () => {
  it('leaves a process below the soft limit alone', () => {
    const { counters, look } = guarded();
    look(79, 0);
    expect(counters).toEqual({ collections: 0, pressed: false });
  });

  it('collects above the soft limit, then at the interval of memory_limiter, and sooner where memory grows', () => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    const { counters, look } = guarded();
    look(85, 3);
    expect(counters.collections).toBe(1);
    vi.advanceTimersByTime(1000);
    look(85, 3); // no more than before
    expect(counters.collections).toBe(1);
    vi.advanceTimersByTime(1000);
    look(95, 12); // 13 MiB more than after the last one
    expect(counters.collections).toBe(2);
    vi.advanceTimersByTime(10_000);
    look(85, 3);
    expect(counters.collections).toBe(3);
    expect(counters.pressed).toBe(false);
  });

  it('gives new requests a quarter of the room while collections do not help, all of it again when they do, and says both once', () => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    const { budget, counters, lines, look } = guarded();
    expect(budget.admits(60 * MIB)).toBe(true);
    look(120, 5);
    vi.advanceTimersByTime(1000);
    look(120, 5);
    expect(counters).toEqual({ collections: 2, pressed: true });
    expect(budget.admits(16 * MIB)).toBe(false);
    expect(budget.admits(15 * MIB)).toBe(true);
    expect(budget.fits(60 * MIB)).toBe(true); // what was let in may grow
    vi.advanceTimersByTime(1000);
    look(120, 60);
    expect(counters.pressed).toBe(false);
    expect(budget.admits(60 * MIB)).toBe(true);
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([
      ['warn', { rssMib: 115, limitMib: 100 }],
      ['info', { limitMib: 100 }],
    ]);
  });

  it('goes by the least of several limits, and by none where there is none', () => {
    const least = guarded([LIMITER, { ...LIMITER, id: 'memory_limiter/2', limitBytes: 60 * MIB, spikeBytes: 10 * MIB }]);
    least.look(55, 0);
    expect(least.counters.collections).toBe(1);
    const own = guarded([], 50 * MIB);
    own.look(45, 0);
    expect(own.counters.collections).toBe(1);
    const none = guarded([]);
    none.look(10_000, 0);
    expect(none.counters).toEqual({ collections: 0, pressed: false });
  });
});

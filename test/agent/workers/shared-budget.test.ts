import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeasedBudget, sharedCells, WholeBudget } from '../../../agent/workers/shared-budget.ts';

const MIB = 2 ** 20;

function budgets(workers: number, limit: number, spike: number) {
  const cells = sharedCells('memory_limiter', workers);
  const whole = new WholeBudget(cells);
  whole.resize(limit, spike);
  return { whole, workers: Array.from({ length: workers }, (_, i) => new LeasedBudget(cells, i)) as [LeasedBudget, LeasedBudget] };
}

/** As a grant does it. */
function take(budget: LeasedBudget, bytes: number): boolean {
  if (!budget.admits(bytes) || !budget.fits(bytes)) return false;
  budget.used += bytes;
  return true;
}

describe('one limit for all workers', () => {
  it('lets one busy worker have what the others do not use', () => {
    const { workers } = budgets(2, 100 * MIB, 20 * MIB);
    const [busy] = workers;
    let taken = 0;
    while (take(busy, MIB)) taken += 1;
    expect(taken).toBe(80);
    while (busy.fits(MIB)) busy.used += MIB;
    expect(busy.used).toBe(100 * MIB);
  });

  it('refuses a worker what another one holds, until that gives it back', () => {
    const { workers, whole } = budgets(2, 64 * MIB, 0);
    const [first, second] = workers;
    for (let i = 0; i < 64; i += 1) expect(take(first, MIB)).toBe(true);
    expect(take(second, MIB)).toBe(false);
    first.used = 0;
    first.look();
    expect(take(second, 64 * MIB)).toBe(true);
    expect(whole.exhausted).toBe(false); // nobody has said so yet
    second.look();
    expect(whole.used).toBe(64 * MIB);
    expect(whole.exhausted).toBe(true);
  });

  it('never lets the sum of all above the limit, whatever the order', () => {
    const step = fc.record({
      worker: fc.nat(3),
      what: fc.constantFrom('new', 'grow', 'free', 'look'),
      bytes: fc.integer({ min: 1, max: 9 * MIB }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: MIB, max: 64 * MIB }),
        fc.integer({ min: 0, max: 32 * MIB }),
        (steps, limit, spike) => {
          const { workers } = budgets(4, limit, spike);
          const soft = Math.max(0, limit - spike);
          const sum = (): number => workers.reduce((total, one) => total + one.used, 0);
          for (const { worker, what, bytes } of steps) {
            const budget = workers[worker] as LeasedBudget;
            if (what === 'look') budget.look();
            else if (what === 'free') budget.used = Math.max(0, budget.used - bytes);
            else if (what === 'grow') budget.used += budget.fits(bytes) ? bytes : 0;
            else if (budget.admits(bytes)) {
              expect(sum() + bytes).toBeLessThanOrEqual(soft);
              budget.used += budget.fits(bytes) ? bytes : 0;
            }
            expect(sum()).toBeLessThanOrEqual(limit);
          }
        },
      ),
    );
  });

  it('is one of the whole process where that is pressed: new requests get a quarter of the room', () => {
    const { whole, workers } = budgets(2, 80 * MIB, 0);
    whole.pressed = true;
    let taken = 0;
    for (const budget of workers) while (take(budget, MIB)) taken += 1;
    expect(taken).toBe(20);
    whole.pressed = false;
    expect(take(workers[0], MIB)).toBe(true);
  });

  it('refuses nothing where there is no limit', () => {
    const { workers } = budgets(2, Number.POSITIVE_INFINITY, 0);
    expect(take(workers[0], 2 ** 50)).toBe(true);
  });

  it('takes a lower limit over at once', () => {
    const { whole, workers } = budgets(2, 100 * MIB, 0);
    expect(take(workers[0], 50 * MIB)).toBe(true);
    whole.resize(40 * MIB, 0);
    expect(take(workers[1], MIB)).toBe(false);
    workers[0].used = 0;
    workers[0].look();
    expect(take(workers[1], 40 * MIB)).toBe(true);
  });
});

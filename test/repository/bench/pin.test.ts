import { describe, expect, it } from 'vitest';
import { countOf, pinned, pinning } from '../../bench/lib/pin.mjs';

describe('which CPU is whose', () => {
  it('the program under test has its own, driver and sink have others', () => {
    expect(pinning(1, 4, true)).toEqual({ subject: '3', sink: '2', driver: '0-1' });
    expect(pinning(2, 4, true)).toEqual({ subject: '2-3', sink: '1', driver: '0' });
    expect(pinning(4, 6, true)).toEqual({ subject: '2-5', sink: '1', driver: '0' });
    expect(pinning(1, 3, true)).toEqual({ subject: '2', sink: '1', driver: '0' });
  });

  it('says so where the machine is too small', () => {
    expect(pinning(1, 2, true)).toEqual({ subject: '1', sink: '0', driver: '0', note: 'driver and sink share a CPU: the machine has 2' });
    expect(pinning(1, 1, true)).toEqual({ note: 'nothing is pinned: the machine has 1 CPUs' });
    expect(pinning(1, 8, false)).toEqual({ note: 'nothing is pinned: there is no taskset' });
  });

  it('lists are counted and become commands', () => {
    expect([countOf('3'), countOf('0-1'), countOf(undefined)]).toEqual([1, 2, Number.POSITIVE_INFINITY]);
    expect(pinned('0-1', ['node', 'a'])).toEqual(['taskset', '-c', '0-1', 'node', 'a']);
    expect(pinned(undefined, ['node'])).toEqual(['node']);
  });
});

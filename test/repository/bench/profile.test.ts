import { describe, expect, it } from 'vitest';
import { readProfile, tableOf } from '../../bench/lib/cpu-profile.mjs';

const frame = (functionName: string, url = 'file:///agent/receive/grpc.ts', lineNumber = 9) => ({
  functionName,
  url,
  lineNumber,
  columnNumber: 0,
});

/** root > outer > inner > outer (a recursion), garbage and idle time; each sample stands for the millisecond after it. */
const PROFILE = {
  startTime: 1_000_000,
  nodes: [
    { id: 1, callFrame: frame('(root)', '', -1), children: [2, 5, 6] },
    { id: 2, callFrame: frame('outer'), children: [3] },
    { id: 3, callFrame: frame('inner', 'file:///agent/otlp/wire.ts', 41), children: [4] },
    { id: 4, callFrame: frame('outer') },
    { id: 5, callFrame: frame('(garbage collector)', '', -1) },
    { id: 6, callFrame: frame('(idle)', '', -1) },
  ],
  samples: [2, 3, 4, 5, 6, 6, 3],
  timeDeltas: [0, 1000, 1000, 1000, 1000, 1000, 1000],
};

describe('a profile as a table', () => {
  it('self time is what a function takes itself, total with what it calls, a recursion once', () => {
    const { functions, totalMs, idleMs } = readProfile(PROFILE);
    expect({ totalMs, idleMs }).toEqual({ totalMs: 6, idleMs: 2 });
    expect(
      functions.map(({ name, where, selfMs, totalMs: all }: { name: string; where: string; selfMs: number; totalMs: number }) => [
        name,
        where,
        selfMs,
        all,
      ]),
    ).toEqual([
      ['outer', 'grpc.ts:10', 2, 3],
      ['(idle)', '', 2, 2],
      ['inner', 'wire.ts:42', 1, 2],
      ['(garbage collector)', '', 1, 1],
    ]);
  });

  it('shares are of the busy time', () => {
    const text = tableOf(readProfile(PROFILE));
    expect(text).toContain('4 ms busy, 2 ms idle');
    expect(text).toMatch(/ 50\.0 % +2 +75\.0 % {2}outer grpc\.ts:10/);
    expect(text).not.toContain('(idle)');
  });

  it('the tree holds every busy millisecond once', () => {
    const { tree } = readProfile(PROFILE);
    expect(tree).toMatchObject({
      ms: 4,
      children: [
        { name: 'outer', ms: 3, children: [{ name: 'inner', ms: 2, children: [{ name: 'outer', ms: 1 }] }] },
        { name: '(garbage collector)', ms: 1 },
      ],
    });
  });

  it('samples outside of the window are left out', () => {
    const { totalMs } = readProfile(PROFILE, { window: { fromMs: 1001, toMs: 1002 } });
    expect(totalMs).toBe(2);
  });
});

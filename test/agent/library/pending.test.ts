import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Generation, Pending } from '../../../agent/library/pending.ts';

describe('Pending', () => {
  it('settles at once where nothing is open', async () => {
    await new Pending().settled();
  });

  it('waits for what began before the call and for nothing that began later, in whatever order it ends', async () => {
    const seed = Date.now();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constant('begin' as const), fc.constant('settle' as const), fc.nat(20)), { maxLength: 60 }),
        async (steps) => {
          const pending = new Pending();
          const open: { id: number; generation: Generation }[] = [];
          const waits: { readonly before: number; done: boolean }[] = [];
          let begun = 0;
          for (const step of steps) {
            if (step === 'begin') {
              open.push({ id: begun, generation: pending.begin() });
              begun += 1;
            } else if (step === 'settle') {
              const wait = { before: begun, done: false };
              waits.push(wait);
              void pending.settled().then(() => {
                wait.done = true;
              });
            } else {
              const [ended] = open.splice(open.length === 0 ? 0 : step % open.length, 1);
              if (ended !== undefined) pending.end(ended.generation);
            }
            await new Promise(setImmediate);
            for (const wait of waits) expect(wait.done).toBe(!open.some(({ id }) => id < wait.before));
          }
        },
      ),
      { seed, numRuns: 200 },
    );
  });
});

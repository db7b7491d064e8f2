import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget, chargeAll, Grant } from '../../../agent/admit/budget.ts';
import { dropSpareStores, giveStore, SLAB_BYTES, Slabs, SMALL_BODY_BYTES, storeBytes, takeStore } from '../../../agent/admit/slab.ts';

function setUp(limit = Number.POSITIVE_INFINITY): { budget: Budget; grant: () => Grant } {
  const budget = new Budget('test', limit, 0);
  const slabs = new Slabs((bytes) => chargeAll([budget], bytes));
  return { budget, grant: () => new Grant([budget], slabs) };
}

describe('slabs for small bodies', () => {
  it('bodies that are held never share a byte, whatever comes and goes, and all is given back at the end', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('take' as const), bytes: fc.integer({ min: 1, max: 3 * SMALL_BODY_BYTES }) }),
      fc.record({ kind: fc.constant('release' as const), which: fc.nat(), tainted: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const { budget, grant } = setUp();
        const held: { grant: Grant; body: Buffer; mark: number }[] = [];
        let mark = 0;
        const check = (): void => {
          for (const one of held) expect(one.body.every((byte) => byte === one.mark)).toBe(true);
        };
        for (const one of steps) {
          if (one.kind === 'take') {
            const owner = grant();
            const body = owner.allocate(one.bytes) as Buffer;
            mark = (mark + 1) % 256;
            body.fill(mark);
            held.push({ grant: owner, body, mark });
          } else if (held.length > 0) {
            const [gone] = held.splice(one.which % held.length, 1);
            check();
            if (one.tainted) gone?.grant.taint();
            gone?.grant.release();
          }
          expect(budget.used).toBeGreaterThanOrEqual(held.reduce((sum, { body }) => sum + body.length, 0));
        }
        check();
        for (const { grant: owner } of held) owner.release();
        expect(budget.used).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('a body keeps the bytes of its whole slab charged, until the last one has gone', () => {
    const { budget, grant } = setUp();
    const [first, second] = [grant(), grant()];
    first.allocate(1000);
    second.allocate(500);
    first.release();
    expect(budget.used).toBe(1500);
    second.release();
    expect(budget.used).toBe(0);
  });

  it('fails to take what the budget has not got, and takes nothing', () => {
    const { budget, grant } = setUp(1200);
    const [first, second] = [grant(), grant()];
    expect(first.allocate(1000)).toHaveLength(1000);
    expect(second.allocate(300)).toBeUndefined();
    second.release();
    expect(budget.used).toBe(1000);
    first.release();
    expect(budget.used).toBe(0);
  });

  it('memory that somebody may still be reading is not used again', () => {
    const { grant } = setUp();
    const written = new Set<ArrayBufferLike>();
    for (let i = 0; i < 3 * (SLAB_BYTES / 8192); i += 1) {
      const owner = grant();
      const body = owner.allocate(8192) as Buffer;
      expect(written.has(body.buffer)).toBe(false);
      owner.taint();
      owner.release();
      written.add(body.buffer);
    }
  });

  it('bodies that came one after the other lie one after the other', () => {
    const { grant } = setUp();
    const [first, second] = [grant().allocate(100) as Buffer, grant().allocate(200) as Buffer];
    expect(second.buffer).toBe(first.buffer);
    expect(second.byteOffset).toBe(first.byteOffset + 100);
  });
});

describe('stores that nobody needs', () => {
  it('wait for use up to a bound, and what is above goes back at once, not when V8 finds time', () => {
    dropSpareStores();
    const stores = Array.from({ length: 200 }, () => takeStore(SLAB_BYTES));
    stores.forEach(giveStore);
    const kept = stores.filter(({ length }) => length === SLAB_BYTES);
    expect(kept.length * SLAB_BYTES).toBe(32 * 1024 * 1024);
    expect(stores.filter(({ length }) => length === 0)).toHaveLength(200 - kept.length);
    const again = Array.from({ length: kept.length }, () => takeStore(SLAB_BYTES));
    expect(new Set(again)).toEqual(new Set(kept));
    again.forEach(giveStore);
    dropSpareStores();
    expect(kept.every(({ length }) => length === 0)).toBe(true);
  });

  it('are none that are too large to wait', () => {
    const store = takeStore(5 * 1024 * 1024);
    giveStore(store);
    expect(store).toHaveLength(0);
  });
});

describe('stores of bodies that processors wrote anew', () => {
  const size = storeBytes(50_000);

  it('are used again when the last owner has released, and only once each', () => {
    const { grant } = setUp();
    const owner = grant();
    const store = takeStore(size);
    owner.keepStore(store);
    owner.keepStore(store);
    owner.retain(1);
    owner.release();
    expect(takeStore(size)).not.toBe(store);
    owner.release();
    const [next, another] = [takeStore(size), takeStore(size)];
    expect(next).toBe(store);
    expect(another).not.toBe(store);
  });

  it('are never used again where an attempt may still be sending from them', () => {
    const { grant } = setUp();
    const owner = grant();
    const store = takeStore(size);
    owner.keepStore(store);
    owner.taint();
    owner.release();
    expect(takeStore(size)).not.toBe(store);
  });
});

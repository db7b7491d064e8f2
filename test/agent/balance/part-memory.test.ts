import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget, chargeAll, Grant } from '../../../agent/admit/budget.ts';
import { Slabs } from '../../../agent/admit/slab.ts';
import { createKeyer } from '../../../agent/balance/keys.ts';
import { SHARE_FROM_BYTES } from '../../../agent/balance/part-lane.ts';
import { KeySplitter, type Route } from '../../../agent/balance/split-by-key.ts';
import { Chunk } from '../../../agent/runtime/chunk.ts';
import { OK } from '../../../agent/runtime/outcome.ts';
import { Receipt } from '../../../agent/runtime/receipt.ts';
import { encode } from '../kit/otlp.ts';
import { writeAll } from './parts.ts';

/** A request of one span for each of `sizes`; its trace id says which target it goes to. */
function traces(sizes: readonly number[], targets: number): Buffer {
  const spans = sizes.map((bytes, i) => ({ traceId: Buffer.alloc(16, i % targets), spanId: Buffer.alloc(8, 1), name: 'n'.repeat(bytes) }));
  return encode('traces', { resourceSpans: [{ resource: {}, scopeSpans: [{ scope: { name: 's' }, spans }] }] });
}
const byFirstByte: Route = (key, from) => key[from] as number;

function setUp() {
  const budget = new Budget('test', Number.POSITIVE_INFINITY, 0);
  const budgets = [budget];
  const slabs = new Slabs((bytes) => chargeAll(budgets, bytes));
  const splitter = new KeySplitter('traces', createKeyer('traces', { key: 'traceID', attributes: [] }));
  /** A request as admit holds it. */
  const received = (request: Uint8Array, items: number): Chunk => {
    const grant = new Grant(budgets, slabs);
    const body = grant.allocate(request.length) as Buffer;
    body.set(request);
    return new Chunk('traces', [body], body.length, items, 0, new Receipt(1, () => {}), grant);
  };
  const cut = (chunk: Chunk, route: Route = byFirstByte): Chunk[] => {
    const request = chunk.slices.length === 1 ? (chunk.slices[0] as Uint8Array) : Buffer.concat(chunk.slices);
    const plan = splitter.plan(request, chunk.items, route, chunk.slices.length === 1);
    return plan.count === 1 ? [chunk] : chunk.cut((hold) => writeAll(splitter, plan, hold));
  };
  return { budget, received, cut };
}
const bytesOf = (chunk: Chunk): Buffer => Buffer.concat(chunk.slices);

describe('memory of the parts of a request', () => {
  it('is theirs alone until they are released, whatever comes and goes, and is counted as long as it is held', () => {
    const seed = Date.now() & 0x7fffffff;
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('cut' as const),
        sizes: fc.array(fc.oneof({ weight: 6, arbitrary: fc.nat(300) }, fc.integer({ min: SHARE_FROM_BYTES - 60, max: 40_000 })), {
          minLength: 1,
          maxLength: 12,
        }),
        targets: fc.integer({ min: 1, max: 5 }),
      }),
      // A part that an upstream gives back is cut again, by other owners.
      fc.record({ kind: fc.constant('again' as const), which: fc.nat() }),
      fc.record({ kind: fc.constant('release' as const), which: fc.nat(), tainted: fc.boolean(), beside: fc.nat(500) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { budget, received, cut } = setUp();
        const held: { chunk: Chunk; was: Buffer }[] = [];
        const keep = (chunks: readonly Chunk[]): void => {
          for (const chunk of chunks) held.push({ chunk, was: bytesOf(chunk) });
        };
        const check = (): void => {
          for (const { chunk, was } of held) expect(bytesOf(chunk).equals(was)).toBe(true);
          expect(budget.used).toBeGreaterThanOrEqual(held.reduce((sum, { chunk }) => sum + chunk.bytes, 0));
        };
        for (const one of steps) {
          if (one.kind === 'cut') keep(cut(received(traces(one.sizes, one.targets), one.sizes.length)));
          else if (held.length > 0) {
            const [gone] = held.splice(one.which % held.length, 1) as [{ chunk: Chunk; was: Buffer }];
            if (one.kind === 'again') keep(cut(gone.chunk, (_key, from) => from % 3));
            else {
              if (one.tainted) gone.chunk.taint();
              gone.chunk.charge(one.beside);
              gone.chunk.release();
            }
          }
          check();
        }
        for (const { chunk } of held) chunk.release();
        expect(budget.used).toBe(0);
      }),
      { seed, numRuns: 150 },
    );
  });

  it('of small items is all that is held: the request itself is let go when it is cut', () => {
    const { budget, received, cut } = setUp();
    const sizes = Array.from({ length: 400 }, () => 100);
    const parts = cut(received(traces(sizes, 4), sizes.length));
    expect(parts).toHaveLength(4);
    expect(budget.used).toBe(parts.reduce((sum, part) => sum + part.bytes, 0));
    for (const part of parts) expect(part.slices).toHaveLength(1);
    for (const part of parts) part.release();
    expect(budget.used).toBe(0);
  });

  it('is the request itself for a large item, until the last part that shares it has gone', () => {
    const { budget, received, cut } = setUp();
    const chunk = received(traces([100, 20_000, 100], 3), 3);
    const [body] = chunk.slices;
    const whole = budget.used;
    const parts = cut(chunk);
    const sharing = parts.filter(({ slices }) => slices.some((slice) => slice.buffer === body?.buffer));
    expect(sharing).toHaveLength(1);
    expect(budget.used).toBeGreaterThan(whole);
    sharing[0]?.release();
    expect(budget.used).toBeLessThan(1000);
    for (const part of parts) if (part !== sharing[0]) part.release();
    expect(budget.used).toBe(0);
  });

  it('of neighbours lies side by side, so that parts of several requests leave as one slice', () => {
    const { received, cut } = setUp();
    const sizes = [100, 100, 100, 100];
    const [first, second] = [cut(received(traces(sizes, 2), 4)), cut(received(traces(sizes, 2), 4))];
    const [a, b] = [first[0]?.slices[0] as Uint8Array, second[0]?.slices[0] as Uint8Array];
    expect(b.buffer).toBe(a.buffer);
    expect(b.byteOffset).toBe(a.byteOffset + a.length);
  });

  it('is used again when the parts were delivered, and not where an attempt may still be sending from it', () => {
    const { received, cut } = setUp();
    const sizes = Array.from({ length: 64 }, () => 800);
    const stores = new Set<ArrayBufferLike>();
    for (let i = 0; i < 50; i += 1)
      for (const part of cut(received(traces(sizes, 2), 64))) {
        for (const { buffer } of part.slices) stores.add(buffer);
        part.release();
      }
    expect(stores.size).toBeLessThanOrEqual(2);
    for (let i = 0; i < 50; i += 1)
      for (const part of cut(received(traces(sizes, 2), 64))) {
        if (i > 0) for (const { buffer } of part.slices) expect(stores.has(buffer)).toBe(false);
        stores.add(part.slices[0]?.buffer as ArrayBufferLike);
        part.taint();
        part.release();
      }
  });

  it('settles its sender once, when all parts are settled', () => {
    const { received } = setUp();
    const { cut } = setUp();
    const outcomes: string[] = [];
    const chunk = received(traces([1, 1, 1, 1], 4), 4);
    const asked = new Chunk('traces', chunk.slices, chunk.bytes, 4, 0, new Receipt(1, ({ kind }) => outcomes.push(kind)), {
      charging: () => true,
      retain: () => {},
      release: () => {},
      charge: () => {},
      taint: () => {},
    });
    const parts = cut(asked);
    for (const part of parts.slice(1)) part.settle(OK);
    expect(outcomes).toEqual([]);
    parts[0]?.settle(OK);
    expect(outcomes).toEqual(['ok']);
  });

  it('fails to be released more often than it has owners', () => {
    const { received, cut } = setUp();
    const [part] = cut(received(traces([1, 1], 2), 2));
    part?.release();
    expect(() => part?.release()).toThrow(/more often/);
  });
});

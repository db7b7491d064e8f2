import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../agent/balance/crc32.ts';
import { HashRing } from '../../../agent/balance/hash-ring.ts';
import type { RingKind } from '../../../agent/balance/settings.ts';

interface Vectors {
  readonly about: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
  readonly sets: readonly { readonly endpoints: readonly string[]; readonly nodes: number; readonly owners: readonly number[] }[];
}

const KINDS: readonly RingKind[] = ['collector_0.155', 'collector_0.157'];
const vectorsOf = (kind: RingKind): Vectors =>
  JSON.parse(readFileSync(new URL(`vectors/ring-${kind}.json`, import.meta.url), 'utf8')) as Vectors;

describe.each(KINDS)('the ring of %s', (kind) => {
  const vectors = vectorsOf(kind);

  it('vectors say which source made them', () => {
    expect(vectors.about.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(vectors.keys.length).toBeGreaterThan(400);
  });

  it.each(vectors.sets.map((set) => [set.endpoints.length, set] as const))(
    'gives each key the endpoint that upstream gives it, of %i',
    (_count, set) => {
      const ring = new HashRing(set.endpoints, kind);
      expect(ring.nodes).toBe(set.nodes);
      const owners = vectors.keys.map((key) => ring.names[ring.ownerOf(ring.placeOf(Buffer.from(key, 'hex')))]);
      expect(owners).toEqual(set.owners.map((owner) => set.endpoints[owner]));
    },
  );

  it('does not depend on the order in which names come, nor on doubles', () => {
    const names = Array.from({ length: 20 }, (_, i) => `host-${i}:4317`);
    const one = new HashRing(names, kind);
    const other = new HashRing([...names.toReversed(), ...names], kind);
    for (let place = 0; place < 36_000; place += 7) expect(other.ownerOf(place)).toBe(one.ownerOf(place));
  });

  it('an owner that is not usable gives only its own share away, to every other one', () => {
    const ring = new HashRing(
      Array.from({ length: 7 }, (_, i) => `host-${i}:4317`),
      kind,
    );
    const sick = 3;
    const heirs = new Set<number>();
    for (let i = 0; i < 20_000; i += 1) {
      const place = ring.placeOf(randomBytes(16));
      const owner = ring.ownerOf(place);
      const now = ring.usableOwnerOf(place, (one) => one !== sick);
      if (owner === sick) heirs.add(now);
      else expect(now).toBe(owner);
    }
    expect(heirs).toEqual(new Set([0, 1, 2, 4, 5, 6]));
  });

  it('the table says what a search says, whoever is left out', () => {
    const ring = new HashRing(['10.0.0.1:4317', '10.0.0.2:4317', '10.0.0.3:4317'], kind);
    for (const out of [-1, 0, 1, 2]) {
      const usable = (owner: number): boolean => owner !== out;
      const table = ring.table(usable);
      expect(table).toBeInstanceOf(Uint8Array);
      for (let place = 0; place < table.length; place += 1)
        if (table[place] !== ring.usableOwnerOf(place, usable))
          expect([place, table[place]]).toEqual([place, ring.usableOwnerOf(place, usable)]);
    }
    expect(ring.table(() => false)).toHaveLength(0);
    expect(new HashRing([], kind).table(() => true)).toHaveLength(0);
  });

  it('fails to find an owner where there is none', () => {
    expect(new HashRing([], kind).ownerOf(17)).toBe(-1);
    expect(new HashRing([], kind).usableOwnerOf(17, () => true)).toBe(-1);
    expect(new HashRing(['a:1', 'b:1'], kind).usableOwnerOf(17, () => false)).toBe(-1);
  });

  it('one of ten that leaves: its share moves, and of the others only what collisions had displaced', () => {
    const names = Array.from({ length: 10 }, (_, i) => `gateway-${i}:4317`);
    const before = new HashRing(names, kind);
    const after = new HashRing(names.slice(0, 9), kind);
    let moved = 0;
    let displaced = 0;
    const keys = 100_000;
    for (let i = 0; i < keys; i += 1) {
      const key = Buffer.from(`key-${i}`);
      const was = before.names[before.ownerOf(before.placeOf(key))] as string;
      const is = after.names[after.ownerOf(after.placeOf(key))] as string;
      if (was === is) continue;
      if (was === names[9]) moved += 1;
      else displaced += 1;
    }
    console.log(`${kind}: of ${keys} keys ${moved} moved with the one of ten that left, ${displaced} others`);
    expect(moved / keys).toBeGreaterThan(0.05);
    expect(moved / keys).toBeLessThan(0.2);
    // A node of the one that left had pushed a neighbour one place on; upstream's ring has that too.
    expect(displaced / keys).toBeLessThan(0.002);
  });

  it('prints how even it is: not judged, it is what this ring gives', () => {
    const lines: string[] = [];
    for (const count of [2, 3, 5, 10, 50]) {
      const ring = new HashRing(
        Array.from({ length: count }, (_, i) => `gateway-${i}:4317`),
        kind,
      );
      const got = new Array<number>(count).fill(0);
      const keys = 100_000;
      for (let i = 0; i < keys; i += 1) (got[ring.ownerOf(ring.placeOf(Buffer.from(`trace-${i}`)))] as number) += 1;
      const shares = got.map((n) => (n * count * 100) / keys);
      lines.push(
        `${count} upstreams: least ${Math.min(...shares).toFixed(0)} %, most ${Math.max(...shares).toFixed(0)} % of the ideal share`,
      );
      expect(got.every((n) => n > 0)).toBe(true);
    }
    console.log(`${kind}\n${lines.join('\n')}`);
  });
});

it('the two rings are not the same, so a tier must be fed by one kind', () => {
  const names = ['a:4317', 'b:4317', 'c:4317'];
  const [older, newer] = [new HashRing(names, 'collector_0.155'), new HashRing(names, 'collector_0.157')];
  const differs = Array.from({ length: 1000 }, (_, i) => Buffer.from(`key-${i}`)).filter(
    (key) => older.ownerOf(older.placeOf(key)) !== newer.ownerOf(newer.placeOf(key)),
  );
  expect(differs.length).toBeGreaterThan(100);
});

it('crc32 is the one of zlib, for any part of any bytes', () => {
  const seed = Date.now() & 0x7fffffff;
  console.log(`seed ${seed}`);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, a, b) => {
      const [from, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
      expect(crc32(bytes, from, end)).toBe(zlibCrc32(bytes.subarray(from, end)));
    }),
    { seed },
  );
});

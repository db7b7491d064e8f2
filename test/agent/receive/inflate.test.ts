import { brotliCompressSync, createZstdCompress, deflateSync, gunzipSync, gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget, Grant } from '../../../agent/admit/budget.ts';
import type { Refusal } from '../../../agent/admit/errors.ts';
import { inflateBody, inflateView, keep } from '../../../agent/receive/inflate.ts';

const LIMIT = 8 * 1024 * 1024;
const MIB = 1024 * 1024;

const ENCODINGS = {
  gzip: (plain: Uint8Array) => gzipSync(plain, { level: 1 }),
  zstd: (plain: Uint8Array) => zstdCompressSync(plain),
  deflate: (plain: Uint8Array) => deflateSync(plain),
  br: (plain: Uint8Array) => brotliCompressSync(plain, { params: { [zlib.BROTLI_PARAM_QUALITY]: 1 } }),
} as const;
type Name = keyof typeof ENCODINGS;
const NAMES = Object.keys(ENCODINGS) as Name[];

/** A grant as a call has it when the compressed body was read. */
function grantFor(body: Buffer, limit = Number.POSITIVE_INFINITY): { grant: Grant; budget: Budget } {
  const budget = new Budget('test', limit, 0);
  const grant = new Grant([budget]);
  grant.resize(body.length);
  return { grant, budget };
}

async function inflated(name: Name, body: Buffer, limit = LIMIT): Promise<Buffer | Refusal> {
  return await inflateBody(name, body, limit, grantFor(body).grant);
}

/** Bytes that compress about as telemetry does. */
const plainBytes = (size: number): Buffer => {
  const out = Buffer.alloc(size);
  for (let i = 0; i < size; i += 1) out[i] = (i * 7 + (i >> 9) * 31) & 0x3f;
  return out;
};

describe('inflating a body', () => {
  it('gives what was compressed, below and above what is inflated on the spot, in memory that holds nothing else', async () => {
    for (const name of NAMES) {
      for (const size of [0, 1, 1023, 1024, 9401, 300_000, MIB - 1, MIB, MIB + 1, 3 * MIB]) {
        const plain = plainBytes(size);
        const result = await inflated(name, ENCODINGS[name](plain));
        if (!Buffer.isBuffer(result)) throw new Error(`${name} ${size}: ${result.detail}`);
        expect(result.equals(plain), `${name} ${size}`).toBe(true);
        expect(result.buffer.byteLength - result.length, `${name} ${size}`).toBeLessThanOrEqual(MIB / 2);
      }
    }
  });

  it('takes any row of bodies, sound and broken, one after the other in the same memory, as node:zlib takes each alone', async () => {
    const body = fc.tuple(
      fc.nat(200_000),
      fc.constantFrom('sound', 'cut', 'flipped', 'twice', 'lies') as fc.Arbitrary<'sound' | 'cut' | 'flipped' | 'twice' | 'lies'>,
      fc.nat(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 6 }), async (bodies) => {
        for (const [size, how, seed] of bodies) {
          const sound = gzipSync(plainBytes(size), { level: 1 });
          const at = seed % sound.length;
          let bytes = Buffer.from(sound);
          if (how === 'cut') bytes = bytes.subarray(0, at);
          if (how === 'flipped') bytes[at] = (bytes[at] as number) ^ (1 << (seed % 8));
          if (how === 'twice') bytes = Buffer.concat([sound, sound]);
          if (how === 'lies') bytes.writeUInt32LE(seed >>> 0, bytes.length - 4);
          let wanted: Buffer | undefined;
          try {
            wanted = gunzipSync(bytes, { maxOutputLength: LIMIT });
          } catch {
            wanted = undefined;
          }
          const result = await inflated('gzip', bytes);
          if (wanted === undefined) expect(Buffer.isBuffer(result)).toBe(false);
          else expect(Buffer.isBuffer(result) && result.equals(wanted)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('takes gzip of many members as one body, however large', async () => {
    for (const count of [2, 50, 700]) {
      const part = plainBytes(9401);
      const parts = Array.from({ length: count }, () => part);
      const result = await inflated('gzip', Buffer.concat(parts.map((each) => gzipSync(each))));
      expect(Buffer.isBuffer(result) && result.equals(Buffer.concat(parts))).toBe(true);
    }
  });

  it('takes many members within what telemetry becomes, where a memory limit has no room for the whole limit', async () => {
    let state = 1;
    const next = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 28;
    };
    const part = Buffer.from(Array.from({ length: 200_000 }, next));
    const body = Buffer.concat(Array.from({ length: 20 }, () => gzipSync(part)));
    const { grant, budget } = grantFor(body, 17 * body.length + 1024);
    expect(budget.limit).toBeLessThan(LIMIT * 100);
    const result = await inflateBody('gzip', body, LIMIT * 100, grant);
    expect(Buffer.isBuffer(result) && result.length).toBe(4_000_000);
    grant.resize(4_000_000);
    expect(budget.used).toBe(4_000_000);
  });

  it('takes zstd whose frames do not say how large they become', async () => {
    for (const size of [100, 50_000, 3 * MIB]) {
      const stream = createZstdCompress();
      const plain = plainBytes(size);
      stream.write(plain.subarray(0, size >> 1));
      stream.end(plain.subarray(size >> 1));
      const result = await inflated('zstd', Buffer.concat(await stream.toArray()));
      expect(Buffer.isBuffer(result) && result.equals(plain)).toBe(true);
    }
  });

  it('takes zstd after zstd that was broken or cut in the same memory', async () => {
    const sound = zstdCompressSync(plainBytes(50_000));
    for (let i = 0; i < 200; i += 1) {
      const broken = Buffer.from(sound);
      const at = (i * 7919) % sound.length;
      broken[at] = (broken[at] as number) ^ (1 << (i % 8));
      await inflated('zstd', i % 2 === 0 ? broken : sound.subarray(0, at));
      const result = await inflated('zstd', sound);
      expect(Buffer.isBuffer(result) && result.equals(plainBytes(50_000)), `after ${i}`).toBe(true);
    }
  });

  it('takes zstd of several frames, with skippable ones before and between', async () => {
    const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const frame = zstdCompressSync('some bytes');
    for (const parts of [
      [skippable, frame],
      [frame, skippable],
      [frame, skippable, frame],
    ]) {
      const wanted = 'some bytes'.repeat(parts.filter((part) => part === frame).length);
      expect(String(await inflated('zstd', Buffer.concat(parts)))).toBe(wanted);
    }
  });

  it('holds of a thousand zstd frames what they become, and no more', async () => {
    const frame = zstdCompressSync('x');
    const result = await inflated('zstd', Buffer.concat(Array.from({ length: 1000 }, () => frame)));
    expect(String(result)).toBe('x'.repeat(1000));
    expect((result as Buffer).buffer.byteLength).toBeLessThanOrEqual(2024);
  });

  it('fails on zstd frames that do not say their size and are together a byte more than the limit', async () => {
    const stream = createZstdCompress();
    stream.write('x');
    stream.end();
    const frame = Buffer.concat(await stream.toArray());
    const body = (frames: number): Buffer => Buffer.concat(Array.from({ length: frames }, () => frame));
    expect(String(await inflated('zstd', body(10), 10))).toBe('x'.repeat(10));
    for (const frames of [11, 20, 900])
      expect(((await inflated('zstd', body(frames), 10)) as Refusal).kind?.code, `${frames}`).toBe('OTLP_TOO_LARGE');
  });

  it('takes a body that becomes exactly the limit', async () => {
    for (const name of NAMES) {
      for (const size of [10_000, 2 * MIB]) {
        const result = await inflated(name, ENCODINGS[name](plainBytes(size)), size);
        expect(Buffer.isBuffer(result) && result.length, name).toBe(size);
      }
    }
  });

  it('fails on one that becomes a byte more', async () => {
    for (const name of NAMES) {
      for (const size of [10_000, 2 * MIB]) {
        const result = await inflated(name, ENCODINGS[name](plainBytes(size + 1)), size);
        expect((result as Refusal).kind?.code, name).toBe('OTLP_TOO_LARGE');
      }
    }
  });

  it('fails on bytes behind the last gzip member, which would be lost in silence', async () => {
    for (const size of [100, 2 * MIB]) {
      const member = gzipSync(plainBytes(size));
      for (const tail of [Buffer.alloc(4), Buffer.concat([Buffer.alloc(1), member])]) {
        const result = await inflated('gzip', Buffer.concat([member, tail]));
        expect((result as Refusal).detail).toMatch(/bytes behind its end/);
      }
    }
  });

  it('fails where the memory limit has no room for what the body says it becomes, before that memory is used', () => {
    for (const name of ['gzip', 'zstd'] as const) {
      const body = ENCODINGS[name](plainBytes(500_000));
      const { grant, budget } = grantFor(body, body.length + 400_000);
      const result = inflateBody(name, body, LIMIT, grant);
      expect((result as Refusal).kind?.code).toBe('OTLP_MEMORY_LIMIT');
      expect(budget.used).toBe(body.length);
    }
  });

  it('keeps no more than is charged where a trailer announces much more than comes', async () => {
    for (const announced of [500_000, 4 * MIB]) {
      const body = gzipSync('short');
      body.writeUInt32LE(announced, body.length - 4);
      // A wrong size is broken gzip: nothing is kept at all.
      expect(Buffer.isBuffer(await inflated('gzip', body))).toBe(false);
    }
    const two = Buffer.concat([gzipSync(Buffer.alloc(10)), gzipSync(Buffer.alloc(900_000))]);
    const result = (await inflated('gzip', two)) as Buffer;
    expect(result.length).toBe(900_010);
    expect(result.buffer.byteLength).toBe(900_010);
  });

  it('is a view that the next call writes over, until it is kept', () => {
    const [one, other] = [gzipSync('one'), gzipSync('other')];
    const view = inflateView('gzip', one, LIMIT, grantFor(one).grant) as Buffer;
    const kept = keep(view);
    void inflateView('gzip', other, LIMIT, grantFor(other).grant);
    expect(String(kept)).toBe('one');
    expect(keep(kept)).toBe(kept);
  });
});

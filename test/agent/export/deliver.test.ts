import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ending, Sending } from '../../../agent/export/attempt.ts';
import { deliver } from '../../../agent/export/deliver.ts';
import type { Outcome } from '../../../agent/runtime/outcome.ts';
import { type Attempt, ok, reject, retryLater, type Scripted, scripted } from './support/scripted.ts';

/** Delivers chunks 0..n-1, each of two items, and says how each ended, in the order in which they did. */
async function run(line: Scripted, count: number): Promise<[number, Ending][]> {
  const chunks = Array.from({ length: count }, (_, id) => line.chunk(id, 2));
  const endings: [number, Ending][] = [];
  await deliver(chunks, line.sending, (chunk, ending) => endings.push([chunk.slices[0]?.[0] as number, ending]));
  return endings;
}

const poisoned =
  (poison: ReadonlySet<number>) =>
  (attempt: Attempt): Outcome =>
    attempt.chunks.some((id) => poison.has(id)) ? reject() : ok();

/** How often each chunk was in a request that was taken. */
function taken(line: Scripted, answer: (attempt: Attempt) => Outcome): Map<number, number> {
  const counts = new Map<number, number>();
  for (const attempt of line.attempts) {
    if (answer(attempt).kind !== 'ok') continue;
    for (const id of attempt.chunks) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

describe('poison in a batch', () => {
  it('any of it: only the poison is rejected, everything else arrives exactly once, in at most two requests a chunk', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 120 }), fc.uniqueArray(fc.nat({ max: 119 }), { maxLength: 20 }), async (count, bad) => {
        const poison = new Set(bad.filter((id) => id < count));
        const answer = poisoned(poison);
        const line = scripted(answer);
        const endings = await run(line, count);
        expect(endings.map(([id]) => id)).toEqual(Array.from({ length: count }, (_, id) => id));
        for (const [id, ending] of endings) expect(ending.outcome.kind).toBe(poison.has(id) ? 'reject' : 'ok');
        const arrived = taken(line, answer);
        for (let id = 0; id < count; id += 1) expect(arrived.get(id) ?? 0).toBe(poison.has(id) ? 0 : 1);
        expect(line.attempts.length).toBeLessThanOrEqual(2 * count);
      }),
    );
  });

  it('one among a thousand costs about twice the logarithm, not a thousand requests', async () => {
    let rejected = 0;
    const only = scripted((attempt) => (attempt.chunks.includes(255) ? reject() : ok()));
    await deliver(
      Array.from({ length: 1000 }, (_, i) => only.chunk(i === 613 ? 255 : i % 255)),
      only.sending,
      (_chunk, ending) => {
        if (ending.outcome.kind === 'reject') rejected += 1;
      },
    );
    expect(rejected).toBe(1);
    expect(only.attempts.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(1000)));
  });

  it.each([undefined, 10])('what cannot be encoded fails alone too, and nothing is thrown (bytes of a body: %s)', async (encodedBytes) => {
    const line = scripted(() => ok(), { unencodable: 3, ...(encodedBytes === undefined ? {} : { encodedBytes }) });
    const endings = await run(line, 8);
    expect(endings.map(([id, { outcome }]) => [id, outcome.kind])).toEqual(
      Array.from({ length: 8 }, (_, id) => [id, id === 3 ? 'reject' : 'ok']),
    );
    expect(line.budget.used).toBe(8);
  });

  it('a next hop that takes small requests only gets small ones', async () => {
    const line = scripted((attempt) => (attempt.chunks.length > 3 ? reject(8) : ok()));
    const endings = await run(line, 10);
    expect(endings.every(([, ending]) => ending.outcome.kind === 'ok')).toBe(true);
    expect(line.attempts.filter((one) => one.chunks.length <= 3).flatMap((one) => one.chunks)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('what is never sent again', () => {
  it('a batch of which a part was rejected: the rest has arrived', async () => {
    const line = scripted(() => ok(3));
    const endings = await run(line, 3);
    expect(line.attempts).toHaveLength(1);
    expect(endings.map(([, { outcome }]) => (outcome.kind === 'ok' ? outcome.rejected : -1))).toEqual([2, 1, 0]);
  });

  it('a part of the batch that was partly accepted while its other half was refused', async () => {
    const line = scripted((attempt) => {
      if (attempt.chunks.length === 4) return reject();
      return attempt.chunks.includes(0) ? ok(1) : reject();
    });
    const endings = await run(line, 4);
    expect(line.attempts.map((one) => one.chunks)).toEqual([[0, 1, 2, 3], [0, 1], [2, 3], [2], [3]]);
    expect(endings.map(([, { outcome }]) => outcome.kind)).toEqual(['ok', 'ok', 'reject', 'reject']);
  });

  it('a batch whose answer could not be read: it may have been taken', async () => {
    const line = scripted(() => ({ kind: 'reject', code: 8, message: 'the response is larger than 4194304 bytes', taken: true }));
    const endings = await run(line, 4);
    expect(line.attempts).toHaveLength(1);
    expect(endings.every(([, { outcome }]) => outcome.kind === 'reject')).toBe(true);
  });

  it('a batch whose retries ran out: it is given up whole', async () => {
    const line = scripted(() => retryLater(), { retry: { enabled: false } });
    await run(line, 4);
    expect(line.attempts).toHaveLength(1);
  });
});

describe('while the halves are sent', () => {
  it('a half that fails for now is tried again alone, the other one is not', async () => {
    const line = scripted((_attempt, n) => (n === 1 ? reject() : n === 2 ? retryLater() : ok()));
    const endings = await run(line, 4);
    expect(line.attempts.map((one) => one.chunks)).toEqual([
      [0, 1, 2, 3],
      [0, 1],
      [0, 1],
      [2, 3],
    ]);
    expect(endings.every(([, { outcome }]) => outcome.kind === 'ok')).toBe(true);
  });

  it('a stop evicts what is left and sends nothing more', async () => {
    const line = scripted((_attempt, n) => {
      if (n === 2) line.stop.abort();
      return n === 1 ? reject() : ok();
    });
    const endings = await run(line, 4);
    expect(line.attempts).toHaveLength(2);
    expect(endings.map(([id, { kind }]) => [id, kind])).toEqual([
      [0, 'told'],
      [1, 'told'],
      [2, 'evicted'],
      [3, 'evicted'],
    ]);
  });
});

describe('what an operator reads', () => {
  it("the next hop's words for what it rejected, once, with the number", async () => {
    const line = scripted(() => ok(1));
    for (let i = 0; i < 5; i += 1) await run(line, 1);
    expect(line.lines).toEqual([
      {
        level: 'error',
        event: 'the next hop rejected a part',
        fields: { exporter: 'test', signal: 'traces', items: 1, reason: 'some are bad' },
      },
    ]);
  });

  it('a warning that came with full acceptance', async () => {
    const line = scripted(() => ({ kind: 'ok', rejected: 0, message: 'use another endpoint' }));
    await run(line, 2);
    expect(line.lines).toEqual([
      {
        level: 'warn',
        event: 'the next hop took everything and warns',
        fields: { exporter: 'test', signal: 'traces', reason: 'use another endpoint' },
      },
    ]);
  });
});

describe('memory that may still be read when the outcome is known', () => {
  it.each([
    ['an answer', { ends: [ok()], stillRead: false, kept: 0 }],
    ['a rejection', { ends: [reject()], stillRead: false, kept: 0 }],
    ['an answer after a retry', { ends: [retryLater(), ok()], stillRead: false, kept: 1 }],
    ['an answer of a transport that says so', { ends: [ok()], stillRead: true, kept: 1 }],
    ['a rejection of a transport that says so', { ends: [reject()], stillRead: true, kept: 1 }],
  ] as const)('after %s', async (_, { ends, stillRead, kept }) => {
    const line = scripted((_attempt, n) => ends[n - 1] as Outcome, { retry: { initialIntervalMs: 1, maxIntervalMs: 1 } });
    const { transport } = line.sending;
    const saying: Sending = {
      ...line.sending,
      transport: {
        ...transport,
        send(body) {
          if (stillRead) body.stillRead = true;
          return transport.send(body);
        },
      },
    };
    let tainted = 0;
    const chunk = line.chunk(1);
    chunk.taint = () => {
      tainted += 1;
    };
    await deliver([chunk], saying, () => undefined);
    expect(tainted).toBe(kept);
  });
});

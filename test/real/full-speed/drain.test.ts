import { afterEach, describe, expect, it } from 'vitest';
import { expectExactBooks } from './books.ts';
import { requestsOf } from './driver.ts';
import { type Case, LOADS, Scenes, TWO_WORKERS } from './scenes.ts';

const scenes = new Scenes();
afterEach(() => scenes.end());

const CASES: readonly Case[] = [
  ...LOADS,
  TWO_WORKERS,
  { what: 'HTTP, 512 spans, two workers', load: { protocol: 'http', spans: 512 }, shape: { workers: 2 } },
  { what: 'gRPC, 512 spans, gzip', load: { protocol: 'grpc', spans: 512, inFlight: 8, encoding: 'gzip' }, shape: { compression: 'gzip' } },
  { what: 'HTTP, 25 spans, zstd', load: { protocol: 'http', spans: 25, encoding: 'zstd' }, shape: { compression: 'zstd' } },
];

describe('at full speed, SIGTERM', () => {
  it.each(CASES)('lets all arrive that was accepted, and answers each of it: $what', async ({ load, shape }) => {
    const { hops, agent, driver } = await scenes.begin(load, shape);
    await driver.more('accepted', requestsOf(200_000, load));
    const { connections } = await driver.progress();
    await driver.stay();
    agent.terminate();
    const books = await agent.end();
    const sent = await driver.stop();
    await expectExactBooks(sent, hops, books, load, { leaving: true });
    if (load.protocol === 'grpc') expect(sent.goaways).toBeGreaterThanOrEqual(connections);
  });

  it.each(CASES)('with the next hop gone counts and says at the deadline what it could not deliver: $what', async ({ load, shape }) => {
    const { hops, agent, driver } = await scenes.begin(load, { drainDeadline: '1s', ...shape });
    await driver.more('accepted', requestsOf(100_000, load));
    await hops.turn({ kind: 'stopped' });
    await driver.more('refused', 2000);
    await driver.stay();
    agent.terminate();
    const books = await agent.end();
    const sent = await driver.stop();
    expect(books.evicted).toBeGreaterThan(0);
    const said = agent.lines('drain deadline reached').map(({ evicted }) => Number(evicted));
    expect(said).toHaveLength(shape?.workers ?? 1);
    expect(said.reduce((sum, evicted) => sum + evicted, 0)).toBe(books.evicted);
    await expectExactBooks(sent, hops, books, load, { leaving: true, evicted: true });
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { expectCountedRequests, expectExactBooks } from './books.ts';
import { MOST_RSS_MIB } from './configuration.ts';
import { requestsOf } from './driver.ts';
import { type Case, LOADS, type Scene, Scenes, TWO_WORKERS } from './scenes.ts';

const scenes = new Scenes();
afterEach(() => scenes.end());

const LARGE = LOADS.filter(({ load }) => load.spans === 512);
const COMPRESSED: readonly Case[] = [
  { what: 'gRPC, 512 spans, zstd', load: { protocol: 'grpc', spans: 512, inFlight: 8, encoding: 'zstd' }, shape: { compression: 'zstd' } },
  { what: 'gRPC, 25 spans, gzip', load: { protocol: 'grpc', spans: 25, encoding: 'gzip' }, shape: { compression: 'gzip' } },
];
const HTTP_HOP: readonly Case[] = [
  { what: 'HTTP, 512 spans, over otlp_http', load: { protocol: 'http', spans: 512 }, shape: { exporter: 'otlp_http' } },
  { what: 'gRPC, 25 spans, over otlp_http', load: { protocol: 'grpc', spans: 25 }, shape: { exporter: 'otlp_http' } },
];

/** No more is sent; everything arrives, the agent ends, and every span is where the books say. */
async function finish({ hops, agent, driver }: Scene): Promise<void> {
  const sent = await driver.stop();
  await agent.untilNothingIsHeld();
  await expectCountedRequests(agent, sent);
  expect(agent.peakRssMib).toBeLessThanOrEqual(MOST_RSS_MIB);
  agent.terminate();
  await expectExactBooks(sent, hops, await agent.end(), driver.load);
}

describe('at full speed, a next hop that stops and comes back', () => {
  it.each([...LOADS, ...COMPRESSED, TWO_WORKERS])(
    'fills the queue: senders are told to come again, all that was taken arrives: $what',
    async ({ load, shape }) => {
      const scene = await scenes.begin(load, shape);
      const { hops, driver } = scene;
      await driver.more('accepted', requestsOf(100_000, load));
      await hops.turn({ kind: 'stopped' });
      await driver.more('refused', 2000);
      await hops.turn({ kind: 'take' });
      await driver.more('accepted', requestsOf(100_000, load));
      await finish(scene);
    },
  );

  it.each([...LOADS, TWO_WORKERS])(
    'fills the memory: it stays below its limit, senders are told to come again, all that was taken arrives: $what',
    async ({ load, shape }) => {
      const scene = await scenes.begin(load, { queueSize: 100_000_000, ...shape });
      const { hops, agent, driver } = scene;
      await driver.more('accepted', requestsOf(100_000, load));
      await hops.turn({ kind: 'stopped' });
      await driver.more('refused', 2000);
      expect(await agent.metric('otlp_agent_memory_limiter_refused_requests')).toBeGreaterThan(0);
      await hops.turn({ kind: 'take' });
      await driver.more('accepted', requestsOf(100_000, load));
      await finish(scene);
    },
  );
});

describe('at full speed, a next hop', () => {
  it.each(LOADS)('that is slow: senders are told to come again, all that was taken arrives: $what', async ({ load }) => {
    const scene = await scenes.begin(load);
    const { hops, driver } = scene;
    await driver.more('accepted', requestsOf(100_000, load));
    await hops.turn({ kind: 'take', delayMs: 500 });
    await driver.more('refused', 2000);
    await driver.more('accepted', requestsOf(100_000, load));
    await finish(scene);
  });

  it.each([...LOADS, ...HTTP_HOP])(
    'that refuses and names a time: it is waited for, all that was taken arrives once: $what',
    async ({ load, shape }) => {
      const scene = await scenes.begin(load, shape);
      const { hops, agent, driver } = scene;
      await driver.more('accepted', requestsOf(100_000, load));
      await hops.turn({ kind: 'refuse' });
      await hops.until('what was under way, and one more', ({ refusals }) => refusals > 10);
      await hops.turn({ kind: 'take' });
      await driver.more('accepted', requestsOf(100_000, load));
      const { refusals } = await hops.progress();
      expect(await agent.metric('otlp_agent_exporter_throttled')).toBe(refusals);
      await finish(scene);
    },
  );

  it.each(LOADS)(
    'that takes and does not answer: what it took comes once more for each time, and nothing else twice: $what',
    async ({ load }) => {
      const scene = await scenes.begin(load);
      const { hops, driver } = scene;
      await driver.more('accepted', requestsOf(100_000, load));
      await hops.turn({ kind: 'cut' });
      await hops.until('lost answers', ({ cuts }) => cuts > 20);
      await hops.turn({ kind: 'take' });
      await driver.more('accepted', requestsOf(100_000, load));
      await finish(scene);
    },
  );
});

describe('at full speed, one of four balanced upstreams', () => {
  it.each(LARGE)('dies and comes back: the others take its share, nothing is lost or twice: $what', async ({ load }) => {
    const scene = await scenes.begin(load, {}, 4);
    const { hops } = scene;
    const more = async (what: string, of: (hop: number) => boolean): Promise<void> => {
      const before = (await hops.progress()).hops;
      await hops.until(what, (now) => now.hops.every((items, hop) => !of(hop) || items > (before[hop] ?? 0) + 10_000));
    };
    await more('spans at all four', () => true);
    await hops.turn({ kind: 'stopped' }, 2);
    await more('spans at the other three', (hop) => hop !== 2);
    await hops.turn({ kind: 'take' }, 2);
    await more('spans at the fourth again', (hop) => hop === 2);
    await finish(scene);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { expectExactBooks } from './books.ts';
import { requestsOf } from './driver.ts';
import { LOADS, Scenes, TWO_WORKERS } from './scenes.ts';

const scenes = new Scenes();
afterEach(() => scenes.end());

/** A processor, the receiver with it, the exporter with both. */
const CHANGES = [{ environment: 'blue' }, { environment: 'green', maxMessageMib: 32 }, { queueSize: 90_000_000, maxMessageMib: 64 }];

describe('at full speed, other settings by SIGHUP', () => {
  it.each([...LOADS, TWO_WORKERS])('are taken over: no request is refused, none lost and none twice: $what', async ({ load, shape }) => {
    // Room for all: whatever is refused is refused by the reload.
    const roomy = { queueSize: 100_000_000, limitMib: 2000, ...shape };
    const { hops, agent, driver } = await scenes.begin(load, roomy);
    for (const change of CHANGES) {
      await driver.more('accepted', requestsOf(100_000, load));
      await agent.reload({ hops: hops.ports, ...roomy, ...change });
    }
    await driver.more('accepted', requestsOf(100_000, load));
    const sent = await driver.stop();
    expect(Object.keys(sent.outcomes)).toEqual(['ok']);
    await agent.untilNothingIsHeld();
    agent.terminate();
    await expectExactBooks(sent, hops, await agent.end(), load);
  });
});

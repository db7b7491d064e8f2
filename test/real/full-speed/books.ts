import { expect } from 'vitest';
import type { AgentUnderLoad, Drained } from './agent.ts';
import type { Load, Sent } from './driver.ts';
import type { Hops } from './hops.ts';
import { ACCEPTED } from './ledger.mjs';

/** What may be said to a sender that the agent has no room for: to come again, and when. */
const ROOM = /^(?:14|503) OTLP_(?:QUEUE_FULL|MEMORY_LIMIT) retry$/u;
/** And at the agent's end: that it ends, that the request was not begun, or that the connection is gone. */
const LEAVING = /^(?:(?:14|503) OTLP_DRAINING retry|untaken|unanswered)$/u;

/**
 * Request by request: what was accepted came once, and once more for each time that a hop took it and did not answer; what was not accepted
 * never came. `evicted` spans of those that were accepted did not come.
 */
export async function expectExactBooks(
  sent: Sent,
  hops: Hops,
  books: Drained,
  load: Load,
  { evicted = false, leaving = false } = {},
): Promise<void> {
  const got = await hops.finish();
  expect(got.problems).toEqual([]);
  const { ok = 0, ...others } = sent.outcomes;
  const unexpected = Object.keys(others).filter((outcome) => !ROOM.test(outcome) && !(leaving && LEAVING.test(outcome)));
  expect(unexpected, JSON.stringify(sent.outcomes)).toEqual([]);
  expect(ok + Object.values(others).reduce((sum, count) => sum + count, 0)).toBe(sent.sent);

  const wrong: string[] = [];
  let missing = 0;
  for (let number = 0; number < Math.max(sent.sent, got.delivered.length); number += 1) {
    const accepted = sent.ledger[number] === ACCEPTED;
    const came = got.delivered[number] ?? 0;
    const wanted = accepted ? 1 + (got.cut[number] ?? 0) : 0;
    if (evicted && accepted && came === wanted - 1) missing += 1;
    else if (came !== wanted && wrong.length < 10)
      wrong.push(`request ${number} (ledger ${sent.ledger[number]}) came ${came} times instead of ${wanted}`);
  }
  expect(wrong).toEqual([]);
  const delivered = got.items - got.cutItems;
  expect(books).toMatchObject({
    accepted: ok * load.spans,
    failed: 0,
    sendFailed: 0,
    queued: 0,
    sent: delivered,
    evicted: missing * load.spans,
  });
  expect(books.accepted).toBe(books.sent + books.evicted);
  if (!evicted) expect(books.evicted).toBe(0);
}

/** While it runs: the agent has counted every request as its sender has. */
export async function expectCountedRequests(agent: AgentUnderLoad, sent: Sent): Promise<void> {
  for (const [outcome, count] of Object.entries(sent.outcomes)) {
    const code = outcome === 'ok' ? 'ok' : outcome.split(' ')[1];
    expect(await agent.metric('otlp_agent_receiver_requests', `code="${code}"`), outcome).toBe(count);
  }
}

import type { Chunk } from '../runtime/chunk.ts';
import { OK } from '../runtime/outcome.ts';
import { attempt, type Ending, type Sending } from './attempt.ts';

/**
 * Delivers one batch, whatever it takes within the retry settings, and ends every chunk of it exactly once. One promise per batch.
 *
 *   ok                        all sent, less what partial_success rejected (never sent again: spec 1.11, "Partial Success")
 *   retry                     its time is over: given up
 *   reject, one request       failed for good
 *   reject, several requests  one of them may be poison: the halves are sent by themselves, and halves of those that are refused again,
 *                             until only the poison fails. k bad ones of n cost about 2 k log2 n requests, never more than 2 n.
 *
 * Nothing arrives twice by that: only a request that was refused as a whole is cut. Whatever was taken, in part or perhaps, has ended.
 */
export async function deliver(batch: readonly Chunk[], sending: Sending, end: (chunk: Chunk, ending: Ending) => void): Promise<void> {
  // A stack of what is still to be sent, the next on top, so that the order of arrival is kept.
  const parts: (readonly Chunk[])[] = [batch];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const ending = await attempt(part, sending);
    const { outcome } = ending;
    const halves = outcome.kind === 'reject' && outcome.taken !== true ? halvesOf(part) : undefined;
    if (halves === undefined) endAll(part, ending, end);
    else parts.push(halves[1], halves[0]);
  }
}

/** Undefined where it is one request. */
function halvesOf(part: readonly Chunk[]): readonly [readonly Chunk[], readonly Chunk[]] | undefined {
  if (part.length > 1) {
    const middle = part.length >>> 1;
    return [part.slice(0, middle), part.slice(middle)];
  }
  const halves = part[0]?.halves();
  return halves === undefined ? undefined : [[halves[0]], [halves[1]]];
}

function endAll(part: readonly Chunk[], ending: Ending, end: (chunk: Chunk, ending: Ending) => void): void {
  const { outcome } = ending;
  if (outcome.kind !== 'ok' || outcome.rejected === 0) {
    for (const chunk of part) end(chunk, ending);
    return;
  }
  // Nobody can say which of the merged requests the rejected items came from: they are counted against the first that has room.
  let rejected = outcome.rejected;
  for (const chunk of part) {
    const mine = Math.min(rejected, chunk.items);
    rejected -= mine;
    end(chunk, { kind: 'told', outcome: mine === 0 ? OK : { kind: 'ok', rejected: mine, message: outcome.message } });
  }
}

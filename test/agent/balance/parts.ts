import { Budget, Grant } from '../../../agent/admit/budget.ts';
import type { Part } from '../../../agent/balance/part.ts';
import type { KeySplitter, Plan, Route } from '../../../agent/balance/split-by-key.ts';
import type { Hold } from '../../../agent/runtime/chunk.ts';

export interface PlainPart {
  readonly target: number;
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
  readonly items: number;
}

/** The parts of a request as they are cut, the request itself where it is not. Whoever reads them owns them: nothing is let go. */
export function split(splitter: KeySplitter, request: Uint8Array, items: number, route: Route): PlainPart[] {
  const plan = splitter.plan(request, items, route);
  if (plan.count === 1)
    return [{ target: plan.targets[0] as number, slices: [request], bytes: plan.bytes[0] as number, items: plan.items[0] as number }];
  const parts = writeAll(splitter, plan, new Grant([new Budget('test', Number.POSITIVE_INFINITY, 0)]));
  return parts.map(({ target, slices, bytes, items: ofPart }) => ({ target, slices, bytes, items: ofPart }));
}

/** All parts of a plan, each by itself. */
export function writeAll(splitter: KeySplitter, plan: Plan, hold: Hold): Part[] {
  splitter.begin(hold);
  const parts = Array.from({ length: plan.count }, (_, i) => splitter.write(i));
  splitter.end();
  return parts;
}

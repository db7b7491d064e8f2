import { Budget, Grant } from '../../../agent/admit/budget.ts';
import type { KeySplitter, Route } from '../../../agent/balance/split-by-key.ts';

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
  const parts = splitter.write(new Grant([new Budget('test', Number.POSITIVE_INFINITY, 0)]));
  return parts.map(({ target, slices, bytes, items: ofPart }) => ({ target, slices, bytes, items: ofPart }));
}

import { ItemWalk, type Visitor, type WalkedItem, type WalkedSignal } from '../otlp/view/item-walk.ts';
import type { ResourceView, ScopeView } from '../otlp/view/request.ts';
import { Item } from '../ottl/item.ts';
import type { Body, Metadata } from './process.ts';

/** What a pass asks; a question that it has not is undefined, and where it has none further down nothing is looked at there. */
export interface Pass {
  readonly dropsResource?: ((item: Item) => boolean) | undefined;
  readonly dropsScope?: ((item: Item) => boolean) | undefined;
  /** May also remove parts of it: span events, data points. */
  readonly dropsItem?: ((each: WalkedItem, item: Item) => boolean) | undefined;
}

/**
 * Whether the passes can be asked of one item after the other: somebody looks at items, as upstream removes no empty scope otherwise, and
 * no pass asks about what is around items when the one before has seen them.
 */
export function canWalk([first, ...more]: readonly Pass[]): boolean {
  const asksAround = ({ dropsResource, dropsScope }: Pass): boolean => dropsResource !== undefined || dropsScope !== undefined;
  return first?.dropsItem !== undefined && !more.some(asksAround);
}

/** Passes of filter in one walk over the items. */
export class FilterWalk implements Visitor {
  readonly keepsEmpty = false;
  readonly #walk: ItemWalk;
  readonly #passes: readonly Pass[];
  #item = new Item();

  constructor(signal: WalkedSignal, passes: readonly Pass[]) {
    this.#passes = passes;
    this.#walk = new ItemWalk(signal, this);
  }

  run(body: Body, metadata: Metadata | undefined): Body {
    this.#item = new Item(metadata);
    try {
      return this.#walk.run(body);
    } finally {
      this.#item = new Item();
    }
  }

  resource(resource: ResourceView): boolean {
    this.#item.resource = resource;
    return this.#passes[0]?.dropsResource?.(this.#item) !== true;
  }

  scope(scope: ScopeView): boolean {
    this.#item.scope = scope;
    return this.#passes[0]?.dropsScope?.(this.#item) !== true;
  }

  item(each: WalkedItem): void {
    for (const { dropsItem } of this.#passes) {
      if (dropsItem?.(each, this.#item) !== true) continue;
      each.remove();
      return;
    }
  }
}

import type { Item } from './item.ts';
import type { Value } from './values.ts';

/** Something that gives a value for an item; a constant one needs no item and is never asked twice for the same reason. */
export interface Getter<T = Value> {
  get(item: Item): T;
  /** Set where the value is known at start: literals, and lists and maps of them. */
  readonly constant?: { readonly value: T };
}

/** A path: it can be read and written. */
export interface Accessor extends Getter {
  set(item: Item, value: Value): void;
}

export function constant<T>(value: T): Getter<T> {
  return { get: () => value, constant: { value } };
}

/** What stands in brackets: a text or number as written, or what an expression gives. */
export type KeyGetter =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'expression'; readonly getter: Getter };

import type { ResourceLike, ScopeLike } from './common.ts';

/** An item of the SDK that says where it comes from. */
interface Placed {
  readonly resource: ResourceLike;
  readonly instrumentationScope: ScopeLike;
}

/** Items of one resource and scope, in order. */
export interface Group<T> {
  readonly scope: ScopeLike;
  readonly items: T[];
}

/** What one ResourceX holds. */
export interface ResourceGroup<T> {
  readonly resource: ResourceLike;
  readonly scopes: Map<ScopeLike, Group<T>>;
}

/** Items by resource and scope, both by identity and in the order in which they come first. */
export function grouped<T extends Placed>(items: readonly T[]): Iterable<ResourceGroup<T>> {
  const resources = new Map<ResourceLike, ResourceGroup<T>>();
  let ofResource: ResourceGroup<T> | undefined;
  let ofScope: Group<T> | undefined;
  for (const item of items) {
    const { resource, instrumentationScope: scope } = item;
    // Mostly both are those of the item before.
    if (ofResource === undefined || ofResource.resource !== resource) {
      ofResource = getOr(resources, resource, () => ({ resource, scopes: new Map() }));
      ofScope = undefined;
    }
    if (ofScope === undefined || ofScope.scope !== scope) ofScope = getOr(ofResource.scopes, scope, () => ({ scope, items: [] }));
    ofScope.items.push(item);
  }
  return resources.values();
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

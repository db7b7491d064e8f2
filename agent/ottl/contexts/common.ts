import type { ResourceView, ScopeView } from '../../otlp/view/request.ts';
import type { Accessor } from '../access.ts';
import { Failure, OttlError } from '../errors.ts';
import { getIn } from '../indexing.ts';
import type { Item } from '../item.ts';
import { map, number, text } from './fields.ts';
import { accessorIn, type Paths, type Segment } from './segment.ts';

const resourceOf = (item: Item): ResourceView => item.resource as ResourceView;
const scopeOf = (item: Item): ScopeView => item.scope as ScopeView;

/** pkg/ottl/contexts/internal/ctxresource. */
export const RESOURCE_PATHS: Paths = {
  attributes: map((item) => resourceOf(item).attributes),
  dropped_attributes_count: number(
    (item) => resourceOf(item).droppedAttributesCount,
    (item, value) => {
      resourceOf(item).droppedAttributesCount = value;
    },
  ),
  schema_url: text(
    (item) => resourceOf(item).schemaUrl,
    (item, value) => {
      resourceOf(item).schemaUrl = value;
    },
  ),
};

/** pkg/ottl/contexts/internal/ctxscope. */
export const SCOPE_PATHS: Paths = {
  name: text(
    (item) => scopeOf(item).name,
    (item, value) => {
      scopeOf(item).name = value;
    },
  ),
  version: text(
    (item) => scopeOf(item).version,
    (item, value) => {
      scopeOf(item).version = value;
    },
  ),
  attributes: map((item) => scopeOf(item).attributes),
  dropped_attributes_count: number(
    (item) => scopeOf(item).droppedAttributesCount,
    (item, value) => {
      scopeOf(item).droppedAttributesCount = value;
    },
  ),
  schema_url: text(
    (item) => scopeOf(item).schemaUrl,
    (item, value) => {
      scopeOf(item).schemaUrl = value;
    },
  ),
};

/** `cache` of the context that a statement is run in. */
export const CACHE = map((item) => item.cache);

function readOnly(): never {
  throw new Failure('otelcol paths are read-only');
}

/**
 * pkg/ottl/contexts/internal/ctxotelcol: headers of the request that brought the data, where its receiver has include_metadata. Address,
 * authentication and raw gRPC metadata of the sender are not handed on in this agent.
 */
export const OTELCOL_PATHS: Paths = {
  client: (segment) => {
    const next = segment.next();
    if (next === undefined) throw new OttlError('otelcol.client is no value; use otelcol.client.metadata', segment.at);
    return accessorIn({ metadata: clientMetadata }, next, 'otelcol.client');
  },
};

function clientMetadata(segment: Segment): Accessor {
  const keys = segment.keys();
  const all = (item: Item): ReadonlyMap<string, readonly string[]> => item.metadata ?? new Map<string, readonly string[]>();
  return { get: (item) => (keys === undefined ? all(item) : getIn(all(item), keys, item)), set: readOnly };
}

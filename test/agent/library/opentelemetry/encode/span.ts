import type { SpanLike } from '../../../../../agent/library/opentelemetry/encode/traces.ts';

export const scope = { name: 'test' };
export const resource = { attributes: { 'service.name': 'shop' } };

/** A span as the SDK hands it over, with what a test wants otherwise. */
export function spanOf(more: Partial<SpanLike> = {}): SpanLike {
  const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
  return {
    name: 'span',
    kind: 0,
    spanContext: () => context,
    startTime: [1_700_000_000, 1],
    endTime: [1_700_000_000, 2],
    status: { code: 0 },
    attributes: {},
    links: [],
    events: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...more,
  };
}

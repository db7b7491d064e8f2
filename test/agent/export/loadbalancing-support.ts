import { DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import type { PipelineSettings, QueueSettings, Signal } from '../../../agent/config/settings.ts';
import type { LoadBalancingSettings } from '../../../agent/export/loadbalancing-config.ts';
import type { Upstream } from '../../../agent/resolve/resolver.ts';
import { attribute, decode, encode, type Message } from '../kit/otlp.ts';
import { grpcExporter, NO_DEADLINE_MS, QUEUE, RETRY } from '../kit/settings.ts';
import { type GrpcAnswer, grpcSink, type Received, type Sink } from '../kit/sink.ts';

/** What a test has opened and closes after it, the last first. */
const open: { close(): unknown }[] = [];

export async function closeAll(): Promise<void> {
  for (const one of open.splice(0).toReversed()) await one.close();
}

export function keep<T extends { close(): unknown }>(one: T): T {
  open.push(one);
  return one;
}

export const OFF: QueueSettings = { ...QUEUE, enabled: false, consumers: 1, capacity: 1, waitForResult: true };
export const upstreamsOf = (sinks: readonly Sink[]): Upstream[] => sinks.map(({ port }, i) => ({ host: '127.0.0.1', port, weight: i + 1 }));

export function loadBalancing(sinks: readonly Sink[], more: Partial<LoadBalancingSettings> = {}): LoadBalancingSettings {
  return {
    kind: 'loadbalancing',
    id: 'loadbalancing',
    upstream: { ...grpcExporter(1), authority: '' },
    resolver: { kind: 'static', upstreams: upstreamsOf(sinks) },
    balancer: 'consistent_hash',
    ring: 'collector_0.155',
    routing: {
      traces: { key: 'traceID', attributes: [] },
      logs: { key: 'service', attributes: [] },
      metrics: { key: 'service', attributes: [] },
    },
    health: { ...DEFAULT_HEALTH, type: 'none' },
    timeoutMs: NO_DEADLINE_MS,
    queue: OFF,
    retry: { ...RETRY, enabled: false },
    ...more,
  };
}

export const pipelines = (...signals: Signal[]): PipelineSettings[] =>
  signals.map((signal) => ({ id: signal, signal, receivers: ['otlp'], processors: [], exporters: ['loadbalancing'] }));

export const sinksOf = async (count: number, answer?: (one: Received) => GrpcAnswer | undefined): Promise<Sink[]> =>
  await Promise.all(Array.from({ length: count }, async () => keep(await grpcSink(answer))));

export const traceId = (n: number): Buffer => Buffer.from(`${n}`.padStart(16, '0'));
/** One span for each trace id, in two resources. */
export function traces(...ids: number[]): Buffer {
  const spans = ids.map((n) => ({ traceId: traceId(n), spanId: Buffer.alloc(8, 1), name: `span ${n}` }));
  const half = Math.ceil(spans.length / 2);
  const resource = (name: string, list: Message[]): Message => ({
    resource: { attributes: [attribute('service.name', name)] },
    scopeSpans: [{ scope: { name: 'test' }, spans: list }],
  });
  return encode('traces', {
    resourceSpans: [resource('a', spans.slice(0, half)), resource('b', spans.slice(half))].filter((_, i) => i === 0 || spans.length > half),
  });
}

/** Names of all spans that a sink has got. */
export function spanNames(sink: Sink): string[] {
  return sink.received.flatMap(({ body }) =>
    ((decode('traces', body).resourceSpans ?? []) as Message[]).flatMap((resource) =>
      ((resource.scopeSpans ?? []) as Message[]).flatMap((scope) => ((scope.spans ?? []) as Message[]).map((span) => String(span.name))),
    ),
  );
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

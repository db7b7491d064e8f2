import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentSettings, OtlpGrpcExporterSettings, SocketAddress } from '../../../agent/config/settings.ts';
import { part, shareOf } from '../../../agent/workers/share.ts';
import { loadYaml } from '../support/config.ts';

function shares(text: string, addresses: Readonly<Record<string, SocketAddress>> = {}): AgentSettings[] {
  const { settings } = loadYaml(text);
  const { workers: count } = settings.agent;
  return Array.from({ length: count }, (_, index) => shareOf(settings, { index, count }, addresses));
}

const yaml = (exporter: string, receiver = 'grpc: { endpoint: "127.0.0.1:4317", max_connections: 10 }', workers = 4): string => `
receivers: { otlp: { protocols: { ${receiver} } } }
exporters: { ${exporter} }
extensions: { health_check: }
service: { extensions: [health_check], pipelines: { traces: { receivers: [otlp], exporters: [${exporter.split(':', 1)[0]}] } } }
agent: { workers: ${workers} }
`;

const sum = (values: readonly (number | undefined)[]): number => values.reduce<number>((total, one) => total + (one ?? 0), 0);

describe('the share of a worker', () => {
  it('adds up to what was written, in parts that differ by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 100_000 }), (count, more) => {
        const total = count + more;
        const parts = Array.from({ length: count }, (_, index) => part(total, { index, count }));
        expect(sum(parts)).toBe(total);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
        expect(Math.min(...parts)).toBeGreaterThan(0);
      }),
    );
  });

  it('leaves what has no end, and what is switched off, as it is', () => {
    expect(part(Number.POSITIVE_INFINITY, { index: 0, count: 2 })).toBe(Number.POSITIVE_INFINITY);
    expect(part(0, { index: 1, count: 2 })).toBe(0);
  });

  it('has its part of queue_size, num_consumers and connections', () => {
    const all = shares(
      yaml(
        'otlp_grpc: { endpoint: "a:1", tls: { insecure: true }, connections: { max: 9 }, sending_queue: { queue_size: 1003, num_consumers: 10 } }',
      ),
    );
    const exporters = all.map(({ exporters: { otlp_grpc } }) => otlp_grpc as OtlpGrpcExporterSettings);
    expect(exporters.map(({ queue }) => queue.capacity)).toEqual([251, 251, 251, 250]);
    expect(exporters.map(({ queue }) => queue.consumers)).toEqual([3, 3, 2, 2]);
    expect(exporters.map(({ connections }) => connections?.max)).toEqual([3, 2, 2, 2]);
    expect(all.map(({ receivers }) => receivers.otlp?.grpc?.limits.maxConnections)).toEqual([3, 3, 2, 2]);
  });

  it('has its part of the upstreams of a balancer too', () => {
    const all = shares(
      yaml(
        'loadbalancing: { protocol: { otlp: { tls: { insecure: true }, sending_queue: { queue_size: 80 } } }, resolver: { static: { hostnames: ["a:1", "b:1"] } } }',
      ),
    );
    const upstreams = all.map(({ exporters: { loadbalancing } }) =>
      loadbalancing?.kind === 'loadbalancing' ? loadbalancing.upstream : undefined,
    );
    expect(upstreams.map((upstream) => upstream?.queue.capacity)).toEqual([20, 20, 20, 20]);
  });

  it('listens where the first worker listens, each on an address that it shares', () => {
    const got = { 'otlp/grpc': { kind: 'tcp', host: '127.0.0.1', port: 41_000 } } as const;
    const all = shares(yaml('nop:', 'grpc: { endpoint: "127.0.0.1:0" }', 2), got);
    for (const { receivers } of all)
      expect(receivers.otlp?.grpc?.address).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 41_000, reusePort: true });
  });

  it('has a unix socket in the first worker only', () => {
    const all = shares(yaml('nop:', 'http: { endpoint: /tmp/otlp.sock, transport: unix }, grpc: { endpoint: "127.0.0.1:4317" }', 2));
    expect(all.map(({ receivers }) => receivers.otlp?.http?.address.kind)).toEqual(['unix', undefined]);
    expect(all.map(({ receivers }) => receivers.otlp?.grpc?.address.kind)).toEqual(['tcp', 'tcp']);
  });

  it('has no extensions: the process registers and answers once', () => {
    expect(shares(yaml('nop:')).map(({ extensions }) => extensions.length)).toEqual([0, 0, 0, 0]);
  });
});

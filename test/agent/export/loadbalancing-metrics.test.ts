import { expect, it } from 'vitest';
import { DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import type { LoadBalancingSettings } from '../../../agent/export/loadbalancing-config.ts';
import { finish, GrpcClient, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, QUEUE, RETRY } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

it("prints the Collector's metrics of its loadbalancing exporter, and those of every upstream's line", async () => {
  const good = await grpcSink();
  const bad = await grpcSink(() => ({ code: 14 }));
  const upstreams = [good, bad].map(({ port }) => ({ host: '127.0.0.1', port, weight: 1 }));
  const settings: LoadBalancingSettings = {
    kind: 'loadbalancing',
    id: 'loadbalancing/x',
    upstream: { ...grpcExporter(1), authority: '', retry: { ...RETRY, initialIntervalMs: 1, maxIntervalMs: 5 } },
    resolver: { kind: 'static', upstreams },
    balancer: 'round_robin',
    ring: 'collector_0.155',
    routing: { traces: { key: 'traceID', attributes: [] } },
    health: { ...DEFAULT_HEALTH, type: 'none', returnAfterMs: 600_000 },
    timeoutMs: 5000,
    queue: { ...QUEUE, enabled: false },
    retry: { ...RETRY, enabled: false },
  };
  const pipelines = [{ id: 'traces', signal: 'traces' as const, receivers: ['otlp'], processors: [], exporters: ['loadbalancing/x'] }];
  const running = await startAgent({ exporters: [settings], pipelines });
  const client = new GrpcClient(running.grpcPort);
  for (let i = 0; i < 20; i += 1) await client.export('traces', request('traces', 1, `r${i}`));
  client.close();
  await until(() => good.delivered() === 20);
  const text = await (await fetch(`http://127.0.0.1:${running.metricsPort}/metrics`)).text();
  const value = (name: string, ...labels: string[]): number | undefined => {
    const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
  };
  const [goodLabel, badLabel] = [good, bad].map(({ port }) => `endpoint="127.0.0.1:${port}"`) as [string, string];
  expect(value('otelcol_loadbalancer_num_resolutions', 'resolver="static"', 'success="true"', 'exporter="loadbalancing/x"')).toBe(1);
  expect(value('otelcol_loadbalancer_num_resolutions', 'success="false"')).toBe(0);
  expect(value('otelcol_loadbalancer_num_backends', 'data_type="traces"')).toBe(2);
  expect(value('otelcol_loadbalancer_num_backend_updates')).toBe(1);
  expect(value('otelcol_loadbalancer_backend_outcome', goodLabel, 'success="true"')).toBe(20);
  expect(value('otelcol_loadbalancer_backend_outcome', goodLabel, 'success="false"')).toBe(0);
  expect(value('otelcol_loadbalancer_backend_outcome', badLabel, 'success="false"')).toBeGreaterThanOrEqual(3);
  expect(value('otelcol_loadbalancer_backend_latency_count', goodLabel)).toBe(20);
  expect(value('otelcol_loadbalancer_backend_latency_bucket', goodLabel, 'le="+Inf"')).toBe(20);
  expect(value('otelcol_loadbalancer_backend_latency_sum', goodLabel)).toBeGreaterThan(0);
  expect(value('otlp_agent_loadbalancer_ejections')).toBe(1);
  expect(value('otlp_agent_loadbalancer_ejected_backends')).toBe(1);
  expect(value('otlp_agent_loadbalancer_rerouted_items')).toBeGreaterThan(0);
  expect(value('otelcol_exporter_sent_spans', 'exporter="loadbalancing/x"', `server_port="${good.port}"`)).toBe(20);
  expect((await finish(running)).total).toMatchObject({ sent: 20, sendFailed: 0 });
  for (const sink of [good, bad]) await sink.close();
});

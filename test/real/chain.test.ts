/**
 * Sample service (real OpenTelemetry JS SDK) -> our agent -> real Collector -> real Jaeger, each started with the configuration that the
 * reference stack prints. N spans sent by the SDK are N spans in Jaeger.
 */
import { beforeAll, expect, it } from 'vitest';
import { printDevelopment } from '../support/printed-stack.ts';
import {
  describeReal,
  JaegerQuery,
  POD,
  POD_IP,
  PrintedPrograms,
  type RunningProcess,
  startApiServer,
  startPrometheus,
} from './support/index.ts';

const REQUESTS = 200;

describeReal(['otelcol', 'jaeger', 'prometheus', 'kube-apiserver', 'etcd'], 'the chain of the development profile', () => {
  let programs: PrintedPrograms;
  let agent: RunningProcess;
  let service: RunningProcess;
  let jaeger: JaegerQuery;

  beforeAll(async () => {
    programs = await PrintedPrograms.of(printDevelopment());
    const api = await startApiServer();
    await programs.startJaeger();
    // Takes the service's OTLP metrics; the printed configuration of Prometheus is the matter of observability.test.ts.
    await startPrometheus({ config: {}, args: ['--web.enable-otlp-receiver'], port: programs.ports.prometheus });
    await programs.startGateway(api.kubeconfig);
    agent = await programs.startAgent();
    service = await programs.startService();
    jaeger = new JaegerQuery(`http://${POD_IP}:${programs.ports.query}`);
  });

  it('brings every span that the SDK made to Jaeger, once', async () => {
    const traceIds = new Set<string>();
    for (let index = 0; index < REQUESTS; index++) {
      traceIds.add(await programs.ask(`/api/orders/${index}`));
    }
    expect(traceIds.size).toBe(REQUESTS);
    const exported = await exportedSpans(programs.ports.service, REQUESTS);
    expect(await jaeger.waitForSpans('otlp-service', exported)).toBe(exported);

    const [trace] = await jaeger.traces('otlp-service', 1);
    const process = Object.values(trace?.processes ?? {})[0];
    const tags = Object.fromEntries((process?.tags ?? []).map(({ key, value }) => [key, value]));
    expect(tags).toMatchObject({
      'k8s.pod.name': POD['metadata.name'],
      'k8s.node.name': POD['spec.nodeName'],
      'k8s.namespace.name': POD['metadata.namespace'],
      'service.instance.id': POD['metadata.name'],
    });
    expect(traceIds).toContain(trace?.traceID);
  });

  it('serves span metrics of the same spans on the printed path', async () => {
    const read = async (): Promise<string> => (await fetch(`http://${POD_IP}:${programs.ports.spanMetrics}/metrics`)).text();
    await expect
      .poll(read, { timeout: 30_000, interval: 500 })
      .toMatch(/traces_span_metrics_calls_total\{.*service_name="otlp-service".*\} \d+/);
  });

  it('ends without losing the last spans: the service first, the agent after it', async () => {
    const traceId = await programs.ask('/api/orders/last');
    expect(await service.stop()).toMatchObject({ code: 0, killed: false });
    expect(await agent.stop()).toMatchObject({ code: 0, killed: false });
    await expect.poll(async () => (await jaeger.trace(traceId))?.spans.length, { timeout: 20_000 }).toBeGreaterThan(0);
  });
});

/** What the service itself says it has exported, once nothing waits any more. */
async function exportedSpans(port: number, atLeast: number): Promise<number> {
  const read = async (): Promise<{ exported: number; queued: number }> => {
    const text = await (await fetch(`http://${POD_IP}:${port}/metrics`)).text();
    const value = (name: string): number => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
    return { exported: value('otlp_spans_exported_total'), queued: value('otlp_queue_size') };
  };
  await expect.poll(async () => (await read()).exported, { timeout: 20_000 }).toBeGreaterThanOrEqual(atLeast);
  let before = -1;
  await expect
    .poll(
      async () => {
        const now = (await read()).exported;
        const settled = now === before;
        before = now;
        return settled;
      },
      { timeout: 20_000, interval: 500 },
    )
    .toBe(true);
  return before;
}

/**
 * Sample service (real OpenTelemetry JS SDK) -> our agent -> real Collector -> real Jaeger, each started with the configuration that the
 * reference stack prints, changed only by test/real/overrides.ts. N spans sent by the SDK are N spans in Jaeger.
 */
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Manifest, type PrintedStack, printDevelopment } from '../support/printed-stack.ts';
import { applyOverrides, type Change } from './overrides.ts';
import {
  describeReal,
  freePorts,
  JaegerQuery,
  newFolder,
  type RunningProcess,
  startApiServer,
  startJaeger,
  startOtelcol,
  startProcess,
  writeConfig,
} from './support/index.ts';

const POD_IP = '127.0.0.1';
const POD = {
  'metadata.name': 'otlp-service-7d9f-x2x',
  'metadata.namespace': 'observability',
  'spec.nodeName': 'node-1',
  'status.podIP': POD_IP,
};
const REQUESTS = 200;

const listen = (from: string, port: number): Change => ({ id: 'listen-address', from, to: `${POD_IP}:${port}` });
const peer = (from: string, port: number): Change => ({ id: 'peer-address', from, to: `${POD_IP}:${port}` });
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describeReal(['otelcol', 'jaeger', 'kube-apiserver', 'etcd'], 'the chain of the development profile', () => {
  let stack: PrintedStack;
  let ports: Awaited<ReturnType<typeof choosePorts>>;
  let service: RunningProcess;

  beforeAll(async () => {
    stack = printDevelopment();
    ports = await choosePorts();
    const api = await startApiServer();
    await startPrintedJaeger(stack, ports);
    await startPrintedGateway(stack, ports, api.kubeconfig);
    await startPrintedAgent(stack, ports);
    service = await startPrintedService(stack, ports);
  });

  it('brings every span that the SDK made to Jaeger, once', async () => {
    const traceIds = new Set<string>();
    for (let index = 0; index < REQUESTS; index++) {
      const response = await fetch(`http://${POD_IP}:${ports.service}/api/orders/${index}`);
      traceIds.add(response.headers.get('x-trace-id') ?? '');
    }
    expect(traceIds.size).toBe(REQUESTS);
    const exported = await exportedSpans(ports.service, REQUESTS);
    const jaeger = new JaegerQuery(`http://${POD_IP}:${ports.query}`);
    const delivered = await jaeger.waitForSpans('otlp-service', exported);
    expect(delivered).toBe(exported);

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
    const read = async (): Promise<string> => (await fetch(`http://${POD_IP}:${ports.spanMetrics}/metrics`)).text();
    await expect
      .poll(read, { timeout: 30_000, interval: 500 })
      .toMatch(/traces_span_metrics_calls_total\{.*service_name="otlp-service".*\} \d+/);
  });

  it('ends without losing the last spans: the service first, the agent after it', async () => {
    const jaeger = new JaegerQuery(`http://${POD_IP}:${ports.query}`);
    const last = await fetch(`http://${POD_IP}:${ports.service}/api/orders/last`);
    const traceId = last.headers.get('x-trace-id') ?? '';
    expect(await service.stop()).toMatchObject({ code: 0, killed: false });
    expect(await agent.stop()).toMatchObject({ code: 0, killed: false });
    await expect.poll(async () => (await jaeger.trace(traceId))?.spans.length, { timeout: 20_000 }).toBeGreaterThan(0);
  });
});

let agent: RunningProcess;

const choosePorts = (): Promise<Record<PortName, number>> => freePorts(...PORT_NAMES);
const PORT_NAMES = [
  'service',
  'agentGrpc',
  'agentHttp',
  'agentHealth',
  'agentMetrics',
  'gatewayGrpc',
  'gatewayHttp',
  'gatewayHealth',
  'gatewayMetrics',
  'spanMetrics',
  'jaegerGrpc',
  'jaegerHttp',
  'jaegerHealth',
  'jaegerMetrics',
  'query',
  'queryGrpc',
] as const;
type PortName = (typeof PORT_NAMES)[number];
type Ports = Record<PortName, number>;

const ON_POD = '${env:MY_POD_IP}';

async function startPrintedJaeger(stack: PrintedStack, ports: Ports): Promise<void> {
  const config = applyOverrides(stack.config('jaeger-config', 'config.yaml'), [
    listen(`${ON_POD}:4317`, ports.jaegerGrpc),
    listen(`${ON_POD}:4318`, ports.jaegerHttp),
    listen(`${ON_POD}:16686`, ports.query),
    listen(`${ON_POD}:16685`, ports.queryGrpc),
    listen(`${ON_POD}:13133`, ports.jaegerHealth),
    listen(`${ON_POD}:8888`, ports.jaegerMetrics),
  ]);
  await startJaeger({ config, env: stack.environment(stack.container('Deployment', 'jaeger', 'jaeger'), POD) });
}

async function startPrintedGateway(stack: PrintedStack, ports: Ports, kubeconfig: string): Promise<void> {
  const config = applyOverrides(stack.config('otel-collector-config', 'gateway.yaml'), [
    listen(`${ON_POD}:4317`, ports.gatewayGrpc),
    listen(`${ON_POD}:4318`, ports.gatewayHttp),
    listen(`${ON_POD}:13133`, ports.gatewayHealth),
    listen(`${ON_POD}:8888`, ports.gatewayMetrics),
    listen(`${ON_POD}:8889`, ports.spanMetrics),
    peer('jaeger.observability.svc.cluster.local:4317', ports.jaegerGrpc),
    { id: 'k8s-attributes-auth' },
    { id: 'exporter-without-binary', exporter: 'elasticsearch' },
  ]);
  const container = stack.container('Deployment', 'otel-collector', 'otel-collector');
  const env = { ...stack.environment(container, POD, { 'elasticsearch-users/gateway': 'unused' }), KUBECONFIG: kubeconfig };
  await startOtelcol({ config, env });
}

async function startPrintedAgent(stack: PrintedStack, ports: Ports): Promise<void> {
  const config = applyOverrides(stack.config('otlp-service-agent', 'agent.yaml'), [
    listen('localhost:4317', ports.agentGrpc),
    listen('localhost:4318', ports.agentHttp),
    listen(`${ON_POD}:13133`, ports.agentHealth),
    listen(`${ON_POD}:8888`, ports.agentMetrics),
    peer('otel-collector.observability.svc.cluster.local:4317', ports.gatewayGrpc),
  ]);
  const folder = newFolder('agent');
  agent = await startProcess({
    bin: process.execPath,
    args: [at('agent/main.ts'), `--config=${writeConfig(folder, 'agent.yaml', config)}`],
    env: stack.environment(stack.container('Deployment', 'otlp-service', 'otlp-agent'), POD),
    name: 'agent',
    cwd: folder,
    ready: { url: `http://${POD_IP}:${ports.agentHealth}/` },
  });
}

async function startPrintedService(stack: PrintedStack, ports: Ports): Promise<RunningProcess> {
  const changes = [peer('localhost:4318', ports.agentHttp)];
  const config = applyOverrides(stack.config('otlp-service-config', 'production.yaml'), changes);
  const container: Manifest = stack.container('Deployment', 'otlp-service', 'otlp-service');
  const folder = newFolder('service');
  return await startProcess({
    bin: process.execPath,
    args: [at('apps/sample-service/main.ts'), `--config=${writeConfig(folder, 'production.yaml', stringify(config))}`],
    env: {
      ...applyOverrides(stack.environment(container, POD), changes),
      // A listen-address override by variable: the printed file says port 8080.
      OTLP__SERVICE__PORT: String(ports.service),
      OTLP__SERVER__HOST: POD_IP,
    },
    name: 'service',
    cwd: folder,
    ready: { url: `http://${POD_IP}:${ports.service}/health/ready` },
  });
}

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

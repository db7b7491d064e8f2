import { Chart, Duration, Size, Testing } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { AgentSidecar, type AgentSidecarProps } from '../../../../lib/stack/agent/index.ts';
import { CollectorGateway, Timeouts } from '../../../../lib/stack/collector/index.ts';
import { Component } from '../../../../lib/stack/model/component.ts';
import { Image } from '../../../../lib/stack/model/images.ts';
import { Cpu } from '../../../../lib/stack/model/quantities.ts';
import { WorkloadKind } from '../../../../lib/stack/model/workload-kind.ts';
import { referenceProps } from '../collector/support/reference-gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as JSON
type Json = any;

interface Setup {
  readonly objects: Json[];
  readonly pod: Json;
  readonly config: Json;
}

function application(
  chart: Chart,
  options: { grace?: number; kind?: WorkloadKind; ports?: { [endpoint: string]: number } } = {},
): Component {
  const component = new Component(chart, 'App', {
    name: 'shop',
    namespace: 'shop',
    role: 'service',
    kind: options.kind,
    ports: options.ports,
    terminationGracePeriod: Duration.seconds(options.grace ?? 60),
  });
  component.addContainer({
    name: 'shop',
    image: Image.of('example.com/shop', '1.0.0'),
    resources: { cpuRequest: Cpu.millis(100), memoryRequest: Size.mebibytes(64), memoryLimit: Size.mebibytes(128) },
  });
  return component;
}

function setup(props: Partial<AgentSidecarProps> = {}, options: { grace?: number; timeouts?: Timeouts } = {}): Setup {
  const chart = new Chart(Testing.app(), 'test');
  const gateway = new CollectorGateway(chart, 'Gateway', { ...referenceProps(), timeouts: options.timeouts });
  const sidecar = new AgentSidecar({ upstream: gateway.otlpGrpc, ...props });
  sidecar.addTo(application(chart, options));
  const objects = Testing.synth(chart) as Json[];
  const deployment = objects.find((object) => object.kind === 'Deployment' && object.metadata.name === 'shop');
  return { objects, pod: deployment.spec.template.spec, config: sidecar.config.renderConfig() };
}

describe('sidecar', () => {
  it('is a native sidecar with a startup probe, its size and its address', () => {
    const { pod } = setup();
    expect(pod.containers).toHaveLength(1);
    const [agent] = pod.initContainers;
    expect(agent).toMatchObject({
      name: 'otlp-agent',
      restartPolicy: 'Always',
      args: ['--config', '/etc/otlp-agent/agent.yaml'],
      resources: { requests: { cpu: '200m', memory: '512Mi' }, limits: { cpu: '500m', memory: '1Gi' } },
      startupProbe: { httpGet: { port: 'http-agent-up' } },
    });
    expect(agent.env.map((env: Json) => env.name)).toEqual(['K8S_POD_NAME', 'MY_POD_IP', 'NODE_OPTIONS']);
    expect(agent.env[2].value).toBe('--max-old-space-size-percentage=25');
    expect(agent.ports.map((port: Json) => port.containerPort)).toEqual([8888, 13_133]);
    expect(agent.volumeMounts).toEqual([{ name: 'agent', mountPath: '/etc/otlp-agent', readOnly: true }]);
  });

  it('is an ordinary container on demand', () => {
    const { pod } = setup({ native: false });
    expect(pod.initContainers).toBeUndefined();
    expect(pod.containers.map((container: Json) => container.name)).toEqual(['shop', 'otlp-agent']);
  });

  it('exports to the gateway that it was given and outwaits it', () => {
    const { config } = setup({}, { timeouts: new Timeouts({ exporterTimeout: Duration.seconds(30) }) });
    expect(config.exporters.otlp_grpc.endpoint).toBe('otel-collector.observability.svc.cluster.local:4317');
    expect(config.exporters.otlp_grpc.timeout).toBe('33s');
  });

  it('prints its configuration into a ConfigMap of its own and opens the way to the gateway only', () => {
    const { objects, config } = setup();
    const map = objects.find((object) => object.kind === 'ConfigMap' && object.metadata.name === 'shop-agent');
    expect(map.data['agent.yaml']).toContain(config.exporters.otlp_grpc.endpoint);
    const policy = objects.find((object) => object.kind === 'NetworkPolicy' && object.metadata.name === 'shop');
    expect(JSON.stringify(policy.spec.egress)).toContain('4317');
    const gatewayPolicy = objects.find((object) => object.kind === 'NetworkPolicy' && object.metadata.name === 'otel-collector');
    expect(JSON.stringify(gatewayPolicy.spec.ingress)).toContain('shop');
  });
});

describe('fails', () => {
  it('when the pod ends before the agent has drained, with both values', () => {
    expect(() => setup({}, { grace: 30 })).toThrow(/'terminationGracePeriod' \(30 s\) must be at least 45 s/);
    expect(() => setup({ drainDeadline: Duration.seconds(5), applicationShutdown: Duration.seconds(10) }, { grace: 30 })).not.toThrow();
  });

  it('when its port is moved behind its back, with both values', () => {
    const chart = new Chart(Testing.app(), 'test');
    const gateway = new CollectorGateway(chart, 'Gateway', referenceProps());
    const app = application(chart, { ports: { 'http-agent': 9999 } });
    expect(() => new AgentSidecar({ upstream: gateway.otlpGrpc }).addTo(app)).toThrow(
      /moves the agent to port 9999.*says 8888: set 'metricsPort'/,
    );
  });

  it('as an ordinary container of a Job', () => {
    const chart = new Chart(Testing.app(), 'test');
    const gateway = new CollectorGateway(chart, 'Gateway', referenceProps());
    const sidecar = new AgentSidecar({ upstream: gateway.otlpGrpc, native: false });
    expect(() => sidecar.addTo(application(chart, { kind: WorkloadKind.JOB }))).toThrow(/keep the Job from ending/);
  });
});

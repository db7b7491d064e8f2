import { Chart, Size, Testing } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { AgentDaemon, AgentGateway, AgentSidecar } from '../../../../lib/stack/agent/index.ts';
import { CollectorGateway, Compression } from '../../../../lib/stack/collector/index.ts';
import { Profile } from '../../../../lib/stack/model/profile.ts';
import { Cpu } from '../../../../lib/stack/model/quantities.ts';
import { referenceProps } from '../collector/support/reference-gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as JSON
type Json = any;

function chartWithGateway(): { chart: Chart; gateway: CollectorGateway } {
  const chart = new Chart(Testing.app(), 'test');
  return { chart, gateway: new CollectorGateway(chart, 'Gateway', referenceProps()) };
}

const named = (chart: Chart, kind: string, name: string): Json =>
  (Testing.synth(chart) as Json[]).find((object) => object.kind === kind && object.metadata.name === name);

describe('agent on every node', () => {
  it('listens on the address of the pod and answers from the node of the sender', () => {
    const { chart, gateway } = chartWithGateway();
    const daemon = new AgentDaemon(chart, 'Agents', { upstream: gateway.otlpGrpc });
    const config = daemon.config.renderConfig() as Json;
    expect(config.receivers.otlp.protocols.grpc.endpoint).toBe(`\${env:MY_POD_IP}:4317`);
    expect(named(chart, 'Service', 'otlp-agent').spec.internalTrafficPolicy).toBe('Local');
    const set = named(chart, 'DaemonSet', 'otlp-agent');
    expect(set.spec.template.spec.terminationGracePeriodSeconds).toBe(30);
    expect(set.spec.template.spec.containers[0].readinessProbe.httpGet.path).toBe('/readyz');
    expect(JSON.stringify(set)).not.toContain('hostPort');
  });

  it('listens where `ports` says', () => {
    const { chart, gateway } = chartWithGateway();
    const daemon = new AgentDaemon(chart, 'Agents', { upstream: gateway.otlpGrpc, ports: { 'otlp-grpc': 14_317 } });
    expect((daemon.config.renderConfig() as Json).receivers.otlp.protocols.grpc.endpoint).toBe(`\${env:MY_POD_IP}:14317`);
    expect(daemon.otlpGrpc.address).toBe('otlp-agent.observability.svc.cluster.local:14317');
  });

  it('leaves the instance ids of its senders alone', () => {
    const { chart, gateway } = chartWithGateway();
    const daemon = new AgentDaemon(chart, 'Agents', { upstream: gateway.otlpGrpc });
    expect((daemon.config.renderConfig() as Json).processors).toEqual({ memory_limiter: expect.anything() });
  });
});

describe('gzip that travels as it came', () => {
  const exporterOf = (agent: { config: { renderConfig(): object } }): Json => (agent.config.renderConfig() as Json).exporters.otlp_grpc;

  it('is asked for where the next hop is a Collector of the stack and nothing is rewritten', () => {
    const { chart, gateway } = chartWithGateway();
    expect(exporterOf(new AgentDaemon(chart, 'Agents', { upstream: gateway.otlpGrpc }))).toMatchObject({
      compression: 'gzip',
      gzip_members: true,
    });
  });

  it('is not where the agent does not compress with gzip, leads elsewhere, rewrites, or the next hop is none of ours', () => {
    const { chart, gateway } = chartWithGateway();
    const upstream = gateway.otlpGrpc;
    const edge = new AgentGateway(chart, 'Edge', { upstream });
    const others = [
      new AgentDaemon(chart, 'Zstd', { upstream, compression: Compression.ZSTD, name: 'a' }),
      new AgentDaemon(chart, 'Over', { upstream, configOverrides: { exporters: { otlp_grpc: { compression: 'none' } } }, name: 'b' }),
      new AgentDaemon(chart, 'Away', { upstream, configOverrides: { exporters: { otlp_grpc: { endpoint: 'else:4317' } } }, name: 'c' }),
      new AgentDaemon(chart, 'OverAgent', { upstream: edge.otlpGrpc, name: 'd' }),
      new AgentSidecar({ upstream }),
    ];
    for (const agent of others) expect(exporterOf(agent)).not.toHaveProperty('gzip_members');
  });

  it('can be switched off', () => {
    const { chart, gateway } = chartWithGateway();
    const configOverrides = { exporters: { otlp_grpc: { gzip_members: false } } };
    expect(exporterOf(new AgentDaemon(chart, 'Agents', { upstream: gateway.otlpGrpc, configOverrides })).gzip_members).toBe(false);
  });
});

describe('agent as a gateway', () => {
  it('is replicated and scaled in production', () => {
    const { chart, gateway } = chartWithGateway();
    new AgentGateway(chart, 'Edge', { upstream: gateway.otlpGrpc });
    expect(named(chart, 'Deployment', 'otlp-gateway').spec.replicas).toBeUndefined();
    expect(named(chart, 'HorizontalPodAutoscaler', 'otlp-gateway').spec).toMatchObject({ minReplicas: 3, maxReplicas: 10 });
    expect(named(chart, 'PodDisruptionBudget', 'otlp-gateway').spec.maxUnavailable).toBe(1);
  });

  it('answers when the next hop has the data and leaves sending again to whoever sent it', () => {
    const { chart, gateway } = chartWithGateway();
    const edge = new AgentGateway(chart, 'Edge', { upstream: gateway.otlpGrpc });
    const { exporters } = edge.config.renderConfig() as Json;
    expect(exporters.otlp_grpc.sending_queue.wait_for_result).toBe(true);
    expect(exporters.otlp_grpc.retry_on_failure).toEqual({ enabled: false });
    // 8 s to the Collector gateway, 0.1 s of gathering, 2 s of margin: so whoever sends here waits 11 s.
    expect(exporters.otlp_grpc.timeout).toBe('8s');
    const sidecar = new AgentSidecar({ upstream: edge.otlpGrpc });
    expect((sidecar.config.renderConfig() as Json).exporters.otlp_grpc.timeout).toBe('11s');
  });

  it('adds pods before it refuses', () => {
    const { chart, gateway } = chartWithGateway();
    const resources = { cpuRequest: Cpu.cores(1), memoryRequest: Size.gibibytes(1), memoryLimit: Size.gibibytes(1) };
    const edge = new AgentGateway(chart, 'Edge', { upstream: gateway.otlpGrpc, resources });
    const { metrics } = named(chart, 'HorizontalPodAutoscaler', 'otlp-gateway').spec;
    const target = (metrics[1].containerResource.target.averageUtilization * 1024) / 100;
    expect(target).toBeLessThan(edge.memory.softLimit.toMebibytes());
  });

  it('is one small pod in development', () => {
    const { chart, gateway } = chartWithGateway();
    new AgentGateway(chart, 'Edge', { upstream: gateway.otlpGrpc, profile: Profile.DEVELOPMENT });
    const deployment = named(chart, 'Deployment', 'otlp-gateway');
    expect(deployment.spec.replicas).toBe(1);
    expect(deployment.spec.template.spec.containers[0].resources.requests).toEqual({ cpu: '50m', memory: '128Mi' });
    expect(named(chart, 'HorizontalPodAutoscaler', 'otlp-gateway')).toBeUndefined();
  });
});

import { type Chart, Duration, Size, Testing } from 'cdk8s';
import {
  Autoscaling,
  Component,
  Cpu,
  Image,
  OtlpService,
  type OtlpServiceProps,
  PolicySelection,
  Protocol,
  ScalingMetric,
  ScalingPolicy,
} from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { scaleByHpa, scaleByKeda } from '../../../../lib/stack/derive/scaling.ts';
import { find, type Manifest, synth } from '../support/manifests.ts';

const TINY = { cpuRequest: Cpu.millis(1), memoryRequest: Size.mebibytes(1), memoryLimit: Size.mebibytes(1) };
const BOUNDS = { minReplicas: 1, maxReplicas: 2, metrics: [ScalingMetric.containerCpu('program', 50)] };

function program(name = 'program'): Component {
  const component = new Component(Testing.chart(), 'Program', { name, namespace: 'shop', role: 'test', replicas: 7 });
  component.addContainer({ name, image: Image.of('example.com/program', '1.0.0'), resources: TINY });
  return component;
}

function service(props: OtlpServiceProps): Manifest[] {
  const chart = Testing.chart();
  new OtlpService(chart, 'Service', props);
  return synth(chart);
}

describe('the owner of the replicas', () => {
  it.each([
    ['KEDA', Autoscaling.keda(), ['ScaledObject'], undefined],
    ['an HPA', Autoscaling.hpa(), ['HorizontalPodAutoscaler'], undefined],
    ['nobody', Autoscaling.none(), [], 5],
  ])('is %s, and nobody else', (_, autoscaling, kinds, replicas) => {
    const objects = service({ autoscaling, replicas: 5 });
    expect(objects.map(({ kind }) => kind).filter((kind) => kind === 'ScaledObject' || kind === 'HorizontalPodAutoscaler')).toEqual(kinds);
    expect(find(objects, 'Deployment', 'otlp-service').spec.replicas).toBe(replicas);
  });

  it.each([
    ['HorizontalPodAutoscaler', 'ScaledObject'],
    ['ScaledObject', 'HorizontalPodAutoscaler'],
    ['ScaledObject', 'ScaledObject'],
  ])('fails with a %s and then a %s', (first, second) => {
    const component = program();
    const scale = { HorizontalPodAutoscaler: scaleByHpa, ScaledObject: scaleByKeda } as const;
    scale[first as keyof typeof scale](component, BOUNDS);
    expect(() => scale[second as keyof typeof scale](component, BOUNDS)).toThrow(
      `Program: '${second}' would be a second autoscaler for Deployment 'program': exactly one may own the replicas`,
    );
  });

  it.each([
    [0, 3],
    [4, 3],
  ])('fails with bounds from %i to %i', (minReplicas, maxReplicas) => {
    expect(() => scaleByKeda(program(), { ...BOUNDS, minReplicas, maxReplicas })).toThrow(
      `'minReplicas' (${minReplicas}) must be at least 1 and not exceed 'maxReplicas' (${maxReplicas})`,
    );
  });
});

describe('a ScaledObject', () => {
  it('targets the workload by kind and name', () => {
    const component = program();
    scaleByKeda(component, BOUNDS);
    const { spec } = find(synth(component.node.scope as Chart), 'ScaledObject', 'program');
    expect(spec).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'program' },
      minReplicaCount: 1,
      maxReplicaCount: 2,
      triggers: [{ type: 'cpu', metricType: 'Utilization', metadata: { containerName: 'program', value: '50' } }],
    });
  });

  it('scales by cpu and memory alone where no Prometheus is named', () => {
    const { triggers } = find(service({ autoscaling: Autoscaling.keda() }), 'ScaledObject', 'otlp-service').spec;
    expect(triggers.map(({ type }: Manifest) => type)).toEqual(['cpu', 'memory']);
  });

  it('takes other bounds, targets and behaviour', () => {
    const chart = Testing.chart();
    const prometheus = new Component(chart, 'Prometheus', { name: 'metrics', namespace: 'monitoring', role: 'test' });
    prometheus.addContainer({ name: 'metrics', image: Image.of('example.com/metrics', '1.0.0'), resources: TINY });
    const http = prometheus.addEndpoint({ name: 'http', protocol: Protocol.HTTP, port: 9090 });
    const steady = { stabilizationWindow: Duration.minutes(10), select: PolicySelection.DISABLED, policies: [] };
    new OtlpService(chart, 'Service', {
      requestRate: { prometheus: http, query: 'sum(rate(requests[1m]))' },
      autoscaling: Autoscaling.keda({
        minReplicas: 2,
        maxReplicas: 50,
        cpuPercent: 60,
        memoryPercent: 75,
        requestsPerSecond: 250,
        behavior: {
          scaleDown: steady,
          scaleUp: { ...steady, select: PolicySelection.MAX, policies: [ScalingPolicy.pods(10, Duration.seconds(15))] },
        },
      }),
    });
    const { spec } = find(synth(chart), 'ScaledObject', 'otlp-service');
    expect(spec).toMatchObject({ minReplicaCount: 2, maxReplicaCount: 50 });
    expect(spec.triggers.map(({ metadata }: Manifest) => metadata.value ?? metadata.threshold)).toEqual(['60', '75', '250']);
    expect(spec.triggers[2].metadata).toMatchObject({
      serverAddress: 'http://metrics.monitoring.svc.cluster.local:9090',
      query: 'sum(rate(requests[1m]))',
    });
    expect(spec.advanced.horizontalPodAutoscalerConfig.behavior).toEqual({
      scaleDown: { stabilizationWindowSeconds: 600, selectPolicy: 'Disabled', policies: [] },
      scaleUp: { stabilizationWindowSeconds: 600, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 10, periodSeconds: 15 }] },
    });
  });
});

describe('a metric', () => {
  it('fails in the scaler that cannot ask for it', () => {
    const query = ScalingMetric.prometheus('http://metrics:9090', 'sum(x)', 1);
    expect(() => scaleByHpa(program(), { ...BOUNDS, metrics: [query] })).toThrow(/use a KEDA ScaledObject or another metric/);
    const pods = ScalingMetric.pods('http_requests_per_second', 1);
    expect(() => scaleByKeda(program(), { ...BOUNDS, metrics: [pods] })).toThrow(/use a HorizontalPodAutoscaler or another metric/);
  });
});

import { Size, Testing } from 'cdk8s';
import {
  Autoscaling,
  Component,
  Cpu,
  ExportCompression,
  ExportProtocol,
  Image,
  OtlpService,
  type OtlpServiceProps,
  Protocol,
} from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serviceConfigSchema } from '../../../../apps/sample-service/config.ts';
import { environment, find, type Manifest, synth } from '../support/manifests.ts';

function print(props: OtlpServiceProps = {}): Manifest[] {
  const chart = Testing.chart();
  new OtlpService(chart, 'Service', props);
  return synth(chart);
}
const pod = (objects: Manifest[]): Manifest => find(objects, 'Deployment', 'otlp-service').spec.template;
const config = (objects: Manifest[]): Manifest => parse(find(objects, 'ConfigMap', 'otlp-service-config').data['production.yaml']);

describe('the application service by default', () => {
  const objects = print();
  const { spec, metadata } = pod(objects);
  const [container] = spec.containers;

  it('rolls without losing capacity, three replicas', () => {
    const deployment = find(objects, 'Deployment', 'otlp-service');
    expect(deployment.metadata.namespace).toBe('observability');
    expect(deployment.spec.replicas).toBe(3);
    expect(deployment.spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  });

  it('requests 500m and 1Gi and is limited to 2 and 4Gi', () => {
    expect(container.resources).toEqual({ requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '2', memory: '4Gi' } });
  });

  it('runs as 1000 with nothing writable but its cache and /tmp', () => {
    expect(spec.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.volumeMounts).toEqual([
      { name: 'cache', mountPath: '/var/cache/otlp' },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'config', mountPath: '/etc/otlp', readOnly: true },
    ]);
    expect(spec.volumes).toEqual([
      { name: 'cache', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '500Mi' } },
      { name: 'config', configMap: { name: 'otlp-service-config' } },
    ]);
  });

  it('is probed on the documented paths and times', () => {
    const probe = (path: string): object => ({ path, port: 'http' });
    expect(container.livenessProbe).toEqual({
      httpGet: probe('/health/live'),
      initialDelaySeconds: 30,
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    });
    expect(container.readinessProbe).toEqual({
      httpGet: probe('/health/ready'),
      initialDelaySeconds: 10,
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 3,
    });
    expect(container.startupProbe).toEqual({
      httpGet: probe('/health/startup'),
      initialDelaySeconds: 0,
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 30,
    });
  });

  it('prefers other nodes, tolerates the backend taint and resolves with ndots 2', () => {
    expect(spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]).toMatchObject({
      weight: 100,
      podAffinityTerm: { topologyKey: 'kubernetes.io/hostname' },
    });
    expect(spec.tolerations).toEqual([{ key: 'node-role.kubernetes.io/backend', operator: 'Equal', value: 'true', effect: 'NoSchedule' }]);
    expect(spec.dnsConfig).toEqual({ options: [{ name: 'ndots', value: '2' }] });
  });

  it('publishes 80 with client affinity, a headless twin, and no OTLP port', () => {
    expect(find(objects, 'Service', 'otlp-service').spec).toMatchObject({
      type: 'ClusterIP',
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' }],
    });
    expect(find(objects, 'Service', 'otlp-service-headless').spec).toMatchObject({
      clusterIP: 'None',
      ports: [{ name: 'http', port: 8080 }],
    });
    expect(container.ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
  });

  it('speaks http/protobuf without compression to its sidecar', () => {
    expect(environment(container)).toMatchObject({
      OTLP__SERVICE__NAME: 'otlp-service',
      OTLP__EXPORTER__ENDPOINT: 'http://localhost:4318',
      OTEL_SERVICE_NAME: 'otlp-service',
    });
    expect(container.env).toContainEqual({ name: 'OTLP__SERVICE__INSTANCE_ID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } });
    expect(container.env).toContainEqual({
      name: 'OTLP__SERVICE__ENVIRONMENT',
      valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } },
    });
    expect(config(objects).exporter).toEqual({
      protocol: 'http/protobuf',
      endpoint: 'http://localhost:4318',
      compression: 'none',
      timeout: '30s',
    });
    expect(config(objects).batch).toEqual({ queue_size: 8192, export_size: 1024, delay: '100ms', concurrency: 20 });
  });

  it('names every resource attribute, each from the pod itself', () => {
    const attributes = environment(container).OTEL_RESOURCE_ATTRIBUTES;
    for (const key of ['deployment.environment', 'k8s.cluster.name', 'k8s.namespace.name', 'k8s.pod.name', 'k8s.node.name']) {
      expect(attributes).toContain(`${key}=`);
    }
    // A variable may only refer to one that stands before it.
    const names = container.env.map((env: Manifest) => env.name);
    expect(names.indexOf('OTEL_RESOURCE_ATTRIBUTES')).toBeGreaterThan(names.indexOf('K8S_NODE_NAME'));
  });

  it('carries the scrape annotations and keeps one pod up', () => {
    expect(metadata.annotations).toMatchObject({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8080',
      'prometheus.io/path': '/metrics',
    });
    expect(find(objects, 'PodDisruptionBudget', 'otlp-service').spec.maxUnavailable).toBe(1);
  });

  it('prints a configuration that the reference application accepts', () => {
    expect(serviceConfigSchema.parse(config(objects))).toMatchObject({ service: { name: 'otlp-service', port: 8080 } });
  });
});

describe('the props of the application service', () => {
  it('change the port in the container, the probe annotation, the policy and the file at once', () => {
    const objects = print({ port: 9090 });
    expect(pod(objects).spec.containers[0].ports[0].containerPort).toBe(9090);
    expect(pod(objects).metadata.annotations['prometheus.io/port']).toBe('9090');
    expect(find(objects, 'NetworkPolicy', 'otlp-service').spec.ingress).toEqual([{ ports: [{ port: 9090, protocol: 'TCP' }] }]);
    expect(config(objects).service.port).toBe(9090);
  });

  it('switch to gRPC with gzip', () => {
    const objects = print({ exportProtocol: ExportProtocol.GRPC, exportCompression: ExportCompression.GZIP });
    expect(config(objects).exporter).toMatchObject({ protocol: 'grpc', compression: 'gzip', endpoint: 'http://localhost:4317' });
    expect(serviceConfigSchema.parse(config(objects)).exporter.protocol).toBe('grpc');
  });

  it('export straight to a backend and open the way there', () => {
    const chart = Testing.chart();
    const backend = new Component(chart, 'Backend', { name: 'backend', namespace: 'tracing', role: 'test' });
    backend.addContainer({
      name: 'backend',
      image: Image.of('example.com/backend', '1.0.0'),
      resources: { cpuRequest: Cpu.millis(1), memoryRequest: Size.mebibytes(1), memoryLimit: Size.mebibytes(1) },
    });
    const otlp = backend.addEndpoint({ name: 'otlp-http', protocol: Protocol.OTLP_HTTP, port: 4318 });
    new OtlpService(chart, 'Service', { exportTo: otlp });
    const objects = synth(chart);
    expect(environment(pod(objects).spec.containers[0]).OTLP__EXPORTER__ENDPOINT).toBe('http://backend.tracing.svc.cluster.local:4318');
    expect(JSON.stringify(find(objects, 'NetworkPolicy', 'otlp-service').spec.egress)).toContain('"port":4318');
  });

  it('scale by an HPA on the application container, without the Pods metric that nothing serves', () => {
    const objects = print({ autoscaling: Autoscaling.hpa() });
    const { spec } = find(objects, 'HorizontalPodAutoscaler', 'otlp-service');
    expect(find(objects, 'Deployment', 'otlp-service').spec).not.toHaveProperty('replicas');
    expect(spec).toMatchObject({ minReplicas: 3, maxReplicas: 20 });
    expect(spec.metrics).toEqual([
      {
        type: 'ContainerResource',
        containerResource: { container: 'otlp-service', name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
      },
      {
        type: 'ContainerResource',
        containerResource: { container: 'otlp-service', name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ]);
    expect(spec.behavior).toEqual({
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Percent', value: 100, periodSeconds: 30 },
          { type: 'Pods', value: 4, periodSeconds: 30 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 300,
        selectPolicy: 'Min',
        policies: [
          { type: 'Percent', value: 50, periodSeconds: 60 },
          { type: 'Pods', value: 2, periodSeconds: 60 },
        ],
      },
    });
  });

  it('print the Pods metric where an adapter is declared', () => {
    const objects = print({ autoscaling: Autoscaling.hpa({ customMetricsAdapter: true }) });
    expect(find(objects, 'HorizontalPodAutoscaler', 'otlp-service').spec.metrics[2]).toEqual({
      type: 'Pods',
      pods: { metric: { name: 'http_requests_per_second' }, target: { type: 'AverageValue', averageValue: '1000' } },
    });
  });

  it('fails when a batch cannot come from its queue', () => {
    expect(() => print({ batchQueueSize: 100, exportBatchSize: 200 })).toThrow(
      /'exportBatchSize' \(200\) must not exceed 'batchQueueSize' \(100\)/,
    );
  });

  it('fails on minReplicas above maxReplicas', () => {
    expect(() => print({ autoscaling: Autoscaling.hpa({ minReplicas: 5, maxReplicas: 2 }) })).toThrow(
      /'minReplicas' \(5\) must be at least 1 and not exceed 'maxReplicas' \(2\)/,
    );
  });
});

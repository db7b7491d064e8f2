import { Duration, Size, Testing } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import {
  CollectorGateway,
  DebugExporter,
  Destination,
  OtlpHttpExporter,
  ProbabilisticSamplerProcessor,
  Queue,
  QueueSizer,
  Timeouts,
} from '../../../../lib/stack/collector/index.ts';
import { Image } from '../../../../lib/stack/model/images.ts';
import { Profile } from '../../../../lib/stack/model/profile.ts';
import { Cpu } from '../../../../lib/stack/model/quantities.ts';
import { gatewayWith, referenceProps } from './support/reference-gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as JSON
type Json = any;

const objects = (props = {}): Json[] => Testing.synth(gatewayWith(props).chart);
const kind = (all: Json[], name: string): Json => all.find((object) => object.kind === name);
const render = (props = {}): Json => gatewayWith(props).gateway.config.renderConfig();

describe('configuration of the gateway', () => {
  it('sends each signal to its backend and measures spans', () => {
    const { service, exporters } = render();
    expect(service.pipelines).toEqual({
      traces: { receivers: ['otlp'], processors: ['memory_limiter', 'k8s_attributes'], exporters: ['otlp_grpc/jaeger', 'span_metrics'] },
      metrics: { receivers: ['otlp'], processors: ['memory_limiter', 'k8s_attributes'], exporters: ['otlp_http/prometheus'] },
      logs: { receivers: ['otlp'], processors: ['memory_limiter', 'k8s_attributes'], exporters: ['elasticsearch'] },
      'metrics/span-metrics': { receivers: ['span_metrics'], exporters: ['prometheus'] },
    });
    expect(exporters['otlp_grpc/jaeger'].endpoint).toBe('jaeger.observability.svc.cluster.local:4317');
    expect(exporters['otlp_http/prometheus'].endpoint).toBe('http://prometheus.observability.svc.cluster.local:9090/api/v1/otlp');
    expect(exporters.prometheus.endpoint).toBe(`\${env:MY_POD_IP}:8889`);
  });

  it('waits for the backend and leaves sending again to the agent', () => {
    const { exporters } = render();
    for (const id of ['otlp_grpc/jaeger', 'otlp_http/prometheus', 'elasticsearch']) {
      expect(exporters[id].sending_queue).toMatchObject({ enabled: true, wait_for_result: true });
    }
    expect(exporters['otlp_grpc/jaeger'].timeout).toBe('5s');
    expect(exporters['otlp_http/prometheus'].timeout).toBe('5s');
    expect(exporters['otlp_grpc/jaeger'].retry_on_failure).toEqual({ enabled: false });
    expect(exporters['otlp_http/prometheus'].retry_on_failure).toEqual({ enabled: false });
  });

  it('lets only the elasticsearch exporter send single documents again, within the time that the agent waits', () => {
    const { elasticsearch } = render().exporters;
    expect(elasticsearch).toMatchObject({ timeout: '1466ms', retry: { enabled: true, max_retries: 2, max_interval: '200ms' } });
    // Three attempts and two waits, each half as long again at most.
    expect(3 * 1466 + 2 * 200 * 1.5).toBeLessThanOrEqual(5000);
    const hasty = render({ timeouts: new Timeouts({ exporterTimeout: Duration.millis(800) }) }).exporters.elasticsearch;
    expect(hasty).toMatchObject({ timeout: '800ms', retry: { enabled: false } });
  });

  it('keeps batches below what a gRPC server in Go accepts', () => {
    const { batch } = render().exporters['otlp_grpc/jaeger'].sending_queue;
    expect(batch.sizer).toBe('bytes');
    expect(batch.max_size).toBeLessThan(4 * 1024 * 1024);
  });

  it('accepts what the agent accepts and answers as late as the agent waits', () => {
    const { gateway } = gatewayWith({ timeouts: new Timeouts({ exporterTimeout: Duration.seconds(60) }) });
    const { grpc, http } = (gateway.config.renderConfig() as Json).receivers.otlp.protocols;
    expect(grpc.max_recv_msg_size_mib).toBe(64);
    expect(http.max_request_body_size).toBe(64 * 1024 * 1024);
    expect(http.write_timeout).toBe(`${gateway.timeouts.agentTimeout.toSeconds()}s`);
  });

  it('takes no request that its queues could never hold', () => {
    const small = { cpuRequest: Cpu.millis(100), memoryRequest: Size.mebibytes(128), memoryLimit: Size.mebibytes(256) };
    for (const props of [{}, { profile: Profile.DEVELOPMENT }, { profile: Profile.DEVELOPMENT, resources: small }]) {
      const { receivers, exporters } = render(props);
      const { grpc, http } = receivers.otlp.protocols;
      for (const id of ['otlp_grpc/jaeger', 'otlp_http/prometheus', 'elasticsearch']) {
        expect(grpc.max_recv_msg_size_mib * 1024 * 1024).toBeLessThanOrEqual(exporters[id].sending_queue.queue_size);
      }
      expect(http.max_request_body_size).toBe(grpc.max_recv_msg_size_mib * 1024 * 1024);
    }
  });

  it('never prints a password', () => {
    const { exporters } = render();
    expect(exporters.elasticsearch).toMatchObject({
      user: 'collector',
      password: `\${env:ELASTICSEARCH_PASSWORD}`,
      logs_index: 'otlp-rust',
    });
    const container = kind(objects(), 'Deployment').spec.template.spec.containers[0];
    expect(container.env).toContainEqual({
      name: 'ELASTICSEARCH_PASSWORD',
      valueFrom: { secretKeyRef: { name: 'elasticsearch-users', key: 'collector' } },
    });
  });

  it('spells for the version of its image', () => {
    const { exporters, processors, connectors } = render({ image: Image.of('example.com/otelcol', '0.140.0') });
    expect(Object.keys(exporters)).toContain('otlp/jaeger');
    expect(Object.keys(exporters)).toContain('otlphttp/prometheus');
    expect(Object.keys(processors)).toContain('k8sattributes');
    expect(Object.keys(connectors)).toContain('spanmetrics');
  });

  it('keeps a queue on disk in a file_storage extension and retries for ever', () => {
    const { extensions, exporters, service } = render({ queue: Queue.disk({ queueSize: 10_000 }) });
    expect(extensions.file_storage.directory).toBe('/var/lib/otelcol/queue');
    expect(service.extensions).toContain('file_storage');
    expect(exporters['otlp_grpc/jaeger'].sending_queue).toMatchObject({ storage: 'file_storage', queue_size: 10_000 });
    expect(exporters['otlp_grpc/jaeger'].sending_queue.wait_for_result).toBeUndefined();
    expect(exporters['otlp_grpc/jaeger'].retry_on_failure).toMatchObject({ enabled: true, max_elapsed_time: '0s' });
    expect(exporters.elasticsearch.retry).toEqual({ enabled: true, max_retries: 10, max_interval: '30s' });
  });

  it('measures spans before it samples them', () => {
    const { service } = render({ processors: [new ProbabilisticSamplerProcessor({ samplingPercentage: 10 })] });
    expect(service.pipelines.traces).toEqual({
      receivers: ['otlp'],
      processors: ['memory_limiter', 'k8s_attributes'],
      exporters: ['span_metrics', 'forward/sampling'],
    });
    expect(service.pipelines['traces/sampled']).toEqual({
      receivers: ['forward/sampling'],
      processors: ['probabilistic_sampler'],
      exporters: ['otlp_grpc/jaeger'],
    });
    expect(service.pipelines.logs.processors).toEqual(['memory_limiter', 'k8s_attributes']);
    expect(service.pipelines.metrics.processors).toEqual(['memory_limiter', 'k8s_attributes']);
  });

  it('merges overrides over what it renders', () => {
    expect(render({ configOverrides: { exporters: { prometheus: { namespace: 'spans' } } } }).exporters.prometheus).toEqual({
      endpoint: `\${env:MY_POD_IP}:8889`,
      namespace: 'spans',
    });
  });
});

describe('objects of the gateway', () => {
  it('prints Deployment, Services, autoscaler, disruption budget, policy and RBAC', () => {
    expect(
      objects()
        .map((object) => object.kind)
        .sort(),
    ).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
      'ConfigMap',
      'Deployment',
      'HorizontalPodAutoscaler',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'Service',
      'ServiceAccount',
    ]);
  });

  it('has the size and the scaling that were asked for', () => {
    const all = objects();
    const deployment = kind(all, 'Deployment');
    expect(deployment.spec.replicas).toBeUndefined();
    expect(deployment.spec.template.spec.containers[0].resources.limits).toEqual({ cpu: '4', memory: '8Gi' });
    expect(deployment.spec.template.spec.topologySpreadConstraints).toHaveLength(1);
    const { spec } = kind(all, 'HorizontalPodAutoscaler');
    expect([spec.minReplicas, spec.maxReplicas]).toEqual([3, 10]);
    expect(spec.metrics.map((metric: Json) => [metric.containerResource.name, metric.containerResource.target.averageUtilization])).toEqual(
      [
        ['cpu', 70],
        ['memory', 80],
      ],
    );
  });

  it('sets GOMEMLIMIT between the container and the memory limiter', () => {
    const { chart, gateway } = gatewayWith();
    const container = kind(Testing.synth(chart), 'Deployment').spec.template.spec.containers[0];
    expect(container.env).toContainEqual({ name: 'GOMEMLIMIT', value: '6553MiB' });
    const limiter = (gateway.config.renderConfig() as Json).processors.memory_limiter;
    expect(limiter).toEqual({ check_interval: '1s', limit_mib: 6144, spike_limit_mib: 1228 });
    expect(8192).toBeGreaterThan(6553);
    expect(6553).toBeGreaterThan(limiter.limit_mib);
  });

  it('may watch pods and nothing else', () => {
    expect(kind(objects(), 'ClusterRole').rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
    expect(kind(objects(), 'Deployment').spec.template.spec.automountServiceAccountToken).toBe(true);
  });

  it('is a StatefulSet with a volume when its queue is on disk', () => {
    const set = kind(objects({ queue: Queue.disk({ volumeSize: Size.gibibytes(20) }), storageClassName: 'fast' }), 'StatefulSet');
    expect(set.spec.volumeClaimTemplates[0].spec).toMatchObject({ storageClassName: 'fast', resources: { requests: { storage: '20Gi' } } });
    expect(set.spec.template.spec.containers[0].volumeMounts).toContainEqual({ name: 'queue', mountPath: '/var/lib/otelcol/queue' });
  });

  it('is one small pod without autoscaler in development', () => {
    const all = objects({ profile: Profile.DEVELOPMENT });
    expect(kind(all, 'HorizontalPodAutoscaler')).toBeUndefined();
    expect(kind(all, 'Deployment').spec.replicas).toBe(1);
    expect(kind(all, 'Deployment').spec.template.spec.containers[0].resources.requests).toEqual({ cpu: '100m', memory: '256Mi' });
  });

  it('prints the same twice', () => {
    expect(JSON.stringify(objects())).toBe(JSON.stringify(objects()));
  });
});

describe('fails', () => {
  it('when a production gateway ends in debug', () => {
    const traces = [Destination.exporter(new DebugExporter())];
    expect(() => gatewayWith({ traces })).toThrow(/test\/Gateway.*'debug' keeps nothing.*'production'/);
    expect(() => gatewayWith({ traces, profile: Profile.DEVELOPMENT })).not.toThrow();
  });

  it('without any destination', () => {
    expect(() => gatewayWith({ traces: [], metrics: [], logs: [], measureSpans: false })).toThrow(/no destination for any signal/);
  });

  it('when the autoscaler would act after the memory limiter, with both values', () => {
    const resources = {
      cpuRequest: Cpu.cores(1),
      memoryRequest: Size.gibibytes(8),
      cpuLimit: Cpu.cores(4),
      memoryLimit: Size.gibibytes(8),
    };
    expect(() => gatewayWith({ resources })).toThrow(/6554 MiB \(80 % of the request 8Gi\).*4916 MiB/);
  });

  it('when its queues do not fit into its memory, with both values', () => {
    const queue = Queue.memory({ queueSize: 2 * 1024 ** 3, sizer: QueueSizer.BYTES, waitForResult: true });
    expect(() => gatewayWith({ queue })).toThrow(/6144 MiB.*2458 MiB/);
  });

  it('when its queue gathers longer than the agent was told', () => {
    const queue = Queue.memory({ waitForResult: true, batch: { flushTimeout: Duration.seconds(2) } });
    expect(() => gatewayWith({ queue })).toThrow(/2000 ms.*200 ms/);
  });

  it('when a ready made exporter takes longer than the agent waits', () => {
    const traces = [Destination.exporter(new OtlpHttpExporter({ endpoint: 'http://vendor' }))];
    expect(() => gatewayWith({ traces })).toThrow(/'otlp_http' may take 30s for one attempt.*derived from 5s/);
    expect(() => gatewayWith({ traces, timeouts: new Timeouts({ exporterTimeout: Duration.seconds(30) }) })).not.toThrow();
  });

  it('when a password would be printed or a sign-in is half', () => {
    const user = Destination.elasticsearch(referenceProps().logs?.[0]?.endpoint as never, { user: 'collector' });
    expect(() => gatewayWith({ logs: [user] })).toThrow(/'user' is given and 'password' is not/);
  });
});

it('offers its endpoints to others', () => {
  const { gateway } = gatewayWith();
  expect(gateway).toBeInstanceOf(CollectorGateway);
  expect(gateway.otlpGrpc.address).toBe('otel-collector.observability.svc.cluster.local:4317');
  expect(gateway.otlpHttp.url).toBe('http://otel-collector.observability.svc.cluster.local:4318');
  expect(gateway.metricsTargets.map(({ endpoint }) => endpoint.port)).toEqual([8888, 8889]);
});

/** The values that the people who asked for this toolkit run with, read from what is printed: the reference stack's defaults. */
import { describe, expect, it } from 'vitest';
import { DURATION_BUCKETS_S } from '../../../apps/sample-service/telemetry/prometheus.ts';
import { type Manifest, printStack } from '../../support/printed-stack.ts';

const stack = printStack();
const { spec: deployment } = stack.find('Deployment', 'otlp-service');
const pod = deployment.template.spec;
const service = stack.container('Deployment', 'otlp-service', 'otlp-service');
const agent = stack.container('Deployment', 'otlp-service', 'otlp-agent');
const gateway = stack.container('Deployment', 'otel-collector', 'otel-collector');
const jaeger = stack.container('Deployment', 'jaeger', 'jaeger');
const agentConfig = stack.config('otlp-service-agent', 'agent.yaml');
const serviceConfig = stack.config('otlp-service-config', 'production.yaml');
const alerts: Manifest[] = stack.config('prometheus-rules', 'otlp-stack.yaml').groups.flatMap(({ rules }: Manifest) => rules);
const alert = (name: string): Manifest => alerts.find((rule) => rule.alert === name);
const resources = (requests: string[], limits: string[]): object => ({
  requests: { cpu: requests[0], memory: requests[1] },
  limits: { cpu: limits[0], memory: limits[1] },
});

describe('the architecture', () => {
  it('sends service -> sidecar -> gateway -> Jaeger', () => {
    expect(serviceConfig.exporter.endpoint).toBe('http://localhost:4318');
    expect(agentConfig.receivers.otlp.protocols.http.endpoint).toBe('localhost:4318');
    expect(agentConfig.exporters.otlp_grpc.endpoint).toBe('otel-collector.observability.svc.cluster.local:4317');
    const { exporters } = stack.config('otel-collector-config', 'gateway.yaml');
    expect(exporters['otlp_grpc/jaeger'].endpoint).toBe('jaeger.observability.svc.cluster.local:4317');
  });

  it('gives the service request 500m and 1Gi, limit 2 and 4Gi, and 3 to 20 replicas to the autoscaler', () => {
    expect(service.resources).toEqual(resources(['500m', '1Gi'], ['2', '4Gi']));
    expect(deployment).not.toHaveProperty('replicas');
    expect(stack.find('ScaledObject', 'otlp-service').spec).toMatchObject({ minReplicaCount: 3, maxReplicaCount: 20 });
  });

  it('gives one sidecar per pod request 200m and 512Mi, limit 500m and 1Gi', () => {
    expect(agent.resources).toEqual(resources(['200m', '512Mi'], ['500m', '1Gi']));
    expect(pod.initContainers.map(({ name }: Manifest) => name)).toEqual(['otlp-agent']);
  });

  it('gives the gateway 4 CPU and 8Gi, and 3 to 10 replicas at cpu 70 and memory 80', () => {
    expect(gateway.resources.limits).toEqual({ cpu: '4', memory: '8Gi' });
    expect(stack.find('Deployment', 'otel-collector').spec).not.toHaveProperty('replicas');
    const { spec } = stack.find('HorizontalPodAutoscaler', 'otel-collector');
    expect(spec).toMatchObject({ minReplicas: 3, maxReplicas: 10 });
    const targets = spec.metrics.map(({ containerResource }: Manifest) => [
      containerResource.name,
      containerResource.target.averageUtilization,
    ]);
    expect(targets).toEqual([
      ['cpu', 70],
      ['memory', 80],
    ]);
  });

  it('gives Jaeger 3 replicas of 8 CPU and 16Gi on Elasticsearch', () => {
    expect(stack.find('Deployment', 'jaeger').spec.replicas).toBe(3);
    expect(jaeger.resources.limits).toEqual({ cpu: '8', memory: '16Gi' });
    expect(Object.keys(stack.config('jaeger-config', 'config.yaml').extensions.jaeger_storage.backends.main)).toEqual(['elasticsearch']);
  });
});

describe('the service', () => {
  it('is in namespace observability and rolls with maxSurge 1, maxUnavailable 0', () => {
    expect(stack.find('Deployment', 'otlp-service').metadata.namespace).toBe('observability');
    expect(deployment.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  });

  it('runs as uid, gid and fsGroup 1000, not root, seccomp RuntimeDefault, with a ServiceAccount of its own', () => {
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.serviceAccountName).toBe('otlp-service');
    expect(stack.find('ServiceAccount', 'otlp-service').automountServiceAccountToken).toBe(false);
  });

  it('has a container without escalation, with a read-only root and no capability', () => {
    expect(service.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('listens on http 8080', () => {
    expect(service.ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
    expect(serviceConfig.service).toEqual({ name: 'otlp-service', port: 8080 });
  });

  it('knows its name, environment, instance and exporter by its own variables and by the standard ones', () => {
    const env = stack.environment(service, {
      'metadata.name': 'pod-1',
      'metadata.namespace': 'observability',
      'spec.nodeName': 'node-1',
    });
    expect(env).toMatchObject({
      OTLP__SERVICE__NAME: 'otlp-service',
      OTLP__SERVICE__ENVIRONMENT: 'observability',
      OTLP__SERVICE__INSTANCE_ID: 'pod-1',
      OTLP__EXPORTER__ENDPOINT: 'http://localhost:4318',
      OTEL_SERVICE_NAME: 'otlp-service',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    });
  });

  it('mounts config read-only, a cache of 1Gi and a tmp of 500Mi', () => {
    expect(service.volumeMounts).toEqual([
      { name: 'cache', mountPath: '/var/cache/otlp' },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'config', mountPath: '/etc/otlp', readOnly: true },
    ]);
    expect(pod.volumes).toContainEqual({ name: 'cache', emptyDir: { sizeLimit: '1Gi' } });
    expect(pod.volumes).toContainEqual({ name: 'tmp', emptyDir: { sizeLimit: '500Mi' } });
    expect(pod.volumes).toContainEqual({ name: 'config', configMap: { name: 'otlp-service-config' } });
  });

  it.each([
    ['livenessProbe', '/health/live', 30, 10, 5, 3],
    ['readinessProbe', '/health/ready', 10, 5, 3, 3],
    ['startupProbe', '/health/startup', 0, 5, 3, 30],
  ])('has a %s on %s: delay %i, period %i, timeout %i, failures %i', (probe, path, delay, period, timeout, failures) => {
    expect(service[probe]).toEqual({
      httpGet: { path, port: 'http' },
      initialDelaySeconds: delay,
      periodSeconds: period,
      timeoutSeconds: timeout,
      failureThreshold: failures,
    });
  });

  it('prefers other hosts with weight 100, tolerates the backend taint, resolves with ndots 2', () => {
    const [preferred] = pod.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution;
    expect(preferred).toMatchObject({ weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname' } });
    expect(preferred.podAffinityTerm.labelSelector.matchLabels).toEqual(deployment.selector.matchLabels);
    expect(pod.tolerations).toEqual([{ key: 'node-role.kubernetes.io/backend', operator: 'Equal', value: 'true', effect: 'NoSchedule' }]);
    expect(pod.dnsConfig).toEqual({ options: [{ name: 'ndots', value: '2' }] });
  });

  it('carries the prometheus.io annotations', () => {
    expect(deployment.template.metadata.annotations).toMatchObject({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8080',
      'prometheus.io/path': '/metrics',
    });
    const none = printStack({ service: { scrapeAnnotations: false } }).find('Deployment', 'otlp-service').spec.template.metadata;
    expect(Object.keys(none.annotations)).toEqual(['checksum/config']);
  });

  it('has a ClusterIP Service 80 -> http with ClientIP affinity of 10800 s, and a headless one', () => {
    expect(stack.find('Service', 'otlp-service').spec).toMatchObject({
      type: 'ClusterIP',
      ports: [{ name: 'http', port: 80, targetPort: 'http' }],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
    });
    expect(stack.find('Service', 'otlp-service-headless').spec.clusterIP).toBe('None');
  });

  it('asks for a Network Load Balancer by a prop only', () => {
    expect(stack.find('Service', 'otlp-service').metadata).not.toHaveProperty('annotations');
    const { metadata, spec } = printStack({ service: { networkLoadBalancer: true } }).find('Service', 'otlp-service');
    expect(Object.keys(metadata.annotations).join()).toContain('aws-load-balancer');
    // On a ClusterIP Service the annotation would ask nobody.
    expect(spec.type).toBe('LoadBalancer');
  });

  it('exports with 30 s timeout from a queue of 8192 in batches of 1024 after 100 ms, 20 at a time', () => {
    expect(serviceConfig.exporter.timeout).toBe('30s');
    expect(serviceConfig.batch).toEqual({ queue_size: 8192, export_size: 1024, delay: '100ms', concurrency: 20 });
  });

  it('names the five resource attributes, four of them from the pod itself', () => {
    const env = stack.environment(service, { 'metadata.name': 'pod-1', 'metadata.namespace': 'ns', 'spec.nodeName': 'node-1' });
    expect(env.OTEL_RESOURCE_ATTRIBUTES?.split(',')).toEqual(
      expect.arrayContaining([
        'deployment.environment=ns',
        'k8s.cluster.name=default',
        'k8s.namespace.name=ns',
        'k8s.pod.name=pod-1',
        'k8s.node.name=node-1',
      ]),
    );
    expect(serviceConfig.resource.attributes).toEqual({ 'k8s.cluster.name': 'default' });
  });
});

describe('the autoscaler of the service', () => {
  const { triggers, advanced } = stack.find('ScaledObject', 'otlp-service').spec;

  it('holds cpu at 70 % and memory at 80 % of the application container, and 1000 requests per second and pod', () => {
    expect(triggers[0]).toEqual({ type: 'cpu', metricType: 'Utilization', metadata: { containerName: 'otlp-service', value: '70' } });
    expect(triggers[1]).toEqual({ type: 'memory', metricType: 'Utilization', metadata: { containerName: 'otlp-service', value: '80' } });
    expect(triggers[2]).toMatchObject({
      type: 'prometheus',
      metricType: 'AverageValue',
      metadata: {
        serverAddress: 'http://prometheus.observability.svc.cluster.local:9090',
        threshold: '1000',
        query: 'sum by (namespace, job) (rate(http_requests_total{namespace="observability", job="otlp-service"}[2m]))',
      },
    });
  });

  it('scales down after 300 s by 50 % or 2 pods in 60 s, the smaller; up at once by 100 % or 4 pods in 30 s, the larger', () => {
    expect(advanced.horizontalPodAutoscalerConfig.behavior).toEqual({
      scaleDown: {
        stabilizationWindowSeconds: 300,
        selectPolicy: 'Min',
        policies: [
          { type: 'Percent', value: 50, periodSeconds: 60 },
          { type: 'Pods', value: 2, periodSeconds: 60 },
        ],
      },
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Percent', value: 100, periodSeconds: 30 },
          { type: 'Pods', value: 4, periodSeconds: 30 },
        ],
      },
    });
  });

  it('keeps one pod at a time out of service', () => {
    expect(stack.find('PodDisruptionBudget', 'otlp-service').spec.maxUnavailable).toBe(1);
  });
});

describe('the agent', () => {
  it('receives on 4317 and 4318', () => {
    expect(agentConfig.receivers.otlp.protocols).toMatchObject({
      grpc: { endpoint: 'localhost:4317' },
      http: { endpoint: 'localhost:4318' },
    });
  });

  it('batches after 100ms from 1024 to 2048 items', () => {
    expect(agentConfig.exporters.otlp_grpc.sending_queue.batch).toEqual({
      flush_timeout: '100ms',
      min_size: 1024,
      max_size: 2048,
      sizer: 'items',
    });
  });

  it('limits memory every 5s at 512 MiB with 128 MiB of spike', () => {
    expect(agentConfig.processors.memory_limiter).toEqual({ check_interval: '5s', limit_mib: 512, spike_limit_mib: 128 });
  });

  it('upserts service.instance.id from the pod name', () => {
    expect(agentConfig.processors.resource.attributes).toEqual([
      { key: 'service.instance.id', value: '$' + '{env:K8S_POD_NAME}', action: 'upsert' },
    ]);
    expect(agent.env).toContainEqual({ name: 'K8S_POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } });
  });

  it('exports without TLS from a queue of 5000 with 10 consumers, trying again after 5s to 30s for 300s', () => {
    const { tls, sending_queue, retry_on_failure } = agentConfig.exporters.otlp_grpc;
    expect(tls).toEqual({ insecure: true });
    expect(sending_queue).toMatchObject({ enabled: true, num_consumers: 10, queue_size: 5000 });
    expect(retry_on_failure).toEqual({ enabled: true, initial_interval: '5s', max_interval: '30s', max_elapsed_time: '300s' });
  });

  it('carries traces, metrics and logs through the same stages', () => {
    const pipeline = { receivers: ['otlp'], processors: ['memory_limiter', 'resource'], exporters: ['otlp_grpc'] };
    expect(agentConfig.service.pipelines).toEqual({ traces: pipeline, metrics: pipeline, logs: pipeline });
  });
});

describe('metrics, dashboards and alerts', () => {
  it('has the documented buckets, in the application', () => {
    expect(DURATION_BUCKETS_S).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]);
  });

  it.each([
    ['HighErrorRate', 'critical', '5m', /http_requests_total\{status=~"5\.\."\}.*\/.*http_requests_total.* > 0\.05$/],
    ['HighLatency', 'warning', '5m', /^histogram_quantile\(0\.95, .*http_request_duration_seconds_bucket.* > 1$/],
    ['HighSpanDropRate', 'warning', '5m', /rate\(otlp_spans_dropped_total\[5m\]\)\) > 100$/],
    ['HighMemoryUsage', 'warning', '10m', /container_memory_working_set_bytes.*kube_pod_container_resource_limits.* > 0\.9$/],
    ['PodRestarting', 'warning', '5m', /kube_pod_container_status_restarts_total\{[^}]*\}\[15m\]/],
  ])('alerts %s (%s) after %s', (name, severity, wait, expression) => {
    expect(alert(name)).toMatchObject({ labels: { severity }, for: wait });
    expect(alert(name).expr).toMatch(expression);
  });

  it.each([
    ['queue filling', ['AgentQueueFilling', 'GatewayQueueFilling']],
    ['export failures', ['AgentExportFailures', 'GatewayExportFailures']],
    ['refused spans', ['AgentRefusedData', 'GatewayRefusedData']],
    ['target down', ['TargetDown', 'TargetMissing']],
    ['gateway saturation', ['GatewaySaturation']],
    ['backends', ['JaegerDown', 'JaegerStorageErrors', 'ElasticsearchDown']],
  ])('alerts what an operator needs: %s', (_, names) => {
    expect(alerts.map((rule) => rule.alert)).toEqual(expect.arrayContaining(names));
  });

  it('names a runbook page in every alert', () => {
    for (const rule of alerts.filter((each) => each.alert)) {
      expect(rule.annotations.runbook_url, rule.alert).toMatch(/docs\/runbooks\/[a-z-]+\.md$/);
    }
  });

  it.each([
    ['Request rate', 'rate(http_requests_total'],
    ['Latency p95', 'histogram_quantile(0.95'],
    ['Export rate', 'otlp_spans_exported_total'],
    ['Export rate', 'otlp_spans_dropped_total'],
    ['Memory', 'container_memory_working_set_bytes'],
  ])('draws %s from %s', (title, query) => {
    const { panels } = JSON.parse(stack.text('grafana-dashboards', 'otlp-service.json'));
    const found = panels.filter((panel: Manifest) => panel.title.startsWith(title));
    expect(JSON.stringify(found)).toContain(query);
  });

  it('keeps 30 days, evaluates every 30s, and lets nobody sign up in Grafana', () => {
    expect(stack.container('StatefulSet', 'prometheus', 'prometheus').args).toContain('--storage.tsdb.retention.time=30d');
    expect(stack.config('prometheus-config', 'prometheus.yml').global.evaluation_interval).toBe('30s');
    expect(stack.container('Deployment', 'grafana', 'grafana').env).toContainEqual({ name: 'GF_USERS_ALLOW_SIGN_UP', value: 'false' });
  });
});

describe('logs', () => {
  it('go to otlp-rust with the name of the cluster, from a file buffer, every 10s, 10 retries', () => {
    const config = printStack({ clusterName: 'prod-eu' }).text('fluentd-config', 'fluent.conf');
    for (const line of ['index_name otlp-rust', 'cluster_name prod-eu', '@type file', 'flush_interval 10s', 'retry_max_times 10']) {
      expect(config).toContain(line);
    }
  });

  it('roll over at 50 GB or 1 day, are shrunk to 1 after 7 days and end after 30', () => {
    const setup = stack.objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('elasticsearch-setup'));
    const { hot, warm, delete: end } = JSON.parse(setup.data['policy.otlp-rust.json']).policy.phases;
    expect(hot.actions.rollover).toEqual({ max_size: '50gb', max_age: '1d' });
    expect([warm.min_age, warm.actions.shrink, end.min_age]).toEqual(['7d', { number_of_shards: 1 }, '30d']);
    expect(JSON.parse(setup.data['template.otlp-rust.json'])).toMatchObject({ index_patterns: ['otlp-rust'], data_stream: {} });
  });

  it('go there from the gateway too, in ECS', () => {
    const { elasticsearch } = stack.config('otel-collector-config', 'gateway.yaml').exporters;
    expect(elasticsearch).toMatchObject({ logs_index: 'otlp-rust', mapping: { mode: 'ecs' } });
  });
});

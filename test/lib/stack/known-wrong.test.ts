/** What guides of the day get wrong, and what is printed instead: one test for each. */
import { Autoscaling } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { type Manifest, type PrintedStack, printStack } from '../../support/printed-stack.ts';

const stack = printStack();
const everything = JSON.stringify(stack.objects);
const rules: Manifest[] = stack.config('prometheus-rules', 'otlp-stack.yaml').groups.flatMap((group: Manifest) => group.rules);
const pod = stack.find('Deployment', 'otlp-service').spec.template.spec;
const collectors = { gateway: stack.config('otel-collector-config', 'gateway.yaml'), jaeger: stack.config('jaeger-config', 'config.yaml') };
const agent = stack.config('otlp-service-agent', 'agent.yaml');

/** Pods that carry all of the labels, anywhere in the stack. */
function selected(print: PrintedStack, namespace: string | undefined, labels: Record<string, string>): Manifest[] {
  return print.objects.filter(
    ({ metadata, spec }) =>
      spec?.template?.spec?.containers &&
      metadata.namespace === namespace &&
      Object.entries(labels).every(([key, value]) => spec.template.metadata.labels[key] === value),
  );
}

describe('known wrong, built right', () => {
  it('4317 and 4318 are bound by the sidecar alone, on localhost, and no Service of the application publishes them', () => {
    const containers = [...pod.initContainers, ...pod.containers];
    expect(containers.flatMap(({ ports }: Manifest) => (ports ?? []).map((port: Manifest) => port.containerPort))).not.toContain(4317);
    expect(agent.receivers.otlp.protocols).toEqual({ grpc: { endpoint: 'localhost:4317' }, http: { endpoint: 'localhost:4318' } });
    for (const name of ['otlp-service', 'otlp-service-headless']) {
      const ports = stack.find('Service', name).spec.ports.map(({ targetPort }: Manifest) => targetPort);
      expect(ports, name).toEqual(['http']);
    }
  });

  it('the sidecar is a native one with a startup probe, and an ordinary container by a prop', () => {
    const [sidecar] = pod.initContainers;
    expect(sidecar).toMatchObject({ name: 'otlp-agent', restartPolicy: 'Always' });
    expect(sidecar.startupProbe.httpGet).toEqual({ path: '/', port: 'http-agent-up' });
    const ordinary = printStack({ agent: { native: false } }).find('Deployment', 'otlp-service').spec.template.spec;
    expect(ordinary.initContainers).toBeUndefined();
    expect(ordinary.containers.map(({ name }: Manifest) => name)).toEqual(['otlp-service', 'otlp-agent']);
  });

  it('every selector of every NetworkPolicy selects pods that are printed', () => {
    const policies = stack.objects.filter(({ kind }) => kind === 'NetworkPolicy');
    expect(policies.length).toBeGreaterThan(8);
    for (const { metadata, spec } of policies) {
      expect(selected(stack, metadata.namespace, spec.podSelector.matchLabels), metadata.name).toHaveLength(1);
      const peers = [...spec.ingress.flatMap(({ from }: Manifest) => from ?? []), ...spec.egress.flatMap(({ to }: Manifest) => to ?? [])];
      for (const { podSelector, namespaceSelector } of peers.filter((peer: Manifest) => peer.podSelector)) {
        const namespace = namespaceSelector.matchLabels['kubernetes.io/metadata.name'];
        expect(selected(stack, namespace, podSelector.matchLabels), `${metadata.name} -> ${JSON.stringify(podSelector)}`).toHaveLength(1);
      }
    }
  });

  it('whoever calls a name may ask DNS, over UDP and TCP', () => {
    const dns = [
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ];
    const silent = stack.objects
      .filter(({ kind, spec }) => kind === 'NetworkPolicy' && !spec.egress.some((rule: Manifest) => sameJson(rule.ports, dns)))
      .map(({ metadata }) => metadata.name);
    // It talks to the API server only, by the address in its environment.
    expect(silent).toEqual(['kube-state-metrics']);
  });

  it('every scraped port is admitted from Prometheus', () => {
    const jobs: Manifest[] = stack.config('prometheus-config', 'prometheus.yml').scrape_configs;
    const scraped = jobs.map(({ job_name }) => /^([^/]+)\/([^/]+)\/([^/]+)$/.exec(job_name)).filter((match) => match !== null);
    expect(scraped.length).toBeGreaterThan(8);
    for (const [, namespace, name, port] of scraped) {
      const workload = stack.objects.find(
        ({ metadata, spec }) => spec?.template?.spec?.containers && metadata.name === name && metadata.namespace === namespace,
      );
      const { spec } = workload.spec.template;
      const containers: Manifest[] = [...(spec.initContainers ?? []), ...spec.containers];
      const number = containers.flatMap(({ ports }) => ports ?? []).find((each: Manifest) => each.name === port).containerPort;
      const admitted = stack
        .find('NetworkPolicy', name as string)
        .spec.ingress.filter(
          (rule: Manifest) =>
            !rule.from ||
            rule.from.some(({ podSelector }: Manifest) => podSelector?.matchLabels['app.kubernetes.io/name'] === 'prometheus'),
        )
        .flatMap((rule: Manifest) => rule.ports.map((each: Manifest) => each.port));
      expect(admitted, `${name} ${port}`).toContain(number);
    }
  });

  it('the request rate that scales the service has a producer, and the HPA asks for it only where an adapter is declared', () => {
    const { triggers } = stack.find('ScaledObject', 'otlp-service').spec;
    expect(triggers[2].metadata.query).toContain('http_requests_total');
    const jobs: Manifest[] = stack.config('prometheus-config', 'prometheus.yml').scrape_configs;
    expect(jobs.map(({ job_name }) => job_name)).toContain('observability/otlp-service/http');
    const { ingress } = stack.find('NetworkPolicy', 'prometheus').spec;
    expect(JSON.stringify(ingress)).toContain('{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"keda"}}}');
    const metrics = (autoscaling: Autoscaling): string =>
      JSON.stringify(printStack({ service: { autoscaling } }).find('HorizontalPodAutoscaler', 'otlp-service').spec.metrics);
    expect(metrics(Autoscaling.hpa())).not.toContain('http_requests_per_second');
    expect(metrics(Autoscaling.hpa({ customMetricsAdapter: true }))).toContain('http_requests_per_second');
  });

  it('the service speaks http/protobuf without compression to its sidecar', () => {
    expect(stack.config('otlp-service-config', 'production.yaml').exporter).toMatchObject({
      protocol: 'http/protobuf',
      compression: 'none',
      endpoint: 'http://localhost:4318',
    });
  });

  it('the error rate is a ratio, on the label that the service exposes', () => {
    const { expr } = rules.find(({ alert }) => alert === 'HighErrorRate');
    const [errors, all] = expr.split(' / ');
    expect(errors).toContain('http_requests_total{status=~"5.."}');
    expect(all).toContain('http_requests_total[5m]');
  });

  it('autoscalers count the application container, not its sidecar', () => {
    const { triggers } = stack.find('ScaledObject', 'otlp-service').spec;
    expect(triggers.slice(0, 2).map(({ metadata }: Manifest) => metadata.containerName)).toEqual(['otlp-service', 'otlp-service']);
    const hpas = [stack, printStack({ service: { autoscaling: Autoscaling.hpa() } })].flatMap(({ objects }) =>
      objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler'),
    );
    expect(hpas).toHaveLength(3);
    for (const { spec } of hpas) {
      expect(spec.metrics.map(({ type }: Manifest) => type)).toEqual(['ContainerResource', 'ContainerResource']);
    }
  });

  it('memory is the working set of cAdvisor, against limits from kube-state-metrics, both scraped', () => {
    expect(everything).not.toContain('container_memory_usage_bytes');
    const jobs: string[] = stack.config('prometheus-config', 'prometheus.yml').scrape_configs.map(({ job_name }: Manifest) => job_name);
    expect(jobs).toEqual(expect.arrayContaining(['cadvisor', 'observability/kube-state-metrics/http-metrics']));
    expect(stack.find('Deployment', 'kube-state-metrics').spec.replicas).toBe(1);
  });

  it('Fluentd parses CRI, adds metadata, mounts the logs of pods and lives in a namespace of its own that says why', () => {
    const config = stack.text('fluentd-config', 'fluent.conf');
    const order = ['@type tail', '@type cri', '@type kubernetes_metadata', '@type json', '@type elasticsearch'].map((line) =>
      config.indexOf(line),
    );
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(0);
    const daemonSet = stack.find('DaemonSet', 'fluentd');
    const paths = daemonSet.spec.template.spec.volumes.map(({ hostPath }: Manifest) => hostPath?.path);
    expect(paths).toEqual(expect.arrayContaining(['/var/log/pods', '/var/log/containers']));
    const { annotations } = stack.find('Namespace', daemonSet.metadata.namespace).metadata;
    expect(annotations['otlp-stack.dev/pod-security-reason']).toContain('log files of all pods');
  });

  it('images have current versions', () => {
    const images = new Set<string>(everything.match(/"image":"[^"]+"/g)?.map((image) => image.slice(9, -1)));
    expect([...images].sort()).toEqual([
      'docker.elastic.co/elasticsearch/elasticsearch:9.5.1',
      'docker.io/curlimages/curl:8.16.0',
      'docker.io/fluent/fluentd-kubernetes-daemonset:v1.19.3-debian-elasticsearch9-1.1',
      'docker.io/grafana/grafana:13.3.0',
      'docker.io/jaegertracing/jaeger:2.13.0',
      'ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:0.155.0',
      'ghcr.io/otlp-stack/agent:0.1.0',
      'ghcr.io/otlp-stack/sample-service:0.1.0',
      'quay.io/prometheus/alertmanager:v0.34.2',
      'quay.io/prometheus/prometheus:v3.15.0',
      'registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0',
    ]);
  });

  it.each(Object.entries({ ...collectors, agent }))('%s has no component that is gone or on its way out', (_, config) => {
    const names = [config.receivers, config.processors, config.exporters, config.connectors, config.extensions].flatMap((section) =>
      Object.keys(section ?? {}).map((name) => name.split('/')[0]),
    );
    for (const gone of ['logging', 'jaeger', 'loki', 'batch', 'memory_ballast', 'opencensus', 'routing']) {
      expect(names).not.toContain(gone);
    }
    expect(JSON.stringify(config.service.telemetry.metrics)).not.toContain('address');
    // Production never ends in a place that throws data away.
    expect(names).not.toContain('debug');
    expect(names).not.toContain('nop');
  });

  it('no TrafficSplit and no all-in-one is printed', () => {
    expect(everything).not.toMatch(/TrafficSplit|all-in-one/);
  });

  it("Grafana's password comes from a Secret that is named, and no Secret is printed", () => {
    const { env } = stack.container('Deployment', 'grafana', 'grafana');
    expect(env).toContainEqual({
      name: 'GF_SECURITY_ADMIN_PASSWORD',
      valueFrom: { secretKeyRef: { name: 'grafana-admin', key: 'admin-password' } },
    });
    expect(stack.objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(everything).not.toMatch(/changeme|"password":"(?!\$)/);
  });

  it('variables in configurations of Collectors are spelled $' + '{env:NAME}', () => {
    for (const [name, config] of Object.entries({ ...collectors, agent })) {
      const variables = JSON.stringify(config).match(/\$\{[^}]*\}/g) ?? [];
      expect(variables.length, name).toBeGreaterThan(0);
      expect(
        variables.filter((variable) => !/^\$\{env:[A-Z_0-9]+\}$/.test(variable)),
        name,
      ).toEqual([]);
    }
  });
});

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

import { App, Chart, Duration } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { AgentSidecar } from '../../../../lib/stack/agent/index';
import { Alertmanager } from '../../../../lib/stack/alertmanager/alertmanager';
import { Jaeger } from '../../../../lib/stack/backends/jaeger';
import { CollectorGateway, Destination } from '../../../../lib/stack/collector/index';
import { Grafana } from '../../../../lib/stack/grafana/grafana';
import { KubeStateMetrics } from '../../../../lib/stack/kube-state-metrics/kube-state-metrics';
import { PrometheusMonitors } from '../../../../lib/stack/prometheus/monitors';
import { Prometheus, type PrometheusProps } from '../../../../lib/stack/prometheus/prometheus';
import { OtlpService } from '../../../../lib/stack/service/otlp-service';
import { validateManifest } from '../../../support/kubernetes-schemas.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests are plain JSON, and tests reach deep into them
type Manifest = any;

interface Built {
  readonly prometheus: Prometheus;
  readonly objects: Manifest[];
  readonly find: (kind: string, name: string) => Manifest;
}

/** A small stack; `late` is added after Prometheus. */
function build(props: PrometheusProps = {}, late: (chart: Chart, gateway: CollectorGateway) => void = () => {}): Built {
  const chart = new Chart(new App(), 'test');
  const jaeger = new Jaeger(chart, 'Jaeger');
  const gateway = new CollectorGateway(chart, 'Gateway', { traces: [Destination.otlpGrpc('jaeger', jaeger.otlpGrpc)] });
  new KubeStateMetrics(chart, 'KubeStateMetrics');
  const alertmanager = new Alertmanager(chart, 'Alertmanager');
  const prometheus = new Prometheus(chart, 'Prometheus', { alertmanager, ...props });
  late(chart, gateway);
  const objects = chart.toJson() as Manifest[];
  return { prometheus, objects, find: (kind, name) => objects.find((one) => one.kind === kind && one.metadata.name === name) };
}

const addService = (chart: Chart, gateway: CollectorGateway): void => {
  const service = new OtlpService(chart, 'Late', { name: 'late', namespace: 'shop' });
  new AgentSidecar({ upstream: gateway.otlpGrpc }).addTo(service);
};

const configOf = ({ find }: Built): Manifest => parse(find('ConfigMap', 'prometheus-config').data['prometheus.yml']);
const rulesOf = ({ find }: Built): Manifest => parse(find('ConfigMap', 'prometheus-rules').data['otlp-stack.yaml']);

describe('Prometheus', () => {
  it('prints objects that the API server knows', () => {
    for (const object of build({}, addService).objects) {
      expect(validateManifest(object)).toEqual([]);
    }
  });

  it('keeps 30 days, evaluates every 30 seconds and takes OTLP', () => {
    const built = build();
    const { containers } = built.find('StatefulSet', 'prometheus').spec.template.spec;
    expect(containers[0].args).toEqual([
      '--config.file=/etc/prometheus/prometheus.yml',
      '--storage.tsdb.path=/prometheus',
      '--storage.tsdb.retention.time=30d',
      '--web.enable-otlp-receiver',
      '--web.listen-address=:9090',
    ]);
    expect(configOf(built).global.evaluation_interval).toBe('30s');
    expect(configOf(built).alerting.alertmanagers[0].static_configs[0].targets).toEqual([
      'alertmanager.observability.svc.cluster.local:9093',
    ]);
  });

  it('scrapes every /metrics of the wiring, by the job that alerts and dashboards name', () => {
    const built = build({}, addService);
    expect(built.prometheus.scrapeJobs.map(({ name, job }) => [name, job])).toEqual([
      ['observability/jaeger/http-metrics', 'jaeger'],
      ['observability/otel-collector/http-metrics', 'otel-collector'],
      ['observability/otel-collector/http-spans', 'otel-collector-spans'],
      ['observability/kube-state-metrics/http-metrics', 'kube-state-metrics'],
      ['observability/kube-state-metrics/http-self', 'kube-state-metrics-self'],
      ['observability/alertmanager/http', 'alertmanager'],
      ['observability/prometheus/http', 'prometheus'],
      ['shop/late/http', 'late'],
      ['shop/late/http-agent', 'otlp-agent'],
      ['cadvisor', 'cadvisor'],
      ['kubelet', 'kubelet'],
    ]);
    const alerts = rulesOf(built).groups.flatMap(({ rules }: Manifest) => rules.map(({ alert }: Manifest) => alert));
    expect(alerts).toEqual(expect.arrayContaining(['AgentQueueFilling', 'GatewayExportFailures', 'JaegerDown', 'HighMemoryUsage']));
    expect(alerts).not.toContain('ElasticsearchDown');
  });

  it('is admitted to what was added after it, and may go there', () => {
    const built = build({}, addService);
    const ingress = JSON.stringify(built.find('NetworkPolicy', 'late').spec.ingress);
    expect(ingress).toContain('"app.kubernetes.io/name":"prometheus"');
    const egress = JSON.stringify(built.find('NetworkPolicy', 'prometheus').spec.egress);
    expect(egress).toContain('"app.kubernetes.io/name":"late"');
    expect(egress).toContain('10250');
  });

  it('reads what discovery needs and nothing else', () => {
    const { rules } = build().find('ClusterRole', 'otlp-stack-prometheus');
    expect(rules).toEqual([
      { apiGroups: [''], resources: ['pods', 'services'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
    ]);
  });

  it('leaves kubelets alone when told so, and with them the alerts that need them', () => {
    const built = build({ scrapeKubelets: false });
    expect(built.prometheus.scrapeJobs.map(({ name }) => name)).not.toContain('cadvisor');
    expect(JSON.stringify(built.find('NetworkPolicy', 'prometheus').spec.egress)).not.toContain('10250');
    expect(JSON.stringify(built.find('ClusterRole', 'otlp-stack-prometheus').rules)).not.toContain('nodes');
    expect(JSON.stringify(rulesOf(built))).not.toContain('HighMemoryUsage');
  });

  it("admits KEDA's namespace, or others", () => {
    const admitted = (built: Built): string => JSON.stringify(built.find('NetworkPolicy', 'prometheus').spec.ingress);
    expect(admitted(build())).toContain('"kubernetes.io/metadata.name":"keda"');
    expect(admitted(build({ queriedFrom: ['scaling'] }))).toContain('"kubernetes.io/metadata.name":"scaling"');
    expect(admitted(build({ queriedFrom: [] }))).not.toContain('keda');
  });

  it('takes intervals and times for drills, in rules and panels too', () => {
    const built = build({
      scrapeInterval: Duration.seconds(1),
      evaluationInterval: Duration.seconds(2),
      rules: { holdFor: Duration.seconds(3), thresholds: { window: Duration.seconds(15) } },
    });
    expect(configOf(built).global).toMatchObject({ scrape_interval: '1s', evaluation_interval: '2s' });
    const highErrorRate = rulesOf(built).groups[0].rules.find(({ alert }: Manifest) => alert === 'HighErrorRate');
    expect(highErrorRate.for).toBe('3s');
    expect(highErrorRate.expr).toContain('[15s]');
  });

  it('follows a port that is another one', () => {
    const built = build({ ports: { http: 19090 } });
    expect(built.prometheus.http.address).toBe('prometheus.observability.svc.cluster.local:19090');
    expect(built.find('StatefulSet', 'prometheus').spec.template.spec.containers[0].args).toContain('--web.listen-address=:19090');
  });

  it('rolls its pod when the wiring changes its files', () => {
    const checksum = (built: Built): string =>
      built.find('StatefulSet', 'prometheus').spec.template.metadata.annotations['checksum/config'];
    expect(checksum(build())).toBe(checksum(build()));
    expect(checksum(build())).not.toBe(checksum(build({}, addService)));
  });
});

describe('the monitors of an operator', () => {
  const chart = new Chart(new App(), 'test');
  new Jaeger(chart, 'Jaeger');
  new KubeStateMetrics(chart, 'KubeStateMetrics');
  const monitors = new PrometheusMonitors(chart, 'Monitors', { selectedBy: { release: 'kps' } });
  new Grafana(chart, 'Grafana', { prometheus: monitors });
  const objects = chart.toJson() as Manifest[];
  const find = (kind: string): Manifest => objects.find((one) => one.kind === kind);

  it('are objects that the operator knows, under the label by which it looks for them', () => {
    for (const kind of ['PodMonitor', 'ServiceMonitor', 'PrometheusRule']) {
      // The schema of rules has a pattern with an inline flag that JavaScript lacks; promtool has judged the rules.
      expect(kind === 'PrometheusRule' ? [] : validateManifest(find(kind))).toEqual([]);
      expect(find(kind).metadata.labels.release).toBe('kps');
    }
  });

  it('have the same targets, jobs and rules', () => {
    expect(find('PodMonitor').spec.podMetricsEndpoints.map(({ port }: Manifest) => port)).toEqual(['http-metrics', 'http-self']);
    expect(find('PodMonitor').spec.podMetricsEndpoints[0].relabelings).toContainEqual({ targetLabel: 'job', replacement: 'jaeger' });
    expect(find('ServiceMonitor').spec.endpoints[0]).toMatchObject({ port: 'http-metrics', honorLabels: true });
    const alerts = find('PrometheusRule').spec.groups.flatMap(({ rules }: Manifest) => rules.map(({ alert }: Manifest) => alert));
    expect(alerts).toContain('JaegerDown');
  });

  it('stand for that Prometheus where it is asked', () => {
    const text = objects.find((one) => one.metadata.name === 'grafana-datasources').data['datasources.yaml'];
    expect(parse(text).datasources[0]).toMatchObject({
      url: 'http://prometheus-operated.monitoring.svc.cluster.local:9090',
      jsonData: { timeInterval: '30s' },
    });
    const dashboards = objects.find((one) => one.metadata.name === 'grafana-dashboards').data;
    expect(Object.keys(dashboards)).toContain('otlp-jaeger.json');
  });

  it('admit that Prometheus to every /metrics', () => {
    const policy = objects.find((one) => one.kind === 'NetworkPolicy' && one.metadata.name === 'jaeger');
    expect(JSON.stringify(policy.spec.ingress)).toContain('"kubernetes.io/metadata.name":"monitoring"');
  });
});

import { Duration } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { compact } from '../../../../lib/stack/model/yaml';
import { PrometheusConfig } from '../../../../lib/stack/prometheus/config';
import { RelabelRule } from '../../../../lib/stack/prometheus/relabel';
import { ScrapeJob } from '../../../../lib/stack/prometheus/scrape-job';

const POD_LABELS = { 'app.kubernetes.io/name': 'checkout', 'app.kubernetes.io/instance': 'otlp-stack' };
const pods = ScrapeJob.pods({
  name: 'shop/checkout/agent',
  job: 'otlp-agent',
  namespace: 'shop',
  podLabels: POD_LABELS,
  portName: 'agent-metrics',
});
const printed = (job: ScrapeJob): object => compact(job._render()) as object;

describe('prometheus.yml', () => {
  it('has the intervals that rules rely on', () => {
    const { global, otlp, storage } = new PrometheusConfig({ scrapeJobs: [] }).renderConfig() as {
      global: object;
      otlp: { translation_strategy: string; promote_resource_attributes: string[] };
      storage: object;
    };
    expect(global).toMatchObject({ scrape_interval: '15s', scrape_timeout: '10s', evaluation_interval: '30s' });
    expect(otlp.translation_strategy).toBe('UnderscoreEscapingWithSuffixes');
    expect(otlp.promote_resource_attributes).toContain('k8s.pod.name');
    expect(storage).toEqual({ tsdb: { out_of_order_time_window: '30m' } });
  });

  it('shortens the time of a scrape with its interval, for drills', () => {
    const config = new PrometheusConfig({ scrapeJobs: [], scrapeInterval: Duration.seconds(1), evaluationInterval: Duration.seconds(1) });
    expect(config.renderConfig()).toMatchObject({ global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' } });
  });

  it('names rule files and Alertmanagers only when there are some', () => {
    const bare = compact(new PrometheusConfig({ scrapeJobs: [] }).renderConfig());
    expect(bare).not.toHaveProperty('rule_files');
    expect(bare).not.toHaveProperty('alerting');
    const full = new PrometheusConfig({ scrapeJobs: [], ruleFiles: ['/etc/rules/*.yaml'], alertmanagers: ['alertmanager:9093'] });
    expect(full.renderConfig()).toMatchObject({
      rule_files: ['/etc/rules/*.yaml'],
      alerting: { alertmanagers: [{ static_configs: [{ targets: ['alertmanager:9093'] }] }] },
    });
  });

  it('takes overrides, deep', () => {
    const config = new PrometheusConfig({ scrapeJobs: [], configOverrides: { global: { scrape_interval: '5s' } } });
    expect(config.renderConfig()).toMatchObject({ global: { scrape_interval: '5s', evaluation_interval: '30s' } });
  });

  it('fails on two jobs of one name, and on a timeout beyond the interval', () => {
    expect(() => new PrometheusConfig({ scrapeJobs: [pods, pods] })).toThrow("scrape job 'shop/checkout/agent' occurs twice");
    expect(() => new PrometheusConfig({ scrapeJobs: [], scrapeTimeout: Duration.minutes(1) })).toThrow(
      "'scrapeTimeout' (1m) must not exceed 'scrapeInterval' (15s)",
    );
  });
});

describe('a scrape job', () => {
  it('of pods keeps their labels and port, and names namespace, pod and container', () => {
    expect(printed(pods)).toEqual({
      job_name: 'shop/checkout/agent',
      kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: ['shop'] } }],
      relabel_configs: [
        {
          source_labels: ['__meta_kubernetes_pod_label_app_kubernetes_io_name', '__meta_kubernetes_pod_label_app_kubernetes_io_instance'],
          action: 'keep',
          regex: 'checkout;otlp-stack',
        },
        { source_labels: ['__meta_kubernetes_pod_container_port_name'], action: 'keep', regex: 'agent-metrics' },
        { source_labels: ['__meta_kubernetes_pod_phase'], action: 'drop', regex: 'Failed|Succeeded' },
        { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
        { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
        { source_labels: ['__meta_kubernetes_pod_container_name'], target_label: 'container' },
        { target_label: 'job', replacement: 'otlp-agent' },
      ],
    });
    expect(pods.job).toBe('otlp-agent');
  });

  it('of a Service scrapes each pod behind it by itself', () => {
    const job = ScrapeJob.service({
      name: 'kube-state-metrics',
      namespace: 'observability',
      service: 'ksm',
      portName: 'http-metrics',
      describesOthers: true,
    });
    expect(printed(job)).toEqual({
      job_name: 'kube-state-metrics',
      honor_labels: true,
      kubernetes_sd_configs: [{ role: 'endpointslice', namespaces: { names: ['observability'] } }],
      relabel_configs: [
        {
          source_labels: ['__meta_kubernetes_service_name', '__meta_kubernetes_endpointslice_port_name'],
          action: 'keep',
          regex: 'ksm;http-metrics',
        },
      ],
    });
  });

  it("of nodes uses the kubelet's port with the token of the ServiceAccount", () => {
    const job = ScrapeJob.nodes({ name: 'cadvisor', path: '/metrics/cadvisor', keepMetrics: 'container_.*' });
    expect(printed(job)).toEqual({
      job_name: 'cadvisor',
      metrics_path: '/metrics/cadvisor',
      scheme: 'https',
      authorization: { credentials_file: '/var/run/secrets/kubernetes.io/serviceaccount/token' },
      tls_config: { ca_file: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt', insecure_skip_verify: true },
      kubernetes_sd_configs: [{ role: 'node' }],
      relabel_configs: [
        { source_labels: ['__meta_kubernetes_node_name'], target_label: 'node' },
        { source_labels: ['__meta_kubernetes_node_name'], target_label: 'instance' },
      ],
      metric_relabel_configs: [{ source_labels: ['__name__'], action: 'keep', regex: 'container_.*' }],
    });
    expect(printed(ScrapeJob.nodes({ name: 'cadvisor', insecureSkipVerify: false }))).toHaveProperty('tls_config', {
      ca_file: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    });
  });

  it('takes further rules behind those that are derived', () => {
    const job = ScrapeJob.nodes({ name: 'n', relabel: [RelabelRule.drop(['node'], 'virtual-.*')] });
    expect((printed(job) as { relabel_configs: object[] }).relabel_configs.at(-1)).toEqual({
      source_labels: ['node'],
      action: 'drop',
      regex: 'virtual-.*',
    });
  });

  it('matches names literally', () => {
    const job = ScrapeJob.service({ name: 'x', namespace: 'n', service: 'a.b', portName: 'p' });
    expect(JSON.stringify(printed(job))).toContain('a\\\\.b;p');
  });

  it('fails on a path that does not begin with a slash', () => {
    expect(() => ScrapeJob.nodes({ name: 'n', path: 'metrics' })).toThrow("scrape job 'n': path 'metrics' must begin with '/'");
  });
});

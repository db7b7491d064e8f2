import { ApiObject, App, Chart } from 'cdk8s';
import { instrument, OtlpStack, type OtlpStackProps } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Manifest, PrintedStack } from '../../../support/printed-stack.ts';

function print(props: OtlpStackProps, more: (app: App, stack: OtlpStack) => void = () => {}): PrintedStack {
  const app = new App();
  more(app, new OtlpStack(app, 'otlp', props));
  return new PrintedStack(app.charts.flatMap((chart) => chart.toJson()));
}

const SHOP = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: 'shop' } },
    template: { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ name: 'shop', image: 'shop:1' }] } },
  },
};
const withShop = (app: App, stack: OtlpStack): void => {
  instrument(new ApiObject(new Chart(app, 'shop'), 'Shop', SHOP), { upstream: stack.gateway.otlpGrpc });
};

describe("a stack for the Prometheus operator's Prometheus", () => {
  const stack = print({ prometheusOperator: {} });
  const kinds = new Set(stack.objects.map(({ kind }) => kind));

  it('prints monitors and rules instead of Prometheus and Alertmanager, never both', () => {
    expect([...kinds]).toEqual(expect.arrayContaining(['PodMonitor', 'ServiceMonitor', 'PrometheusRule']));
    expect(stack.objects.filter(({ metadata }) => ['prometheus', 'alertmanager'].includes(metadata.name))).toEqual([]);
    const annotations = stack.find('Deployment', 'otlp-service').spec.template.metadata.annotations;
    expect(Object.keys(annotations).filter((key) => key.startsWith('prometheus.io/'))).toEqual([]);
  });

  it("sends metrics, panels and KEDA to the operator's Prometheus, whose pods the policies name", () => {
    const url = 'http://prometheus-operated.monitoring.svc.cluster.local:9090';
    expect(stack.config('otel-collector-config', 'gateway.yaml').exporters['otlp_http/prometheus'].endpoint).toBe(`${url}/api/v1/otlp`);
    const trigger = stack.find('ScaledObject', 'otlp-service').spec.triggers.find(({ type }: Manifest) => type === 'prometheus');
    expect(trigger.metadata.serverAddress).toBe(url);
    expect(stack.find('NetworkPolicy', 'otel-collector').spec.egress).toContainEqual({
      to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
      ports: [{ port: 9090, protocol: 'TCP' }],
    });
  });

  it('fails when a program that is not deployed is configured', () => {
    expect(() => print({ prometheusOperator: {}, prometheus: { name: 'ours' } })).toThrow(
      /'prometheus' configures a program that is not deployed/,
    );
  });
});

describe('an agent beside a workload of somebody else', () => {
  it('is scraped by its own labels, and Prometheus may reach it', () => {
    const stack = print({}, withShop);
    const config = stack.config('prometheus-config', 'prometheus.yml');
    const job = config.scrape_configs.find(({ job_name }: Manifest) => job_name === 'shop/shop/http-agent');
    expect(job.kubernetes_sd_configs).toEqual([{ role: 'pod', namespaces: { names: ['shop'] } }]);
    expect(job.relabel_configs[0]).toMatchObject({ source_labels: ['__meta_kubernetes_pod_label_app'], action: 'keep', regex: 'shop' });
    expect(job.relabel_configs).toContainEqual({ target_label: 'job', replacement: 'otlp-agent' });
    expect(stack.find('NetworkPolicy', 'prometheus').spec.egress).toContainEqual({
      to: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
          podSelector: { matchLabels: { app: 'shop' } },
        },
      ],
      ports: [{ port: 8888, protocol: 'TCP' }],
    });
  });

  it('is in the PodMonitor whatever its labels are', () => {
    const monitor = print({ prometheusOperator: {} }, withShop).objects.find(({ kind }) => kind === 'PodMonitor');
    expect(monitor.spec.selector).toEqual({});
    expect(monitor.spec.namespaceSelector.matchNames).toContain('shop');
    expect(parse(JSON.stringify(monitor.spec.podMetricsEndpoints)).some((one: Manifest) => JSON.stringify(one).includes('"shop"'))).toBe(
      true,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { brief, findingsOf, type Mutation } from '../support.ts';

const CONFIG = 'data["config.yaml"]';

describe('addresses-resolve', () => {
  it.each([
    [
      'a port of an exporter',
      { from: 'endpoint: jaeger:4317', to: 'endpoint: jaeger:14250' },
      `ConfigMap observability/gateway ${CONFIG}.exporters.otlp_grpc/jaeger.endpoint`,
      'Service observability/jaeger has no port 14250',
      '4317 (grpc-otlp), 80 (http-query)',
    ],
    [
      'a host of an exporter',
      { from: 'endpoint: jaeger:4317', to: 'endpoint: jeager:4317' },
      `ConfigMap observability/gateway ${CONFIG}.exporters.otlp_grpc/jaeger.endpoint`,
      'there is no Service observability/jeager',
      'did you mean "jaeger"?',
    ],
    [
      'a namespace',
      { from: 'http://prometheus.observability.svc:9090/api', to: 'http://prometheus.monitoring.svc:9090/api' },
      `ConfigMap observability/gateway ${CONFIG}.exporters.otlp_http/prometheus.endpoint`,
      'prometheus is in namespace observability',
      'write prometheus.observability',
    ],
    [
      'a variable that a configuration uses',
      { from: 'GATEWAY_HOST}:4317', to: 'GATEWAY_HOST}:4318' },
      'ConfigMap observability/web-agent data["agent.yaml"].exporters.otlp_grpc.endpoint',
      '"gateway.observability.svc.cluster.local:4318" leads nowhere',
      '4317 (grpc-otlp)',
    ],
    [
      'a storage of Jaeger',
      { from: 'server_urls: [http://elasticsearch:9200]', to: 'server_urls: [http://elasticsearch:9201]' },
      'ConfigMap observability/jaeger data["jaeger.yaml"].extensions.jaeger_storage.backends.main.elasticsearch.server_urls[0]',
      'has no port 9201',
      '9200 (http)',
    ],
    [
      'an alertmanager',
      { from: "targets: ['alertmanager:9093']", to: "targets: ['alertmanager:9094']" },
      'ConfigMap observability/prometheus data["prometheus.yml"].alerting.alertmanagers[0].static_configs[0].targets[0]',
      'has no port 9094',
      '9093 (http)',
    ],
    [
      'a data source without a port',
      { from: 'url: http://jaeger', to: 'url: https://jaeger' },
      'ConfigMap observability/grafana data["datasources.yaml"].datasources[1].url',
      'has no port 443',
      '80 (http-query)',
    ],
    [
      'a line of Fluentd',
      { from: '      port 9200', to: '      port 9300' },
      'ConfigMap logging/fluentd data["fluent.conf"][10]',
      '"elasticsearch.observability.svc:9300" leads nowhere',
      '9200 (http)',
    ],
    [
      'a port of the same pod',
      { from: 'value: http://localhost:4318', to: 'value: http://localhost:4317' },
      'Deployment observability/web spec.template.spec.containers[0].env[0].value',
      'no container of Deployment observability/web has port 4317',
      '8888 (http-metrics), 8080 (http), 4318, or',
    ],
    [
      'a settings file of the application',
      { from: 'endpoint: http://localhost:4318', to: 'endpoint: http://localhost:55681' },
      'ConfigMap observability/web-settings data["production.yaml"].exporter.endpoint',
      'has port 55681',
      '4318',
    ],
    [
      'a script',
      { from: 'http://elasticsearch:9200/_ilm', to: 'http://elastic:9200/_ilm' },
      'Job observability/elasticsearch-setup spec.template.spec.containers[0].args[0]',
      'there is no Service observability/elastic',
      'elasticsearch',
    ],
    [
      'a scaler',
      {
        from: 'serverAddress: http://prometheus.observability.svc.cluster.local:9090',
        to: 'serverAddress: http://prometheus.observability.svc.cluster.local:80',
      },
      'ScaledObject observability/web spec.triggers[0].metadata.serverAddress',
      'has no port 80',
      '9090 (http)',
    ],
    [
      'a pod of a StatefulSet',
      { from: 'elasticsearch-1.elasticsearch-nodes:9300', to: 'elastic-1.elasticsearch-nodes:9300' },
      'StatefulSet observability/elasticsearch spec.template.spec.containers[0].env[0].value',
      'no StatefulSet in namespace observability has a pod elastic-1',
      'correct the name of the pod',
    ],
  ] satisfies [string, Mutation, string, string, string][])(
    'fails on a wrong address in %s, and finds nothing else',
    (_, mutation, place, problem, remedy) => {
      const findings = findingsOf(mutation);
      expect(findings.map(brief)).toEqual([`addresses-resolve: ${place}`]);
      expect(findings[0]?.problem).toContain(problem);
      expect(findings[0]?.remedy).toContain(remedy);
    },
  );

  it('fails on a Service whose targetPort no container has, at each address that leads there', () => {
    const findings = findingsOf({ from: 'targetPort: grpc-otlp, appProtocol', to: 'targetPort: otlp, appProtocol' });
    expect(findings.map(brief)).toEqual([
      'addresses-resolve: ConfigMap observability/web-agent data["agent.yaml"].exporters.otlp_grpc.endpoint',
    ]);
    expect(findings[0]?.problem).toContain(
      'port 4317 of Service observability/gateway leads to container port otlp, which no container of StatefulSet observability/gateway has',
    );
    expect(findings[0]?.remedy).toContain('4317 (grpc-otlp)');
  });

  it('fails on a port of the same pod that only its configuration opened, once that does no more', () => {
    const findings = findingsOf({ from: 'endpoint: localhost:4318', to: 'endpoint: localhost:14318' });
    expect(findings.map(brief)).toEqual([
      'addresses-resolve: Deployment observability/web spec.template.spec.containers[0].env[0].value',
      'addresses-resolve: ConfigMap observability/web-settings data["production.yaml"].exporter.endpoint',
    ]);
    expect(findingsOf({ from: '            endpoint: localhost:4318', to: '            {}' })).toEqual([]);
  });

  it('fails on a Service whose selector matches no pod', () => {
    const findings = findingsOf({ from: 'selector: { app: alertmanager }', to: 'selector: { app: alerts }' });
    expect(findings[0]?.problem).toContain('the selector app=alerts of Service observability/alertmanager matches no pod');
  });

  it('fails on the port of a headless Service that only the Service has', () => {
    const findings = findingsOf(
      { from: '- { name: tcp-transport, port: 9300 }', to: '- { name: tcp-transport, port: 9399, targetPort: 9300 }' },
      { from: 'elasticsearch-0.elasticsearch-nodes:9300', to: 'elasticsearch-0.elasticsearch-nodes:9399' },
    );
    expect(findings.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('is headless, and no container behind it has port 9399'),
    ]);
  });

  it('fails on a scrape whose relabelling chooses a port that the pod does not have', () => {
    const rule = '          - { source_labels: [__address__], regex: "(.+):.*", replacement: "$1:9999", target_label: __address__ }\n';
    const findings = findingsOf({
      from: '          - source_labels: [__meta_kubernetes_pod_label_app]\n            target_label: service\n',
      to: rule,
    });
    expect(findings.map(brief)).toContain('addresses-resolve: ConfigMap observability/prometheus data["prometheus.yml"].scrape_configs[2]');
    expect(findings[0]?.problem).toBe('job "agents" scrapes port 9999 of Deployment observability/web, which no container of it has');
  });

  it('believes a number where a pod declares no port at all, and not a name', () => {
    const undeclared: Mutation = { from: '          ports:\n            - { name: http, containerPort: 9093 }\n', to: '' };
    expect(findingsOf(undeclared, { from: 'port: 9093, targetPort: http', to: 'port: 9093' })).toEqual([]);
    const [finding] = findingsOf(undeclared);
    expect(finding?.problem).toContain('leads to container port http, which no container of Deployment observability/alertmanager has');
  });

  it('knows a port of the same pod by the flag that opens it, and pods that an operator makes by the labels of its resource', () => {
    const flag: Mutation = { from: '"--config=/etc/agent/agent.yaml"', to: '"--config=/etc/agent/agent.yaml", "--admin-port=4319"' };
    expect(findingsOf(flag, { from: 'value: http://localhost:4318', to: 'value: http://localhost:4319' })).toEqual([]);
    const unselected: Mutation = { from: 'selector: { app: alertmanager }', to: 'selector: { app: alerts }' };
    const resource =
      '---\napiVersion: monitoring.coreos.com/v1\nkind: Alertmanager\nmetadata: { name: a, namespace: observability, labels: { app: alerts } }\n';
    expect(findingsOf(unselected)).not.toEqual([]);
    expect(findingsOf(unselected, { file: 'policies.yaml', from: '---\n', to: `${resource}---\n` })).toEqual([]);
  });

  it('leaves alone what lies outside of the cluster and what a program calls itself', () => {
    const mutations: Mutation[] = [
      { from: 'http://metrics.invalid', to: 'http://nobody:1' },
      { from: 'value: http://dashboards.invalid', to: 'value: http://nobody:1' },
      { from: 'endpoint: jaeger:4317', to: 'endpoint: ingest.example.com:443' },
      { from: 'url: http://jaeger', to: 'url: http://203.0.113.7:16686' },
    ];
    expect(findingsOf(...mutations)).toEqual([]);
  });
});

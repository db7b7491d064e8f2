import { describe, expect, it } from 'vitest';
import { brief, findingsOf, type Mutation } from '../support.ts';

const policy = (name: string, from: string, to: string): Mutation => ({
  file: 'policies.yaml',
  after: `{ name: ${name}, namespace`,
  from,
  to,
});
const finding = (name: string, direction: 'ingress' | 'egress'): string =>
  `edges-allowed: NetworkPolicy observability/${name} spec.${direction}`;

describe('edges-allowed', () => {
  it.each([
    [
      'DNS',
      policy('web', '    - ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]\n', ''),
      finding('web', 'egress'),
      'Deployment observability/web may not ask DNS over UDP and TCP',
    ],
    ['DNS over TCP', policy('web', ', { port: 53, protocol: TCP }', ''), finding('web', 'egress'), 'may not ask DNS over TCP,'],
    [
      'DNS over UDP, the protocol left to its default',
      policy('web', '{ port: 53, protocol: UDP }', '{ port: 53 }'),
      finding('web', 'egress'),
      'may not ask DNS over UDP,',
    ],
    [
      'DNS, by a rule for pods that are not its',
      policy('gateway', 'kubernetes.io/metadata.name: kube-system', 'kubernetes.io/metadata.name: observability'),
      finding('gateway', 'egress'),
      'StatefulSet observability/gateway may not ask DNS',
    ],
    [
      'a way out',
      policy('web', '{ app: gateway }', '{ app: collector }'),
      finding('web', 'egress'),
      'Deployment observability/web may not connect to StatefulSet observability/gateway on TCP 4317, as it is told to by "gateway.observability.svc.cluster.local:4317" in ConfigMap observability/web-agent',
    ],
    ['a port on the way out', policy('web', 'port: 4317', 'port: 4318'), finding('web', 'egress'), 'on TCP 4317'],
    ['a protocol on the way out', policy('web', 'port: 4317', 'port: 4317, protocol: UDP'), finding('web', 'egress'), 'on TCP 4317'],
    [
      'a way in',
      policy('gateway', '{ app: web }', '{ app: website }'),
      finding('gateway', 'ingress'),
      'StatefulSet observability/gateway does not admit Deployment observability/web on TCP 4317',
    ],
    [
      'a named port on the way in',
      policy('jaeger', 'port: grpc-otlp', 'port: http-query'),
      finding('jaeger', 'ingress'),
      'Deployment observability/jaeger does not admit StatefulSet observability/gateway on TCP 4317',
    ],
    [
      'an expression on the way in',
      policy('jaeger', 'values: [grafana]', 'values: [kibana]'),
      finding('jaeger', 'ingress'),
      'does not admit Deployment observability/grafana on TCP 16686',
    ],
    [
      'the port of the pod behind that of the Service',
      policy('grafana', 'port: 16686', 'port: 80'),
      finding('grafana', 'egress'),
      'on TCP 16686',
    ],
    [
      'a way in from another namespace',
      policy('elasticsearch', 'kubernetes.io/metadata.name: logging', 'kubernetes.io/metadata.name: loging'),
      finding('elasticsearch', 'ingress'),
      'does not admit DaemonSet logging/fluentd on TCP 9200',
    ],
    [
      'a scrape',
      policy('prometheus', 'port: 8889', 'port: 8888'),
      finding('prometheus', 'egress'),
      'on TCP 8889, as it is told to by scrape job "gateway"',
    ],
    [
      'a range of ports',
      policy('gateway', 'endPort: 8889', 'endPort: 8888'),
      finding('gateway', 'ingress'),
      'does not admit Deployment observability/prometheus on TCP 8889',
    ],
    [
      'the kubelets',
      policy('prometheus', ', { port: 10250 }', ''),
      finding('prometheus', 'egress'),
      'may not connect to TCP 10250 of the nodes',
    ],
    [
      'the API server',
      policy('gateway', 'ports: [{ port: 443 }, { port: 6443 }]', 'ports: [{ port: 8443 }]'),
      finding('gateway', 'egress'),
      'StatefulSet observability/gateway may not connect to the API server, as it is told to by k8s_attributes',
    ],
    [
      'the operator that scales',
      policy('prometheus', '        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: keda } }\n', ''),
      finding('prometheus', 'ingress'),
      'does not admit the KEDA operator on TCP 9090',
    ],
    [
      'traffic between pods of one kind',
      policy('elasticsearch', '      ports: [{ port: 9300 }]\n  egress', '      ports: [{ port: 9301 }]\n  egress'),
      finding('elasticsearch', 'ingress'),
      'StatefulSet observability/elasticsearch does not admit StatefulSet observability/elasticsearch on TCP 9300',
    ],
  ] satisfies [string, Mutation, string, string][])(
    'fails on policies that forget %s, and finds nothing else',
    (_, mutation, place, problem) => {
      const findings = findingsOf(mutation);
      expect(findings.map(brief)).toEqual([place]);
      expect(findings[0]?.problem).toContain(problem);
      expect(findings[0]?.remedy).toMatch(/^in NetworkPolicy .*, allow (ingress|egress) /);
    },
  );

  it('fails on both sides where a port changes everywhere but in the policies', () => {
    const port = (from: string, to: string, after: string): Mutation => ({ from, to, after });
    const findings = findingsOf(
      port('GATEWAY_HOST}:4317', 'GATEWAY_HOST}:5317', 'web-agent'),
      port('containerPort: 4317', 'containerPort: 5317', 'opentelemetry-collector-contrib'),
      port('port: 4317, targetPort: grpc-otlp, appProtocol', 'port: 5317, targetPort: grpc-otlp, appProtocol', 'name: gateway'),
    );
    expect(findings.map(brief)).toEqual([finding('web', 'egress'), finding('gateway', 'ingress')]);
  });

  it('lets everything pass where no policy selects the pods', () => {
    expect(
      findingsOf(policy('web', 'podSelector: { matchLabels: { app: web } }', 'podSelector: { matchLabels: { app: nobody } }')),
    ).toEqual([]);
  });

  it('counts a rule for every address as one for pods, and one that leaves out private addresses not', () => {
    const out = (block: string): Mutation => policy('web', '{ podSelector: { matchLabels: { app: gateway } } }', `{ ipBlock: ${block} }`);
    expect(findingsOf(out('{ cidr: 0.0.0.0/0 }'))).toEqual([]);
    expect(findingsOf(out('{ cidr: 0.0.0.0/0, except: [10.0.0.0/8] }')).map(brief)).toEqual([finding('web', 'egress')]);
  });

  it('fails where a destination outside of the cluster has no way out, by no block of addresses', () => {
    const outside = (address: string): Mutation => ({ from: 'endpoint: jaeger:4317', to: `endpoint: ${address}` });
    const findings = findingsOf(outside('ingest.example.com:4317'));
    expect(findings.map(brief)).toEqual([finding('gateway', 'egress')]);
    expect(findings[0]?.problem).toContain('StatefulSet observability/gateway may not connect to ingest.example.com on TCP 4317');
    expect(findingsOf(outside('ingest.example.com:443'))).toEqual([]);
  });

  it('fails where an Alertmanager with a receiver may not look its name up, wherever that name stands', () => {
    const config = `---
apiVersion: v1
kind: ConfigMap
metadata: { name: alertmanager, namespace: observability }
data:
  alertmanager.yml: |
    route: { receiver: hook }
    receivers: [{ name: hook, webhook_configs: [{ url_file: /etc/secrets/hook }] }]
`;
    const mounted =
      '          volumeMounts: [{ name: config, mountPath: /etc/alertmanager }]\n      volumes: [{ name: config, configMap: { name: alertmanager } }]\n';
    const findings = findingsOf(
      { file: 'policies.yaml', from: '---\n', to: `${config}---\n` },
      { from: '            - { name: http, containerPort: 9093 }\n', to: `            - { name: http, containerPort: 9093 }\n${mounted}` },
    );
    expect(findings.map(brief)).toEqual([finding('alertmanager', 'egress')]);
    expect(findings[0]?.problem).toBe(
      'Deployment observability/alertmanager may not ask DNS over UDP and TCP, as it is told to by receiver "hook" in ConfigMap observability/alertmanager',
    );
  });

  it('takes the API server from rights that a ServiceAccount was given, too', () => {
    const findings = findingsOf(
      { from: '      k8s_attributes: {}\n', to: '' },
      { from: ', k8s_attributes]', to: ']' },
      policy('gateway', 'ports: [{ port: 443 }, { port: 6443 }]', 'ports: [{ port: 8443 }]'),
    );
    expect(findings.map(({ problem }) => problem)).toEqual([expect.stringContaining('as it is told to by ClusterRoleBinding gateway')]);
  });
});

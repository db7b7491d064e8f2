import { describe, expect, it } from 'vitest';
import { brief, findingsOf, type Mutation } from '../support.ts';

const monitors = `---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: { name: stack, namespace: observability }
spec:
  selector: { matchExpressions: [{ key: app, operator: In, values: [web, gateway] }] }
  podMetricsEndpoints:
    - port: http-spans
      relabelings: [{ sourceLabels: [__meta_kubernetes_pod_label_app], regex: gateway, action: keep }]
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: { name: gateway, namespace: elsewhere }
spec:
  namespaceSelector: { matchNames: [observability] }
  selector: { matchLabels: { scraped: 'yes' } }
  endpoints: [{ port: http-spans }]
---
`;
const withMonitors: Mutation = { file: 'policies.yaml', from: '---\n', to: monitors };
const labelled: Mutation = {
  from: 'name: gateway-headless\n  namespace',
  to: 'name: gateway-headless\n  labels: { scraped: "yes" }\n  namespace',
};
const admitted: Mutation = {
  file: 'policies.yaml',
  after: '{ name: gateway, namespace',
  from: '    - from: [{ podSelector: { matchLabels: { app: prometheus } } }]\n',
  to: '    - from: [{ podSelector: { matchLabels: { app: prometheus } } }, { namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: monitoring } } }]\n',
};

describe('monitors of the Prometheus operator', () => {
  it('find nothing where the operator is admitted to what they select', () => {
    expect(findingsOf(withMonitors, labelled, admitted)).toEqual([]);
  });

  it('fail on a port that the operator is not admitted to, once for both', () => {
    const findings = findingsOf(withMonitors, labelled);
    expect(findings.map(brief)).toEqual(['edges-allowed: NetworkPolicy observability/gateway spec.ingress']);
    expect(findings[0]?.problem).toBe(
      "StatefulSet observability/gateway does not admit the operator's Prometheus on TCP 8889, as it is told to by PodMonitor observability/stack",
    );
  });

  it('fail on the name of a port that nothing selected has', () => {
    const renamed = (after: string): Mutation => ({ file: 'policies.yaml', after, from: 'port: http-spans', to: 'port: http-span' });
    expect(findingsOf(withMonitors, labelled, admitted, renamed('PodMonitor')).map(brief)).toEqual([
      'addresses-resolve: PodMonitor observability/stack spec.podMetricsEndpoints[0].port',
    ]);
    const [finding] = findingsOf(withMonitors, labelled, admitted, renamed('ServiceMonitor'));
    expect(finding?.problem).toBe('nothing that ServiceMonitor elsewhere/gateway selects has a port named "http-span"');
    expect(finding?.remedy).toBe('correct the name: did you mean "http-spans"? there are grpc-otlp, http-spans');
  });
});

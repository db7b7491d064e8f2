import type { ObservedParts } from '../../../../lib/stack/observe/index';

/** Everything that the reference stack has. */
export const EVERYTHING: ObservedParts = {
  namespaces: ['observability', 'shop'],
  agentJob: 'otlp-agent',
  gatewayJob: 'otel-gateway',
  spanMetricsJob: 'otel-gateway-spans',
  jaegerJob: 'jaeger',
  prometheusJob: 'prometheus',
  alertmanagerJob: 'alertmanager',
  kubeStateMetricsJob: 'kube-state-metrics',
  kubeStateMetricsSelfJob: 'kube-state-metrics-self',
  cadvisorJob: 'cadvisor',
  kubeletJob: 'kubelet',
  serviceJobs: ['sample-service'],
  elasticsearch: { namespace: 'observability', name: 'elasticsearch' },
  fluentd: { namespace: 'logging', name: 'fluentd' },
  fluentdJob: 'fluentd',
};

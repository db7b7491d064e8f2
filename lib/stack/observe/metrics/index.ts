export { AlertmanagerMetrics, FluentdMetrics, JaegerMetrics, PrometheusMetrics } from './backends';
export { AgentMetrics, CollectorMetrics, SpanMetrics, TelemetryItem } from './collector';
export { KubernetesMetrics, KubeStateMetricsMetrics, NodeMetrics } from './kubernetes';
export { ServiceMetrics } from './service';

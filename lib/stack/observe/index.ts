export {
  Alert,
  type AlertProps,
  type AlertRendering,
  type AlertScenario,
  type AlertThresholds,
  type Diagnosis,
  type FiringAlert,
  type ObservedParts,
  type ObservedWorkload,
  Segment,
  Severity,
  StackAlerts,
  TestSeries,
} from './alerts';
export {
  Dashboard,
  type DashboardProps,
  type DashboardRow,
  type DashboardVariable,
  Panel,
  type PanelProps,
  type PanelQuery,
} from './dashboards';
export { Metric, MetricPath, type MetricProps, MetricType, Unit } from './metric';
export {
  AgentMetrics,
  AlertmanagerMetrics,
  CollectorMetrics,
  FluentdMetrics,
  JaegerMetrics,
  KubernetesMetrics,
  KubeStateMetricsMetrics,
  NodeMetrics,
  PrometheusMetrics,
  ServiceMetrics,
  SpanMetrics,
  TelemetryItem,
} from './metrics';
export { Observability, type ObservabilityProps } from './observability';
export { Program } from './program';
export { Join, Match, Query, QueryDialect, RangeQuery, Window } from './query';
export type { QueryUse } from './query-use';
export { RecordingRule, type RecordingRuleProps, RuleFile, RuleGroup, type RuleGroupProps, StackRules } from './rules';

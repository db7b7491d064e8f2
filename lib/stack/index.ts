export * from './agent';
export * from './alertmanager';
export { Jaeger, type JaegerProps } from './backends/jaeger';
export { type JaegerElasticsearchProps, JaegerStorage } from './backends/jaeger-storage';
export * from './collector';
export { Drawing } from './derive/drawing';
export type { ApiRule } from './derive/rbac';
export {
  type AutoscalerProps,
  PolicySelection,
  type ScalingBehavior,
  ScalingMetric,
  ScalingPolicy,
  type ScalingRules,
} from './derive/scaling';
export * from './grafana';
export { KubeStateMetrics, type KubeStateMetricsProps } from './kube-state-metrics/kube-state-metrics';
export { Elasticsearch, type ElasticsearchProps } from './logging/elasticsearch';
export { type ElasticsearchAccount, ElasticsearchSetup, type ElasticsearchSetupProps } from './logging/elasticsearch-setup';
export { Fluentd, type FluentdOptions, type FluentdProps } from './logging/fluentd';
export { LogIndex, type LogIndexProps, type LogRetentionProps } from './logging/log-index';
export { Component, type ComponentProps, type MetricsTarget, type PersistentVolume } from './model/component';
export { ConfigContent, type IConfig } from './model/config-content';
export type { ConfigFile } from './model/config-files';
export { Container, type ContainerProps, type ContainerSecurity } from './model/container';
export {
  Endpoint,
  type EndpointOptions,
  Expose,
  ExternalEndpoint,
  type ExternalEndpointProps,
  type IEndpoint,
  PodEndpoint,
} from './model/endpoint';
export { Env } from './model/env';
export { Image, type ImageOptions, type ImageOverrides, Images } from './model/images';
export { Namespace, type NamespaceProps, PodSecurity } from './model/namespace';
export { type IPeer, Peer } from './model/peer';
export { NetworkPolicyFlavour, Platform, type PlatformProps } from './model/platform';
export type { PodOptions, Toleration } from './model/pod';
export { Probe, type ProbeTiming } from './model/probe';
export { Profile } from './model/profile';
export { Protocol } from './model/protocol';
export { Cpu, type Resources } from './model/quantities';
export { type Edge, type PodMetrics, Topology } from './model/topology';
export { type Mount, Volume } from './model/volume';
export { WorkloadKind } from './model/workload-kind';
export * from './observe';
export * from './prometheus';
export { Autoscaling, type AutoscalingOptions, type HpaOptions, type RequestRateSource } from './service/autoscaling';
export { Instrumentation, type InstrumentOptions, type InstrumentProps, type IWorkload, instrument } from './service/instrument';
export { OtlpService, type OtlpServiceProps } from './service/otlp-service';
export { ExportCompression, ExportProtocol, type ServiceConfigProps } from './service/service-config';
export { OtlpStack, type OtlpStackProps } from './stack';

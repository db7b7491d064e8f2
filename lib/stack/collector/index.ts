export { ClientTls, Compression, type GrpcClientKeepalive, type GrpcClientProps, type HttpClientProps } from './client';
export {
  CollectorComponent,
  type ComponentIdentity,
  Connector,
  type CustomComponentOptions,
  Exporter,
  Extension,
  type IExporter,
  type IReceiver,
  Processor,
  Receiver,
  type SignalRoute,
} from './component';
export { CollectorConfig, type CollectorConfigProps } from './config';
export { CountConnector, type CountMetric, type CountProps } from './connectors/count';
export { ForwardConnector, type ForwardProps } from './connectors/forward';
export { DurationUnit, type SpanDimension, SpanMetricsConnector, type SpanMetricsProps } from './connectors/span-metrics';
export {
  Destination,
  type DestinationSettings,
  type ElasticsearchDestinationOptions,
  type OtlpHttpDestinationOptions,
} from './destination';
export { DebugExporter, type DebugProps, DebugVerbosity } from './exporters/debug';
export {
  ElasticsearchExporter,
  type ElasticsearchExporterProps,
  ElasticsearchMapping,
  type ElasticsearchRetry,
} from './exporters/elasticsearch';
export { FileExporter, type FileExporterProps } from './exporters/file';
export { NopExporter, type NopProps } from './exporters/nop';
export { OtlpGrpcExporter, type OtlpGrpcExporterProps } from './exporters/otlp-grpc';
export { OtlpEncoding, OtlpHttpExporter, type OtlpHttpExporterProps } from './exporters/otlp-http';
export { PrometheusExporter, type PrometheusExporterProps } from './exporters/prometheus';
export { PrometheusRemoteWriteExporter, type PrometheusRemoteWriteProps } from './exporters/prometheus-remote-write';
export { FileStorageExtension, type FileStorageProps } from './extensions/file-storage';
export { HealthCheckExtension, type HealthCheckProps } from './extensions/health-check';
export { PprofExtension, type PprofProps } from './extensions/pprof';
export { ZpagesExtension, type ZpagesProps } from './extensions/zpages';
export { CollectorGateway, type CollectorGatewayProps, type GatewayScaling } from './gateway';
export { CollectorMemory, type CollectorMemoryProps } from './memory';
export { Pipeline, type PipelineProps } from './pipeline';
export { AttributeAction, AttributeType, AttributeValue } from './processors/attribute-action';
export { AttributesProcessor, type AttributesProps } from './processors/attributes';
export { BatchProcessor, type BatchProps } from './processors/batch';
export { FilterProcessor, type FilterProps } from './processors/filter';
export {
  type ApiAccess,
  K8sAttributesProcessor,
  type K8sAttributesProps,
  KubernetesAuth,
  type MetadataField,
  MetadataSource,
  PodAssociation,
} from './processors/k8s-attributes';
export { MemoryLimiterProcessor, type MemoryLimiterProps } from './processors/memory-limiter';
export { OttlErrorMode } from './processors/ottl';
export { ProbabilisticSamplerProcessor, type ProbabilisticSamplerProps } from './processors/probabilistic-sampler';
export { ResourceProcessor, type ResourceProps } from './processors/resource';
export { SamplingPolicy, TailSamplingProcessor, type TailSamplingProps } from './processors/tail-sampling';
export { TransformProcessor, type TransformProps } from './processors/transform';
export { type DiskQueueProps, type MemoryQueueProps, Queue, type QueueBatchProps, type QueueProps, QueueSizer } from './queue';
export { OtlpReceiver, type OtlpReceiverProps } from './receivers/otlp';
export { PrometheusReceiver, type PrometheusReceiverProps, type PrometheusScrapeJob } from './receivers/prometheus';
export { Retry, type RetryProps } from './retry';
export type { GrpcServerKeepalive, OtlpGrpcServerProps, OtlpHttpServerProps } from './server';
export { Signal } from './signal';
export { COLLECTOR_VERSION, ComponentKind, Spelling } from './spelling';
export { LogLevel, MetricsLevel, ServiceTelemetry, type ServiceTelemetryProps } from './telemetry';
export { Timeouts, type TimeoutsProps } from './timeouts';

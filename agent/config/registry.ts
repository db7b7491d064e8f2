import { countConnector } from '../connect/count-config.ts';
import { forwardConnector } from '../connect/forward-config.ts';
import { debugExporter } from '../export/debug-config.ts';
import { fileExporter } from '../export/file-config.ts';
import { loadBalancingExporter } from '../export/loadbalancing-config.ts';
import { nopExporter } from '../export/nop-config.ts';
import { otlpGrpcExporter } from '../export/otlp-grpc-config.ts';
import { otlpHttpExporter } from '../export/otlp-http-config.ts';
import { attributesProcessor } from '../process/attributes-config.ts';
import { type BatchProcessorSettings, batchProcessor } from '../process/batch-config.ts';
import { filterProcessor } from '../process/filter-config.ts';
import { memoryLimiter } from '../process/memory-limiter-config.ts';
import { probabilisticSampler } from '../process/probabilistic-sampler-config.ts';
import { redactionProcessor } from '../process/redaction-config.ts';
import { resourceProcessor } from '../process/resource-config.ts';
import { resourceDetectionProcessor } from '../process/resource-detection-config.ts';
import { transformProcessor } from '../process/transform-config.ts';
import { otlpReceiver } from '../receive/config.ts';
import { libraryReceiver } from '../receive/library-config.ts';
import { registration } from '../register/config.ts';
import { healthCheck } from '../telemetry/health-check-config.ts';
import type { Component } from './component.ts';
import type { ConnectorSettings, ExporterSettings, ExtensionSettings, OtlpReceiverSettings, ProcessorSettings } from './settings.ts';

/** Every component that this agent has, by the section of the file that it is written in. */
export const RECEIVERS: readonly Component<OtlpReceiverSettings>[] = [otlpReceiver, libraryReceiver];
export const PROCESSORS: readonly Component<ProcessorSettings | BatchProcessorSettings>[] = [
  memoryLimiter,
  batchProcessor,
  attributesProcessor,
  filterProcessor,
  probabilisticSampler,
  redactionProcessor,
  resourceDetectionProcessor,
  resourceProcessor,
  transformProcessor,
];
export const EXPORTERS: readonly Component<ExporterSettings>[] = [
  otlpGrpcExporter,
  otlpHttpExporter,
  debugExporter,
  fileExporter,
  loadBalancingExporter,
  nopExporter,
];
export const CONNECTORS: readonly Component<ConnectorSettings>[] = [countConnector, forwardConnector];
export const EXTENSIONS: readonly Component<ExtensionSettings>[] = [healthCheck, registration];

export type SectionName = 'receivers' | 'processors' | 'exporters' | 'connectors' | 'extensions';

export const COMPONENTS: Readonly<Record<SectionName, readonly Component<unknown>[]>> = {
  receivers: RECEIVERS,
  processors: PROCESSORS,
  exporters: EXPORTERS,
  connectors: CONNECTORS,
  extensions: EXTENSIONS,
};

/** The component of a type or of an older spelling of it. */
export function findComponent<S>(components: readonly Component<S>[], type: string): Component<S> | undefined {
  return components.find((component) => component.type === type || component.aliases.includes(type));
}

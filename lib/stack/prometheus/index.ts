export { OtlpTranslation, PrometheusConfig, type PrometheusConfigProps } from './config';
export { PrometheusMonitors, type PrometheusMonitorsProps } from './monitors';
export { Prometheus, type PrometheusProps, type RuleOptions } from './prometheus';
export { RelabelRule } from './relabel';
export {
  type DiscoveredScrapeOptions,
  type NodeScrapeOptions,
  type PodScrapeOptions,
  ScrapeJob,
  type ScrapeOptions,
  type ServiceScrapeOptions,
} from './scrape-job';
export type { IPrometheus } from './source';

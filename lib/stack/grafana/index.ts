export {
  DataSource,
  DataSourcesFile,
  type ElasticsearchSourceOptions,
  type JaegerSourceOptions,
  type PrometheusSourceOptions,
} from './data-source';
export { Grafana, type GrafanaLogs, type GrafanaOptions, type GrafanaProps } from './grafana';

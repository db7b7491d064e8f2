import type { ConfigFile } from '../read/configs';
import { asObject, type Path } from '../read/json';
import { urlsIn } from './address';
import { fluentdAddresses } from './fluentd';
import type { Candidate } from './use';
import { isOwnAddressKey, strings } from './walk';

/** Receivers that wait for others to connect: their addresses are their own. The others (prometheus, kubelet_stats, httpcheck ...) connect. */
const LISTENING_RECEIVERS = new Set(
  (
    'otlp otelarrow jaeger zipkin opencensus fluentforward fluent_forward statsd carbon collectd influxdb syslog tcplog tcp_log udplog udp_log splunk_hec ' +
    'signalfx sapm loki skywalking awsxray awsfirehose webhookevent wavefront prometheusremotewrite prometheus_remote_write datadog faro libhoney netflow'
  ).split(' '),
);
const LISTENING_EXTENSIONS = new Set(
  'health_check healthcheckv2 pprof zpages expvar jaeger_query jaeger_mcp remote_sampling remotetap'.split(' '),
);
/** It shows metrics to whoever asks. */
const LISTENING_EXPORTERS = new Set(['prometheus']);

/** The strings of a configuration that say where to connect to. */
export function configAddresses(config: ConfigFile): Candidate[] {
  const { value } = config.tree;
  switch (config.kind) {
    case 'collector':
      return strings(value, [], skipInCollector);
    case 'prometheus':
      return strings(value, [], skipInPrometheus);
    case 'grafana-datasources':
      return strings(asObject(value).datasources, ['datasources'], (path) => path.at(-1) === 'jsonData');
    case 'alertmanager':
    case 'structured':
      return strings(value);
    case 'fluentd':
      return fluentdAddresses(config.text);
    case 'text':
      return textAddresses(config.text);
    // What they hold is for eyes: links of alerts and panels.
    case 'prometheus-rules':
    case 'grafana-providers':
    case 'grafana-dashboard':
      return [];
  }
}

function skipInCollector(path: Path): boolean {
  const [section, component, ...rest] = path;
  if (section === undefined) return false;
  if (isListener(String(section), String(component ?? ''))) return true;
  if (section === 'receivers') return skipInPrometheus(rest);
  if (section === 'exporters') return false;
  // The part of an extension that takes requests in, beside one that passes them on.
  if (section === 'extensions') return path.at(-1) === 'ingress';
  // service.telemetry exports too; a reader that waits to be scraped listens.
  return section !== 'service' || (component !== undefined && component !== 'telemetry') || path.at(-1) === 'pull';
}

/** Whether the endpoints of a component in the Collector's grammar are its own. */
export function isListener(section: string, component: string): boolean {
  const type = component.split('/')[0] ?? '';
  if (section === 'receivers') return LISTENING_RECEIVERS.has(type);
  if (section === 'extensions') return LISTENING_EXTENSIONS.has(type);
  return section === 'exporters' && LISTENING_EXPORTERS.has(type);
}

/** Discovery rewrites addresses by rules (see discovery.ts); labels and parameters are not connected to. */
function skipInPrometheus(path: Path): boolean {
  return path.some((segment) =>
    [
      'relabel_configs',
      'metric_relabel_configs',
      'write_relabel_configs',
      'alert_relabel_configs',
      'external_labels',
      'params',
      'labels',
    ].includes(String(segment)),
  );
}

/** URLs in scripts and properties, except in comments and in lines that set the program's own. */
function textAddresses(text: string): Candidate[] {
  const lines = text.split('\n');
  return urlsIn(text).flatMap(({ url, line }) => {
    const [before = ''] = (lines[line - 1] ?? '').split(url);
    return /^\s*(#|;|\/\/)/.test(before) || isOwnAddressKey(before) ? [] : [{ text: url, path: [line], keyed: true }];
  });
}

import type { Duration } from 'cdk8s';
import { printPromDuration } from '../observe/query';
import { discoveredLabel, literal, RelabelRule } from './relabel';

/** Where a container finds its ServiceAccount. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What every kind of scrape job has. */
export interface ScrapeOptions {
  /** Unique in the configuration. */
  readonly name: string;
  /** The label `job` of the samples. @default - the name */
  readonly job?: string;
  /** @default '/metrics' */
  readonly path?: string;
  /** @default - that of the configuration */
  readonly interval?: Duration;
  /** Metrics that are stored, by name, as an anchored regular expression. @default - all */
  readonly keepMetrics?: string;
  /** Applied after the rules that are derived. @default [] */
  readonly relabel?: RelabelRule[];
}

export interface DiscoveredScrapeOptions extends ScrapeOptions {
  readonly namespace: string;
  /** The name of the port, of the container or of the Service. */
  readonly portName: string;
  /**
   * The program describes other objects, as kube-state-metrics does: its samples keep their own namespace and pod, and do not get those
   * of the program.
   * @default false
   */
  readonly describesOthers?: boolean;
  /** @default 'http' */
  readonly scheme?: string;
}

export interface PodScrapeOptions extends DiscoveredScrapeOptions {
  /** Labels that the pods carry. */
  readonly podLabels: { [key: string]: string };
}

export interface ServiceScrapeOptions extends DiscoveredScrapeOptions {
  readonly service: string;
}

export interface NodeScrapeOptions extends ScrapeOptions {
  /**
   * Trust the certificate of a kubelet that signed it itself, which is what kubelets do unless `serverTLSBootstrap` is on. The token of
   * Prometheus is sent over this connection.
   * @default true
   */
  readonly insecureSkipVerify?: boolean;
}

const POD = '__meta_kubernetes_pod_';

/** How a group of targets is found: in the API server, by what the wiring says about it. */
interface Discovery {
  readonly role: string;
  /** Empty for the whole cluster. */
  readonly namespace: string;
  readonly keep: RelabelRule[];
  /** Which of the operator's monitors has the same targets. */
  readonly monitor?: { readonly kind: string; readonly portName: string; readonly scheme: string };
}

/**
 * One entry of `scrape_configs`. Addresses come from the API server; the relabelling keeps exactly the port that was declared, and gives
 * the labels that queries rely on.
 *
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config
 */
export class ScrapeJob {
  /** A port of pods, native sidecars included: they need no Service. */
  public static pods(options: PodScrapeOptions): ScrapeJob {
    const labels = Object.entries(options.podLabels);
    const keep = [
      RelabelRule.keep([`${POD}container_port_name`], literal(options.portName)),
      // A pod that has ended keeps its address for a while.
      RelabelRule.drop([`${POD}phase`], 'Failed|Succeeded'),
    ];
    if (labels.length > 0) {
      const sources = labels.map(([label]) => `${POD}label_${discoveredLabel(label)}`);
      keep.unshift(RelabelRule.keep(sources, labels.map(([, value]) => literal(value)).join(';')));
    }
    const monitor = { kind: 'PodMonitor', portName: options.portName, scheme: schemeOf(options) };
    return new ScrapeJob(options, { role: 'pod', namespace: options.namespace, keep, monitor }, podLabelRules(options), options);
  }

  /** A port of the pods behind a Service, each scraped by itself. */
  public static service(options: ServiceScrapeOptions): ScrapeJob {
    const keep = [
      RelabelRule.keep(
        ['__meta_kubernetes_service_name', '__meta_kubernetes_endpointslice_port_name'],
        `${literal(options.service)};${literal(options.portName)}`,
      ),
    ];
    const monitor = { kind: 'ServiceMonitor', portName: options.portName, scheme: schemeOf(options) };
    return new ScrapeJob(options, { role: 'endpointslice', namespace: options.namespace, keep, monitor }, podLabelRules(options), options);
  }

  /** The kubelet's port of every node: `path` `/metrics/cadvisor` for containers, `/metrics` for the kubelet itself. */
  public static nodes(options: NodeScrapeOptions): ScrapeJob {
    const labels = [RelabelRule.copy('__meta_kubernetes_node_name', 'node'), RelabelRule.copy('__meta_kubernetes_node_name', 'instance')];
    return new ScrapeJob(options, { role: 'node', namespace: '', keep: [] }, labels, undefined, options);
  }

  public readonly name: string;

  private constructor(
    private readonly options: ScrapeOptions,
    private readonly discovery: Discovery,
    private readonly labels: RelabelRule[],
    private readonly discovered?: DiscoveredScrapeOptions,
    private readonly node?: NodeScrapeOptions,
  ) {
    this.name = options.name;
    const path = options.path ?? '/metrics';
    if (!path.startsWith('/')) {
      throw new Error(`scrape job '${options.name}': path '${path}' must begin with '/'`);
    }
  }

  /** The label `job` of its samples. */
  public get job(): string {
    return this.options.job ?? this.name;
  }

  /** The namespace whose pods it needs to see; empty for the whole cluster. */
  public get namespace(): string {
    return this.discovery.namespace;
  }

  /** @internal */
  public _render(): object {
    const { path, interval, keepMetrics } = this.options;
    const { role, namespace } = this.discovery;
    const scheme = this.node ? 'https' : this.discovered && schemeOf(this.discovered);
    return {
      job_name: this.name,
      scrape_interval: interval && printPromDuration(interval),
      metrics_path: path === '/metrics' ? undefined : path,
      scheme: scheme === 'http' ? undefined : scheme,
      honor_labels: this.discovered?.describesOthers ? true : undefined,
      ...(this.node ? kubeletAccess(this.node) : {}),
      kubernetes_sd_configs: [{ role, namespaces: namespace === '' ? undefined : { names: [namespace] } }],
      relabel_configs: this.rules().map((rule) => rule._render()),
      metric_relabel_configs: keepMetrics === undefined ? undefined : [RelabelRule.keep(['__name__'], keepMetrics)._render()],
    };
  }

  /** The same targets as an entry of an operator's monitor; undefined for nodes, which its own installation scrapes. @internal */
  public _renderMonitor(): { readonly kind: string; readonly namespace: string; readonly endpoint: object } | undefined {
    const { monitor, namespace } = this.discovery;
    if (!monitor) {
      return undefined;
    }
    const { path, interval, keepMetrics } = this.options;
    const rules = [...this.discovery.keep, RelabelRule.set('job', this.job), ...(this.options.relabel ?? [])];
    const endpoint = {
      port: monitor.portName,
      path: path ?? '/metrics',
      scheme: monitor.scheme === 'http' ? undefined : monitor.scheme,
      interval: interval && printPromDuration(interval),
      honorLabels: this.discovered?.describesOthers ? true : undefined,
      // The monitor selects by one label that all of the stack has; these rules tell its parts apart.
      relabelings: rules.map((rule) => rule._renderMonitor()),
      metricRelabelings: keepMetrics === undefined ? undefined : [RelabelRule.keep(['__name__'], keepMetrics)._renderMonitor()],
    };
    return { kind: monitor.kind, namespace, endpoint };
  }

  private rules(): RelabelRule[] {
    const job = this.job === this.name ? [] : [RelabelRule.set('job', this.job)];
    return [...this.discovery.keep, ...this.labels, ...job, ...(this.options.relabel ?? [])];
  }
}

function schemeOf({ scheme }: DiscoveredScrapeOptions): string {
  return scheme ?? 'http';
}

function podLabelRules({ describesOthers }: DiscoveredScrapeOptions): RelabelRule[] {
  return describesOthers
    ? []
    : [
        RelabelRule.copy('__meta_kubernetes_namespace', 'namespace'),
        RelabelRule.copy(`${POD}name`, 'pod'),
        RelabelRule.copy(`${POD}container_name`, 'container'),
      ];
}

function kubeletAccess({ insecureSkipVerify }: NodeScrapeOptions): object {
  return {
    authorization: { credentials_file: `${SERVICE_ACCOUNT}/token` },
    tls_config: { ca_file: `${SERVICE_ACCOUNT}/ca.crt`, insecure_skip_verify: (insecureSkipVerify ?? true) ? true : undefined },
  };
}

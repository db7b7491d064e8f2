import { ApiObject, Duration, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import { ExternalEndpoint, type IEndpoint } from '../model/endpoint';
import { PART_OF } from '../model/labels';
import { type IPeer, Peer } from '../model/peer';
import { Platform } from '../model/platform';
import { Protocol } from '../model/protocol';
import { Topology } from '../model/topology';
import { Observability } from '../observe/observability';
import type { RuleOptions } from './prometheus';
import type { ScrapeJob } from './scrape-job';
import type { IPrometheus } from './source';
import { connectScrapes, observedParts, scrapedTargets, scrapeJob } from './targets';

export interface PrometheusMonitorsProps {
  /** Names the objects. @default 'otlp-stack' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** Labels by which the operator's Prometheus finds monitors and rules. @default { release: 'prometheus' } */
  readonly selectedBy?: { [key: string]: string };
  /** The pods of the operator's Prometheus, admitted to every /metrics. @default - every pod of namespace 'monitoring' */
  readonly scraper?: IPeer;
  /** The API of that Prometheus. @default - port 9090 of the Service `prometheus-operated` in namespace `monitoring` */
  readonly endpoint?: IEndpoint;
  /** How often that Prometheus scrapes. @default Duration.seconds(30) */
  readonly scrapeInterval?: Duration;
  /** Whether that Prometheus scrapes cAdvisor and the kubelets: alerts on memory and volumes need them. @default true */
  readonly scrapesKubelets?: boolean;
  /** @default {} */
  readonly rules?: RuleOptions;
}

/**
 * The same targets and rules for a Prometheus that an operator runs: one PodMonitor, one ServiceMonitor and one PrometheusRule.
 *
 * @example
 * const prometheus = new PrometheusMonitors(chart, 'Monitors', { selectedBy: { release: 'kube-prometheus-stack' } });
 * new Grafana(chart, 'Grafana', { prometheus });
 * @see https://prometheus-operator.dev/docs/api-reference/api/
 */
export class PrometheusMonitors extends Construct implements IPrometheus {
  public readonly api: IEndpoint;
  public readonly scrapeInterval: Duration;
  private readonly topology: Topology;
  private readonly props: PrometheusMonitorsProps;
  private readonly scraper: IPeer;

  constructor(scope: Construct, id: string, props: PrometheusMonitorsProps = {}) {
    super(scope, id);
    this.topology = Topology.of(this);
    this.props = props;
    this.scraper = props.scraper ?? Peer.inNamespace('monitoring');
    this.scrapeInterval = props.scrapeInterval ?? Duration.seconds(30);
    this.api = props.endpoint ?? operated(Platform.of(this).clusterDomain, props.scraper ?? Peer.inNamespace('monitoring'));
    this.object('PodMonitor', 'monitoring.coreos.com/v1', () => this.monitor('PodMonitor', 'podMetricsEndpoints'));
    this.object('ServiceMonitor', 'monitoring.coreos.com/v1', () => this.monitor('ServiceMonitor', 'endpoints'));
    this.object('PrometheusRule', 'monitoring.coreos.com/v1', () => this.observability.rules.renderConfig());
    connectScrapes(this.topology, this.scraper);
  }

  /** Rules and dashboards for what the model has by now. */
  public get observability(): Observability {
    return new Observability({ ...this.props.rules, parts: observedParts(this.topology, this.props.scrapesKubelets ?? true) });
  }

  /** One object for all targets of its kind: the wiring may still grow after this construct was made. */
  private monitor(kind: string, list: string): object {
    const monitors = this.jobs()
      .map((job) => job._renderMonitor())
      .filter((monitor) => monitor?.kind === kind);
    return {
      // Each entry keeps its own pods by relabelling; pods of instrumented workloads carry labels of their own.
      selector: this.topology.podMetrics.length > 0 ? {} : { matchLabels: { 'app.kubernetes.io/part-of': PART_OF } },
      namespaceSelector: { matchNames: [...new Set(monitors.map((monitor) => monitor?.namespace))] },
      [list]: monitors.map((monitor) => monitor?.endpoint),
    };
  }

  private jobs(): ScrapeJob[] {
    return scrapedTargets(this.topology).map(scrapeJob);
  }

  private object(kind: string, apiVersion: string, spec: () => object): void {
    const { name = PART_OF, namespace = 'observability', selectedBy = { release: 'prometheus' } } = this.props;
    const labels = { 'app.kubernetes.io/part-of': PART_OF, 'app.kubernetes.io/managed-by': 'cdk8s', ...selectedBy };
    new ApiObject(this, kind, { apiVersion, kind, metadata: { name, namespace, labels }, spec: Lazy.any({ produce: spec }) });
  }
}

/** The Service that the operator makes for every Prometheus of its namespace. */
function operated(clusterDomain: string, pods: IPeer): IEndpoint {
  return new ExternalEndpoint({
    name: 'http-web',
    protocol: Protocol.HTTP,
    host: `prometheus-operated.monitoring.svc.${clusterDomain}`,
    port: 9090,
    pods,
  });
}

import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Alertmanager } from '../alertmanager/alertmanager';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { Container } from '../model/container';
import { type Endpoint, Expose, type IEndpoint } from '../model/endpoint';
import { type Image, Images } from '../model/images';
import { Peer } from '../model/peer';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';
import { Volume } from '../model/volume';
import { WorkloadKind } from '../model/workload-kind';
import type { Alert, AlertThresholds } from '../observe/alerts';
import { Observability } from '../observe/observability';
import { printPromDuration } from '../observe/query';
import { PrometheusConfig, type PrometheusConfigProps, SCRAPE_INTERVAL } from './config';
import type { ScrapeJob } from './scrape-job';
import type { IPrometheus } from './source';
import { connectScrapes, kubeletJobs, observedParts, scrapedTargets, scrapeJob } from './targets';

const CONFIG_DIRECTORY = '/etc/prometheus';
const RULES_DIRECTORY = '/etc/prometheus-rules';
const RULES_FILE = 'otlp-stack.yaml';
const DATA_DIRECTORY = '/prometheus';

export interface PrometheusProps extends PodOptions {
  /** @default 'prometheus' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - as `Images.pinned()` has it */
  readonly image?: Image;
  /** @default - request 500m and 2Gi, limit 2 and 4Gi */
  readonly resources?: Resources;
  /** How long samples are kept. @default Duration.days(30) */
  readonly retention?: Duration;
  /** @default Size.gibibytes(50) */
  readonly storage?: Size;
  /** Keep data in the pod only: gone with it. @default false */
  readonly ephemeral?: boolean;
  /** @default - the cluster's default class */
  readonly storageClassName?: string;
  /** @default Duration.seconds(15) */
  readonly scrapeInterval?: Duration;
  /** @default Duration.seconds(30) */
  readonly evaluationInterval?: Duration;
  /** Labels of everything that leaves this Prometheus. @default {} */
  readonly externalLabels?: { [key: string]: string };
  /** Where alerts go. @default - nowhere: they are shown only */
  readonly alertmanager?: Alertmanager;
  /** Further scrape jobs, of programs that the model does not know. @default [] */
  readonly scrapeJobs?: ScrapeJob[];
  /** Ask every kubelet for the figures of its containers and volumes. @default true */
  readonly scrapeKubelets?: boolean;
  /** Trust kubelets that signed their certificate themselves. @default true */
  readonly kubeletInsecureSkipVerify?: boolean;
  /** Thresholds, runbooks and further alerts; what there is to watch follows from the wiring. @default {} */
  readonly rules?: RuleOptions;
  /**
   * Namespaces outside of the model that ask Prometheus: KEDA's, for the triggers of its ScaledObjects.
   * @default ['keda']
   */
  readonly queriedFrom?: string[];
  /** Merged over the printed prometheus.yml. @default {} */
  readonly configOverrides?: object;
}

/** How the alerts of the stack are printed. */
export interface RuleOptions {
  /** @default - those of the reference */
  readonly thresholds?: AlertThresholds;
  /** @default - the pages in the project's repository */
  readonly runbookUrl?: string;
  /** @default {} */
  readonly alertLabels?: { [key: string]: string };
  /** How long every condition has to hold; for drills. @default - each alert's own */
  readonly holdFor?: Duration;
  /** @default [] */
  readonly extraAlerts?: Alert[];
}

/**
 * Prometheus without CRDs: it finds every /metrics of the model through the API server, takes OTLP, and evaluates the rules of the stack.
 *
 * @example
 * const prometheus = new Prometheus(chart, 'Prometheus', { alertmanager });
 * gateway.connectTo(prometheus.http, 'metrics');
 */
export class Prometheus extends Component implements IPrometheus {
  /** The API, and `/api/v1/otlp` for metrics by OTLP. */
  public readonly http: Endpoint;
  public readonly container: Container;
  private readonly props: PrometheusProps;
  /** Every file is printed twice, once for the checksum: the same wiring need not be worked out again. */
  private observed?: { readonly key: string; readonly value: Observability };

  constructor(scope: Construct, id: string, props: PrometheusProps = {}) {
    super(scope, id, {
      ...props,
      name: props.name ?? 'prometheus',
      namespace: props.namespace ?? 'observability',
      role: 'metrics',
      kind: WorkloadKind.STATEFUL_SET,
      replicas: 1,
      userId: props.userId ?? 65_534,
      // Long enough to write what is in memory.
      terminationGracePeriod: props.terminationGracePeriod ?? Duration.minutes(5),
    });
    this.props = props;
    const http = { name: 'http', protocol: Protocol.HTTP, port: 9090, expose: Expose.BOTH };
    this.container = this.addContainer({
      name: this.name,
      image: props.image ?? Images.pinned().prometheus,
      resources: props.resources ?? DEFAULT_RESOURCES,
      args: [
        `--config.file=${CONFIG_DIRECTORY}/prometheus.yml`,
        `--storage.tsdb.path=${DATA_DIRECTORY}`,
        `--storage.tsdb.retention.time=${printPromDuration(props.retention ?? Duration.days(30))}`,
        '--web.enable-otlp-receiver',
      ],
      liveness: Probe.http(http, '/-/healthy', { period: Duration.seconds(10), timeout: Duration.seconds(5), failureThreshold: 6 }),
      readiness: Probe.http(http, '/-/ready', { period: Duration.seconds(5), timeout: Duration.seconds(3) }),
      // A long log is replayed at the start.
      startup: Probe.http(http, '/-/ready', { period: Duration.seconds(15), timeout: Duration.seconds(3), failureThreshold: 60 }),
    });
    this.http = this.addEndpoint(http);
    this.container.addArgs(`--web.listen-address=:${this.http.port}`);
    this.exposeMetrics({ endpoint: this.http, program: 'prometheus' });
    this.addConfigFile({
      directory: CONFIG_DIRECTORY,
      file: 'prometheus.yml',
      content: ConfigContent.yaml({ renderConfig: () => this.config().renderConfig() }),
    });
    this.addConfigFile({
      config: 'rules',
      directory: RULES_DIRECTORY,
      file: RULES_FILE,
      content: ConfigContent.yaml({ renderConfig: () => this.observability.rules.renderConfig() }),
    });
    this.store(props);
    this.discover();
    if (props.alertmanager) {
      this.connectTo(props.alertmanager.http, 'alerts');
    }
    for (const namespace of props.queriedFrom ?? ['keda']) {
      this.admit(Peer.inNamespace(namespace), this.http, 'scaling queries');
    }
    // What is added to the model later is scraped, too.
    connectScrapes(this.topology, this);
  }

  public get api(): IEndpoint {
    return this.http;
  }

  /** Rules and dashboards for what the model has by now. */
  public get observability(): Observability {
    const parts = observedParts(this.topology, this.scrapesKubelets);
    const key = JSON.stringify(parts);
    if (key !== this.observed?.key) {
      this.observed = { key, value: new Observability({ ...this.props.rules, parts }) };
    }
    return this.observed.value;
  }

  /** The scrape jobs for what the model has by now. */
  public get scrapeJobs(): ScrapeJob[] {
    return [
      ...scrapedTargets(this.topology).map(scrapeJob),
      ...(this.scrapesKubelets ? kubeletJobs({ insecureSkipVerify: this.props.kubeletInsecureSkipVerify ?? true }) : []),
      ...(this.props.scrapeJobs ?? []),
    ];
  }

  /** How often targets are asked: the least step of a panel. */
  public get scrapeInterval(): Duration {
    return this.props.scrapeInterval ?? SCRAPE_INTERVAL;
  }

  private get scrapesKubelets(): boolean {
    return this.props.scrapeKubelets ?? true;
  }

  private config(): PrometheusConfig {
    const { props } = this;
    const config: PrometheusConfigProps = {
      scrapeInterval: props.scrapeInterval,
      evaluationInterval: props.evaluationInterval,
      externalLabels: props.externalLabels,
      scrapeJobs: this.scrapeJobs,
      ruleFiles: [`${RULES_DIRECTORY}/${RULES_FILE}`],
      alertmanagers: props.alertmanager?.addresses,
      configOverrides: props.configOverrides,
    };
    return new PrometheusConfig(config);
  }

  private store(props: PrometheusProps): void {
    const size = props.storage ?? Size.gibibytes(50);
    if (props.ephemeral) {
      this.container.addMount({ volume: this.addVolume(Volume.emptyDir('data', size)), path: DATA_DIRECTORY, readOnly: false });
    } else {
      this.addPersistentVolume({ name: 'data', size, path: DATA_DIRECTORY, storageClassName: props.storageClassName }, this.container);
    }
  }

  /** What discovery reads; the kubelet asks whether the token may read its metrics. */
  private discover(): void {
    const read = ['get', 'list', 'watch'];
    this.grantApi([
      { resources: ['pods', 'services'], verbs: read },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
      ...(this.scrapesKubelets
        ? [
            { resources: ['nodes'], verbs: read },
            { resources: ['nodes/metrics'], verbs: ['get'] },
          ]
        : []),
    ]);
    if (this.scrapesKubelets) {
      this.reachKubelets();
    }
  }
}

const DEFAULT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(500),
  memoryRequest: Size.gibibytes(2),
  cpuLimit: Cpu.cores(2),
  memoryLimit: Size.gibibytes(4),
};

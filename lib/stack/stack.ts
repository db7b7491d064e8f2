import { Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { Alertmanager, type AlertmanagerProps } from './alertmanager/alertmanager';
import { Jaeger, type JaegerProps } from './backends/jaeger';
import { JaegerStorage } from './backends/jaeger-storage';
import { SpanMetricsConnector } from './collector/connectors/span-metrics';
import { Destination } from './collector/destination';
import { ElasticsearchMapping } from './collector/exporters/elasticsearch';
import { CollectorGateway, type CollectorGatewayProps } from './collector/gateway';
import { Grafana, type GrafanaOptions } from './grafana/grafana';
import { KubeStateMetrics, type KubeStateMetricsProps } from './kube-state-metrics/kube-state-metrics';
import { Elasticsearch, type ElasticsearchProps } from './logging/elasticsearch';
import { type ElasticsearchAccount, ElasticsearchSetup } from './logging/elasticsearch-setup';
import { Fluentd, type FluentdOptions } from './logging/fluentd';
import { LogIndex, type LogIndexProps } from './logging/log-index';
import type { IEndpoint } from './model/endpoint';
import { Images } from './model/images';
import { Namespace, PodSecurity } from './model/namespace';
import { Platform } from './model/platform';
import { Profile } from './model/profile';
import { requestRate } from './observe/queries';
import { Match, Window } from './observe/query';
import { PrometheusMonitors, type PrometheusMonitorsProps } from './prometheus/monitors';
import { Prometheus, type PrometheusProps } from './prometheus/prometheus';
import type { IPrometheus } from './prometheus/source';
import { Autoscaling } from './service/autoscaling';
import { type InstrumentOptions, instrument } from './service/instrument';
import { OtlpService, type OtlpServiceProps } from './service/otlp-service';
import { sizeOf } from './sizes';

/** Props of a part go over the defaults of the profile. */
export interface OtlpStackProps {
  /** @default Profile.PRODUCTION */
  readonly profile?: Profile;
  /** @default 'observability' */
  readonly namespace?: string;
  /** Namespace of the log DaemonSet, which cannot pass Pod Security `restricted`. @default 'otlp-stack-logs' */
  readonly logsNamespace?: string;
  /** The namespace of KEDA, a prerequisite; Prometheus admits its queries. @default 'keda' */
  readonly kedaNamespace?: string;
  /** `app.kubernetes.io/instance` of every object. @default 'otlp-stack' */
  readonly instance?: string;
  /** `k8s.cluster.name` of all telemetry. @default 'default' */
  readonly clusterName?: string;
  /** @default Images.pinned() */
  readonly images?: Images;
  /** Facts about the cluster. @default new Platform() */
  readonly platform?: Platform;
  /** @default {} */
  readonly service?: OtlpServiceProps;
  /** The sidecar of the service. @default - to the gateway */
  readonly agent?: InstrumentOptions;
  /** @default {} */
  readonly gateway?: CollectorGatewayProps;
  /** @default {} */
  readonly jaeger?: JaegerProps;
  /** @default {} */
  readonly elasticsearch?: ElasticsearchProps;
  /** An Elasticsearch that exists already, instead of deploying one. @default - one is deployed */
  readonly externalElasticsearch?: IEndpoint;
  /** @default {} */
  readonly logs?: LogIndexProps;
  /** @default {} */
  readonly fluentd?: FluentdOptions;
  /** @default {} */
  readonly prometheus?: PrometheusProps;
  /**
   * A Prometheus that the Prometheus operator runs: monitors and rules are printed for it instead of deploying Prometheus and Alertmanager.
   * Its OTLP receiver must be on.
   * @default - Prometheus and Alertmanager are deployed, without CRDs
   */
  readonly prometheusOperator?: PrometheusMonitorsProps;
  /** @default {} */
  readonly alertmanager?: AlertmanagerProps;
  /** @default {} */
  readonly kubeStateMetrics?: KubeStateMetricsProps;
  /** @default {} */
  readonly grafana?: GrafanaOptions;
}

/** Accounts in Elasticsearch; each is a key of the Secret with the users' passwords. */
const JAEGER = 'jaeger';
const GATEWAY = 'gateway';
const LOG_WRITER = 'log-writer';
const GRAFANA = 'grafana';

/** What every part is told. */
interface Common {
  readonly namespace: string;
  readonly instance: string | undefined;
}

/**
 * The reference stack: an application service with its agent, the Collector gateway, Jaeger, Elasticsearch, Prometheus with Alertmanager,
 * kube-state-metrics and Grafana, and the log DaemonSet. Composition and defaults only; every part is a construct of its own and may be
 * used alone.
 *
 * Below an App each part gets a chart, and so a file, of its own; below a Chart everything goes into that chart.
 *
 * @example
 * const app = new App();
 * new OtlpStack(app, 'otlp', { clusterName: 'prod-eu' });
 * app.synth();
 */
export class OtlpStack extends Construct {
  public readonly profile: Profile;
  public readonly service: OtlpService;
  public readonly gateway: CollectorGateway;
  public readonly jaeger: Jaeger;
  /** The deployed Prometheus or the operator's. */
  public readonly prometheus: IPrometheus;
  /** Undefined where an operator runs Prometheus. */
  public readonly alertmanager?: Alertmanager;
  public readonly grafana: Grafana;
  /** Where logs and traces are kept: the deployed Elasticsearch or the given one. */
  public readonly store: IEndpoint;
  /** The Secret with the passwords of Elasticsearch's accounts. */
  public readonly usersSecretName: string;

  private readonly props: OtlpStackProps;
  private readonly images: Images;
  private readonly common: Common;
  private readonly index: LogIndex;
  private readonly charts: { [name: string]: Chart } = {};

  constructor(scope: Construct, id: string, props: OtlpStackProps = {}) {
    super(scope, id);
    this.props = props;
    this.profile = props.profile ?? Profile.PRODUCTION;
    this.images = props.images ?? Images.pinned();
    this.common = { namespace: props.namespace ?? 'observability', instance: props.instance };
    this.index = new LogIndex({ replicas: this.production ? 1 : 0, shards: this.production ? 3 : 1, ...props.logs });
    if (props.platform) {
      Platform.set(this.node.root as Construct, props.platform);
    }
    this.addNamespaces();

    const elasticsearch = props.externalElasticsearch ? undefined : this.addElasticsearch();
    this.store = props.externalElasticsearch ?? (elasticsearch as Elasticsearch).http;
    this.usersSecretName = elasticsearch?.usersSecretName ?? 'elasticsearch-users';
    this.addElasticsearchSetup();
    this.jaeger = this.addJaeger();
    this.alertmanager = props.prometheusOperator ? undefined : this.addAlertmanager();
    this.prometheus = props.prometheusOperator ? this.addMonitors(props.prometheusOperator) : this.addPrometheus();
    this.gateway = this.addGateway();
    this.service = this.addService();
    this.addKubeStateMetrics();
    this.grafana = this.addGrafana();
    this.addFluentd();
  }

  private get production(): boolean {
    return this.profile === Profile.PRODUCTION;
  }

  private addNamespaces(): void {
    const chart = this.part('namespaces');
    new Namespace(chart, 'Namespace', { name: this.common.namespace });
    new Namespace(chart, 'LogsNamespace', {
      name: this.logsNamespace,
      podSecurity: PodSecurity.PRIVILEGED,
      podSecurityReason: 'fluentd reads the log files of all pods, which are host paths readable by root only',
    });
  }

  private get logsNamespace(): string {
    return this.props.logsNamespace ?? 'otlp-stack-logs';
  }

  private addElasticsearch(): Elasticsearch {
    return new Elasticsearch(this.part('elasticsearch'), 'Elasticsearch', {
      ...this.common,
      image: this.images.elasticsearch,
      replicas: this.production ? 3 : 1,
      ephemeral: !this.production,
      resources: sizeOf(this.profile, 'elasticsearch'),
      ...this.props.elasticsearch,
    });
  }

  private addElasticsearchSetup(): void {
    const writes = (name: string): ElasticsearchAccount => ({
      name,
      indices: [this.index.name],
      privileges: ['create_doc', 'auto_configure'],
    });
    new ElasticsearchSetup(this.part('elasticsearch'), 'ElasticsearchSetup', {
      ...this.common,
      endpoint: this.store,
      index: this.index,
      usersSecretName: this.usersSecretName,
      image: this.images.curl,
      accounts: [
        {
          name: JAEGER,
          cluster: ['monitor', 'manage_index_templates'],
          indices: ['jaeger-*'],
          privileges: ['create_index', 'write', 'read', 'view_index_metadata', 'manage'],
        },
        writes(GATEWAY),
        writes(LOG_WRITER),
        { name: GRAFANA, indices: [this.index.name], privileges: ['read', 'view_index_metadata'] },
      ],
    });
  }

  private addJaeger(): Jaeger {
    const { usersSecretName } = this;
    return new Jaeger(this.part('jaeger'), 'Jaeger', {
      ...this.common,
      image: this.images.jaeger,
      storage: this.production
        ? JaegerStorage.elasticsearch({ endpoint: this.store, user: JAEGER, usersSecretName })
        : JaegerStorage.memory(),
      resources: sizeOf(this.profile, 'jaeger'),
      ...this.props.jaeger,
    });
  }

  private addAlertmanager(): Alertmanager {
    return new Alertmanager(this.part('alertmanager'), 'Alertmanager', {
      ...this.common,
      image: this.images.alertmanager,
      ephemeral: !this.production,
      resources: sizeOf(this.profile, 'alertmanager'),
      ...this.props.alertmanager,
    });
  }

  private addPrometheus(): Prometheus {
    return new Prometheus(this.part('prometheus'), 'Prometheus', {
      ...this.common,
      image: this.images.prometheus,
      ephemeral: !this.production,
      resources: sizeOf(this.profile, 'prometheus'),
      externalLabels: { cluster: this.props.clusterName ?? 'default' },
      alertmanager: this.alertmanager,
      queriedFrom: this.autoscaling.kind === 'keda' ? [this.props.kedaNamespace ?? 'keda'] : [],
      ...this.props.prometheus,
    });
  }

  private addMonitors(props: PrometheusMonitorsProps): PrometheusMonitors {
    for (const [name, value] of Object.entries({ prometheus: this.props.prometheus, alertmanager: this.props.alertmanager })) {
      if (value) {
        throw new Error(
          `${this.node.path}: '${name}' configures a program that is not deployed, as 'prometheusOperator' is given: drop one of the two`,
        );
      }
    }
    return new PrometheusMonitors(this.part('monitors'), 'Monitors', { namespace: this.common.namespace, ...props });
  }

  private get autoscaling(): Autoscaling {
    return this.props.service?.autoscaling ?? (this.production ? Autoscaling.keda() : Autoscaling.none());
  }

  private addGateway(): CollectorGateway {
    return new CollectorGateway(this.part('gateway'), 'Gateway', {
      ...this.common,
      profile: this.profile,
      image: this.images.collector,
      resources: sizeOf(this.profile, 'gateway'),
      traces: [Destination.otlpGrpc('jaeger', this.jaeger.otlpGrpc)],
      metrics: [Destination.prometheus(this.prometheus.api)],
      logs: [
        Destination.elasticsearch(this.store, {
          user: GATEWAY,
          passwordSecretName: this.usersSecretName,
          logsIndex: this.index.name,
          mapping: ElasticsearchMapping.ECS,
        }),
      ],
      // As often as Prometheus looks: at the connector's own minute every rate would be a minute old.
      spanMetrics: new SpanMetricsConnector({ metricsFlushInterval: Duration.seconds(15) }),
      ...this.props.gateway,
    });
  }

  private addService(): OtlpService {
    const { profile, props } = this;
    const name = props.service?.name ?? 'otlp-service';
    const service = new OtlpService(this.part('service'), 'Service', {
      ...this.common,
      clusterName: props.clusterName,
      image: this.images.sampleService,
      replicas: this.production ? 3 : 1,
      resources: sizeOf(profile, 'service'),
      autoscaling: this.autoscaling,
      scrapeAnnotations: !props.prometheusOperator,
      requestRate: {
        prometheus: this.prometheus.api,
        query: requestRate(
          Window.of(Duration.minutes(2)),
          Match.equal('namespace', props.service?.namespace ?? this.common.namespace),
          Match.equal('job', name),
        ).print(),
      },
      ...props.service,
    });
    instrument(service, {
      upstream: this.gateway.otlpGrpc,
      image: this.images.agent,
      profile,
      resources: sizeOf(profile, 'agent'),
      ...props.agent,
    });
    return service;
  }

  private addKubeStateMetrics(): void {
    new KubeStateMetrics(this.part('kube-state-metrics'), 'KubeStateMetrics', {
      ...this.common,
      image: this.images.kubeStateMetrics,
      resources: sizeOf(this.profile, 'kubeStateMetrics'),
      ...this.props.kubeStateMetrics,
    });
  }

  private addGrafana(): Grafana {
    return new Grafana(this.part('grafana'), 'Grafana', {
      ...this.common,
      image: this.images.grafana,
      resources: sizeOf(this.profile, 'grafana'),
      prometheus: this.prometheus,
      jaeger: this.jaeger.query,
      alertmanager: this.alertmanager,
      logs: { endpoint: this.store, index: this.index.name, user: GRAFANA, passwordSecretName: this.usersSecretName },
      ...this.props.grafana,
    });
  }

  private addFluentd(): void {
    new Fluentd(this.part('fluentd'), 'Fluentd', {
      namespace: this.logsNamespace,
      instance: this.common.instance,
      image: this.images.fluentd,
      elasticsearch: this.store,
      index: this.index,
      user: LOG_WRITER,
      secretName: this.usersSecretName,
      clusterName: this.props.clusterName,
      resources: sizeOf(this.profile, 'fluentd'),
      ...this.props.fluentd,
    });
  }

  /** The chart of one part; charts depend on that of the namespaces, so that files sort in the order of `kubectl apply -f dist/`. */
  private part(name: string): Construct {
    if (this.node.scopes.some((above) => Chart.isChart(above))) {
      return this;
    }
    const present = this.charts[name];
    if (present) {
      return present;
    }
    const chart = new Chart(this.node.scope as Construct, `${this.node.id}-${name}`);
    this.charts[name] = chart;
    if (this.charts.namespaces && chart !== this.charts.namespaces) {
      chart.node.addDependency(this.charts.namespaces);
    }
    return chart;
  }
}

import { Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { Jaeger, type JaegerProps } from './backends/jaeger';
import { JaegerStorage } from './backends/jaeger-storage';
import { SpanMetricsConnector } from './collector/connectors/span-metrics';
import { Destination } from './collector/destination';
import { ElasticsearchMapping } from './collector/exporters/elasticsearch';
import { CollectorGateway, type CollectorGatewayProps } from './collector/gateway';
import { Elasticsearch, type ElasticsearchProps } from './logging/elasticsearch';
import { type ElasticsearchAccount, ElasticsearchSetup } from './logging/elasticsearch-setup';
import { Fluentd, type FluentdOptions } from './logging/fluentd';
import { LogIndex, type LogIndexProps } from './logging/log-index';
import type { IEndpoint } from './model/endpoint';
import { Images } from './model/images';
import { Namespace, PodSecurity } from './model/namespace';
import { Platform } from './model/platform';
import { Profile } from './model/profile';
import { Autoscaling } from './service/autoscaling';
import { type InstrumentOptions, instrument } from './service/instrument';
import { OtlpService, type OtlpServiceProps } from './service/otlp-service';
import { sizeOf } from './sizes';

export interface OtlpStackProps {
  /** @default Profile.PRODUCTION */
  readonly profile?: Profile;
  /** @default 'observability' */
  readonly namespace?: string;
  /** Namespace of the log DaemonSet, which cannot pass Pod Security `restricted`. @default 'otlp-stack-logs' */
  readonly logsNamespace?: string;
  /** `app.kubernetes.io/instance` of every object. @default 'otlp-stack' */
  readonly instance?: string;
  /** `k8s.cluster.name` of all telemetry. @default 'default' */
  readonly clusterName?: string;
  /** @default Images.pinned() */
  readonly images?: Images;
  /** Facts about the cluster. @default new Platform() */
  readonly platform?: Platform;
  /** Over the defaults of the profile. @default {} */
  readonly service?: OtlpServiceProps;
  /** The sidecar of the service. @default - to the gateway, with the defaults of the profile */
  readonly agent?: InstrumentOptions;
  /** Over the defaults of the profile. @default {} */
  readonly gateway?: CollectorGatewayProps;
  /** Over the defaults of the profile. @default {} */
  readonly jaeger?: JaegerProps;
  /** Over the defaults of the profile. @default {} */
  readonly elasticsearch?: ElasticsearchProps;
  /** An Elasticsearch that exists already, instead of deploying one. @default - one is deployed */
  readonly externalElasticsearch?: IEndpoint;
  /** Over the defaults of the profile. @default {} */
  readonly logs?: LogIndexProps;
  /** Over the defaults of the profile. @default {} */
  readonly fluentd?: FluentdOptions;
}

const JAEGER_ACCOUNT: ElasticsearchAccount = {
  name: 'jaeger',
  cluster: ['monitor', 'manage_index_templates'],
  indices: ['jaeger-*'],
  privileges: ['create_index', 'write', 'read', 'view_index_metadata', 'manage'],
};

/**
 * The reference stack: an application service with its agent, the Collector gateway, Jaeger, Elasticsearch, Prometheus with Alertmanager
 * and Grafana, and the log DaemonSet. Composition and defaults only; every part is a construct of its own and may be used alone.
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
  /** Where logs and traces are kept: the deployed Elasticsearch or the given one. */
  public readonly store: IEndpoint;
  private readonly charts: { [name: string]: Construct } = {};

  constructor(scope: Construct, id: string, props: OtlpStackProps = {}) {
    super(scope, id);
    this.profile = props.profile ?? Profile.PRODUCTION;
    const production = this.profile === Profile.PRODUCTION;
    const { profile } = this;
    const namespace = props.namespace ?? 'observability';
    const logsNamespace = props.logsNamespace ?? 'otlp-stack-logs';
    const images = props.images ?? Images.pinned();
    const { clusterName } = props;
    const common = { namespace, instance: props.instance };
    if (props.platform) {
      Platform.set(this.node.root as Construct, props.platform);
    }

    const namespaces = this.part('namespaces');
    new Namespace(namespaces, 'Namespace', { name: namespace });
    new Namespace(namespaces, 'LogsNamespace', {
      name: logsNamespace,
      podSecurity: PodSecurity.PRIVILEGED,
      podSecurityReason: 'fluentd reads the log files of all pods, which are host paths readable by root only',
    });

    const index = new LogIndex({ replicas: production ? 1 : 0, shards: production ? 3 : 1, ...props.logs });
    const elasticsearch = props.externalElasticsearch
      ? undefined
      : new Elasticsearch(this.part('elasticsearch'), 'Elasticsearch', {
          ...common,
          image: images.elasticsearch,
          replicas: production ? 3 : 1,
          ephemeral: !production,
          resources: sizeOf(profile, 'elasticsearch'),
          ...props.elasticsearch,
        });
    this.store = props.externalElasticsearch ?? (elasticsearch as Elasticsearch).http;
    const usersSecretName = elasticsearch?.usersSecretName ?? 'elasticsearch-users';
    const writes = (name: string): ElasticsearchAccount => ({ name, indices: [index.name], privileges: ['create_doc', 'auto_configure'] });
    new ElasticsearchSetup(this.part('elasticsearch'), 'ElasticsearchSetup', {
      ...common,
      endpoint: this.store,
      index,
      usersSecretName,
      image: images.curl,
      accounts: [JAEGER_ACCOUNT, writes('gateway'), writes('log-writer')],
    });

    this.jaeger = new Jaeger(this.part('jaeger'), 'Jaeger', {
      ...common,
      image: images.jaeger,
      storage: production ? JaegerStorage.elasticsearch({ endpoint: this.store, usersSecretName }) : JaegerStorage.memory(),
      resources: sizeOf(profile, 'jaeger'),
      ...props.jaeger,
    });

    this.gateway = new CollectorGateway(this.part('gateway'), 'Gateway', {
      ...common,
      profile,
      image: images.collector,
      resources: sizeOf(profile, 'gateway'),
      traces: [Destination.otlpGrpc('jaeger', this.jaeger.otlpGrpc)],
      logs: [
        Destination.elasticsearch(this.store, {
          user: 'gateway',
          passwordSecretName: usersSecretName,
          logsIndex: index.name,
          mapping: ElasticsearchMapping.ECS,
        }),
      ],
      // As often as Prometheus looks: at the connector's own minute every rate would be a minute old.
      spanMetrics: new SpanMetricsConnector({ metricsFlushInterval: Duration.seconds(15) }),
      ...props.gateway,
    });

    this.service = new OtlpService(this.part('service'), 'Service', {
      ...common,
      clusterName,
      image: images.sampleService,
      replicas: production ? 3 : 1,
      resources: sizeOf(profile, 'service'),
      autoscaling: production ? Autoscaling.keda() : Autoscaling.none(),
      ...props.service,
    });

    instrument(this.service, {
      upstream: this.gateway.otlpGrpc,
      image: images.agent,
      profile,
      resources: sizeOf(profile, 'agent'),
      ...props.agent,
    });

    new Fluentd(this.part('fluentd'), 'Fluentd', {
      namespace: logsNamespace,
      instance: props.instance,
      image: images.fluentd,
      elasticsearch: this.store,
      index,
      clusterName,
      resources: sizeOf(profile, 'fluentd'),
      ...props.fluentd,
    });
  }

  /** The chart of one part; charts depend on that of the namespaces, so that files sort in the order of `kubectl apply -f dist/`. */
  private part(name: string): Construct {
    if (Chart.isChart(this.node.scope) || this.node.scopes.some((above) => Chart.isChart(above))) {
      return this;
    }
    let chart = this.charts[name];
    if (!chart) {
      chart = new Chart(this.node.scope as Construct, name === 'namespaces' ? name : `${this.node.id}-${name}`);
      this.charts[name] = chart;
      if (this.charts.namespaces && chart !== this.charts.namespaces) {
        chart.node.addDependency(this.charts.namespaces);
      }
    }
    return chart;
  }
}

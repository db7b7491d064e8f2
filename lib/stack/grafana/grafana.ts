import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Alertmanager } from '../alertmanager/alertmanager';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { Container } from '../model/container';
import type { Endpoint, IEndpoint } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';
import { Volume } from '../model/volume';
import type { Dashboard } from '../observe/dashboards';
import type { IPrometheus } from '../prometheus/source';
import { DataSource, DataSourcesFile } from './data-source';

const PROVISIONING = '/etc/grafana/provisioning';
const DASHBOARDS = '/etc/grafana/dashboards';

/** Where Grafana looks up logs. */
export interface GrafanaLogs {
  readonly endpoint: IEndpoint;
  /** The index, data stream or pattern. */
  readonly index: string;
  /** @default - no sign-in */
  readonly user?: string;
  /** The Secret that holds the user's password, under the user's name. @default - no sign-in */
  readonly passwordSecretName?: string;
}

/** What may be said about Grafana apart from the wiring. */
export interface GrafanaOptions extends PodOptions {
  /** @default 'grafana' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - as `Images.pinned()` has it */
  readonly image?: Image;
  /** @default - request 100m and 256Mi, limit 1 and 512Mi */
  readonly resources?: Resources;
  /** The Secret with `admin-user` and `admin-password`. @default 'grafana-admin' */
  readonly adminSecretName?: string;
  /** Dashboards of your own. @default [] */
  readonly dashboards?: Dashboard[];
  /** Data sources of your own. @default [] */
  readonly dataSources?: DataSource[];
}

/** The same with what it shows. */
export interface GrafanaProps extends GrafanaOptions {
  readonly prometheus: IPrometheus;
  /** The query API of Jaeger. @default - no traces */
  readonly jaeger?: IEndpoint;
  /** @default - no logs */
  readonly logs?: GrafanaLogs;
  /** @default - no alerts */
  readonly alertmanager?: Alertmanager;
}

/**
 * Grafana with its data sources and dashboards in files: the pod keeps nothing, so another one is the same.
 *
 * @example
 * new Grafana(chart, 'Grafana', { prometheus, jaeger: jaeger.query });
 */
export class Grafana extends Component {
  public readonly http: Endpoint;
  public readonly container: Container;
  private readonly sources: DataSource[];

  constructor(scope: Construct, id: string, props: GrafanaProps) {
    super(scope, id, {
      ...props,
      name: props.name ?? 'grafana',
      namespace: props.namespace ?? 'observability',
      role: 'dashboards',
      replicas: 1,
      userId: props.userId ?? 472,
    });
    const http = { name: 'http', protocol: Protocol.HTTP, port: 3000, servicePort: 80 };
    const secret = props.adminSecretName ?? 'grafana-admin';
    this.container = this.addContainer({
      name: this.name,
      image: props.image ?? Images.pinned().grafana,
      resources: props.resources ?? DEFAULT_RESOURCES,
      env: [
        Env.secret('GF_SECURITY_ADMIN_USER', secret, 'admin-user'),
        Env.secret('GF_SECURITY_ADMIN_PASSWORD', secret, 'admin-password'),
        Env.value('GF_USERS_ALLOW_SIGN_UP', 'false'),
        // It reaches nothing outside of the cluster, and would wait for it at its start.
        Env.value('GF_ANALYTICS_REPORTING_ENABLED', 'false'),
        Env.value('GF_ANALYTICS_CHECK_FOR_UPDATES', 'false'),
        Env.value('GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES', 'false'),
        Env.value('GF_PLUGINS_PREINSTALL_DISABLED', 'true'),
        Env.value('GF_LOG_CONSOLE_FORMAT', 'json'),
      ],
      liveness: Probe.http(http, '/api/health', {
        initialDelay: Duration.seconds(30),
        period: Duration.seconds(10),
        timeout: Duration.seconds(5),
      }),
      readiness: Probe.http(http, '/api/health', { period: Duration.seconds(5), timeout: Duration.seconds(3) }),
      startup: Probe.http(http, '/api/health', { period: Duration.seconds(5), timeout: Duration.seconds(3), failureThreshold: 30 }),
      mounts: [
        { volume: this.addVolume(Volume.emptyDir('data', Size.gibibytes(1))), path: '/var/lib/grafana', readOnly: false },
        { volume: this.addVolume(Volume.emptyDir('tmp', Size.mebibytes(128))), path: '/tmp', readOnly: false },
      ],
    });
    this.http = this.addEndpoint(http);
    this.container.addEnv(Env.value('GF_SERVER_HTTP_PORT', String(this.http.port)));
    this.sources = this.connectSources(props);
    this.provision(props);
  }

  public get dataSources(): DataSource[] {
    return [...this.sources];
  }

  /** Every data source with the way to it. */
  private connectSources(props: GrafanaProps): DataSource[] {
    const { prometheus, jaeger, logs, alertmanager } = props;
    this.connectTo(prometheus.api, 'queries');
    const elasticsearch = logs && DataSource.elasticsearch(logs.endpoint, { ...logs, tracesUid: jaeger && 'jaeger' });
    const metrics = DataSource.prometheus(prometheus.api, { scrapeInterval: prometheus.scrapeInterval });
    const sources = [metrics];
    if (jaeger) {
      this.connectTo(jaeger, 'traces');
      sources.push(DataSource.jaeger(jaeger, { logs: elasticsearch, metrics }));
    }
    if (logs && elasticsearch) {
      this.connectTo(logs.endpoint, 'logs');
      sources.push(elasticsearch);
    }
    if (alertmanager) {
      this.connectTo(alertmanager.http, 'alerts');
      sources.push(DataSource.alertmanager(alertmanager.http));
    }
    return [...sources, ...(props.dataSources ?? [])];
  }

  private provision({ prometheus, dashboards = [] }: GrafanaProps): void {
    for (const env of this.sources.flatMap((source) => source.env)) {
      this.container.addEnv(env);
    }
    this.addConfigFile({
      config: 'datasources',
      directory: `${PROVISIONING}/datasources`,
      file: 'datasources.yaml',
      content: ConfigContent.yaml(new DataSourcesFile(this.sources)),
    });
    this.addConfigFile({
      config: 'provider',
      directory: `${PROVISIONING}/dashboards`,
      file: 'dashboards.yaml',
      content: ConfigContent.yamlOf({
        apiVersion: 1,
        providers: [{ name: 'otlp-stack', folder: 'OTLP stack', type: 'file', disableDeletion: true, options: { path: DASHBOARDS } }],
      }),
    });
    // Which dashboards there are follows from the wiring, and the wiring may still grow: each is looked up when it is printed.
    const present = (): Dashboard[] => [...prometheus.observability.dashboards, ...dashboards];
    for (const { uid, fileName } of present()) {
      const renderConfig = (): object =>
        present()
          .find((dashboard) => dashboard.uid === uid)
          ?.renderConfig() ?? {};
      this.addConfigFile({ config: 'dashboards', directory: DASHBOARDS, file: fileName, content: ConfigContent.json({ renderConfig }) });
    }
  }
}

const DEFAULT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(100),
  memoryRequest: Size.mebibytes(256),
  cpuLimit: Cpu.cores(1),
  memoryLimit: Size.mebibytes(512),
};

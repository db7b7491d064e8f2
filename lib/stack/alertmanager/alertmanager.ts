import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { Container } from '../model/container';
import { type Endpoint, Expose, ExternalEndpoint } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';
import { Volume } from '../model/volume';
import { WorkloadKind } from '../model/workload-kind';
import { AlertmanagerConfig } from './config';
import { AlertReceiver, Notification } from './receiver';

const CONFIG_DIRECTORY = '/etc/alertmanager';
const DATA_DIRECTORY = '/alertmanager';

export interface AlertmanagerProps extends PodOptions {
  /** @default 'alertmanager' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - as `Images.pinned()` has it */
  readonly image?: Image;
  /** More than one agree on who notifies. @default 1 */
  readonly replicas?: number;
  /** @default - request 50m and 64Mi, limit 500m and 256Mi */
  readonly resources?: Resources;
  /** Who is told about what. @default - everything by the webhook whose URL is in the Secret, under `webhook-url` */
  readonly config?: AlertmanagerConfig;
  /** The Secret with the files that receivers name below {@link Alertmanager.SECRETS}. @default 'alertmanager-receivers' */
  readonly secretName?: string;
  /** Space for silences and for what has been told. @default Size.gibibytes(1) */
  readonly storage?: Size;
  /** Keep silences in the pod only. @default false */
  readonly ephemeral?: boolean;
  /** @default - the cluster's default class */
  readonly storageClassName?: string;
}

/**
 * Alertmanager: groups alerts and tells people.
 *
 * @example
 * const alertmanager = new Alertmanager(chart, 'Alertmanager', {
 *   config: AlertmanagerConfig.bySeverity({
 *     critical: AlertReceiver.of('pager', Notification.pagerDuty({ routingKeyFile: `${Alertmanager.SECRETS}/pagerduty` })),
 *   }),
 * });
 */
export class Alertmanager extends Component {
  /** Where the keys of the Secret are files. */
  public static readonly SECRETS = '/etc/alertmanager-secrets';

  /** The API and the user interface. */
  public readonly http: Endpoint;
  public readonly container: Container;
  public readonly config: AlertmanagerConfig;
  private readonly replicaCount: number;

  constructor(scope: Construct, id: string, props: AlertmanagerProps = {}) {
    const replicas = props.replicas ?? 1;
    super(scope, id, {
      ...props,
      name: props.name ?? 'alertmanager',
      namespace: props.namespace ?? 'observability',
      role: 'alerting',
      kind: WorkloadKind.STATEFUL_SET,
      replicas,
      userId: props.userId ?? 65_534,
    });
    this.replicaCount = replicas;
    this.config = props.config ?? defaultConfig();
    const http = { name: 'http', protocol: Protocol.HTTP, port: 9093, expose: Expose.BOTH };
    this.container = this.addContainer({
      name: this.name,
      image: props.image ?? Images.pinned().alertmanager,
      resources: props.resources ?? DEFAULT_RESOURCES,
      args: [`--config.file=${CONFIG_DIRECTORY}/alertmanager.yml`, `--storage.path=${DATA_DIRECTORY}`],
      env: [Env.field('MY_POD_IP', 'status.podIP')],
      liveness: Probe.http(http, '/-/healthy', { period: Duration.seconds(10), timeout: Duration.seconds(5) }),
      readiness: Probe.http(http, '/-/ready', { period: Duration.seconds(5), timeout: Duration.seconds(3) }),
    });
    this.http = this.addEndpoint(http);
    this.container.addArgs(`--web.listen-address=:${this.http.port}`);
    this.exposeMetrics({ endpoint: this.http, program: 'alertmanager' });
    this.addConfigFile({ directory: CONFIG_DIRECTORY, file: 'alertmanager.yml', content: ConfigContent.yaml(this.config) });
    this.mountSecrets(props.secretName ?? 'alertmanager-receivers');
    this.store(props);
    this.cluster(replicas);
    this.reachReceivers();
  }

  /** `host:port` of every replica: Prometheus tells all of them, and they agree on who notifies. */
  public get addresses(): string[] {
    if (this.replicaCount === 1) {
      return [this.http.address];
    }
    const domain = `${this.headlessServiceName}.${this.namespace}.svc.${this.platform.clusterDomain}`;
    return this.members.map((member) => `${member}.${domain}:${this.http.port}`);
  }

  private get members(): string[] {
    return Array.from({ length: this.replicaCount }, (_, index) => `${this.name}-${index}`);
  }

  private mountSecrets(secretName: string): void {
    const files = this.config.receivers.flatMap(({ ways }) => ways.flatMap(({ secretFiles }) => secretFiles));
    const keys = [...new Set(files)].map((file) => {
      const key = file.startsWith(`${Alertmanager.SECRETS}/`) ? file.slice(Alertmanager.SECRETS.length + 1) : '';
      if (key === '' || key.includes('/')) {
        throw new Error(
          `${this.node.path}: a receiver reads its secret from '${file}', the Secret '${secretName}' is mounted at '${Alertmanager.SECRETS}': name a file there`,
        );
      }
      return key;
    });
    if (keys.length > 0) {
      this.container.addMount({ volume: this.addVolume(Volume.secret('secrets', secretName, keys.sort())), path: Alertmanager.SECRETS });
    }
  }

  private store(props: AlertmanagerProps): void {
    const size = props.storage ?? Size.gibibytes(1);
    if (props.ephemeral) {
      this.container.addMount({ volume: this.addVolume(Volume.emptyDir('data', size)), path: DATA_DIRECTORY, readOnly: false });
    } else {
      this.addPersistentVolume({ name: 'data', size, path: DATA_DIRECTORY, storageClassName: props.storageClassName }, this.container);
    }
  }

  private cluster(replicas: number): void {
    if (replicas === 1) {
      this.container.addArgs('--cluster.listen-address=');
      return;
    }
    const gossip = this.addEndpoint({ name: 'tcp-cluster', protocol: Protocol.TCP, port: 9094, expose: Expose.HEADLESS });
    const datagrams = this.addEndpoint({ name: 'udp-cluster', protocol: Protocol.UDP, port: 9094, expose: Expose.HEADLESS });
    this.connectTo(gossip, 'cluster');
    this.connectTo(datagrams, 'cluster');
    this.container.addArgs(
      `--cluster.listen-address=0.0.0.0:${gossip.port}`,
      `--cluster.advertise-address=$(MY_POD_IP):${gossip.port}`,
      ...this.members.map((member) => `--cluster.peer=${member}.${gossip.host}:${gossip.port}`),
    );
    this.addDisruptionBudget(1);
  }

  /** The way out of the cluster, to the ports of the receivers; an address in a secret file is taken to be https. */
  private reachReceivers(): void {
    const addresses = this.config.receivers.flatMap(({ ways }) => ways.map(({ address }) => address || 'receivers:443'));
    for (const address of new Set(addresses)) {
      const at = address.lastIndexOf(':');
      const port = Number(address.slice(at + 1));
      const protocol = port === 80 ? Protocol.HTTP : port === 443 ? Protocol.HTTPS : Protocol.TCP;
      this.connectTo(new ExternalEndpoint({ name: 'receiver', protocol, host: address.slice(0, at), port }), 'notifications');
    }
  }
}

function defaultConfig(): AlertmanagerConfig {
  const webhook = Notification.webhookFromFile(`${Alertmanager.SECRETS}/webhook-url`);
  return AlertmanagerConfig.bySeverity({ critical: AlertReceiver.of('webhook', webhook) });
}

const DEFAULT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(50),
  memoryRequest: Size.mebibytes(64),
  cpuLimit: Cpu.millis(500),
  memoryLimit: Size.mebibytes(256),
};

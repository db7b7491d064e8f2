import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { Container } from '../model/container';
import { type Endpoint, Expose } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';
import { Volume } from '../model/volume';
import { WorkloadKind } from '../model/workload-kind';
import { deepMerge } from '../model/yaml';

const HOME = '/usr/share/elasticsearch';
const CONFIG = `${HOME}/config`;
const PRINTED = '/etc/elasticsearch-printed';
const CERTIFICATES = 'transport-certificates';

export interface ElasticsearchProps extends PodOptions {
  /** @default 'elasticsearch' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - as `Images.pinned()` has it */
  readonly image?: Image;
  /** Nodes; with more than one, an odd number keeps a majority. @default 3 */
  readonly replicas?: number;
  /** The heap takes half of the memory limit; Elasticsearch sizes it itself. @default - request 500m and 2Gi, limit 2 and 4Gi */
  readonly resources?: Resources;
  /** Space per node. @default Size.gibibytes(100) */
  readonly storage?: Size;
  /** Keep data in the pod only: gone with it. @default false */
  readonly ephemeral?: boolean;
  /** @default - the cluster's default class */
  readonly storageClassName?: string;
  /**
   * Secret with the password of the superuser `elastic` under the key `elastic`, and of the accounts that the setup Job makes.
   * @default 'elasticsearch-users'
   */
  readonly usersSecretName?: string;
  /** Secret with `ca.crt`, `tls.crt` and `tls.key` for the traffic between nodes. @default 'elasticsearch-transport' */
  readonly transportSecretName?: string;
  /** Merged over the printed elasticsearch.yml. @default {} */
  readonly configOverrides?: object;
}

/**
 * Elasticsearch with security on: passwords and transport certificates come from Secrets that `otlp-stack secrets` makes.
 *
 * @example
 * const store = new Elasticsearch(chart, 'Elasticsearch', { replicas: 1, storage: Size.gibibytes(20) });
 */
export class Elasticsearch extends Component {
  public readonly http: Endpoint;
  public readonly container: Container;
  public readonly usersSecretName: string;

  constructor(scope: Construct, id: string, props: ElasticsearchProps = {}) {
    const replicas = props.replicas ?? 3;
    if (replicas % 2 === 0) {
      throw new Error(
        `${scope.node.path}/${id}: 'replicas' (${replicas}) must be odd: an even number of nodes tolerates no more failures than one less`,
      );
    }
    super(scope, id, {
      ...props,
      name: props.name ?? 'elasticsearch',
      namespace: props.namespace ?? 'observability',
      role: 'storage',
      kind: WorkloadKind.STATEFUL_SET,
      replicas,
      spreadOverZones: props.spreadOverZones ?? replicas > 1,
      terminationGracePeriod: props.terminationGracePeriod ?? Duration.minutes(2),
    });
    const image = props.image ?? Images.pinned().elasticsearch;
    this.usersSecretName = props.usersSecretName ?? 'elasticsearch-users';
    const resources = props.resources ?? DEFAULT_RESOURCES;
    const config = this.addVolume(Volume.emptyDir('config-writable', Size.mebibytes(64)));
    const certificates = this.addVolume(
      Volume.secret(CERTIFICATES, props.transportSecretName ?? 'elasticsearch-transport', ['ca.crt', 'tls.crt', 'tls.key']),
    );
    const http = { name: 'http', protocol: Protocol.HTTP, port: 9200 };

    // The program writes its keystore beside its configuration, so a read-only root needs a writable copy of that directory.
    const copy = this.addInitContainer({
      name: 'copy-config',
      image,
      resources: { cpuRequest: Cpu.millis(50), memoryRequest: Size.mebibytes(64), memoryLimit: Size.mebibytes(128) },
      command: ['sh', '-c', `cp -r ${CONFIG}/. /config/ && cp ${PRINTED}/elasticsearch.yml /config/elasticsearch.yml`],
      mounts: [{ volume: config, path: '/config', readOnly: false }],
    });
    this.container = this.addContainer({
      name: this.name,
      image,
      resources,
      env: [
        Env.field('POD_NAME', 'metadata.name'),
        Env.secret('ELASTIC_PASSWORD', this.usersSecretName, 'elastic'),
        Env.value('ES_TMPDIR', '/tmp'),
      ],
      // /_cluster/health needs a password; a TCP connection says that the node serves.
      startup: Probe.tcp(http, { period: Duration.seconds(10), failureThreshold: 30 }),
      readiness: Probe.tcp(http, { period: Duration.seconds(5) }),
      mounts: [
        { volume: config, path: CONFIG, readOnly: false },
        { volume: certificates, path: `${CONFIG}/transport` },
        { volume: this.addVolume(Volume.emptyDir('logs', Size.mebibytes(256))), path: `${HOME}/logs`, readOnly: false },
        { volume: this.addVolume(Volume.emptyDir('tmp', Size.mebibytes(256))), path: '/tmp', readOnly: false },
      ],
    });
    this.http = this.addEndpoint(http);
    const transport = this.addEndpoint({ name: 'tcp-transport', protocol: Protocol.TCP, port: 9300, expose: Expose.HEADLESS });
    if (replicas > 1) {
      this.connectTo(transport, 'cluster');
    }
    this.addConfigFile(
      {
        directory: PRINTED,
        file: 'elasticsearch.yml',
        content: ConfigContent.yamlOf(deepMerge(this.settings(transport, replicas), props.configOverrides ?? {})),
      },
      copy,
    );
    this.store(props);
    if (replicas > 1) {
      this.addDisruptionBudget(1);
    }
  }

  private store(props: ElasticsearchProps): void {
    const size = props.storage ?? Size.gibibytes(100);
    if (props.ephemeral) {
      this.container.addMount({ volume: this.addVolume(Volume.emptyDir('data', size)), path: `${HOME}/data`, readOnly: false });
      return;
    }
    this.addPersistentVolume({ name: 'data', size, path: `${HOME}/data`, storageClassName: props.storageClassName }, this.container);
  }

  private settings(transport: Endpoint, replicas: number): object {
    const members = Array.from({ length: replicas }, (_, index) => `${this.name}-${index}`);
    return {
      'cluster.name': `${this.instance}-${this.name}`,
      'node.name': '${POD_NAME}',
      'network.host': '0.0.0.0',
      'http.port': this.http.port,
      'transport.port': transport.port,
      // Restricted pods cannot set vm.max_map_count, which memory-mapped indices need.
      'node.store.allow_mmap': false,
      ...(replicas === 1
        ? { 'discovery.type': 'single-node' }
        : { 'discovery.seed_hosts': [transport.host], 'cluster.initial_master_nodes': members }),
      'xpack.security.enabled': true,
      'xpack.security.http.ssl.enabled': false,
      'xpack.security.transport.ssl.enabled': true,
      'xpack.security.transport.ssl.verification_mode': 'certificate',
      'xpack.security.transport.ssl.certificate_authorities': ['transport/ca.crt'],
      'xpack.security.transport.ssl.certificate': 'transport/tls.crt',
      'xpack.security.transport.ssl.key': 'transport/tls.key',
    };
  }
}

const DEFAULT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(500),
  memoryRequest: Size.gibibytes(2),
  cpuLimit: Cpu.cores(2),
  memoryLimit: Size.gibibytes(4),
};

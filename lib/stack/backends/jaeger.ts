import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { Exporter, Extension } from '../collector/component';
import { CollectorConfig } from '../collector/config';
import { Pipeline } from '../collector/pipeline';
import { OtlpReceiver } from '../collector/receivers/otlp';
import { Signal } from '../collector/signal';
import { ServiceTelemetry } from '../collector/telemetry';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import { type Endpoint, Expose } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';
import { Volume } from '../model/volume';
import { JaegerStorage, PASSWORD_DIRECTORY } from './jaeger-storage';

/** The Collector that a version of Jaeger embeds: it decides which component names the configuration may use. */
const EMBEDDED_COLLECTOR: { [jaegerMinor: string]: string } = { '2.13': '0.140.0', '2.21': '0.160.0' };

const BACKEND = 'main';
const POD_IP = 'MY_POD_IP';

export interface JaegerProps extends PodOptions {
  /** @default JaegerStorage.memory() with one replica */
  readonly storage?: JaegerStorage;
  /** @default 'jaeger' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - as `Images.pinned()` has it */
  readonly image?: Image;
  /** @default 3 on shared storage, 1 in memory */
  readonly replicas?: number;
  /** @default - request 500m and 1Gi, limit 8 and 16Gi */
  readonly resources?: Resources;
  /** Merged over the printed configuration. @default {} */
  readonly configOverrides?: object;
}

/**
 * Jaeger v2: takes OTLP, keeps traces in its storage and answers queries.
 *
 * @example
 * const jaeger = new Jaeger(chart, 'Jaeger', { storage: JaegerStorage.elasticsearch({ endpoint: store.http }) });
 * gateway.connectTo(jaeger.otlpGrpc, 'traces');
 */
export class Jaeger extends Component {
  public readonly otlpGrpc: Endpoint;
  public readonly otlpHttp: Endpoint;
  /** The query API and the user interface. */
  public readonly query: Endpoint;
  /** The query API over gRPC, `jaeger.api_v3.QueryService`. */
  public readonly queryGrpc: Endpoint;

  constructor(scope: Construct, id: string, props: JaegerProps = {}) {
    const storage = props.storage ?? JaegerStorage.memory();
    const replicas = props.replicas ?? (storage.store ? 3 : 1);
    if (!storage.store && replicas > 1) {
      throw new Error(
        `${scope.node.path}/${id}: 'replicas' is ${replicas}, but memory storage is not shared: each would answer for its own traces; use JaegerStorage.elasticsearch() or one replica`,
      );
    }
    super(scope, id, {
      ...props,
      name: props.name ?? 'jaeger',
      namespace: props.namespace ?? 'observability',
      role: 'tracing',
      replicas,
      userId: props.userId ?? 10_001,
      spreadOverZones: props.spreadOverZones ?? replicas > 1,
    });
    const image = props.image ?? Images.pinned().jaeger;
    const health = { name: 'http-health', protocol: Protocol.HTTP, port: 13_133, expose: Expose.POD };
    const container = this.addContainer({
      name: this.name,
      image,
      resources: props.resources ?? DEFAULT_RESOURCES,
      args: ['--config', '/etc/jaeger/config.yaml'],
      env: [Env.field(POD_IP, 'status.podIP')],
      liveness: Probe.http(health, '/status', {
        initialDelay: Duration.seconds(30),
        period: Duration.seconds(10),
        timeout: Duration.seconds(5),
      }),
      readiness: Probe.http(health, '/status', { period: Duration.seconds(5), timeout: Duration.seconds(3) }),
      startup: Probe.http(health, '/status', { period: Duration.seconds(5), timeout: Duration.seconds(3), failureThreshold: 30 }),
    });
    this.otlpGrpc = this.addEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, port: 4317 });
    this.otlpHttp = this.addEndpoint({ name: 'otlp-http', protocol: Protocol.OTLP_HTTP, port: 4318 });
    this.query = this.addEndpoint({ name: 'http-query', protocol: Protocol.HTTP, port: 16_686 });
    this.queryGrpc = this.addEndpoint({ name: 'grpc-query', protocol: Protocol.GRPC, port: 16_685 });
    const { port: healthPort } = this.addEndpoint(health);
    const metrics = this.addEndpoint({ name: 'http-metrics', protocol: Protocol.HTTP, port: 8888, expose: Expose.POD });
    this.exposeMetrics({ endpoint: metrics, program: 'jaeger' });

    if (storage.store) {
      const { endpoint, usersSecretName, user } = storage.store;
      this.connectTo(endpoint, 'storage');
      const secret = this.addVolume(Volume.secret('elasticsearch-password', usersSecretName ?? 'elasticsearch-users', [user ?? 'jaeger']));
      container.addMount({ volume: secret, path: PASSWORD_DIRECTORY });
    }
    const config = this.config(storage, image.version, healthPort, metrics.port, props);
    this.addConfigFile({ directory: '/etc/jaeger', file: 'config.yaml', content: ConfigContent.yaml(config) });
    if (replicas > 1) {
      this.addDisruptionBudget(1);
    }
  }

  private config(storage: JaegerStorage, version: string, healthPort: number, metricsPort: number, props: JaegerProps): CollectorConfig {
    const on = (port: number): string => `\${env:${POD_IP}}:${port}`;
    const otlp = new OtlpReceiver({
      grpc: { endpoint: on(this.otlpGrpc.port) },
      http: { endpoint: on(this.otlpHttp.port) },
    });
    return new CollectorConfig({
      version: embeddedCollector(this.node.path, version),
      // No batch processor: it would acknowledge spans to the gateway before the storage has been asked. (Elasticsearch is written through a
      // bulk queue in the process, a flush every 200 ms by default, all the same.)
      pipelines: [
        Pipeline.traces({
          receivers: [otlp],
          exporters: [Exporter.custom('jaeger_storage_exporter', { trace_storage: BACKEND }, { signals: [Signal.TRACES] })],
        }),
      ],
      extensions: [
        Extension.custom('jaeger_storage', { backends: { [BACKEND]: storage._render() } }),
        Extension.custom('jaeger_query', {
          storage: { traces: BACKEND },
          http: { endpoint: on(this.query.port) },
          grpc: { endpoint: on(this.queryGrpc.port) },
          // On by default, and to localhost:4317, where nothing listens in this pod: every stop would wait for spans that cannot be sent.
          enable_tracing: false,
        }),
        Extension.custom('healthcheckv2', { use_v2: true, http: { endpoint: on(healthPort) } }),
      ],
      telemetry: new ServiceTelemetry({ metricsPort }),
      configOverrides: props.configOverrides,
    });
  }
}

function embeddedCollector(place: string, version: string): string {
  const minor = version.split('.').slice(0, 2).join('.');
  const collector = EMBEDDED_COLLECTOR[minor];
  if (!collector) {
    throw new Error(
      `${place}: no Collector version is known for Jaeger ${version}, known are ${Object.keys(EMBEDDED_COLLECTOR).join(', ')}: use one of these images`,
    );
  }
  return collector;
}

const DEFAULT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(500),
  memoryRequest: Size.gibibytes(1),
  cpuLimit: Cpu.cores(8),
  memoryLimit: Size.gibibytes(16),
};

import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { ScalingMetric, scaleByHpa } from '../derive/scaling';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { Container } from '../model/container';
import { type Endpoint, Expose } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Profile } from '../model/profile';
import { Protocol } from '../model/protocol';
import { Cpu, printSize, type Resources } from '../model/quantities';
import { WorkloadKind } from '../model/workload-kind';
import type { Extension, Processor } from './component';
import type { CollectorConfig } from './config';
import { SpanMetricsConnector } from './connectors/span-metrics';
import type { Destination } from './destination';
import { gatewayConfig, QUEUE_DIRECTORY } from './gateway-config';
import { CollectorMemory } from './memory';
import { K8sAttributesProcessor, PodAssociation } from './processors/k8s-attributes';
import type { Queue } from './queue';
import { Timeouts } from './timeouts';

const CONFIG_DIRECTORY = '/etc/otelcol';
const CONFIG_FILE = 'gateway.yaml';

/** Between how many and how many replicas, and at which load. */
export interface GatewayScaling {
  /** @default 3 */
  readonly minReplicas?: number;
  /** @default 10 */
  readonly maxReplicas?: number;
  /**
   * Of the CPU request, in percent.
   * @default 70
   */
  readonly cpuPercentage?: number;
  /**
   * Of the memory request, in percent.
   * @default 80
   */
  readonly memoryPercentage?: number;
}

export interface CollectorGatewayProps extends PodOptions {
  /** @default [] */
  readonly traces?: Destination[];
  /** @default [] */
  readonly metrics?: Destination[];
  /** @default [] */
  readonly logs?: Destination[];
  /** @default Profile.PRODUCTION */
  readonly profile?: Profile;
  /** @default 'otel-collector' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - as `Images.pinned()` has it; its version decides the spelling of the configuration */
  readonly image?: Image;
  /** Where nothing scales it. @default 3, 1 in development */
  readonly replicas?: number;
  /** @default - 3 to 10 replicas at 70 % CPU and 80 % memory; none in development */
  readonly scaling?: GatewayScaling;
  /** @default - request 1 CPU and 4Gi, limit 4 and 8Gi; request 100m and 256Mi, limit 1 and 1Gi in development */
  readonly resources?: Resources;
  /** @default - in memory, and the agent waits for the backend's answer; a queue on disk makes a StatefulSet */
  readonly queue?: Queue;
  /** @default - 200 ms to gather, 5 s to export, 2 s margin */
  readonly timeouts?: Timeouts;
  /** @default - new SpanMetricsConnector() */
  readonly spanMetrics?: SpanMetricsConnector;
  /**
   * Measure spans at all.
   * @default true
   */
  readonly measureSpans?: boolean;
  /** @default - pod, namespace, node and Deployment, found by pod name or address */
  readonly kubernetes?: K8sAttributesProcessor;
  /**
   * Ask the API server about the senders at all; without it no RBAC is printed.
   * @default true
   */
  readonly describeSenders?: boolean;
  /** After memory limiter and Kubernetes attributes, in the pipelines whose signal they process; samplers in that of traces only. @default [] */
  readonly processors?: Processor[];
  /** @default [] */
  readonly extensions?: Extension[];
  /** @default - the cluster's default class, for the volume of a queue on disk */
  readonly storageClassName?: string;
  /** Merged over the printed configuration. @default {} */
  readonly configOverrides?: object;
}

/**
 * The central Collector: takes OTLP from the agents, adds what Kubernetes knows, measures spans and hands on to the backends.
 *
 * In memory mode the agent keeps what it sent until a backend has it, so a killed gateway loses nothing; spans that are sent again after
 * a failure are measured again.
 *
 * @example
 * const gateway = new CollectorGateway(chart, 'Gateway', {
 *   traces: [Destination.otlpGrpc('jaeger', jaeger.otlpGrpc)],
 *   metrics: [Destination.prometheus(prometheus.http)],
 * });
 */
export class CollectorGateway extends Component {
  public readonly otlpGrpc: Endpoint;
  public readonly otlpHttp: Endpoint;
  /** Its own metrics. */
  public readonly metrics: Endpoint;
  /** Metrics of the spans that passed, scraped on every pod; undefined when spans are not measured. */
  public readonly spanMetrics?: Endpoint;
  public readonly container: Container;
  /** What the timeouts of agents are derived from. */
  public readonly timeouts: Timeouts;
  public readonly memory: CollectorMemory;
  public readonly config: CollectorConfig;

  constructor(scope: Construct, id: string, props: CollectorGatewayProps = {}) {
    const development = props.profile === Profile.DEVELOPMENT;
    const onDisk = props.queue?.onDisk === true;
    super(scope, id, {
      ...props,
      name: props.name ?? 'otel-collector',
      namespace: props.namespace ?? 'observability',
      role: 'gateway',
      kind: onDisk ? WorkloadKind.STATEFUL_SET : WorkloadKind.DEPLOYMENT,
      replicas: props.replicas ?? (development ? 1 : 3),
      spreadOverZones: props.spreadOverZones ?? true,
      terminationGracePeriod: props.terminationGracePeriod ?? Duration.seconds(60),
    });
    const resources = props.resources ?? (development ? DEVELOPMENT_RESOURCES : PRODUCTION_RESOURCES);
    const image = props.image ?? Images.pinned().collector;
    this.timeouts = props.timeouts ?? new Timeouts();
    this.memory = new CollectorMemory(resources.memoryLimit);
    this.container = this.addContainer({
      name: 'otel-collector',
      image,
      resources,
      args: [`--config=${CONFIG_DIRECTORY}/${CONFIG_FILE}`],
      env: [Env.field('MY_POD_IP', 'status.podIP'), Env.value('GOMEMLIMIT', this.memory.goMemLimit)],
      liveness: Probe.http(HEALTH, '/', { initialDelay: Duration.seconds(15), period: Duration.seconds(10), timeout: Duration.seconds(5) }),
      readiness: Probe.http(HEALTH, '/', { period: Duration.seconds(5), timeout: Duration.seconds(3) }),
      startup: Probe.http(HEALTH, '/', { period: Duration.seconds(2), timeout: Duration.seconds(3), failureThreshold: 30 }),
    });
    this.otlpGrpc = this.addEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, port: 4317, expose: Expose.BOTH });
    this.otlpHttp = this.addEndpoint({ name: 'otlp-http', protocol: Protocol.OTLP_HTTP, port: 4318, expose: Expose.BOTH });
    this.metrics = this.addEndpoint({ name: 'http-metrics', protocol: Protocol.HTTP, port: 8888, expose: Expose.POD });
    const health = this.addEndpoint(HEALTH);
    this.exposeMetrics({ endpoint: this.metrics, program: 'otelcol' });

    const measured = props.measureSpans === false ? undefined : (props.spanMetrics ?? new SpanMetricsConnector());
    if (measured) {
      this.spanMetrics = this.addEndpoint({ name: 'http-spans', protocol: Protocol.HTTP, port: 8889, expose: Expose.POD });
      this.exposeMetrics({ endpoint: this.spanMetrics, program: 'otelcol' });
    }
    const kubernetes = props.describeSenders === false ? undefined : (props.kubernetes ?? defaultKubernetes());
    this.config = gatewayConfig(this.node.path, {
      traces: props.traces ?? [],
      metrics: props.metrics ?? [],
      logs: props.logs ?? [],
      ports: {
        grpc: this.otlpGrpc.port,
        http: this.otlpHttp.port,
        metrics: this.metrics.port,
        spanMetrics: this.spanMetrics?.port ?? 8889,
        health: health.port,
      },
      memory: this.memory,
      timeouts: this.timeouts,
      profile: props.profile ?? Profile.PRODUCTION,
      version: image.version,
      queue: props.queue,
      spanMetrics: measured,
      kubernetes,
      processors: props.processors,
      extensions: props.extensions,
      configOverrides: props.configOverrides,
    });
    this.addConfigFile({ directory: CONFIG_DIRECTORY, file: CONFIG_FILE, content: ConfigContent.yaml(this.config) });
    this.wire(props, kubernetes, image.version);
    if (props.queue && onDisk) {
      this.addPersistentVolume(
        { name: 'queue', size: props.queue.volumeSize, path: QUEUE_DIRECTORY, storageClassName: props.storageClassName },
        this.container,
      );
    }
    this.addDisruptionBudget(1);
    if (props.scaling || !development) {
      this.scale(props.scaling ?? {}, resources);
    }
  }

  private wire(props: CollectorGatewayProps, kubernetes: K8sAttributesProcessor | undefined, version: string): void {
    for (const [signal, destinations] of [
      ['traces', props.traces ?? []],
      ['metrics', props.metrics ?? []],
      ['logs', props.logs ?? []],
    ] as const) {
      for (const destination of destinations) {
        for (const env of destination.env) {
          this.container.addEnv(env);
        }
        if (destination.endpoint) {
          this.connectTo(destination.endpoint, signal);
        }
      }
    }
    const access = kubernetes?.apiAccess(version) ?? [];
    if (kubernetes && access.length > 0) {
      this.grantApi(
        access.map((rule) => ({ apiGroups: [rule.apiGroup], resources: [rule.resource], verbs: rule.verbs })),
        kubernetes.watchedNamespace === undefined ? [] : [kubernetes.watchedNamespace],
      );
    }
  }

  private scale(scaling: GatewayScaling, resources: Resources): void {
    const memoryPercentage = scaling.memoryPercentage ?? 80;
    const target = (resources.memoryRequest.toMebibytes() * memoryPercentage) / 100;
    if (target >= this.memory.softLimit.toMebibytes()) {
      throw new Error(
        `${this.node.path}: the autoscaler adds pods at ${Math.round(target)} MiB (${memoryPercentage} % of the request ${printSize(resources.memoryRequest)}), ` +
          `the memory limiter refuses from ${this.memory.softLimit.toMebibytes()} MiB on: lower 'memoryRequest' or 'memoryPercentage', or raise 'memoryLimit'`,
      );
    }
    scaleByHpa(this, {
      minReplicas: scaling.minReplicas ?? 3,
      maxReplicas: scaling.maxReplicas ?? 10,
      metrics: [
        ScalingMetric.containerCpu(this.container.name, scaling.cpuPercentage ?? 70),
        ScalingMetric.containerMemory(this.container.name, memoryPercentage),
      ],
    });
  }
}

const HEALTH = { name: 'http-health', protocol: Protocol.HTTP, port: 13_133, expose: Expose.POD };

/** The autoscaler's 80 % of 4Gi lie below the soft limit, 60 % of 8Gi: pods are added before anything is refused. */
const PRODUCTION_RESOURCES: Resources = {
  cpuRequest: Cpu.cores(1),
  memoryRequest: Size.gibibytes(4),
  cpuLimit: Cpu.cores(4),
  memoryLimit: Size.gibibytes(8),
};

const DEVELOPMENT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(100),
  memoryRequest: Size.mebibytes(256),
  cpuLimit: Cpu.cores(1),
  memoryLimit: Size.gibibytes(1),
};

/** The sidecar sits in the application's pod, so the connection's address is the application's, unless a mesh is in between. */
function defaultKubernetes(): K8sAttributesProcessor {
  return new K8sAttributesProcessor({
    metadata: ['k8s.namespace.name', 'k8s.pod.name', 'k8s.pod.uid', 'k8s.pod.start_time', 'k8s.node.name', 'k8s.deployment.name'],
    podAssociation: [
      PodAssociation.resourceAttributes(['k8s.pod.uid']),
      PodAssociation.resourceAttributes(['k8s.pod.name', 'k8s.namespace.name']),
      PodAssociation.connection(),
    ],
  });
}

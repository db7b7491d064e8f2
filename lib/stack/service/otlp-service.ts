import { Duration, Size } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { Component } from '../model/component';
import { ConfigContent } from '../model/config-content';
import type { Container } from '../model/container';
import type { Endpoint, IEndpoint } from '../model/endpoint';
import { Expose } from '../model/endpoint';
import { Env } from '../model/env';
import { type Image, Images } from '../model/images';
import { Peer } from '../model/peer';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';
import { Volume } from '../model/volume';
import { Autoscaling, type RequestRateSource } from './autoscaling';
import { ExportProtocol, ServiceConfig, type ServiceConfigProps } from './service-config';

const CONFIG_DIRECTORY = '/etc/otlp';
const CONFIG_FILE = 'production.yaml';

export interface OtlpServiceProps extends ServiceConfigProps, PodOptions {
  /** @default 'otlp-service' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - the reference application, as `Images.pinned()` has it */
  readonly image?: Image;
  /** Used when nothing scales the service. @default 3 */
  readonly replicas?: number;
  /** @default - request 500m and 1Gi, limit 2 and 4Gi */
  readonly resources?: Resources;
  /** @default 8080 */
  readonly port?: number;
  /** The port of the Service. @default 80 */
  readonly servicePort?: number;
  /** @default Autoscaling.none() */
  readonly autoscaling?: Autoscaling;
  /** Where the request rate is read; without it KEDA scales by cpu and memory only. @default - none */
  readonly requestRate?: RequestRateSource;
  /**
   * Where telemetry goes when no sidecar takes it.
   * @default - the sidecar, on the loopback address
   */
  readonly exportTo?: IEndpoint;
  /** `k8s.cluster.name` of everything the service sends. @default 'default' */
  readonly clusterName?: string;
  /** Who may call the service. @default - anybody */
  readonly clients?: Peer[];
  /** How long a client keeps its pod. @default Duration.hours(3) */
  readonly sessionAffinity?: Duration;
  /** Ask AWS for a Network Load Balancer: the Service becomes one of type LoadBalancer. @default false */
  readonly networkLoadBalancer?: boolean;
  /** Print the `prometheus.io/*` annotations; not together with ServiceMonitors. @default true */
  readonly scrapeAnnotations?: boolean;
  /** Further variables. @default [] */
  readonly env?: Env[];
  /** Size of the cache volume. @default Size.gibibytes(1) */
  readonly cacheSize?: Size;
  /** Size of /tmp. @default Size.mebibytes(500) */
  readonly tmpSize?: Size;
}

/** Taint that keeps other work off the nodes of back-end services. */
const BACKEND_TAINT = { key: 'node-role.kubernetes.io/backend', value: 'true', effect: 'NoSchedule' };

/**
 * An application service that produces telemetry: Deployment, configuration, a ClusterIP and a headless Service.
 *
 * @example
 * const service = new OtlpService(chart, 'Checkout', { name: 'checkout', image: Image.of('ghcr.io/acme/checkout', '2.4.0') });
 * service.addAgent(gateway.otlpGrpc);
 */
export class OtlpService extends Component {
  public readonly http: Endpoint;
  /** The application's own container. */
  public readonly container: Container;
  private readonly affinity: Duration;
  private readonly serviceType: string;

  constructor(scope: Construct, id: string, props: OtlpServiceProps = {}) {
    const port = props.ports?.http ?? props.port ?? 8080;
    const name = props.name ?? 'otlp-service';
    super(scope, id, {
      ...props,
      name,
      namespace: props.namespace ?? 'observability',
      role: 'service',
      replicas: props.replicas ?? 3,
      tolerations: props.tolerations ?? [BACKEND_TAINT],
      terminationGracePeriod: props.terminationGracePeriod ?? Duration.seconds(60),
      podAnnotations: {
        ...((props.scrapeAnnotations ?? true)
          ? { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(port), 'prometheus.io/path': '/metrics' }
          : {}),
        ...props.podAnnotations,
      },
      serviceAnnotations: props.networkLoadBalancer
        ? {
            'service.beta.kubernetes.io/aws-load-balancer-type': 'external',
            'service.beta.kubernetes.io/aws-load-balancer-nlb-target-type': 'ip',
          }
        : undefined,
    });
    this.affinity = props.sessionAffinity ?? Duration.hours(3);
    this.serviceType = props.networkLoadBalancer ? 'LoadBalancer' : 'ClusterIP';
    const cache = this.addVolume(Volume.emptyDir('cache', props.cacheSize ?? Size.gibibytes(1)));
    const tmp = this.addVolume(Volume.emptyDir('tmp', props.tmpSize ?? Size.mebibytes(500)));

    const http = { name: 'http', protocol: Protocol.HTTP, port, servicePort: props.servicePort ?? 80, expose: Expose.BOTH };
    this.container = this.addContainer({
      name,
      image: props.image ?? Images.pinned().sampleService,
      resources: props.resources ?? DEFAULT_RESOURCES,
      env: [...this.environment(props), ...(props.env ?? [])],
      liveness: Probe.http(http, '/health/live', seconds(30, 10, 5)),
      readiness: Probe.http(http, '/health/ready', seconds(10, 5, 3)),
      startup: Probe.http(http, '/health/startup', { ...seconds(0, 5, 3), failureThreshold: 30 }),
      mounts: [
        { volume: cache, path: '/var/cache/otlp', readOnly: false },
        { volume: tmp, path: '/tmp', readOnly: false },
      ],
    });
    this.http = this.addEndpoint(http);
    this.addConfigFile({
      directory: CONFIG_DIRECTORY,
      file: CONFIG_FILE,
      content: ConfigContent.yaml(
        new ServiceConfig({ name, port, endpoint: exporterEndpoint(props), clusterName: props.clusterName ?? 'default' }, props),
      ),
    });
    this.exposeMetrics({ endpoint: this.http, path: '/metrics', program: 'sample-service' });
    for (const client of props.clients ?? [Peer.anywhere()]) {
      this.admit(client, this.http, 'requests');
    }
    if (props.exportTo) {
      this.connectTo(props.exportTo, 'telemetry');
    }
    this.addDisruptionBudget(1);
    (props.autoscaling ?? Autoscaling.none())._apply(this, this.container.name, props.requestRate);
  }

  private environment(props: OtlpServiceProps): Env[] {
    return [
      Env.field('K8S_POD_NAME', 'metadata.name'),
      Env.field('K8S_NAMESPACE_NAME', 'metadata.namespace'),
      Env.field('K8S_NODE_NAME', 'spec.nodeName'),
      Env.value('OTLP__SERVICE__NAME', this.name),
      Env.field('OTLP__SERVICE__ENVIRONMENT', 'metadata.namespace'),
      Env.field('OTLP__SERVICE__INSTANCE_ID', 'metadata.name'),
      Env.value('OTLP__EXPORTER__ENDPOINT', exporterEndpoint(props)),
      // What SDKs read by themselves; the application's own variables above are this service's dialect.
      Env.value('OTEL_SERVICE_NAME', this.name),
      Env.value('OTEL_RESOURCE_ATTRIBUTES', resourceAttributes(props.clusterName ?? 'default')),
    ];
  }

  protected override serviceOptions(): k8s.ServiceSpec {
    return {
      type: this.serviceType,
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIp: { timeoutSeconds: this.affinity.toSeconds() } },
    };
  }
}

const DEFAULT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(500),
  memoryRequest: Size.gibibytes(1),
  cpuLimit: Cpu.cores(2),
  memoryLimit: Size.gibibytes(4),
};

function exporterEndpoint(props: OtlpServiceProps): string {
  if (props.exportTo) {
    return props.exportTo.url;
  }
  return props.exportProtocol === ExportProtocol.GRPC ? 'http://localhost:4317' : 'http://localhost:4318';
}

/** `deployment.environment` is the name that older semantic conventions (before 1.27) use and dashboards still ask for. */
function resourceAttributes(clusterName: string): string {
  return [
    'deployment.environment=$(K8S_NAMESPACE_NAME)',
    'deployment.environment.name=$(K8S_NAMESPACE_NAME)',
    `k8s.cluster.name=${clusterName}`,
    'k8s.namespace.name=$(K8S_NAMESPACE_NAME)',
    'k8s.pod.name=$(K8S_POD_NAME)',
    'k8s.node.name=$(K8S_NODE_NAME)',
  ].join(',');
}

function seconds(initialDelay: number, period: number, timeout: number): { initialDelay: Duration; period: Duration; timeout: Duration } {
  return { initialDelay: Duration.seconds(initialDelay), period: Duration.seconds(period), timeout: Duration.seconds(timeout) };
}

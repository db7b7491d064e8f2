import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import type { ApiRule } from '../derive/rbac';
import { Component } from '../model/component';
import { type Endpoint, Expose } from '../model/endpoint';
import { type Image, Images } from '../model/images';
import type { PodOptions } from '../model/pod';
import { Probe } from '../model/probe';
import { Protocol } from '../model/protocol';
import { Cpu, type Resources } from '../model/quantities';

/** The objects that the rules and dashboards ask about, by API group: it may read these and nothing else. */
const RESOURCES: { [apiGroup: string]: string[] } = {
  '': ['namespaces', 'nodes', 'persistentvolumeclaims', 'pods'],
  apps: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'],
  autoscaling: ['horizontalpodautoscalers'],
  batch: ['jobs'],
};

export interface KubeStateMetricsProps extends PodOptions {
  /** @default 'kube-state-metrics' */
  readonly name?: string;
  /** @default 'observability' */
  readonly namespace?: string;
  /** @default 'otlp-stack' */
  readonly instance?: string;
  /** @default - as `Images.pinned()` has it */
  readonly image?: Image;
  /** @default - request 50m and 128Mi, limit 500m and 512Mi */
  readonly resources?: Resources;
  /**
   * Look at these namespaces only, with a Role in each instead of a ClusterRole.
   * @default - the whole cluster
   */
  readonly namespaces?: string[];
}

/** kube-state-metrics: what the API server knows of pods, workloads and autoscalers, as metrics. */
export class KubeStateMetrics extends Component {
  public readonly http: Endpoint;

  constructor(scope: Construct, id: string, props: KubeStateMetricsProps = {}) {
    super(scope, id, {
      ...props,
      name: props.name ?? 'kube-state-metrics',
      namespace: props.namespace ?? 'observability',
      role: 'cluster-metrics',
      replicas: 1,
      userId: props.userId ?? 65_534,
    });
    const http = { name: 'http-metrics', protocol: Protocol.HTTP, port: 8080, expose: Expose.SERVICE };
    const own = { name: 'http-self', protocol: Protocol.HTTP, port: 8081, expose: Expose.POD };
    const namespaces = props.namespaces ?? [];
    // Nodes and namespaces themselves lie in no namespace: a Role cannot grant them.
    const granted: { [apiGroup: string]: string[] } =
      namespaces.length === 0 ? RESOURCES : { ...RESOURCES, '': ['persistentvolumeclaims', 'pods'] };
    const container = this.addContainer({
      name: this.name,
      image: props.image ?? Images.pinned().kubeStateMetrics,
      resources: props.resources ?? DEFAULT_RESOURCES,
      args: [
        `--resources=${Object.values(granted).flat().sort().join(',')}`,
        ...(namespaces.length === 0 ? [] : [`--namespaces=${namespaces.join(',')}`]),
      ],
      liveness: Probe.http(http, '/livez', {
        initialDelay: Duration.seconds(5),
        period: Duration.seconds(10),
        timeout: Duration.seconds(5),
      }),
      readiness: Probe.http(own, '/readyz', { period: Duration.seconds(5), timeout: Duration.seconds(5) }),
    });
    this.http = this.addEndpoint(http);
    const self = this.addEndpoint(own);
    container.addArgs(`--port=${this.http.port}`, `--telemetry-port=${self.port}`);
    this.exposeMetrics({ endpoint: this.http, program: 'kube-state-metrics' });
    this.exposeMetrics({ endpoint: self, program: 'kube-state-metrics' });
    const rules: ApiRule[] = Object.entries(granted).map(([apiGroup, resources]) => ({
      apiGroups: [apiGroup],
      resources,
      verbs: ['list', 'watch'],
    }));
    this.grantApi(rules, namespaces);
  }
}

const DEFAULT_RESOURCES: Resources = {
  cpuRequest: Cpu.millis(50),
  memoryRequest: Size.mebibytes(128),
  cpuLimit: Cpu.millis(500),
  memoryLimit: Size.mebibytes(512),
};

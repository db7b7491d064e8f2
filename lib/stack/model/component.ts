import { type ApiObject, Lazy, type Size } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { type ClusterNeeds, networkPolicySpec } from '../derive/network-policies';
import { type ApiRule, createRoles } from '../derive/rbac';
import { servicePorts } from '../derive/services';
import { type ConfigFile, ConfigFiles } from './config-files';
import { Container, type ContainerProps } from './container';
import { Endpoint, type EndpointOptions, type IEndpoint } from './endpoint';
import { checkName, commonLabels, selectorLabels } from './labels';
import type { IPeer } from './peer';
import { NetworkPolicyFlavour, Platform } from './platform';
import { type PodOptions, podSpec } from './pod';
import { Topology } from './topology';
import { Volume } from './volume';
import { createWorkload, workloadSpec } from './workload';
import { WorkloadKind } from './workload-kind';

export interface ComponentProps extends PodOptions {
  /** Names the objects and stands in `app.kubernetes.io/name`. */
  readonly name: string;
  readonly namespace: string;
  /** `app.kubernetes.io/component`: what the program is for, as in `gateway`. */
  readonly role: string;
  /** `app.kubernetes.io/instance`. @default 'otlp-stack' */
  readonly instance?: string;
  /** @default WorkloadKind.DEPLOYMENT */
  readonly kind?: WorkloadKind;
  /**
   * Names the workload object alone, where it must change while everything around it stays: a Job is immutable.
   * @default - the name
   */
  readonly workloadName?: string;
  /** Ignored once an autoscaler owns the number. @default 1 */
  readonly replicas?: number;
  /** @default {} */
  readonly serviceAnnotations?: { [key: string]: string };
}

/** Where a program serves its metrics in the Prometheus text format. */
export interface MetricsTarget {
  readonly endpoint: Endpoint;
  /** @default '/metrics' */
  readonly path?: string;
  /** The program in the catalogue, as in `otelcol`. */
  readonly program: string;
}

/** Space that outlives a pod of a StatefulSet. */
export interface PersistentVolume {
  readonly name: string;
  readonly size: Size;
  readonly path: string;
  /** @default - the cluster's default class */
  readonly storageClassName?: string;
}

/**
 * One deployed program: its workload, configuration, ServiceAccount and NetworkPolicy, the endpoints it offers and those it uses.
 *
 * Endpoints are declared with {@link addEndpoint} and used with {@link connectTo}; ports, Services, policies and scrape jobs follow.
 *
 * @example
 * const gateway = new Component(chart, 'Gateway', { name: 'otel-gateway', namespace: 'observability', role: 'gateway' });
 * const otlp = gateway.addEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, port: 4317 });
 * agent.connectTo(otlp, 'traces');
 */
export class Component extends Construct implements IPeer {
  public readonly name: string;
  public readonly namespace: string;
  public readonly role: string;
  public readonly instance: string;
  public readonly kind: WorkloadKind;
  public readonly platform: Platform;
  public readonly topology: Topology;
  /** The Deployment, StatefulSet, DaemonSet or Job: the door for `addJsonPatch`. */
  public readonly apiObject: ApiObject;

  private readonly options: ComponentProps;
  private readonly containerList: Container[] = [];
  private readonly initList: Container[] = [];
  private readonly sidecarList: Container[] = [];
  private readonly volumeList: Volume[] = [];
  private readonly endpointList: Endpoint[] = [];
  private readonly metricsList: MetricsTarget[] = [];
  private readonly claims: PersistentVolume[] = [];
  private readonly rules: ApiRule[] = [];
  private readonly files: ConfigFiles;
  private needsApiServer = false;
  private needsKubelet = false;
  private autoscaled = false;

  constructor(scope: Construct, id: string, props: ComponentProps) {
    super(scope, id);
    // StatefulSet pods get a revision hash label of up to 11 characters behind the name; '-headless' needs 9.
    checkName(this.node.path, props.name, 11);
    checkName(this.node.path, props.namespace);
    this.options = props;
    this.name = props.name;
    this.namespace = props.namespace;
    this.role = props.role;
    this.instance = props.instance ?? 'otlp-stack';
    this.kind = props.kind ?? WorkloadKind.DEPLOYMENT;
    this.platform = Platform.of(this);
    this.topology = Topology.of(this);
    this.topology._add(this);
    this.files = new ConfigFiles(this, this.metadata());

    new k8s.KubeServiceAccount(this, 'ServiceAccount', { metadata: this.metadata(), automountServiceAccountToken: false });
    this.apiObject = createWorkload(
      this,
      this.kind,
      { ...this.metadata(), name: props.workloadName ?? props.name },
      this._lazy(() => this._toKube()),
    );
    if (this.platform.networkPolicies === NetworkPolicyFlavour.KUBERNETES) {
      new k8s.KubeNetworkPolicy(this, 'NetworkPolicy', {
        metadata: this.metadata(),
        spec: this._lazy(() => networkPolicySpec(this, this.topology)) as k8s.NetworkPolicySpec,
      });
    }
    this.node.addValidation({ validate: () => this.problems() });
  }

  public get peerName(): string {
    return this.name;
  }

  public get serviceName(): string {
    return this.name;
  }

  public get headlessServiceName(): string {
    return `${this.name}-headless`;
  }

  public get serviceAccountName(): string {
    return this.name;
  }

  public get endpoints(): Endpoint[] {
    return [...this.endpointList];
  }

  public get metricsTargets(): MetricsTarget[] {
    return [...this.metricsList];
  }

  public get containers(): Container[] {
    return [...this.containerList];
  }

  public get isAutoscaled(): boolean {
    return this.autoscaled;
  }

  /** The version of the program, from the first container's image. */
  public get version(): string {
    return this.containerList[0]?.image.version ?? '';
  }

  /** The labels that select this component's pods. */
  public podLabels(): { [key: string]: string } {
    return selectorLabels({ ...this.identity(), version: '' });
  }

  /** The labels of every object of this component. */
  public labels(): { [key: string]: string } {
    // The version is known once the program's container is: resolved at synth.
    return commonLabels({ ...this.identity(), version: Lazy.any({ produce: () => this.version }) as unknown as string });
  }

  /** Adds a container; the first is the program itself. */
  public addContainer(props: ContainerProps): Container {
    return append(this.containerList, new Container(props));
  }

  /** Adds a container that runs to its end before the others start. */
  public addInitContainer(props: ContainerProps): Container {
    return append(this.initList, new Container(props));
  }

  /** Adds a container that starts before the program and ends after it (Kubernetes 1.29 and later). */
  public addNativeSidecar(props: ContainerProps): Container {
    return append(this.sidecarList, new Container(props));
  }

  public addVolume(volume: Volume): Volume {
    return this.volumeList.find((present) => present.name === volume.name) ?? append(this.volumeList, volume);
  }

  /** Adds a volume claim per pod and mounts it into `container`; StatefulSets only. */
  public addPersistentVolume(claim: PersistentVolume, container: Container): void {
    if (this.kind !== WorkloadKind.STATEFUL_SET) {
      throw new Error(
        `${this.node.path}: persistent volume '${claim.name}' needs a StatefulSet, this is a ${this.kind.kind}: set kind: WorkloadKind.STATEFUL_SET`,
      );
    }
    this.claims.push(claim);
    container.addMount({ volume: Volume._claim(claim.name), path: claim.path, readOnly: false });
  }

  /**
   * Declares a port on which `container` listens.
   * @param container the listening container; the program itself by default
   */
  public addEndpoint(options: EndpointOptions, container?: Container): Endpoint {
    const endpoint = new Endpoint(this, { ...options, ...this.movedPort(options) });
    const twin = this.endpointList.find(
      (other) => other.name === endpoint.name || (other.port === endpoint.port && other.protocol.transport === endpoint.protocol.transport),
    );
    if (twin) {
      throw new Error(
        `${this.node.path}: endpoint '${endpoint.name}' (port ${endpoint.port}) collides with endpoint '${twin.name}' (port ${twin.port}): names and ports of one pod must differ`,
      );
    }
    this.endpointList.push(endpoint);
    this.listener(container)._addPort(endpoint);
    if (endpoint.expose.onService) {
      this.service('Service', this.serviceName, false);
    }
    if (endpoint.expose.onHeadless) {
      this.service('HeadlessService', this.headlessServiceName, true);
    }
    return endpoint;
  }

  /** Records that this component opens connections to `endpoint`. */
  public connectTo(endpoint: IEndpoint, purpose: string): void {
    this.topology.connect(this, endpoint, purpose);
  }

  /** Admits `peer` to `endpoint`: for sources that the model does not deploy. */
  public admit(peer: IPeer, endpoint: Endpoint, purpose: string): void {
    this.topology.connect(peer, endpoint, purpose);
  }

  /** Declares where metrics are served; Prometheus finds it by {@link Topology}. */
  public exposeMetrics(target: MetricsTarget): void {
    this.metricsList.push(target);
  }

  /**
   * Puts a file into a ConfigMap, mounts it into `container` and rolls the pods when its content changes.
   * @returns the file's path in the container
   */
  public addConfigFile(file: ConfigFile, container?: Container): string {
    const config = file.config ?? 'config';
    const target = this.listener(container);
    const volume = this.addVolume(Volume.configMap(config, this.files.add(config, file)));
    if (!target._mounts().some((mount) => mount.volume.name === config)) {
      target.addMount({ volume, path: file.directory });
    }
    return `${file.directory}/${file.file}`;
  }

  /**
   * Grants what the program reads from the API server, mounts its token and opens the way there.
   * @param namespaces Roles in these namespaces instead of a ClusterRole
   */
  public grantApi(rules: ApiRule[], namespaces: string[] = []): void {
    if (this.rules.length === 0 && rules.length > 0) {
      createRoles(this, () => this.rules, namespaces);
    }
    this.rules.push(...rules);
    this.needsApiServer = true;
  }

  /** Opens the way to every kubelet's port 10250 (cAdvisor metrics). */
  public reachKubelets(): void {
    this.needsKubelet = true;
  }

  /** At most this many pods are down at a time by voluntary disruption. */
  public addDisruptionBudget(maxUnavailable: number): void {
    new k8s.KubePodDisruptionBudget(this, 'PodDisruptionBudget', {
      metadata: this.metadata(),
      spec: { maxUnavailable: k8s.IntOrString.fromNumber(maxUnavailable), selector: { matchLabels: this.podLabels() } },
    });
  }

  /** Metadata of a further object of this component: name, namespace and labels. */
  public metadata(): k8s.ObjectMeta {
    return { name: this.name, namespace: this.namespace, labels: this.labels() };
  }

  /** @internal */
  public _markAutoscaled(by: string): void {
    if (this.autoscaled) {
      throw new Error(
        `${this.node.path}: '${by}' would be a second autoscaler for ${this.kind.kind} '${this.name}': exactly one may own the replicas`,
      );
    }
    this.autoscaled = true;
  }

  /** @internal */
  public _needs(): ClusterNeeds {
    return { apiServer: this.needsApiServer, kubelet: this.needsKubelet };
  }

  /** @internal */
  public _lazy(produce: () => object): object {
    return Lazy.any({ produce }) as object;
  }

  private identity(): { name: string; instance: string; role: string } {
    return { name: this.name, instance: this.instance, role: this.role };
  }

  private listener(container: Container | undefined): Container {
    const listener = container ?? this.containerList[0];
    if (!listener) {
      throw new Error(`${this.node.path}: add the program with addContainer() before its endpoints and files`);
    }
    return listener;
  }

  private service(id: string, name: string, headless: boolean): void {
    if (this.node.tryFindChild(id)) {
      return;
    }
    const published = (): Endpoint[] => this.endpointList.filter(({ expose }) => (headless ? expose.onHeadless : expose.onService));
    new k8s.KubeService(this, id, {
      metadata: { ...this.metadata(), name, annotations: headless ? undefined : this.options.serviceAnnotations },
      spec: this._lazy(() => ({
        type: 'ClusterIP',
        clusterIp: headless ? 'None' : undefined,
        // Peers of a StatefulSet must find each other before they are ready.
        publishNotReadyAddresses: headless && this.kind === WorkloadKind.STATEFUL_SET ? true : undefined,
        selector: this.podLabels(),
        ports: servicePorts(published(), headless),
        ...(headless ? {} : this.serviceOptions()),
      })) as k8s.ServiceSpec,
    });
  }

  /** Further fields of the Service; subclasses may add some. */
  protected serviceOptions(): k8s.ServiceSpec {
    return {};
  }

  private podAnnotations(): { [key: string]: string } | undefined {
    const annotations = { ...this.options.podAnnotations };
    const checksum = this.files.checksum();
    if (checksum !== '') {
      annotations['checksum/config'] = checksum;
    }
    return Object.keys(annotations).length > 0 ? annotations : undefined;
  }

  /** A port given by `ports`; the Service's port moves along where it was the same. */
  private movedPort(options: EndpointOptions): { port?: number } {
    const port = this.options.ports?.[options.name];
    return port === undefined ? {} : { port };
  }

  private problems(): string[] {
    const names = this.endpointList.map(({ name }) => name);
    const unknown = Object.keys(this.options.ports ?? {}).filter((name) => !names.includes(name));
    return [
      ...(this.containerList.length === 0 ? [`component '${this.name}' has no container: add its program with addContainer()`] : []),
      ...unknown.map(
        (name) => `'ports' names endpoint '${name}', which component '${this.name}' does not have: it has ${names.join(', ')}`,
      ),
    ];
  }

  /** @internal */
  public _toKube(): object {
    return workloadSpec(this.kind, {
      replicas: this.autoscaled ? undefined : (this.options.replicas ?? 1),
      selector: this.podLabels(),
      serviceName: this.headlessServiceName,
      claims: this.claims,
      template: {
        metadata: { labels: this.labels(), annotations: this.podAnnotations() },
        spec: podSpec(this.options, {
          serviceAccountName: this.serviceAccountName,
          mountToken: this.needsApiServer,
          containers: this.containerList,
          initContainers: this.initList,
          nativeSidecars: this.sidecarList,
          volumes: this.volumeList,
          selector: this.podLabels(),
          spread: this.kind === WorkloadKind.DEPLOYMENT || this.kind === WorkloadKind.STATEFUL_SET,
          restartPolicy: this.kind === WorkloadKind.JOB ? 'OnFailure' : undefined,
        }),
      },
    });
  }
}

function append<T>(list: T[], item: T): T {
  list.push(item);
  return item;
}

import type { Duration } from 'cdk8s';
import { unlessEmpty } from '../../model/yaml';
import { type ComponentIdentity, Processor } from '../component';
import { optionalDuration, quoted } from '../print';
import { Signal } from '../signal';
import { Spelling } from '../spelling';

/** How the processor signs in to the API server. */
export class KubernetesAuth {
  /** By the pod's ServiceAccount. */
  public static readonly SERVICE_ACCOUNT = new KubernetesAuth('serviceAccount');
  /** By a kubeconfig: outside of a cluster. */
  public static readonly KUBE_CONFIG = new KubernetesAuth('kubeConfig');
  /** Without credentials: the API server must allow anybody to read. */
  public static readonly NONE = new KubernetesAuth('none');

  private constructor(public readonly name: string) {}
}

/** The object that a label or annotation is read from. */
export class MetadataSource {
  public static readonly POD = new MetadataSource('pod', '', 'pods');
  public static readonly NAMESPACE = new MetadataSource('namespace', '', 'namespaces');
  public static readonly NODE = new MetadataSource('node', '', 'nodes');
  public static readonly DEPLOYMENT = new MetadataSource('deployment', 'apps', 'deployments');
  public static readonly STATEFUL_SET = new MetadataSource('statefulset', 'apps', 'statefulsets');
  public static readonly DAEMON_SET = new MetadataSource('daemonset', 'apps', 'daemonsets');
  public static readonly JOB = new MetadataSource('job', 'batch', 'jobs');

  private constructor(
    public readonly name: string,
    /** The API group of what is watched for it. */
    public readonly apiGroup: string,
    /** The resource that is watched for it. */
    public readonly resource: string,
  ) {}
}

/** A label or annotation that becomes a resource attribute. */
export interface MetadataField {
  /** The label or annotation. */
  readonly key: string;
  /** @default - 'k8s.pod.labels.KEY' and the like */
  readonly tagName?: string;
  /** @default MetadataSource.POD */
  readonly from?: MetadataSource;
}

/** How data is matched with the pod that it came from; tried in order. */
export class PodAssociation {
  /** The address of the connection: right behind a sidecar, wrong behind a proxy. */
  public static connection(): PodAssociation {
    return new PodAssociation([{ from: 'connection' }]);
  }

  /** Resource attributes that together name the pod: `k8s.pod.uid`, or `k8s.pod.name` with `k8s.namespace.name`. At most four. */
  public static resourceAttributes(names: string[]): PodAssociation {
    if (names.length === 0 || names.length > 4) {
      throw new Error(`PodAssociation.resourceAttributes: ${names.length} names given, 1 to 4 are possible`);
    }
    return new PodAssociation(names.map((name) => ({ from: 'resource_attribute', name })));
  }

  private constructor(private readonly sources: object[]) {}

  /** @internal */
  public _render(): object {
    return { sources: this.sources };
  }
}

/** What the processor must be allowed to watch. */
export interface ApiAccess {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verbs: string[];
}

/** Keys of the `k8s_attributes` processor. */
export interface K8sAttributesProps extends ComponentIdentity {
  /** @default KubernetesAuth.SERVICE_ACCOUNT */
  readonly authType?: KubernetesAuth;
  /** @default - pod name, uid and start time, namespace, node, Deployment; container image and name where known */
  readonly metadata?: string[];
  /** @default - none */
  readonly labels?: MetadataField[];
  /** @default - none */
  readonly annotations?: MetadataField[];
  /**
   * Only pods of this namespace.
   * @default - all namespaces
   */
  readonly namespace?: string;
  /**
   * The variable that holds the node's name: only pods of that node. For DaemonSets.
   * @default - all nodes
   */
  readonly nodeFromEnvVar?: string;
  /** @default - by the address of the connection and `k8s.pod.ip` */
  readonly podAssociation?: PodAssociation[];
  /**
   * Start only when the metadata has been read once.
   * @default false
   */
  readonly waitForMetadata?: boolean;
  /** @default - 10 s */
  readonly waitForMetadataTimeout?: Duration;
}

/** The metadata fields that 0.155 knows; any other is refused at its start. */
const KNOWN_METADATA = new Set([
  ...['k8s.namespace.name', 'k8s.pod.name', 'k8s.pod.uid', 'k8s.pod.hostname', 'k8s.pod.start_time', 'k8s.pod.ip'],
  ...['k8s.deployment.name', 'k8s.deployment.uid', 'k8s.replicaset.name', 'k8s.replicaset.uid', 'k8s.daemonset.name', 'k8s.daemonset.uid'],
  ...['k8s.statefulset.name', 'k8s.statefulset.uid', 'k8s.job.name', 'k8s.job.uid', 'k8s.cronjob.name', 'k8s.cronjob.uid'],
  ...['k8s.node.name', 'k8s.node.uid', 'k8s.container.name', 'container.id', 'container.image.name', 'container.image.tag'],
  ...['container.image.tags', 'container.image.repo_digests', 'k8s.cluster.uid'],
  ...['service.namespace', 'service.name', 'service.version', 'service.instance.id'],
]);

/** Adds what Kubernetes knows about the sender: pod, Deployment, node, labels. */
export class K8sAttributesProcessor extends Processor {
  private readonly props: K8sAttributesProps;

  constructor(props: K8sAttributesProps = {}) {
    super('k8s_attributes', props, Signal.all());
    this.props = props;
    const unknown = (props.metadata ?? []).filter((field) => !KNOWN_METADATA.has(field));
    if (unknown.length > 0) {
      throw new Error(
        `${this._place}: 'metadata' holds ${quoted(unknown)}, which the processor does not know; it knows ${[...KNOWN_METADATA].sort().join(', ')}`,
      );
    }
    if (props.namespace !== undefined && this.watches().some((access) => access.resource === 'nodes' || access.resource === 'namespaces')) {
      throw new Error(
        `${this._place}: 'namespace' (${props.namespace}) and metadata of nodes or namespaces exclude each other, as those are not namespaced: drop one of them`,
      );
    }
  }

  /** The one namespace that it watches, or undefined for all. */
  public get watchedNamespace(): string | undefined {
    return this.props.namespace;
  }

  /**
   * The watches that this configuration starts, and nothing beyond: what the ServiceAccount must be allowed. Read off the informers that the processor
   * of 0.155 creates (internal/kube/client.go); older versions read the Deployment's name from ReplicaSets.
   */
  public apiAccess(version: string): ApiAccess[] {
    if ((this.props.authType ?? KubernetesAuth.SERVICE_ACCOUNT) !== KubernetesAuth.SERVICE_ACCOUNT) {
      return [];
    }
    const access = this.watches();
    const readsDeployment = this.props.metadata === undefined || this.props.metadata.includes('k8s.deployment.name');
    if (!Spelling.of(version).atLeast(155) && readsDeployment && !access.some((entry) => entry.resource === 'replicasets')) {
      access.push(watch('apps', 'replicasets'));
    }
    return access;
  }

  private watches(): ApiAccess[] {
    const metadata = new Set(this.props.metadata ?? []);
    const sources = new Set(
      [...(this.props.labels ?? []), ...(this.props.annotations ?? [])].map((field) => field.from ?? MetadataSource.POD),
    );
    const access = [watch('', 'pods')];
    if (metadata.has('k8s.cluster.uid') || sources.has(MetadataSource.NAMESPACE)) {
      access.push(watch('', 'namespaces'));
    }
    if (metadata.has('k8s.node.uid') || sources.has(MetadataSource.NODE)) {
      access.push(watch('', 'nodes'));
    }
    if (metadata.has('k8s.deployment.uid') || sources.has(MetadataSource.DEPLOYMENT)) {
      access.push(watch('apps', 'replicasets'));
    }
    for (const source of [MetadataSource.DEPLOYMENT, MetadataSource.STATEFUL_SET, MetadataSource.DAEMON_SET, MetadataSource.JOB]) {
      if (sources.has(source) || (source === MetadataSource.JOB && metadata.has('k8s.cronjob.uid'))) {
        access.push(watch(source.apiGroup, source.resource));
      }
    }
    return access;
  }

  /** @internal */
  public override _render(): object {
    const { metadata, labels, annotations, namespace, nodeFromEnvVar, podAssociation } = this.props;
    const extract = {
      metadata: metadata && [...metadata],
      labels: unlessEmpty(labels?.map(renderField)),
      annotations: unlessEmpty(annotations?.map(renderField)),
    };
    return {
      auth_type: (this.props.authType ?? KubernetesAuth.SERVICE_ACCOUNT).name,
      extract: Object.values(extract).some((value) => value !== undefined) ? extract : undefined,
      filter: namespace || nodeFromEnvVar ? { namespace, node_from_env_var: nodeFromEnvVar } : undefined,
      pod_association: unlessEmpty(podAssociation?.map((association) => association._render())),
      wait_for_metadata: this.props.waitForMetadata,
      wait_for_metadata_timeout: optionalDuration(this.props.waitForMetadataTimeout),
    };
  }
}

function watch(apiGroup: string, resource: string): ApiAccess {
  return { apiGroup, resource, verbs: ['list', 'watch'] };
}

function renderField(field: MetadataField): object {
  return { tag_name: field.tagName, key: field.key, from: (field.from ?? MetadataSource.POD).name };
}

import { createHash } from 'node:crypto';
import { ApiObject, Include } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { AgentSidecar, type AgentSidecarOptions } from '../agent/sidecar';
import { Component } from '../model/component';
import { Container } from '../model/container';
import { Endpoint, type IEndpoint, PodEndpoint } from '../model/endpoint';
import { Env } from '../model/env';
import { checkName, PART_OF } from '../model/labels';
import type { IPeer } from '../model/peer';
import { Topology } from '../model/topology';
import { Volume } from '../model/volume';
import { printYaml } from '../model/yaml';
import { ExportProtocol } from './service-config';

/**
 * Anything that runs pods and exists already: a Deployment, StatefulSet, DaemonSet or Job of any cdk8s-plus-NN, an L1 object, an ApiObject
 * of a plain manifest, an Include of a file, or a {@link Component}.
 */
export interface IWorkload extends IConstruct {}

export interface InstrumentOptions extends AgentSidecarOptions {
  /** What the application's SDK speaks to the agent. @default ExportProtocol.HTTP_PROTOBUF */
  readonly exportProtocol?: ExportProtocol;
  /** `OTEL_SERVICE_NAME`. @default - the name of the workload */
  readonly serviceName?: string;
}

/** The same with the next hop. */
export interface InstrumentProps extends InstrumentOptions {
  /** Where telemetry goes: usually the gateway's `otlpGrpc`. */
  readonly upstream: IEndpoint;
}

/** An agent that was added to one workload object. */
export class Instrumentation {
  /**
   * Adds the agent as a sidecar and the OTLP environment. Decided at synth: containers added after the call are covered. A second call
   * for the same workload changes nothing and returns the first one's agents.
   *
   * @returns one for each workload object in `workload`
   */
  public static add(workload: IWorkload, props: InstrumentProps): Instrumentation[] {
    const objects = workloadObjects(workload);
    if (objects.length === 0) {
      throw new Error(
        `${workload.node.path}: found no Deployment, StatefulSet, DaemonSet, ReplicaSet or Job in this ${workload.constructor.name}: pass the construct that makes the pods`,
      );
    }
    return objects.map((object) => {
      const present = (object as Marked)[MARK];
      if (present) {
        return present;
      }
      const added = new Instrumentation(object, workload, props);
      Object.defineProperty(object, MARK, { value: added, enumerable: false });
      return added;
    });
  }

  public readonly sidecar: AgentSidecar;
  private readonly serviceName: string;

  private constructor(
    private readonly object: ApiObject,
    workload: IWorkload,
    private readonly props: InstrumentProps,
  ) {
    this.sidecar = new AgentSidecar(props);
    this.serviceName = props.serviceName ?? object.name;
    if (workload instanceof Component) {
      this.sidecar.addTo(workload);
      for (const container of workload.containers) {
        for (const env of this.environment()) {
          container.addEnvIfAbsent(env);
        }
      }
      return;
    }
    if (object.kind === 'Job' && !this.sidecar.native) {
      throw new Error(`${object.node.path}: an ordinary container would keep the Job from ending: leave 'native' at true`);
    }
    this.addTo();
  }

  /**
   * `toJson` is the one place that every kind of ApiObject (L1, L2, plain manifest, patched or not) passes last, so the pod is completed
   * there: an earlier hook would miss containers that are added later, and a JSON patch cannot loop over containers.
   */
  private addTo(): void {
    const { object } = this;
    const print = object.toJson.bind(object);
    const text = printYaml(this.sidecar.config.renderConfig());
    const configMapName = `${object.name}-agent`;
    checkName(object.node.path, configMapName);
    new k8s.KubeConfigMap(object, 'AgentConfigMap', {
      metadata: {
        name: configMapName,
        namespace: object.metadata.namespace,
        labels: { 'app.kubernetes.io/part-of': PART_OF, 'app.kubernetes.io/managed-by': 'cdk8s' },
      },
      data: { [this.sidecar.configFile]: text },
    });
    const checksum = createHash('sha256').update(text).digest('hex').slice(0, 32);
    object.toJson = () => this.complete(print(), configMapName, checksum);
    const pods = new ForeignPods(object, () => podTemplate(print()).metadata?.labels ?? {});
    const topology = Topology.of(object);
    topology.addPodMetrics({ endpoint: new PodEndpoint(pods, this.sidecar.metrics), program: 'otlp-agent' });
    if (this.sidecar.upstream instanceof Endpoint) {
      topology.connect(pods, this.sidecar.upstream, 'telemetry');
    }
  }

  private complete(manifest: Manifest, configMapName: string, checksum: string): Manifest {
    const template = podTemplate(manifest);
    const spec: k8s.PodSpec = template.spec ?? { containers: [] };
    const volume = Volume.configMap('otlp-agent-config', configMapName);
    const container = new Container({
      ...this.sidecar.container,
      mounts: [{ volume, path: this.sidecar.configDirectory }],
      // The pod's own security context is somebody else's; the agent's container brings what it needs.
      security: { userId: AGENT_USER },
    });
    container._addPort(this.sidecar.metrics);
    container._addPort(this.sidecar.health);
    // What is printed already is plain JSON; only what is added goes through the L1 names.
    const agent = k8s.toJson_Container(container._toKube()) as k8s.Container;
    const withEnvironment = (list: k8s.Container[] | undefined): k8s.Container[] => (list ?? []).map((one) => this.withEnvironment(one));
    const completed: k8s.PodSpec = {
      ...spec,
      terminationGracePeriodSeconds: Math.max(spec.terminationGracePeriodSeconds ?? 30, this.sidecar.terminationGrace.toSeconds()),
      // First, so that init containers of the workload find it listening.
      initContainers: this.sidecar.native
        ? [{ ...agent, restartPolicy: 'Always' }, ...withEnvironment(spec.initContainers)]
        : spec.initContainers && withEnvironment(spec.initContainers),
      containers: [...withEnvironment(spec.containers), ...(this.sidecar.native ? [] : [agent])],
      volumes: [...(spec.volumes ?? []), volume._toKube()],
    };
    const annotations = { ...template.metadata?.annotations, 'checksum/otlp-agent': checksum };
    return {
      ...manifest,
      spec: { ...manifest.spec, template: { ...template, metadata: { ...template.metadata, annotations }, spec: completed } },
    };
  }

  /** A variable that the workload sets itself stays as it is. */
  private withEnvironment(container: k8s.Container): k8s.Container {
    const present = container.env ?? [];
    const added = this.environment()
      .map((env) => k8s.toJson_EnvVar(env._toKube()) as k8s.EnvVar)
      .filter(({ name }) => !present.some((env) => env.name === name));
    return { ...container, env: [...added, ...present] };
  }

  private environment(): Env[] {
    const protocol = this.props.exportProtocol ?? ExportProtocol.HTTP_PROTOBUF;
    return [
      Env.value('OTEL_EXPORTER_OTLP_ENDPOINT', protocol === ExportProtocol.GRPC ? this.sidecar.grpcUrl : this.sidecar.httpUrl),
      Env.value('OTEL_EXPORTER_OTLP_PROTOCOL', protocol.name),
      Env.value('OTEL_SERVICE_NAME', this.serviceName),
      Env.field('K8S_POD_NAME', 'metadata.name'),
      Env.field('K8S_NAMESPACE_NAME', 'metadata.namespace'),
      Env.field('K8S_NODE_NAME', 'spec.nodeName'),
      Env.value(
        'OTEL_RESOURCE_ATTRIBUTES',
        'k8s.namespace.name=$(K8S_NAMESPACE_NAME),k8s.pod.name=$(K8S_POD_NAME),k8s.node.name=$(K8S_NODE_NAME)',
      ),
    ];
  }
}

/** Adds the agent and the OTLP environment to a workload that exists already; see {@link Instrumentation.add}. */
export function instrument(workload: IWorkload, props: InstrumentProps): Instrumentation[] {
  return Instrumentation.add(workload, props);
}

const MARK = Symbol.for('otlp-stack.instrumentation');
type Marked = ApiObject & { [MARK]?: Instrumentation };
const AGENT_USER = 1000;
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'];

interface Manifest {
  readonly spec?: { readonly template?: k8s.PodTemplateSpec };
}

/** Pods of a workload that the model does not own; their labels are known once everything is built. */
class ForeignPods implements IPeer {
  constructor(
    private readonly object: ApiObject,
    private readonly labels: () => { [key: string]: string },
  ) {}

  public get peerName(): string {
    return this.object.name;
  }

  public get namespace(): string {
    return this.object.metadata.namespace ?? 'default';
  }

  public podLabels(): { [key: string]: string } {
    return this.labels();
  }
}

function workloadObjects(workload: IWorkload): ApiObject[] {
  if (workload instanceof Component) {
    return [workload.apiObject];
  }
  if (ApiObject.isApiObject(workload)) {
    return KINDS.includes(workload.kind) ? [workload] : [];
  }
  // cdk8s-plus keeps the object below the construct, an Include one child per document.
  const found = workload.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node) && KINDS.includes(node.kind));
  return workload instanceof Include ? found : found.slice(0, 1);
}

function podTemplate(manifest: Manifest): k8s.PodTemplateSpec {
  return manifest.spec?.template ?? {};
}

import { asList, asNumber, asObject, asString, asStrings, type JsonObject, type Path, valueAt } from './json';
import type { KubeObject } from './objects';

/** Where each kind of workload keeps its pod. */
const POD_PATHS: { readonly [kind: string]: Path } = {
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  Pod: [],
};

export interface ContainerPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports: readonly ContainerPort[];
  /** Values that the manifest spells out; those from fields, Secrets and ConfigMaps are absent. */
  readonly env: ReadonlyMap<string, string>;
  readonly spec: JsonObject;
  /** In the workload's object. */
  readonly path: Path;
  /** Runs beside the application: an ordinary container, or a native sidecar among the initContainers. */
  readonly lasting: boolean;
}

/** Something that makes pods, and the pod that it makes. */
export interface Workload {
  readonly object: KubeObject;
  readonly name: string;
  readonly namespace: string;
  readonly podLabels: { readonly [name: string]: string };
  readonly podAnnotations: { readonly [name: string]: string };
  readonly podSpec: JsonObject;
  readonly podSpecPath: Path;
  /** initContainers first, as they start. */
  readonly containers: readonly Container[];
}

/** The workload that an object describes, if it is one. */
export function workloadOf(object: KubeObject): Workload | undefined {
  const at = POD_PATHS[object.kind];
  if (at === undefined) return undefined;
  const pod = asObject(valueAt(object.manifest, at));
  const podSpec = asObject(pod.spec);
  const podSpecPath = [...at, 'spec'];
  const metadata = asObject(pod.metadata);
  return {
    object,
    name: object.name,
    namespace: object.namespace,
    podLabels: asStrings(metadata.labels),
    podAnnotations: asStrings(metadata.annotations),
    podSpec,
    podSpecPath,
    containers: ['initContainers', 'containers'].flatMap((field) =>
      asList(podSpec[field]).map((spec, index) => container(asObject(spec), [...podSpecPath, field, index], field === 'containers')),
    ),
  };
}

function container(spec: JsonObject, path: Path, ordinary: boolean): Container {
  return {
    name: asString(spec.name) ?? '',
    image: asString(spec.image) ?? '',
    ports: asList(spec.ports).map((entry) => {
      const port = asObject(entry);
      return { name: asString(port.name), port: asNumber(port.containerPort) ?? 0, protocol: asString(port.protocol) ?? 'TCP' };
    }),
    env: new Map(
      asList(spec.env).flatMap((entry): [string, string][] => {
        const { name, value } = asObject(entry);
        return typeof name === 'string' && value !== undefined ? [[name, String(value)]] : [];
      }),
    ),
    spec,
    path,
    lasting: ordinary || spec.restartPolicy === 'Always',
  };
}

/** Every port of the pod that something can listen on for longer than an init container lives. */
export function podPorts({ containers }: Workload): ContainerPort[] {
  return containers.filter(({ lasting }) => lasting).flatMap(({ ports }) => ports);
}

/** A container that sees a key of a ConfigMap or Secret as a file. */
export interface Mount {
  readonly workload: Workload;
  readonly container: Container;
  /** The path of the file in the container. */
  readonly file: string;
}

/** The containers of a workload that have a key of a ConfigMap or Secret of its namespace mounted as a file. */
export function mountsOf(workload: Workload, carrier: Pick<KubeObject, 'kind' | 'name'>, key: string): Mount[] {
  return asList(workload.podSpec.volumes).flatMap((entry) => {
    const volume = asObject(entry);
    const fileName = fileOf(volume, carrier, key);
    if (fileName === undefined) return [];
    return workload.containers.flatMap((container) =>
      asList(container.spec.volumeMounts).flatMap((entry) => {
        const mount = asObject(entry);
        if (mount.name !== volume.name) return [];
        const folder = (asString(mount.mountPath) ?? '').replace(/\/$/, '');
        if (mount.subPath === undefined) return [{ workload, container, file: `${folder}/${fileName}` }];
        return mount.subPath === fileName ? [{ workload, container, file: folder }] : [];
      }),
    );
  });
}

/** The file name of a key in a volume, if the volume holds it. */
function fileOf(volume: JsonObject, { kind, name }: Pick<KubeObject, 'kind' | 'name'>, key: string): string | undefined {
  for (const place of [volume, ...asList(asObject(volume.projected).sources).map(asObject)]) {
    const source = asObject(kind === 'Secret' ? place.secret : place.configMap);
    // A Secret volume calls it secretName, a projected Secret name.
    if ((source.secretName ?? source.name) !== name) continue;
    if (source.items === undefined) return key;
    const item = asList(source.items)
      .map(asObject)
      .find((candidate) => candidate.key === key);
    if (item !== undefined) return asString(item.path) ?? key;
  }
  return undefined;
}

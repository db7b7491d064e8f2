import type { Finding } from '../finding';
import { type ConfigFile, configsOf } from './configs';
import { readFiles, type SourceFile } from './files';
import { type KubeObject, type RawObject, readObjects } from './objects';
import { type NetworkPolicy, policyOf } from './policies';
import { ManifestReadError } from './read-error';
import { type Service, serviceOf } from './services';
import { type Workload, workloadOf } from './workloads';

/** Everything that the manifests say, read once for all rules. */
export interface Snapshot {
  readonly objects: readonly KubeObject[];
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly policies: readonly NetworkPolicy[];
  /** Roles, ClusterRoles, their bindings, and ServiceAccounts. */
  readonly rbac: readonly KubeObject[];
  readonly configs: readonly ConfigFile[];
  /** The labels of every namespace that something is in; a namespace without an object of its own has its name as the only one. */
  readonly namespaces: ReadonlyMap<string, { readonly [label: string]: string }>;
  /** Configurations inside of ConfigMaps that could not be read. */
  readonly unreadable: readonly Finding[];
}

const RBAC = new Set(['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'ServiceAccount']);
/** How manifests are to be understood. */
export interface ReadOptions {
  /**
   * Where objects go that name no namespace, as `kubectl apply -n` and `helm install -n` decide.
   * @default - the only namespace that the others name; `default` where they name several or none
   */
  readonly namespace?: string;
}

/** Set by the API server on every namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/**
 * Reads folders and files of rendered manifests.
 *
 * @throws ManifestReadError where a path does not exist, a file is not YAML, or nothing in them is a Kubernetes object
 */
export function readSnapshot(paths: readonly string[], options: ReadOptions = {}): Snapshot {
  const snapshot = snapshotOf(readFiles(paths), options);
  if (snapshot.objects.length === 0) {
    const problem = 'no Kubernetes object in it (nothing has apiVersion and kind)';
    throw new ManifestReadError(paths.map((file) => ({ file, problem, remedy: 'Give the folder that holds the rendered manifests' })));
  }
  return snapshot;
}

/**
 * The same for texts that are at hand.
 *
 * @throws ManifestReadError where a text is not YAML
 */
export function snapshotOf(files: readonly SourceFile[], options: ReadOptions = {}): Snapshot {
  const read = files.map(readObjects);
  const problems = read.flatMap((file) => file.problems);
  if (problems.length > 0) throw new ManifestReadError(problems);
  const raw = read.flatMap((file) => file.objects);
  const namespace = options.namespace ?? presumed(raw);
  const objects = raw.map((object) => object.place(namespace));
  const workloads = objects.flatMap((object) => workloadOf(object) ?? []);
  const configs = objects.map((object) => configsOf(object, workloads));
  return {
    objects,
    workloads,
    services: objects.flatMap((object) => serviceOf(object) ?? []),
    policies: objects.flatMap((object) => policyOf(object) ?? []),
    rbac: objects.filter(({ kind }) => RBAC.has(kind)),
    configs: configs.flatMap((of) => of.configs),
    namespaces: namespacesOf(objects),
    unreadable: configs.flatMap((of) => of.findings),
  };
}

function presumed(objects: readonly RawObject[]): string {
  const named = new Set(objects.flatMap(({ namespace }) => namespace ?? []));
  return named.size === 1 ? ([...named][0] ?? 'default') : 'default';
}

function namespacesOf(objects: readonly KubeObject[]): Map<string, { [label: string]: string }> {
  const namespaces = new Map<string, { [label: string]: string }>();
  for (const { namespace } of objects) if (namespace !== '') namespaces.set(namespace, { [NAME_LABEL]: namespace });
  for (const { kind, name, labels } of objects) if (kind === 'Namespace') namespaces.set(name, { ...labels, [NAME_LABEL]: name });
  return namespaces;
}

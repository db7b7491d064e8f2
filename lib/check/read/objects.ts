import type { SourceFile } from './files';
import { asList, asObject, asString, asStrings, isObject, type JsonObject, type Path } from './json';
import type { ReadProblem } from './read-error';
import { parseYaml, Tree, type YamlDocument } from './tree';

const CLUSTER_WIDE = new Set([
  'APIService',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'StorageClass',
  'ValidatingWebhookConfiguration',
]);

/** One Kubernetes object. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Where the manifest names none: the one that readers were told, or presume (see snapshot.ts). Empty for cluster-wide kinds. */
  readonly namespace: string;
  readonly labels: { readonly [name: string]: string };
  readonly annotations: { readonly [name: string]: string };
  readonly manifest: JsonObject;
  readonly tree: Tree;
  /** The line in the file of a line of a text (1-based) that stands at the path, as configurations in a ConfigMap do. */
  lineInText(path: Path, line: number): number;
}

/** `ConfigMap observability/gateway`. */
export function objectName({ kind, namespace, name }: Pick<KubeObject, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** An object before it is known where it goes. */
export interface RawObject {
  readonly manifest: JsonObject;
  /** As the manifest names it. */
  readonly namespace?: string;
  /** In the namespace, which counts unless the manifest names one or the kind has none. */
  place(namespace: string): KubeObject;
}

/** The Kubernetes objects of a file; documents that are none (values files, kustomizations) are passed over. */
export function readObjects({ file, text }: SourceFile): { objects: RawObject[]; problems: ReadProblem[] } {
  const { documents, problems } = parseYaml(text);
  const remedy = text.includes('{{') ? 'Render the template first, for example with `helm template`' : 'Correct the YAML';
  return {
    objects: documents.flatMap((document) => objectsOf(document, file)),
    problems: problems.map(({ line, problem }) => ({ file, line, problem: `not valid YAML: ${problem}`, remedy })),
  };
}

function objectsOf(document: YamlDocument, file: string): RawObject[] {
  const manifest = document.value;
  if (!isObject(manifest) || typeof manifest.apiVersion !== 'string' || typeof manifest.kind !== 'string') return [];
  // What `kubectl get -o yaml` prints for more than one object.
  if (manifest.kind.endsWith('List') && Array.isArray(manifest.items)) {
    return asList(manifest.items).flatMap((item, index) => (isObject(item) ? [rawObject(item, document, file, ['items', index])] : []));
  }
  return [rawObject(manifest, document, file, [])];
}

function rawObject(manifest: JsonObject, document: YamlDocument, file: string, at: Path): RawObject {
  const own = asString(asObject(manifest.metadata).namespace);
  return { manifest, namespace: own, place: (namespace) => kubeObject(manifest, own ?? namespace, document, file, at) };
}

function kubeObject(manifest: JsonObject, namespace: string, document: YamlDocument, file: string, at: Path): KubeObject {
  const metadata = asObject(manifest.metadata);
  const kind = asString(manifest.kind) ?? '';
  const identity = {
    kind,
    name: asString(metadata.name) ?? '',
    namespace: CLUSTER_WIDE.has(kind) ? '' : namespace,
  };
  return {
    ...identity,
    apiVersion: asString(manifest.apiVersion) ?? '',
    labels: asStrings(metadata.labels),
    annotations: asStrings(metadata.annotations),
    manifest,
    tree: new Tree(manifest, file, objectName(identity), [], (path) => document.lineOf([...at, ...path])),
    lineInText: (path, line) => document.lineInText([...at, ...path], line),
  };
}

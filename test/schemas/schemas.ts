import { parse } from 'yaml';
import { CRD_MODULES, type CrdModule, fetchCrds } from '../real/kubernetes-api/crds.ts';
import type { ApiServer } from '../real/support/api-server.ts';
import { close, rootKind, type Schema, without } from './close.ts';

/** The kinds that the stack prints, and those that people put beside it. */
const KINDS: { readonly [apiVersion: string]: readonly string[] } = {
  v1: ['ConfigMap', 'LimitRange', 'Namespace', 'PersistentVolumeClaim', 'Pod', 'ResourceQuota', 'Secret', 'Service', 'ServiceAccount'],
  'apps/v1': ['DaemonSet', 'Deployment', 'StatefulSet'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'batch/v1': ['CronJob', 'Job'],
  'networking.k8s.io/v1': ['Ingress', 'NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
  'rbac.authorization.k8s.io/v1': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  'scheduling.k8s.io/v1': ['PriorityClass'],
  'storage.k8s.io/v1': ['StorageClass'],
};
const METADATA = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** Written by servers and controllers, never by hand. */
const SERVER_METADATA = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
];

/** The closed schemas of one source: the built-in kinds of a Kubernetes version, or the custom resources of one prerequisite. */
interface Bundle {
  /** `<apiVersion>/<kind>` -> the kind's schema. */
  readonly kinds: { [key: string]: Schema };
  readonly definitions: { [name: string]: Schema };
}

type Definitions = { [name: string]: Schema };

/**
 * The files below test/schemas, by their path: the built-in kinds from the OpenAPI of the given server, the custom resources from the CRDs of
 * the declared prerequisites (pinned Go modules).
 */
export async function generateSchemas(server: ApiServer): Promise<Map<string, string>> {
  const { version, bundle } = await builtIn(server);
  const files = new Map([[`kubernetes-${version}/definitions.json`, print(bundle)]]);
  for (const source of CRD_MODULES) {
    const metadata = bundle.definitions[METADATA];
    if (metadata === undefined) throw new Error(`no kind uses ${METADATA}`);
    const needed = custom(source, metadata);
    // ObjectMeta refers to OwnerReference: what it needs comes along.
    copyReachable(metadata, bundle.definitions, needed.definitions);
    files.set(`${source.name}-${source.version.slice(1)}/definitions.json`, print(needed));
  }
  return files;
}

async function builtIn(server: ApiServer): Promise<{ version: string; bundle: Bundle }> {
  const documents = new Map<string, Definitions>();
  for (const apiVersion of Object.keys(KINDS)) {
    const path = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
    const document = JSON.parse(await server.ok(['get', '--raw', `/openapi/v3/${path}`]));
    documents.set(apiVersion, document.components.schemas);
  }
  const bundle: Bundle = { kinds: {}, definitions: {} };
  for (const [apiVersion, kinds] of Object.entries(KINDS)) {
    const source = documents.get(apiVersion) ?? {};
    for (const kind of kinds)
      bundle.kinds[`${apiVersion}/${kind}`] = rootKind(findKind(source, apiVersion, kind), apiVersion, kind, into(bundle, source));
  }
  const { major, minor } = JSON.parse(await server.ok(['get', '--raw', '/version']));
  return { version: `${major}.${minor}`, bundle };
}

/** Resolves a reference by copying the definition, once for all documents: the same name is the same type in each of them. */
function into(bundle: Bundle, source: Definitions): (ref: string) => Schema {
  const reference = (ref: string): Schema => {
    const name = ref.slice(ref.lastIndexOf('/') + 1);
    if (bundle.definitions[name] === undefined) {
      bundle.definitions[name] = {}; // before its content: some types contain themselves
      const schema = source[name];
      if (schema === undefined) throw new Error(`the OpenAPI document does not define ${name}`);
      bundle.definitions[name] = close(name === METADATA ? without(schema, SERVER_METADATA) : schema, reference);
    }
    return { $ref: `#/definitions/${name}` };
  };
  return reference;
}

function findKind(source: Definitions, apiVersion: string, kind: string): Schema {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const found = Object.values(source).find((schema) => {
    const names = schema['x-kubernetes-group-version-kind'] as { group: string; version: string; kind: string }[] | undefined;
    return names?.length === 1 && names.every((name) => name.group === group && name.version === version && name.kind === kind);
  });
  if (found === undefined) throw new Error(`the API server does not serve ${apiVersion} ${kind}`);
  return found;
}

function custom(source: CrdModule, metadata: Schema): Bundle {
  const bundle: Bundle = { kinds: {}, definitions: { [METADATA]: metadata } };
  const noReferences = (ref: string): Schema => {
    throw new Error(`a CRD with a reference: ${ref}`);
  };
  for (const text of fetchCrds(source).values()) {
    const { group, names, versions } = parse(text).spec;
    for (const { name, served, schema } of versions) {
      if (!served) continue;
      const closed = rootKind(schema.openAPIV3Schema, `${group}/${name}`, names.kind, noReferences);
      const properties = { ...(closed.properties as Definitions), metadata: { $ref: `#/definitions/${METADATA}` } };
      bundle.kinds[`${group}/${name}/${names.kind}`] = { ...closed, properties };
    }
  }
  return bundle;
}

function copyReachable(schema: Schema, from: Definitions, to: Definitions): void {
  for (const [, name = ''] of JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)) {
    if (to[name] !== undefined) continue;
    const found = from[name];
    if (found === undefined) throw new Error(`no definition ${name}`);
    to[name] = found;
    copyReachable(found, from, to);
  }
}

/** One definition per line, sorted: compact, and a change of one type is a diff of one line. */
function print({ kinds, definitions }: Bundle): string {
  const section = (entries: { [name: string]: Schema }): string =>
    Object.keys(entries)
      .sort()
      .map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(entries[name])}`)
      .join(',\n');
  return `{\n  "kinds": {\n${section(kinds)}\n  },\n  "definitions": {\n${section(definitions)}\n  }\n}\n`;
}

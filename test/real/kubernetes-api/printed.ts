import type { KubeObject, Snapshot, Workload } from 'otlp-stack-check';
import type { KubernetesObject } from '../support/api-server.ts';

/** What has to exist before the API server can judge the rest: where objects live, who pods run as, what kinds there are. */
const FIRST = new Set(['Namespace', 'ServiceAccount', 'PriorityClass', 'CustomResourceDefinition']);

/** The manifests of a snapshot: those that go first, in the order that they can be applied in, and all. */
export function inOrder({ objects }: Snapshot): { first: object[]; all: object[] } {
  const first = objects
    .filter(({ kind }) => FIRST.has(kind))
    .sort((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'));
  return { first: first.map(({ manifest }) => manifest), all: objects.map(({ manifest }) => manifest) };
}

/** The account that pods without one of their own run as; the controller manager makes it, which these tests do not run. */
export function defaultAccounts({ namespaces }: Snapshot): object[] {
  return [...namespaces.keys()].map((namespace) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace },
  }));
}

/**
 * The pod that a workload makes, as an object of its own: the API server judges pods by Pod Security, and only warns about what makes them.
 * Volumes that a StatefulSet claims become empty ones, as its controller would add them.
 */
export function barePod({ object, namespace, podLabels, podAnnotations, podSpec }: Workload): KubernetesObject {
  const { volumeClaimTemplates = [] } = (object.manifest.spec ?? {}) as { volumeClaimTemplates?: { metadata: { name: string } }[] };
  const claimed = volumeClaimTemplates.map(({ metadata }) => ({ name: metadata.name, emptyDir: {} }));
  const volumes = [...((podSpec.volumes as object[] | undefined) ?? []), ...claimed];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `bare-${object.name}`.slice(0, 63).replace(/-$/, ''), namespace, labels: podLabels, annotations: podAnnotations },
    spec: { ...podSpec, volumes },
  };
}

/** The same pod, its containers privileged and otherwise as they were. */
export function madePrivileged(pod: KubernetesObject): KubernetesObject {
  const spec = pod.spec as { containers: { securityContext?: object }[] };
  const containers = spec.containers.map((container) => ({
    ...container,
    // Privileged without escalation is a contradiction that is refused before Pod Security is asked.
    securityContext: { ...container.securityContext, privileged: true, allowPrivilegeEscalation: true },
  }));
  return { ...pod, spec: { ...spec, containers } };
}

/** The roles that a ServiceAccount holds by the printed bindings, with the bindings. */
export function rightsOf({ rbac }: Snapshot, namespace: string, account: string): { roles: KubeObject[]; bindings: KubeObject[] } {
  const bindings = rbac.filter(({ manifest, namespace: own }) => {
    const subjects = (manifest.subjects ?? []) as { kind: string; name: string; namespace?: string }[];
    return subjects.some(
      (subject) => subject.kind === 'ServiceAccount' && subject.name === account && (subject.namespace ?? own) === namespace,
    );
  });
  const roles = bindings.flatMap((binding) => {
    const { kind, name } = binding.manifest.roleRef as { kind: string; name: string };
    return rbac.filter(
      (role) => role.kind === kind && role.name === name && (kind === 'ClusterRole' || role.namespace === binding.namespace),
    );
  });
  return { roles, bindings };
}

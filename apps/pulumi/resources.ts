import * as k8s from '@pulumi/kubernetes';
import type { CustomResource, CustomResourceOptions } from '@pulumi/pulumi';

/** A rendered object as plain data. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

type ResourceClass = new (name: string, args: KubernetesObject, options?: CustomResourceOptions) => CustomResource;

/** The SDK's class of every built-in kind that the stack prints; what is not here is a custom resource. */
const CLASSES: { readonly [apiVersionAndKind: string]: unknown } = {
  'v1/Namespace': k8s.core.v1.Namespace,
  'v1/ConfigMap': k8s.core.v1.ConfigMap,
  'v1/Service': k8s.core.v1.Service,
  'v1/ServiceAccount': k8s.core.v1.ServiceAccount,
  'apps/v1/DaemonSet': k8s.apps.v1.DaemonSet,
  'apps/v1/Deployment': k8s.apps.v1.Deployment,
  'apps/v1/StatefulSet': k8s.apps.v1.StatefulSet,
  'batch/v1/Job': k8s.batch.v1.Job,
  'autoscaling/v2/HorizontalPodAutoscaler': k8s.autoscaling.v2.HorizontalPodAutoscaler,
  'networking.k8s.io/v1/NetworkPolicy': k8s.networking.v1.NetworkPolicy,
  'policy/v1/PodDisruptionBudget': k8s.policy.v1.PodDisruptionBudget,
  'rbac.authorization.k8s.io/v1/ClusterRole': k8s.rbac.v1.ClusterRole,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': k8s.rbac.v1.ClusterRoleBinding,
  'rbac.authorization.k8s.io/v1/Role': k8s.rbac.v1.Role,
  'rbac.authorization.k8s.io/v1/RoleBinding': k8s.rbac.v1.RoleBinding,
};

/**
 * Later ranks wait for earlier ones of their namespace: a pod that starts before its ConfigMap or its rights does not fail, but its
 * first minutes are back-offs, and Pulumi would wait for it.
 */
const RANKS: readonly (readonly string[])[] = [
  ['Namespace'],
  ['ServiceAccount', 'ConfigMap', 'ClusterRole', 'Role', 'NetworkPolicy', 'Service'],
  ['ClusterRoleBinding', 'RoleBinding'],
  ['StatefulSet', 'Deployment', 'DaemonSet'],
  ['Job', 'PodDisruptionBudget'],
];

/**
 * One typed resource per object, each waiting for what it needs: its namespace, then rights and configuration, then workloads, then what
 * acts on workloads (autoscalers, budgets, Jobs, custom resources).
 */
export function typedResources(objects: readonly KubernetesObject[], options: CustomResourceOptions = {}): CustomResource[] {
  const made: { readonly object: KubernetesObject; readonly resource: CustomResource; readonly rank: number }[] = [];
  const ordered = [...objects].sort((a, b) => rankOf(a) - rankOf(b));
  for (const object of ordered) {
    const rank = rankOf(object);
    const needs = made.filter((other) => other.rank < rank && concerns(other.object, object)).map(({ resource }) => resource);
    made.push({ object, rank, resource: create(object, { ...options, dependsOn: needs }) });
  }
  return made.map(({ resource }) => resource);
}

function create(object: KubernetesObject, options: CustomResourceOptions): CustomResource {
  const known = CLASSES[`${object.apiVersion}/${object.kind}`] as ResourceClass | undefined;
  const make = known ?? (k8s.apiextensions.CustomResource as unknown as ResourceClass);
  return new make(resourceName(object), object, options);
}

/** Unique in a Pulumi program, and the same for the same object in every run. */
function resourceName({ kind, metadata }: KubernetesObject): string {
  return [kind, metadata.namespace, metadata.name].filter((part) => part !== undefined).join('/');
}

function rankOf({ kind }: KubernetesObject): number {
  const rank = RANKS.findIndex((kinds) => kinds.includes(kind));
  return rank === -1 ? RANKS.length : rank;
}

/** Whether `later` may need `earlier`: its namespace, something in the same namespace, or something of the whole cluster. */
function concerns(earlier: KubernetesObject, later: KubernetesObject): boolean {
  const { namespace, name } = earlier.metadata;
  if (earlier.kind === 'Namespace') {
    return later.metadata.namespace === name;
  }
  return namespace === undefined || later.metadata.namespace === undefined || namespace === later.metadata.namespace;
}

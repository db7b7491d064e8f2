import { k8s } from 'cdk8s-plus-28';
import type { Component } from '../model/component';

/** One rule that a component needs at the API server. */
export interface ApiRule {
  /** @default [''] */
  readonly apiGroups?: string[];
  /** @default [] */
  readonly resources?: string[];
  readonly verbs: string[];
  /** @default [] */
  readonly nonResourceUrls?: string[];
  /** @default - all */
  readonly resourceNames?: string[];
}

/** @internal */
export function policyRule(rule: ApiRule): k8s.PolicyRule {
  const urls = rule.nonResourceUrls ?? [];
  return urls.length > 0
    ? { nonResourceUrLs: urls, verbs: rule.verbs }
    : { apiGroups: rule.apiGroups ?? [''], resources: rule.resources ?? [], resourceNames: rule.resourceNames, verbs: rule.verbs };
}

/** A ClusterRole with its binding, or with `namespaces` one Role and binding in each of them. */
export function createRoles(component: Component, rules: () => ApiRule[], namespaces: string[]): void {
  const subject = [{ kind: 'ServiceAccount', name: component.serviceAccountName, namespace: component.namespace }];
  if (namespaces.length === 0) {
    const name = `${component.instance}-${component.name}`;
    const metadata = { name, labels: component.labels() };
    new k8s.KubeClusterRole(component, 'ClusterRole', {
      metadata,
      rules: component._lazy(() => rules().map(policyRule)) as k8s.PolicyRule[],
    });
    new k8s.KubeClusterRoleBinding(component, 'ClusterRoleBinding', {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: subject,
    });
    return;
  }
  for (const namespace of namespaces) {
    const metadata = { name: component.name, namespace, labels: component.labels() };
    new k8s.KubeRole(component, `Role-${namespace}`, {
      metadata,
      rules: component._lazy(() => rules().map(policyRule)) as k8s.PolicyRule[],
    });
    new k8s.KubeRoleBinding(component, `RoleBinding-${namespace}`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: component.name },
      subjects: subject,
    });
  }
}

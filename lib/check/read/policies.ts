import { asList, asNumber, asObject, asString, asStrings, isObject } from './json';
import type { KubeObject } from './objects';

/** A Kubernetes label selector; empty selects everything. */
export interface LabelSelector {
  readonly matchLabels: { readonly [label: string]: string };
  readonly matchExpressions: readonly { readonly key: string; readonly operator: string; readonly values: readonly string[] }[];
}

export interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except: readonly string[] };
}

export interface PolicyPort {
  readonly protocol: string;
  /** Undefined: every port of the protocol. */
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface PolicyRule {
  /** Empty: everyone. */
  readonly peers: readonly PolicyPeer[];
  /** Empty: every port of every protocol. */
  readonly ports: readonly PolicyPort[];
}

export interface NetworkPolicy {
  readonly object: KubeObject;
  readonly name: string;
  readonly namespace: string;
  readonly podSelector: LabelSelector;
  /** Undefined: the policy says nothing about traffic into its pods. */
  readonly ingress?: readonly PolicyRule[];
  /** Undefined: the policy says nothing about traffic out of its pods. */
  readonly egress?: readonly PolicyRule[];
}

/** The NetworkPolicy that an object describes, if it is one. */
export function policyOf(object: KubeObject): NetworkPolicy | undefined {
  if (object.kind !== 'NetworkPolicy' || object.apiVersion !== 'networking.k8s.io/v1') return undefined;
  const spec = asObject(object.manifest.spec);
  // Without policyTypes the API server sets Ingress, and Egress where the spec has an egress list.
  const types = spec.policyTypes === undefined ? ['Ingress', ...(Array.isArray(spec.egress) ? ['Egress'] : [])] : asList(spec.policyTypes);
  return {
    object,
    name: object.name,
    namespace: object.namespace,
    podSelector: labelSelector(spec.podSelector),
    ingress: types.includes('Ingress') ? asList(spec.ingress).map((rule) => policyRule(rule, 'from')) : undefined,
    egress: types.includes('Egress') ? asList(spec.egress).map((rule) => policyRule(rule, 'to')) : undefined,
  };
}

function policyRule(value: unknown, side: 'from' | 'to'): PolicyRule {
  const rule = asObject(value);
  return {
    peers: asList(rule[side]).map((entry) => {
      const peer = asObject(entry);
      const block = asObject(peer.ipBlock);
      return {
        podSelector: isObject(peer.podSelector) ? labelSelector(peer.podSelector) : undefined,
        namespaceSelector: isObject(peer.namespaceSelector) ? labelSelector(peer.namespaceSelector) : undefined,
        ipBlock: isObject(peer.ipBlock) ? { cidr: asString(block.cidr) ?? '', except: asList(block.except).map(String) } : undefined,
      };
    }),
    ports: asList(rule.ports).map((entry) => {
      const port = asObject(entry);
      return {
        protocol: asString(port.protocol) ?? 'TCP',
        port: asNumber(port.port) ?? asString(port.port),
        endPort: asNumber(port.endPort),
      };
    }),
  };
}

/** A label selector as an object writes it; an absent one is empty. */
export function labelSelector(value: unknown): LabelSelector {
  const selector = asObject(value);
  return {
    matchLabels: asStrings(selector.matchLabels),
    matchExpressions: asList(selector.matchExpressions).map((entry) => {
      const { key, operator, values } = asObject(entry);
      return { key: String(key), operator: String(operator), values: asList(values).map(String) };
    }),
  };
}

/** Whether labels satisfy a selector. */
export function selects({ matchLabels, matchExpressions }: LabelSelector, labels: { readonly [label: string]: string }): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      if (operator === 'In') return value !== undefined && values.includes(value);
      return operator === 'NotIn' && (value === undefined || !values.includes(value));
    })
  );
}

import { type NetworkPolicy, type PolicyPeer, type PolicyPort, type PolicyRule, selects } from '../read/policies';
import type { Snapshot } from '../read/snapshot';
import { podPorts, type Workload } from '../read/workloads';
import type { Target } from './resolve';

type Labels = { readonly [label: string]: string };

/** One end of a connection, as a policy sees it. */
export interface Pod {
  readonly labels: Labels;
  readonly namespace: string;
  readonly namespaceLabels: Labels;
}

/** What the policies of one side say to a connection. */
export interface Verdict {
  /** The policies that isolate the pods of this side; empty: everything is allowed. */
  readonly policies: readonly NetworkPolicy[];
  readonly allowed: boolean;
}

const NAME_LABEL = 'kubernetes.io/metadata.name';
const DNS_PORT = 53;
/** The Service's port and the usual one of the server behind it: which of the two a policy sees is up to the network plugin. */
const API_SERVER_PORTS = [443, 6443];

/** The NetworkPolicies of a snapshot, asked about single connections. */
export class Policies {
  private readonly snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  /** Whether the pods of a workload may open a connection to a target. Both ends are judged by the port of the pod, as plugins do. */
  egress(source: Workload, target: Target): Verdict {
    const peer = this.pod(target.workload);
    return this.out(source, (rule, policy) => opens(rule, policy, peer) && portAllows(rule.ports, target));
  }

  /** Whether the pods of a target accept a connection of another pod. */
  ingress(target: Target, source: Pod): Verdict {
    const policies = this.isolating(target.workload, 'ingress');
    const allowed =
      policies.length === 0 ||
      policies.some((policy) => policy.ingress?.some((rule) => opens(rule, policy, source) && portAllows(rule.ports, target)));
    return { policies, allowed };
  }

  /** Whether the pods of a workload may ask cluster DNS over a protocol. */
  dns(source: Workload, protocol: 'UDP' | 'TCP'): Verdict {
    return this.out(source, (rule) => mayBeSystem(rule, this.snapshot) && listsPort(rule.ports, DNS_PORT, protocol));
  }

  /** Whether the pods of a workload may reach the API server, which no selector can name. */
  apiServer(source: Workload): Verdict {
    return this.out(source, (rule) => leavesCluster(rule) && API_SERVER_PORTS.some((port) => listsPort(rule.ports, port, 'TCP')));
  }

  /** Whether the pods of a workload may reach a port outside of the cluster, or of the nodes under it. */
  outside(source: Workload, port: number): Verdict {
    return this.out(source, (rule) => leavesCluster(rule) && listsPort(rule.ports, port, 'TCP'));
  }

  /** The namespaces that policies admit and the manifests do not describe: those of operators that run elsewhere. */
  foreignNamespaces(): string[] {
    const named = this.snapshot.policies.flatMap(({ ingress }) =>
      (ingress ?? []).flatMap(({ peers }) => peers.flatMap(({ namespaceSelector }) => namespaceSelector?.matchLabels[NAME_LABEL] ?? [])),
    );
    return [...new Set(named)].filter((namespace) => !this.snapshot.namespaces.has(namespace));
  }

  pod({ podLabels, namespace }: Workload): Pod {
    return { labels: podLabels, namespace, namespaceLabels: this.snapshot.namespaces.get(namespace) ?? { [NAME_LABEL]: namespace } };
  }

  private out(source: Workload, rules: (rule: PolicyRule, policy: NetworkPolicy) => boolean): Verdict {
    const policies = this.isolating(source, 'egress');
    return { policies, allowed: policies.length === 0 || policies.some((policy) => policy.egress?.some((rule) => rules(rule, policy))) };
  }

  private isolating({ podLabels, namespace }: Workload, direction: 'ingress' | 'egress'): NetworkPolicy[] {
    return this.snapshot.policies.filter(
      (policy) => policy.namespace === namespace && policy[direction] !== undefined && selects(policy.podSelector, podLabels),
    );
  }
}

/** Whether a rule of a policy is about a pod. */
function opens(rule: PolicyRule, policy: NetworkPolicy, pod: Pod): boolean {
  return rule.peers.length === 0 || rule.peers.some((peer) => isPeer(peer, policy, pod));
}

function isPeer(
  { podSelector, namespaceSelector, ipBlock }: PolicyPeer,
  policy: NetworkPolicy,
  { labels, namespace, namespaceLabels }: Pod,
): boolean {
  // A block of addresses is meant for what is outside of the cluster; only one that holds every address surely holds the pods'.
  if (ipBlock !== undefined) return isEverywhere(ipBlock.cidr) && ipBlock.except.length === 0;
  const inNamespace = namespaceSelector === undefined ? namespace === policy.namespace : selects(namespaceSelector, namespaceLabels);
  return inNamespace && (podSelector === undefined || selects(podSelector, labels));
}

/** Whether a list of ports holds the port of a target; a name counts at the pod that has it. */
function portAllows(ports: readonly PolicyPort[], { workload, port, protocol }: Target): boolean {
  const names = podPorts(workload)
    .filter((candidate) => candidate.port === port && candidate.protocol === protocol)
    .map(({ name }) => name);
  return listsPort(ports, port, protocol, names);
}

function listsPort(ports: readonly PolicyPort[], port: number, protocol: string, names: readonly (string | undefined)[] = []): boolean {
  if (ports.length === 0) return true;
  return ports.some((entry) => {
    if (entry.protocol !== protocol) return false;
    if (typeof entry.port === 'string') return names.includes(entry.port);
    return entry.port === undefined || entry.port === port || (entry.port < port && port <= (entry.endPort ?? entry.port));
  });
}

/** Cluster DNS is not among the manifests: a rule is for it if nothing ties the rule to pods that are. */
function mayBeSystem({ peers }: PolicyRule, { namespaces }: Snapshot): boolean {
  return (
    peers.length === 0 ||
    peers.some(({ namespaceSelector, ipBlock }) => {
      if (ipBlock !== undefined) return true;
      const name = namespaceSelector?.matchLabels[NAME_LABEL];
      return namespaceSelector !== undefined && (name === undefined || name === 'kube-system' || !namespaces.has(name));
    })
  );
}

/** Neither the API server, nor a node, nor a machine elsewhere is a pod: only a block of addresses, or a rule for everyone, opens the way. */
function leavesCluster({ peers }: PolicyRule): boolean {
  return peers.length === 0 || peers.some(({ ipBlock }) => ipBlock !== undefined);
}

function isEverywhere(cidr: string): boolean {
  return cidr === '0.0.0.0/0' || cidr === '::/0';
}

import { k8s } from 'cdk8s-plus-28';
import type { Component } from '../model/component';
import { Endpoint, ExternalEndpoint, type IEndpoint, PodEndpoint } from '../model/endpoint';
import type { IPeer } from '../model/peer';
import type { Platform } from '../model/platform';
import type { Edge, Topology } from '../model/topology';

const KUBELET_PORT = 10_250;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

/**
 * The policy of one component: exactly its edges, both directions denied otherwise. Kubelet probes need no rule in
 * `networking.k8s.io/v1` (traffic from the pod's own node is always admitted).
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export function networkPolicySpec(component: Component, topology: Topology): k8s.NetworkPolicySpec {
  return {
    podSelector: { matchLabels: component.podLabels() },
    policyTypes: ['Ingress', 'Egress'],
    ingress: ingressRules(component, topology.edgesTo(component)),
    egress: egressRules(component.platform, topology.edgesFrom(component), component._needs()),
  };
}

/** What a component reaches that is not an endpoint of the model. */
export interface ClusterNeeds {
  readonly apiServer: boolean;
  readonly kubelet: boolean;
}

function ingressRules(component: Component, edges: Edge[]): k8s.NetworkPolicyIngressRule[] {
  const rules: k8s.NetworkPolicyIngressRule[] = [];
  for (const endpoint of component.endpoints) {
    const peers = uniquePeers(edges.filter((edge) => edge.to === endpoint).map((edge) => edge.from));
    if (peers.length > 0) {
      const open = peers.some((peer) => peer.namespace === '');
      rules.push({ from: open ? undefined : peers.map(peerSelector), ports: [policyPort(endpoint.port, endpoint.protocol.transport)] });
    }
  }
  return rules;
}

export function egressRules(platform: Platform, edges: Edge[], needs: ClusterNeeds): k8s.NetworkPolicyEgressRule[] {
  const rules: k8s.NetworkPolicyEgressRule[] = [];
  const targets = [...new Set(edges.map((edge) => edge.to))];
  if (targets.some((target) => needsDns(target))) {
    rules.push(dnsRule(platform));
  }
  for (const target of targets) {
    const rule = targetRule(target);
    const twin = rules.find((present) => JSON.stringify(present.to) === JSON.stringify(rule.to));
    if (!twin) {
      rules.push(rule);
    } else if (!JSON.stringify(twin.ports).includes(JSON.stringify(rule.ports?.[0]))) {
      (twin.ports as k8s.NetworkPolicyPort[]).push(...(rule.ports ?? []));
    }
  }
  if (needs.apiServer) {
    rules.push({
      to: [{ ipBlock: { cidr: platform.apiServerCidr } }],
      ports: platform.apiServerPorts.map((port) => policyPort(port, 'TCP')),
    });
  }
  if (needs.kubelet) {
    rules.push({ to: [{ ipBlock: { cidr: platform.nodeCidr } }], ports: [policyPort(KUBELET_PORT, 'TCP')] });
  }
  return rules;
}

function targetRule(target: IEndpoint): k8s.NetworkPolicyEgressRule {
  if (target instanceof Endpoint) {
    return { to: [peerSelector(target.component)], ports: [policyPort(target.port, target.protocol.transport)] };
  }
  if (target instanceof PodEndpoint) {
    return { to: [peerSelector(target.peer)], ports: [policyPort(target.port, target.protocol.transport)] };
  }
  if (target instanceof ExternalEndpoint) {
    return {
      to: [target.pods ? peerSelector(target.pods) : { ipBlock: { cidr: target.cidr } }],
      ports: [policyPort(target.port, target.protocol.transport)],
    };
  }
  throw new Error(
    `endpoint '${target.name}' (${target.address}) is neither an Endpoint nor an ExternalEndpoint: no policy can be derived for it`,
  );
}

/** Names are resolved over UDP and, for answers that do not fit, over TCP; a policy that forgets one of them fails only sometimes. */
function dnsRule(platform: Platform): k8s.NetworkPolicyEgressRule {
  const labels = platform.dnsPodLabels;
  return {
    to: labels ? [{ namespaceSelector: {}, podSelector: { matchLabels: labels } }] : undefined,
    ports: [policyPort(53, 'UDP'), policyPort(53, 'TCP')],
  };
}

function needsDns(target: IEndpoint): boolean {
  return !(target instanceof PodEndpoint) && (target instanceof Endpoint || !IPV4.test(target.host));
}

function peerSelector(peer: IPeer): k8s.NetworkPolicyPeer {
  const labels = peer.podLabels();
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': peer.namespace } },
    podSelector: Object.keys(labels).length > 0 ? { matchLabels: labels } : undefined,
  };
}

function policyPort(port: number, protocol: string): k8s.NetworkPolicyPort {
  return { port: k8s.IntOrString.fromNumber(port), protocol };
}

function uniquePeers(peers: IPeer[]): IPeer[] {
  return [...new Set(peers)];
}

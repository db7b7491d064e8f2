import { checkSnapshot, type NetworkPolicy, type PolicyRule, type Snapshot } from 'otlp-stack-check';
import { describe, expect, it } from 'vitest';
import { printedStacks, snapshotOf } from '../support/printed-stacks.ts';

/** What a printed policy admits without a connection that the YAML shows, each with the reason. */
const UNSEEN: readonly { readonly what: RegExp; readonly why: string }[] = [
  { what: /^alertmanager egress to 0\.0\.0\.0\/0 TCP 443$/, why: 'where receivers lead stands in Secrets, which are not printed' },
  {
    what: /^(otel-collector|grafana) egress to monitoring TCP 9090$/,
    why: "the operator's Prometheus lies in a namespace that the manifests do not describe",
  },
  {
    what: /^prometheus (ingress from|egress to) prometheus TCP 9090$/,
    why: 'it scrapes itself; with one replica no policy stands in between',
  },
];

/** One thing that a rule admits: a peer (or everyone) on a port (or all), and the rules that stay when it goes. */
interface Grant {
  readonly name: string;
  readonly rest: readonly PolicyRule[];
}

function grantsOf(policy: NetworkPolicy, direction: 'ingress' | 'egress'): Grant[] {
  const rules = policy[direction] ?? [];
  return rules.flatMap((rule, index) => {
    const others = rules.filter((_, at) => at !== index);
    // The API server listens on 443 or 6443, by where it is looked at from: only both together are needed by somebody.
    const together = rule.peers.some(({ ipBlock }) => ipBlock !== undefined) || rule.ports.length === 0;
    const ports = together ? [rule.ports] : rule.ports.map((port) => [port]);
    const peers = rule.peers.length === 0 ? [[]] : rule.peers.map((peer) => [peer]);
    return peers.flatMap((peer) =>
      ports.map((taken) => {
        const otherPeers = rule.peers.filter((each) => !peer.includes(each));
        const otherPorts = rule.ports.filter((each) => !taken.includes(each));
        const rest = [
          ...(otherPeers.length > 0 ? [{ peers: otherPeers, ports: rule.ports }] : []),
          ...(otherPorts.length > 0 ? [{ peers: peer, ports: otherPorts }] : []),
        ];
        const whom = peer.map(
          ({ podSelector, namespaceSelector, ipBlock }) =>
            ipBlock?.cidr ??
            podSelector?.matchLabels['app.kubernetes.io/name'] ??
            namespaceSelector?.matchLabels['kubernetes.io/metadata.name'],
        );
        const where = taken.map(({ protocol, port }) => `${protocol} ${port ?? 'any'}`).join(', ') || 'any port';
        return {
          name: `${policy.name} ${direction} ${direction === 'ingress' ? 'from' : 'to'} ${whom[0] ?? 'anyone'} ${where}`,
          rest: [...others, ...rest],
        };
      }),
    );
  });
}

function grantsIn({ policies }: Snapshot): (Grant & { policy: NetworkPolicy; direction: 'ingress' | 'egress' })[] {
  return policies.flatMap((policy) =>
    (['ingress', 'egress'] as const).flatMap((direction) => grantsOf(policy, direction).map((grant) => ({ ...grant, policy, direction }))),
  );
}

/** The snapshot without one grant. */
function without(snapshot: Snapshot, policy: NetworkPolicy, direction: 'ingress' | 'egress', rest: readonly PolicyRule[]): Snapshot {
  return { ...snapshot, policies: snapshot.policies.map((each) => (each === policy ? { ...each, [direction]: rest } : each)) };
}

describe.each(printedStacks())('the NetworkPolicies of the printed $profile stack', (stack) => {
  const snapshot = snapshotOf(stack);
  const grants = grantsIn(snapshot);

  it('isolate every pod, in both directions', () => {
    const open = snapshot.workloads.filter(({ namespace, podLabels }) =>
      (['ingress', 'egress'] as const).some(
        (direction) =>
          !snapshot.policies.some(
            (policy) =>
              policy.namespace === namespace &&
              policy[direction] !== undefined &&
              Object.entries(policy.podSelector.matchLabels).every(([key, value]) => podLabels[key] === value),
          ),
      ),
    );
    expect(open.map(({ name }) => name)).toEqual([]);
  });

  it('admit nothing that nobody needs: whatever else goes, the rules miss it', () => {
    expect(grants.length).toBeGreaterThan(30);
    const idle = grants
      .filter(({ policy, direction, rest }) => checkSnapshot(without(snapshot, policy, direction, rest)).length === 0)
      .map(({ name }) => name);
    expect(idle.filter((name) => !UNSEEN.some(({ what }) => what.test(name)))).toEqual([]);
  });
});

it('fails to list an exception that is none any more, in any of the stacks', () => {
  const names = printedStacks().flatMap((stack) => grantsIn(snapshotOf(stack)).map(({ name }) => name));
  for (const { what } of UNSEEN)
    expect(
      names.some((name) => what.test(name)),
      String(what),
    ).toBe(true);
});

import type { Finding } from '../finding';
import { asNumber, asObject } from '../read/json';
import { objectName } from '../read/objects';
import type { Snapshot } from '../read/snapshot';
import type { Workload } from '../read/workloads';
import { type Address, isLoopback } from '../wiring/address';
import type { Discovered } from '../wiring/discovery';
import { Policies, type Verdict } from '../wiring/policy';
import { resolve, type Target } from '../wiring/resolve';
import { wiringOf } from '../wiring/wiring';
import { apiServerClients } from './api-server-clients';
import { edgesAllowedExamples } from './examples/edges-allowed';
import { notifiers } from './notifiers';
import type { Rule } from './rule';

const ID = 'edges-allowed';

/** Programs that come from elsewhere and connect to what the manifests describe: their usual namespace, and labels that they carry. */
const KEDA = { name: 'the KEDA operator', namespace: 'keda', labels: { 'app.kubernetes.io/name': 'keda-operator', app: 'keda-operator' } };
const SCRAPER = { name: "the operator's Prometheus", namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'prometheus' } };

/** Each connection that the configurations ask for may be made: out of the source, into the target, and with the name that it takes. */
export const edgesAllowed: Rule = {
  id: ID,
  title: 'NetworkPolicies allow every connection that the configurations make, and DNS with it',
  why: 'A policy that forgets one connection, or DNS over UDP or TCP, looks like a network fault: time-outs, and nothing in any log of the target.',
  examples: edgesAllowedExamples,
  check: (snapshot) => new Check(snapshot).run(),
};

class Check {
  private readonly snapshot: Snapshot;
  private readonly policies: Policies;
  private readonly findings: Finding[] = [];
  /** The connections that have a finding. */
  private readonly said = new Set<string>();

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
    this.policies = new Policies(snapshot);
  }

  run(): Finding[] {
    const { addresses, scrapes, monitors } = wiringOf(this.snapshot);
    for (const { use, resolution } of addresses) {
      const { source, operator } = use;
      const named = `"${use.address.text}" in ${use.tree.place(use.path).object}`;
      if (source !== undefined && !isLoopback(use.address)) this.dns(source, named);
      if (source !== undefined && resolution.kind === 'api-server') this.apiServer(source, named);
      if (source !== undefined && resolution.kind === 'outside') this.outside(source, use.address, named);
      if (resolution.kind !== 'pods') continue;
      for (const target of resolution.targets) {
        if (source !== undefined) this.edge(source, target, named);
        else if (operator !== undefined) this.fromElsewhere(KEDA, target, named);
      }
    }
    for (const scrape of scrapes) {
      const named = `scrape job "${scrape.job}" in ${scrape.config.tree.place(scrape.path).object}`;
      for (const { workload: source } of scrape.config.mounts) {
        if (scrape.pod !== undefined) this.edge(source, { ...scrape.pod, protocol: 'TCP' }, named);
        else if (scrape.nodePort !== undefined) this.node(source, scrape.nodePort, named);
        else if (scrape.address !== undefined) this.rewritten(source, scrape, named);
      }
    }
    for (const { monitor, targets } of monitors) {
      for (const target of targets) this.fromElsewhere(SCRAPER, { ...target, protocol: 'TCP' }, objectName(monitor));
    }
    for (const { workload, why } of apiServerClients(this.snapshot)) this.apiServer(workload, why);
    for (const { workload, why } of notifiers(this.snapshot)) this.dns(workload, why);
    return this.findings;
  }

  private edge(source: Workload, target: Target, why: string): void {
    if (source === target.workload && isAlone(source)) return;
    const [from, to] = [objectName(source.object), objectName(target.workload.object)];
    const port = `${target.protocol} ${target.port}`;
    this.judge(
      this.policies.egress(source, target),
      'egress',
      `${from} may not connect to ${to} on ${port}`,
      why,
      `${peer('to', target.workload, source)} on ${port}`,
    );
    this.judge(
      this.policies.ingress(target, this.policies.pod(source)),
      'ingress',
      `${to} does not admit ${from} on ${port}`,
      why,
      `${peer('from', source, target.workload)} on ${port}`,
    );
  }

  /**
   * Operators run in namespaces of their own, which the manifests do not describe: the usual one if any policy knows it, otherwise whichever other
   * one is admitted.
   */
  private fromElsewhere({ name, namespace, labels }: typeof KEDA | typeof SCRAPER, target: Target, why: string): void {
    const foreign = this.policies.foreignNamespaces();
    const namespaces = foreign.includes(namespace) ? [namespace] : [namespace, ...foreign];
    const verdicts = namespaces.map((candidate) =>
      this.policies.ingress(target, { labels, namespace: candidate, namespaceLabels: { 'kubernetes.io/metadata.name': candidate } }),
    );
    const verdict = verdicts.find(({ allowed }) => allowed) ?? verdicts[0];
    if (verdict === undefined) return;
    const port = `${target.protocol} ${target.port}`;
    const what = `${objectName(target.workload.object)} does not admit ${name} on ${port}`;
    this.judge(verdict, 'ingress', what, why, `from its namespace (usually ${namespace}) on ${port}`);
  }

  private dns(source: Workload, why: string): void {
    const [first, second] = (['UDP', 'TCP'] as const).filter((protocol) => !this.policies.dns(source, protocol).allowed);
    if (first === undefined) return;
    const over = second === undefined ? first : `${first} and ${second}`;
    this.judge(
      this.policies.dns(source, first),
      'egress',
      `${objectName(source.object)} may not ask DNS over ${over}`,
      why,
      `to port 53 over ${over}`,
    );
  }

  private apiServer(source: Workload, why: string): void {
    const verdict = this.policies.apiServer(source);
    this.judge(
      verdict,
      'egress',
      `${objectName(source.object)} may not connect to the API server`,
      why,
      'to TCP 443 and 6443 of its addresses (an ipBlock: no selector can name it)',
    );
  }

  private outside(source: Workload, { host, port }: Address, why: string): void {
    if (port === undefined) return;
    const what = `${objectName(source.object)} may not connect to ${host} on TCP ${port}`;
    this.judge(this.policies.outside(source, port), 'egress', what, why, `to TCP ${port} of its addresses (an ipBlock)`);
  }

  private node(source: Workload, port: number, why: string): void {
    this.judge(
      this.policies.outside(source, port),
      'egress',
      `${objectName(source.object)} may not connect to TCP ${port} of the nodes`,
      why,
      `to TCP ${port} of their addresses (an ipBlock)`,
    );
  }

  /** A target whose address relabelling replaced. */
  private rewritten(source: Workload, { config, path, address }: Discovered, why: string): void {
    if (address === undefined) return;
    const resolution = resolve({ address, tree: config.tree, path, namespace: source.namespace, source }, this.snapshot);
    if (resolution.kind === 'api-server') this.apiServer(source, why);
    if (resolution.kind === 'pods') for (const target of resolution.targets) this.edge(source, target, why);
  }

  /** The finding stands where the remedy belongs: at a policy that isolates the pods. Each connection is one finding, however many ask for it. */
  private judge({ allowed, policies }: Verdict, direction: 'ingress' | 'egress', what: string, why: string, allow: string): void {
    const [first] = policies;
    if (allowed || first === undefined || this.said.has(what)) return;
    this.said.add(what);
    const where = policies.map(({ object }) => objectName(object)).join(' or ');
    this.findings.push({
      ...first.object.tree.place(['spec', direction]),
      rule: ID,
      level: 'error',
      problem: `${what}, as it is told to by ${why}`,
      remedy: `in ${where}, allow ${direction} ${allow}`,
    });
  }
}

/** Whether there is but one pod of it: no policy stands between a pod and itself. */
function isAlone({ object }: Workload): boolean {
  return object.kind !== 'DaemonSet' && (asNumber(asObject(object.manifest.spec).replicas) ?? 1) <= 1;
}

function peer(word: 'to' | 'from', other: Workload, own: Workload): string {
  const labels = Object.entries(other.podLabels).map(([key, value]) => `${key}=${value}`);
  const where = other.namespace === own.namespace ? '' : ` of namespace ${other.namespace}`;
  return `${word} pods with ${labels.join(',')}${where}`;
}

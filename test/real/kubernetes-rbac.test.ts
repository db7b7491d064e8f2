import type { ConfigFile, KubeObject } from 'otlp-stack-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { printedStacks, snapshotOf } from '../support/printed-stacks.ts';
import { inOrder, rightsOf } from './kubernetes-api/printed.ts';
import { applyOverrides } from './overrides.ts';
import { type ApiServer, describeReal, freePorts, type RunningProcess, startApiServer, startOtelcol, waitFor } from './support/index.ts';

interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const POD = 'checkout-7c9d5f6b8-x2x4q';
const ATTRIBUTES = /k8s\.pod\.name: Str\(checkout-7c9d5f6b8-x2x4q\)/;

describeReal(
  ['kube-apiserver', 'etcd', 'kubectl', 'otelcol'],
  "the Collector's ServiceAccount, with the printed rights and without each",
  () => {
    const stack = printedStacks()[0] ?? expect.fail('there is no printed stack');
    const snapshot = snapshotOf(stack);
    const gateway = snapshot.configs.find(hasKubernetesAttributes) ?? expect.fail('no printed Collector uses k8s_attributes');
    const workload = gateway.mounts[0]?.workload ?? expect.fail('nothing mounts its configuration');
    const { namespace } = workload;
    const account = String(workload.podSpec.serviceAccountName);
    const { roles, bindings } = rightsOf(snapshot, namespace, account);
    let server: ApiServer;
    let kubeconfig: string;

    beforeAll(async () => {
      server = await startApiServer();
      await server.apply(inOrder(snapshot).first);
      await server.apply([...roles, ...bindings].map(({ manifest }) => manifest));
      await server.apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } }, runningPod(namespace)]);
      const status = { status: { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] } };
      await server.ok(['patch', 'pod', POD, '-n', namespace, '--subresource=status', '--type=merge', '-p', JSON.stringify(status)]);
      kubeconfig = await server.kubeconfigOf(namespace, account);
    });

    it('lets k8s_attributes name the pod that a span comes from, and is refused nothing', async () => {
      const { collector, port } = await startCollector(gateway, kubeconfig);
      await waitFor(async () => (await sendSpan(port)) && ATTRIBUTES.test(collector.log()), {
        what: 'a span with the name of its pod',
        timeoutMs: 60_000,
      });
      for (const name of wantedAttributes(gateway)) expect(collector.log()).toContain(`-> ${name}: `);
      expect(collector.log()).not.toContain('forbidden');
      await collector.stop();
    });

    const removals = roles.flatMap((role) =>
      rulesOf(role).flatMap((rule, index) => rule.resources.map((resource) => ({ role, index, resource, group: rule.apiGroups[0] ?? '' }))),
    );

    it('has rights that can be removed', () => {
      expect(removals.length).toBeGreaterThan(0);
    });

    // Not verb by verb: client-go takes its first list through `watch` where the server can stream it, and needs `list` on older servers.
    describe.each(removals)('$role.kind $role.name without its rule for $resource', ({ role, index, resource, group }) => {
      it('fails: the log of the Collector says that it is forbidden, and spans lack what it names', async () => {
        const rules = rulesOf(role).flatMap((rule, at) => (at === index ? without(rule, resource) : [rule]));
        await server.apply([{ ...role.manifest, rules }]);
        const asked = ['auth', 'can-i', 'watch', group === '' ? resource : `${resource}.${group}`];
        const scope = role.kind === 'ClusterRole' ? '--all-namespaces' : `--namespace=${namespace}`;
        const refused = async () =>
          (await server.kubectl([...asked, `--as=system:serviceaccount:${namespace}:${account}`, scope])).stdout.trim() === 'no';
        await waitFor(refused, { what: `the server to refuse ${resource} to ${account}` });

        const { collector, port } = await startCollector(gateway, kubeconfig);
        await collector.waitForLog(new RegExp(`${resource}.{0,60} is forbidden`), 60_000);
        await waitFor(async () => (await sendSpan(port)) && /Name +: pay/.test(collector.log()), { what: 'the span in the log' });
        expect(wantedAttributes(gateway).filter((name) => !collector.log().includes(`-> ${name}: `))).not.toEqual([]);
        await collector.stop();
        await server.apply([role.manifest]);
      });
    });
  },
);

function hasKubernetesAttributes({ kind, tree }: ConfigFile): boolean {
  return kind === 'collector' && /"k8s_?attributes"/.test(JSON.stringify(tree.value));
}

/** The attributes that the printed processor is told to extract, as far as our pod has them. */
function wantedAttributes({ tree }: ConfigFile): string[] {
  const { processors } = tree.value as { processors: { [name: string]: { extract?: { metadata?: string[] } } } };
  const processor = processors.k8s_attributes ?? processors.k8sattributes;
  return processor?.extract?.metadata ?? [];
}

function rulesOf(role: KubeObject): PolicyRule[] {
  return role.manifest.rules as PolicyRule[];
}

/** The rule for its other resources; nothing where it has none. */
function without(rule: PolicyRule, resource: string): PolicyRule[] {
  const resources = rule.resources.filter((candidate) => candidate !== resource);
  return resources.length === 0 ? [] : [{ ...rule, resources }];
}

/** A pod as a Deployment makes it; whoever connects from 127.0.0.1 is this pod. */
function runningPod(namespace: string): object {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'checkout-7c9d5f6b8',
    uid: '0b6a6d3e-8a4f-4d55-9a39-5c1c6e0a7a11',
    controller: true,
  };
  const security = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: POD, namespace, labels: { app: 'checkout', 'pod-template-hash': '7c9d5f6b8' }, ownerReferences: [owner] },
    spec: {
      nodeName: 'node-1',
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ name: 'checkout', image: 'example.com/checkout:1.0.0', securityContext: security }],
    },
  };
}

/** The Collector with the printed k8s_attributes processor between an OTLP receiver and a log of what comes out. */
async function startCollector(printed: ConfigFile, kubeconfig: string): Promise<{ collector: RunningProcess; port: number }> {
  const { http } = await freePorts('http');
  const { processors } = applyOverrides(printed.tree.value as { processors: { [name: string]: object } }, [{ id: 'k8s-attributes-auth' }]);
  const names = Object.keys(processors).filter((name) => /^k8s_?attributes/.test(name));
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${http}` } } } },
    processors: Object.fromEntries(names.map((name) => [name, processors[name]])),
    exporters: { debug: { verbosity: 'detailed' } },
    service: {
      pipelines: { traces: { receivers: ['otlp'], processors: names, exporters: ['debug'] } },
      telemetry: { metrics: { level: 'none' } },
    },
  };
  return { collector: await startOtelcol({ config, env: { KUBECONFIG: kubeconfig } }), port: http };
}

async function sendSpan(port: number): Promise<boolean> {
  const span = {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'pay',
    startTimeUnixNano: '1',
    endTimeUnixNano: '2',
  };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ spans: [span] }] }] }),
  });
  return answer.ok;
}

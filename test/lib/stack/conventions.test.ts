/** What holds for every object, pod and container that is printed, in each profile. */
import { App, Duration } from 'cdk8s';
import { OtlpStack, type OtlpStackProps, Queue } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { type Manifest, type PrintedStack, printDevelopment, printStack } from '../../support/printed-stack.ts';

const LABELS = ['name', 'instance', 'version', 'component', 'part-of', 'managed-by'].map((name) => `app.kubernetes.io/${name}`);
const SELECTOR = ['component', 'instance', 'name'].map((name) => `app.kubernetes.io/${name}`);
const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'];

const workloads = ({ objects }: PrintedStack): Manifest[] => objects.filter(({ kind }) => WORKLOADS.includes(kind));
const containers = (pod: Manifest): Manifest[] => [...(pod.initContainers ?? []), ...pod.containers];
const at = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

describe.each([
  ['production', printStack()],
  ['development', printDevelopment()],
  ['with a queue on disk', printStack({ gateway: { queue: Queue.disk() } })],
])('every object of %s', (_, stack) => {
  it('carries the recommended labels; namespaces, which have no program, part-of and managed-by', () => {
    for (const object of stack.objects) {
      const { labels } = object.metadata;
      const expected = object.kind === 'Namespace' ? LABELS.slice(-2) : LABELS;
      for (const label of expected) expect(labels?.[label], `${at(object)} ${label}`).toBeTruthy();
      expect(labels['app.kubernetes.io/part-of']).toBe('otlp-stack');
      expect(labels['app.kubernetes.io/managed-by']).toBe('cdk8s');
    }
  });

  it('selects by name, instance and component, and by nothing that an upgrade changes', () => {
    const selectors = stack.objects.flatMap((object) => {
      const { kind, spec } = object;
      if (kind === 'Service') return [[object, spec.selector]];
      if (WORKLOADS.includes(kind) && kind !== 'Job') return [[object, spec.selector.matchLabels]];
      return kind === 'PodDisruptionBudget' ? [[object, spec.selector.matchLabels]] : [];
    });
    expect(selectors.length).toBeGreaterThan(15);
    for (const [object, selector] of selectors) expect(Object.keys(selector).sort(), at(object)).toEqual(SELECTOR);
  });

  it('has a name of at most 63 characters, and ports of at most 15 named by protocol', () => {
    for (const object of stack.objects) {
      expect(object.metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
      if (object.kind !== 'Service') continue;
      for (const port of object.spec.ports) expect(port.name, at(object)).toMatch(/^(http|otlp|grpc|tcp)(-[a-z-]+)?$/);
    }
  });

  it('names no latest image, and prints no Secret', () => {
    for (const workload of workloads(stack)) {
      for (const { image } of containers(workload.spec.template.spec)) expect(image, at(workload)).toMatch(/:v?\d+\.\d+[^:]*$/);
    }
    expect(stack.objects.map(({ kind }) => kind)).not.toContain('Secret');
  });

  it('keeps the restricted rules in its pods, Fluentd excepted, whose namespace says why', () => {
    const namespaces = Object.fromEntries(
      stack.objects
        .filter(({ kind }) => kind === 'Namespace')
        .map(({ metadata }) => [metadata.name, metadata.labels['pod-security.kubernetes.io/enforce']]),
    );
    expect(namespaces).toEqual({ observability: 'restricted', 'otlp-stack-logs': 'privileged' });
    for (const workload of workloads(stack)) {
      const { spec } = workload.spec.template;
      const restricted = namespaces[workload.metadata.namespace] === 'restricted';
      expect(restricted, at(workload)).toBe(workload.metadata.name !== 'fluentd');
      expect(spec.securityContext.seccompProfile, at(workload)).toEqual({ type: 'RuntimeDefault' });
      for (const { name, securityContext } of containers(spec)) {
        expect(securityContext, `${at(workload)} ${name}`).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
      if (!restricted) continue;
      expect(spec.securityContext, at(workload)).toMatchObject({ runAsNonRoot: true });
      expect(spec.securityContext.runAsUser, at(workload)).toBeGreaterThan(0);
      expect(JSON.stringify(spec), at(workload)).not.toMatch(/hostPath|hostNetwork|hostPort|hostPID|privileged"/);
    }
  });

  it('requests cpu and memory and limits memory in every container, above what it requests', () => {
    for (const workload of workloads(stack)) {
      for (const { name, resources } of containers(workload.spec.template.spec)) {
        const place = `${at(workload)} ${name}`;
        expect(resources.requests.cpu, place).toBeTruthy();
        expect(mebibytes(resources.limits.memory), place).toBeGreaterThanOrEqual(mebibytes(resources.requests.memory));
      }
      if (workload.kind === 'Job') continue;
      for (const { resources } of workload.spec.template.spec.containers) expect(resources.limits.cpu, at(workload)).toBeTruthy();
    }
  });

  it('mounts a token exactly where roles are granted', () => {
    const granted = stack.objects
      .filter(({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding')
      .flatMap(({ subjects }) => subjects.map(({ name }: Manifest) => name));
    for (const workload of workloads(stack)) {
      const { automountServiceAccountToken, serviceAccountName } = workload.spec.template.spec;
      expect(automountServiceAccountToken, at(workload)).toBe(granted.includes(serviceAccountName));
      // Its own account, by the component's name: a Job's carries a hash behind it.
      expect(serviceAccountName).toBe(workload.metadata.labels['app.kubernetes.io/name']);
    }
  });

  it('has its probes on ports that its container names', () => {
    for (const workload of workloads(stack)) {
      for (const container of containers(workload.spec.template.spec)) {
        for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe].filter(Boolean)) {
          const { port } = probe.httpGet ?? probe.tcpSocket;
          expect(
            container.ports.map(({ name }: Manifest) => name),
            `${at(workload)} ${container.name}`,
          ).toContain(port);
        }
      }
    }
  });
});

describe('a change of configuration', () => {
  const checksum = (stack: PrintedStack, kind: string, name: string): string =>
    stack.find(kind, name).spec.template.metadata.annotations['checksum/config'];
  const before = printStack();

  it.each([
    ['Deployment', 'otlp-service', { service: { batchQueueSize: 4096 } }],
    ['Deployment', 'otlp-service', { agent: { configOverrides: { processors: { memory_limiter: { check_interval: '1s' } } } } }],
    ['Deployment', 'otel-collector', { gateway: { configOverrides: { service: { telemetry: { logs: { level: 'debug' } } } } } }],
    ['Deployment', 'jaeger', { jaeger: { configOverrides: { service: { telemetry: { logs: { level: 'debug' } } } } } }],
    ['StatefulSet', 'elasticsearch', { elasticsearch: { configOverrides: { 'indices.memory.index_buffer_size': '20%' } } }],
    ['StatefulSet', 'prometheus', { prometheus: { scrapeInterval: Duration.seconds(30) } }],
    ['DaemonSet', 'fluentd', { clusterName: 'prod-eu' }],
  ])('rolls %s %s', (kind, name, props) => {
    const after = printStack(props);
    expect(checksum(after, kind, name)).not.toBe(checksum(before, kind, name));
  });

  it('rolls nothing else', () => {
    const after = printStack({ jaeger: { configOverrides: { service: { telemetry: { logs: { level: 'debug' } } } } } });
    expect(checksum(after, 'Deployment', 'otel-collector')).toBe(checksum(before, 'Deployment', 'otel-collector'));
    expect(checksum(after, 'Deployment', 'otlp-service')).toBe(checksum(before, 'Deployment', 'otlp-service'));
  });
});

describe('the end of a pod', () => {
  it('gives the application, then the agent, then a margin their time', () => {
    const { spec } = printStack().find('Deployment', 'otlp-service').spec.template;
    // 15 s of the application, 25 s for the agent to empty its queue, 5 s on top: one clock for all.
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(15 + 25 + 5);
  });

  it('fails when a pod would be killed before its agent is empty', () => {
    expect(problems({ service: { terminationGracePeriod: Duration.seconds(20) } }).join()).toMatch(
      /'terminationGracePeriod' \(20 s\) must be at least \d+ s/,
    );
    expect(problems({})).toEqual([]);
  });
});

/** What synth would refuse. */
function problems(props: OtlpStackProps): string[] {
  const app = new App();
  new OtlpStack(app, 'otlp', props);
  return app.node.findAll().flatMap((construct) => construct.node.validate());
}

function mebibytes(quantity: string): number {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  return Number(number) * (unit === 'Gi' ? 1024 : 1);
}

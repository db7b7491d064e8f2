/** Profile.DEVELOPMENT: one small node, and everything else the same. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Manifest, type PrintedStack, printDevelopment, printStack } from '../../support/printed-stack.ts';

const production = printStack();
const development = printDevelopment();
const workloads = ({ objects }: PrintedStack, ...kinds: string[]): Manifest[] => objects.filter(({ kind }) => kinds.includes(kind));

describe('the development profile', () => {
  it('is one replica of each', () => {
    const replicas = workloads(development, 'Deployment', 'StatefulSet').map(({ metadata, spec }) => [metadata.name, spec.replicas]);
    expect(Object.fromEntries(replicas)).toEqual({
      'otlp-service': 1,
      'otel-collector': 1,
      jaeger: 1,
      elasticsearch: 1,
      prometheus: 1,
      alertmanager: 1,
      'kube-state-metrics': 1,
      grafana: 1,
    });
  });

  it('keeps traces in memory, and nothing in a claim', () => {
    const { main } = development.config('jaeger-config', 'config.yaml').extensions.jaeger_storage.backends;
    expect(Object.keys(main)).toEqual(['memory']);
    for (const { metadata, spec } of workloads(development, 'StatefulSet')) {
      expect(spec, metadata.name).not.toHaveProperty('volumeClaimTemplates');
      const data = spec.template.spec.volumes.find(({ name }: Manifest) => name === 'data');
      expect(Object.keys(data).sort(), metadata.name).toEqual(['emptyDir', 'name']);
    }
  });

  it('has no autoscaler', () => {
    expect(workloads(development, 'HorizontalPodAutoscaler', 'ScaledObject')).toEqual([]);
  });

  it('admits everybody to Prometheus but KEDA, which is not asked for', () => {
    const admitted = (stack: PrintedStack): Manifest[] => stack.find('NetworkPolicy', 'prometheus').spec.ingress[0].from;
    const keda = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'keda' } } };
    expect(admitted(production)).toContainEqual(keda);
    const others = admitted(production).filter((peer) => JSON.stringify(peer) !== JSON.stringify(keda));
    expect(admitted(development)).toEqual(expect.arrayContaining(others));
    expect(admitted(development)).toHaveLength(others.length);
  });

  it('requests less than 2 CPU and 4 GiB for all pods together, on one node', () => {
    const pods = workloads(development, 'Deployment', 'StatefulSet', 'DaemonSet', 'Job').map(({ spec }) => podRequests(spec.template.spec));
    const cpu = pods.reduce((sum, pod) => sum + pod.cpu, 0);
    const memory = pods.reduce((sum, pod) => sum + pod.memory, 0);
    expect(pods).toHaveLength(10);
    expect(cpu).toBeLessThanOrEqual(2000);
    expect(memory).toBeLessThanOrEqual(4096);
    // What the node's own pods need has to fit beside them.
    expect([cpu, memory].every((sum) => sum > 0)).toBe(true);
  });

  it('counts requests as the scheduler does', () => {
    const container = (cpu: string, memory: string, restartPolicy?: string): Manifest => ({
      resources: { requests: { cpu, memory } },
      restartPolicy,
    });
    expect(podRequests({ containers: [container('100m', '64Mi'), container('1', '1Gi')] })).toEqual({ cpu: 1100, memory: 1088 });
    // An init container counts where it needs more than all that run later; a sidecar that started before it runs beside it.
    const init = container('2', '32Mi');
    expect(podRequests({ containers: [container('100m', '64Mi')], initContainers: [init] })).toEqual({ cpu: 2000, memory: 64 });
    const sidecar = container('200m', '16Mi', 'Always');
    expect(podRequests({ containers: [container('100m', '64Mi')], initContainers: [sidecar, init] })).toEqual({ cpu: 2200, memory: 80 });
    expect(podRequests({ containers: [container('100m', '64Mi')], initContainers: [init, sidecar] })).toEqual({ cpu: 2000, memory: 80 });
  });
});

/** Every difference to production that is meant, by its place; an entry that matches nothing fails. */
const MEANT: { readonly [what: string]: RegExp } = {
  'one replica': /^(Deployment|StatefulSet)\/[a-z-]+ spec\.replicas$/,
  'no autoscaler': /^(HorizontalPodAutoscaler|ScaledObject)\/[a-z-]+ $/,
  'no disruption budget where there is one replica of a store': /^PodDisruptionBudget\/(jaeger|elasticsearch) $/,
  'no spread over zones of one replica':
    /^(Deployment|StatefulSet)\/(jaeger|elasticsearch) spec\.template\.spec\.topologySpreadConstraints/,
  'smaller requests and limits':
    /^[A-Za-z]+\/[a-z-]+ spec\.template\.spec\.(init)?[cC]ontainers\.\d+\.resources\.(requests|limits)\.(cpu|memory)$/,
  'space in the pod instead of a claim': /^StatefulSet\/[a-z]+ spec\.(volumeClaimTemplates|template\.spec\.volumes\.\d+)/,
  'what follows from the memory of the gateway':
    /^(Deployment\/otel-collector spec\.template\.spec\.containers\.0\.env\.\d+\.value|ConfigMap\/otel-collector-config data\.gateway\.yaml\.processors\.memory_limiter\.[a-z_]+)$/,
  'what follows from the memory of the agent': /^ConfigMap\/otlp-service-agent data\.agent\.yaml\.processors\.memory_limiter\.[a-z_]+$/,
  'Jaeger in memory': /^ConfigMap\/jaeger-config data\.config\.yaml\.extensions\.jaeger_storage\.backends\.main\./,
  'no password of a store that Jaeger has not': /^Deployment\/jaeger spec\.template\.spec\.(volumes|containers\.0\.volumeMounts)\./,
  'no way from Jaeger to the store': /^NetworkPolicy\/(jaeger spec\.egress|elasticsearch spec\.(ingress|egress))(\.|$)/,
  'no way from KEDA to Prometheus': /^NetworkPolicy\/prometheus spec\.ingress\.0\.from\./,
  'one node of Elasticsearch': /^ConfigMap\/elasticsearch-config data\.elasticsearch\.yml\.(discovery|cluster)\./,
  'one shard of the logs without a copy':
    /^ConfigMap\/elasticsearch-setup-config data\.template\.otlp-rust\.json\.template\.settings\.index\.number_of_(shards|replicas)$/,
  'checksums of the configurations above': /^[A-Za-z]+\/[a-z-]+ spec\.template\.metadata\.annotations\.checksum\/config$/,
};

describe('everything else of the development profile', () => {
  const differences = compare(flatten(production), flatten(development));

  it('is the same as in production', () => {
    expect(differences.filter((place) => !Object.values(MEANT).some((pattern) => pattern.test(place)))).toEqual([]);
  });

  it.each(Object.entries(MEANT))('differs in: %s', (_, pattern) => {
    expect(differences.some((place) => pattern.test(place))).toBe(true);
  });
});

/** Milli-CPU and MiB that the scheduler reserves for a pod: KEP-753, which native sidecars came with. */
function podRequests(pod: Manifest): { cpu: number; memory: number } {
  const of = ({ resources }: Manifest, name: 'cpu' | 'memory'): number => amount(resources.requests[name]);
  const total = (name: 'cpu' | 'memory'): number => {
    let sidecars = 0;
    let start = 0;
    for (const init of pod.initContainers ?? []) {
      if (init.restartPolicy === 'Always') sidecars += of(init, name);
      start = Math.max(start, sidecars + (init.restartPolicy === 'Always' ? 0 : of(init, name)));
    }
    const running = pod.containers.reduce((sum: number, container: Manifest) => sum + of(container, name), sidecars);
    return Math.max(start, running);
  };
  return { cpu: total('cpu'), memory: total('memory') };
}

/** CPU in thousandths, memory in MiB. */
function amount(quantity: string): number {
  const [, number, unit] = /^([\d.]+)(m|Mi|Gi)?$/.exec(quantity) ?? [];
  const factor = { m: 1, Mi: 1, Gi: 1024, '': 1000 }[unit ?? ''] ?? Number.NaN;
  return Number(number) * factor;
}

/** Every leaf of every object by its place; files of ConfigMaps that are YAML or JSON are opened. */
function flatten(stack: PrintedStack): Map<string, Map<string, string>> {
  return new Map(
    stack.objects.map((object) => {
      const leaves = new Map<string, string>();
      const walk = (value: Manifest, path: string): void => {
        if (typeof value === 'object' && value !== null) {
          if (Object.keys(value).length === 0) leaves.set(path, JSON.stringify(value));
          for (const [key, each] of Object.entries(value)) walk(each, path === '' ? key : `${path}.${key}`);
        } else if (typeof value === 'string' && path.startsWith('data.') && /\.(yaml|yml|json)$/.test(path)) {
          walk(parse(value), path);
        } else {
          leaves.set(path, JSON.stringify(withoutHash(String(value))));
        }
      };
      walk(object, '');
      return [withoutHash(`${object.kind}/${object.metadata.name}`), leaves];
    }),
  );
}

/** The setup Job carries a hash of what it installs. */
function withoutHash(name: string): string {
  return name.replace(/^((?:.*\/)?elasticsearch-setup)-[0-9a-f]{8}/, '$1');
}

function compare(a: Map<string, Map<string, string>>, b: Map<string, Map<string, string>>): string[] {
  const different: string[] = [];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(name), b.get(name)];
    if (left === undefined || right === undefined) different.push(`${name} `);
    else
      for (const path of new Set([...left.keys(), ...right.keys()]))
        if (left.get(path) !== right.get(path)) different.push(`${name} ${path}`);
  }
  return different;
}

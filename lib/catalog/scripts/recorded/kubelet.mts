import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseExposition } from '../../../../test/real/support/exposition.ts';
import type { MetricFact, MetricKind } from '../../model.ts';
import type { PartialFacts } from '../store.mts';
import { requiredModuleFolder } from './go-module.mts';

const KUBERNETES = '1.36.3';
/** The version that Kubernetes' go.mod pins: the kubelet has it inside. */
const CADVISOR = '0.56.2';

/** The kubelet leaves these groups out (pkg/kubelet/server/server.go, includedMetrics). */
const NOT_IN_KUBELET =
  /^(cadvisor_|container_(hugetlb|perf|llc|memory_bandwidth|memory_numa|memory_migrate|referenced|health|cpu_schedstat|custom_app|network_(tcp|udp|advance)))/;
/** Labels of the recorded sample's own container. */
const OF_THE_SAMPLE = /^(container_env_|container_label_|zone_name$)/;
/** What the kubelet says of every container (containerPrometheusLabelsFunc in the same file). */
const KUBELET_LABELS = ['container', 'id', 'image', 'name', 'namespace', 'pod'];

interface Documented {
  readonly name: string;
  readonly subsystem?: string;
  readonly namespace?: string;
  readonly help: string;
  readonly type: string;
  readonly labels?: readonly string[];
  readonly deprecatedVersion?: string;
  readonly componentEndpoints?: readonly { readonly component: string; readonly endpoint: string }[];
}

/**
 * The kubelet's three endpoints: cAdvisor from the exposition recorded in cAdvisor's own tests, at the version that this kubelet
 * embeds; the others from the list from which Kubernetes makes its reference of metrics.
 */
export function recordKubelet(): PartialFacts {
  const cadvisor = requiredModuleFolder('github.com/google/cadvisor', `v${CADVISOR}`);
  const kubernetes = requiredModuleFolder('k8s.io/kubernetes', `v${KUBERNETES}`);
  return {
    program: 'kubelet',
    version: KUBERNETES,
    title: 'kubelet',
    run: false,
    note: `Not run. container_* and machine_* are the exposition that cAdvisor ${CADVISOR}, which this kubelet embeds, records in its tests, with the kubelet's own labels.`,
    ports: [
      {
        name: 'https-metrics',
        port: 10250,
        transport: 'TCP',
        protocol: 'https',
        path: '/metrics/cadvisor',
        source: `upstream@v${KUBERNETES}`,
        where: 'k8s.io/kubernetes/pkg/cluster/ports/ports.go',
      },
    ],
    metrics: [...fromCadvisor(cadvisor), ...fromList(join(kubernetes, 'test/instrumentation/documentation/documentation-list.yaml'))],
  };
}

function fromCadvisor(folder: string): MetricFact[] {
  return ['prometheus_metrics', 'prometheus_machine_metrics'].flatMap((file) =>
    parseExposition(readFileSync(join(folder, 'metrics/testdata', file), 'utf8'))
      .filter(({ name }) => !NOT_IN_KUBELET.test(name))
      .map(({ name, type, help, labels }) => {
        const own = labels.filter((label) => !OF_THE_SAMPLE.test(label));
        const all = name.startsWith('container_') && name !== 'container_scrape_error' ? [...own, ...KUBELET_LABELS] : own;
        return {
          name,
          type: type as MetricKind,
          help,
          labels: [...new Set(all)].sort(),
          endpoint: 'cadvisor',
          source: `upstream@v${CADVISOR}`,
          where: `github.com/google/cadvisor/metrics/testdata/${file}`,
        };
      }),
  );
}

const ENDPOINTS: { readonly [path: string]: string } = { '/metrics': 'self', '/metrics/resource': 'resource', '/metrics/probes': 'probes' };

function fromList(file: string): MetricFact[] {
  const documented = parse(readFileSync(file, 'utf8')) as Documented[];
  return documented
    .filter(({ deprecatedVersion }) => deprecatedVersion === undefined)
    .flatMap((metric) =>
      (metric.componentEndpoints ?? [])
        .filter(({ component, endpoint }) => component === 'kubelet' && ENDPOINTS[endpoint] !== undefined)
        .map(({ endpoint }) => ({
          name: [metric.namespace, metric.subsystem, metric.name].filter((part) => part).join('_'),
          type: kindOf(metric.type, metric.name),
          help: metric.help.replaceAll(/\s+/g, ' '),
          labels: [...(metric.labels ?? [])].sort(),
          endpoint: ENDPOINTS[endpoint] ?? '',
          source: `upstream@v${KUBERNETES}`,
          where: 'k8s.io/kubernetes/test/instrumentation/documentation/documentation-list.yaml',
        })),
    );
}

/** `Custom` metrics are collected by hand: of those that the kubelet has, the ones named `_total` are counters and the others gauges. */
function kindOf(type: string, name: string): MetricKind {
  const kind = type.toLowerCase();
  if (kind === 'histogram' || kind === 'timinghistogram') return 'histogram';
  if (kind === 'counter' || kind === 'gauge' || kind === 'summary') return kind;
  return name.endsWith('_total') ? 'counter' : 'gauge';
}

/**
 * The same exposition as text, for tests that scrape a kubelet: one container `CONTAINER` of the pod `POD` in `NAMESPACE`, labelled as
 * the kubelet labels it, without the groups that it leaves out.
 */
export function kubeletExposition(): string {
  const file = join(requiredModuleFolder('github.com/google/cadvisor', `v${CADVISOR}`), 'metrics/testdata/prometheus_metrics');
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const name = line.match(/^(?:# \w+ )?([a-z_0-9]+)/)?.[1] ?? '';
      if (name === '' || NOT_IN_KUBELET.test(name)) return [];
      const sample = line.match(/^([a-z_0-9]+)\{(.*)\} (\S+)/);
      if (sample === null) return [line];
      const own = [...(sample[2] ?? '').matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].filter(
        ([, label = '']) => !OF_THE_SAMPLE.test(label) && !KUBELET_LABELS.includes(label),
      );
      const labels = [
        ...own.map(([text]) => text),
        'container="CONTAINER"',
        'id="/kubepods/pod-POD/CONTAINER"',
        'image="CONTAINER:1"',
        'name="CONTAINER-POD"',
        'namespace="NAMESPACE"',
        'pod="POD"',
      ];
      return [`${sample[1]}{${labels.sort().join(',')}} ${sample[3]}`];
    });
  // Without per-CPU figures, which the kubelet leaves out, cAdvisor reports their sum as `total`.
  const firstCpu = lines.findIndex((line) => line.startsWith('container_cpu_usage_seconds_total{'));
  const kept = lines.filter((line, index) => index <= firstCpu || !line.startsWith('container_cpu_usage_seconds_total{'));
  const exposed = kept.map((line) => line.replace(/cpu="cpu\d+"/, 'cpu="total"'));
  const header = [
    `# Recorded by cAdvisor ${CADVISOR} (github.com/google/cadvisor, metrics/testdata/prometheus_metrics, Apache-2.0), which the kubelet of Kubernetes ${KUBERNETES} embeds;`,
    '# labelled as that kubelet labels (pkg/kubelet/server/server.go, containerPrometheusLabelsFunc). Written by lib/catalog/scripts/record.mts.',
  ];
  return `${[...header, ...exposed].join('\n')}\n`;
}

import { asList, asObject, asString, isObject, type JsonObject, type Path } from '../read/json';
import type { KubeObject } from '../read/objects';
import { labelSelector, selects } from '../read/policies';
import type { Snapshot } from '../read/snapshot';
import type { Workload } from '../read/workloads';
import { parseAddress } from './address';
import { type CandidateTarget, endpointTargets, podTargets } from './discovery';
import { relabel } from './relabel';

/** An endpoint of a PodMonitor or ServiceMonitor, which the Prometheus of an operator scrapes. */
export interface Monitored {
  readonly monitor: KubeObject;
  /** The endpoint, in the monitor. */
  readonly path: Path;
  /** The port's name, as the monitor spells it; undefined where it gives a number. */
  readonly port?: string;
  /** The names of ports among which the monitor chooses; empty where it selects nothing. */
  readonly offered: readonly string[];
  /** What is scraped. */
  readonly targets: readonly { readonly workload: Workload; readonly port: number }[];
}

/** How the kinds differ: the list of endpoints, and the label that holds a port's name. */
const KINDS: { readonly [kind: string]: { readonly list: string; readonly portLabel: string } } = {
  PodMonitor: { list: 'podMetricsEndpoints', portLabel: '__meta_kubernetes_pod_container_port_name' },
  ServiceMonitor: { list: 'endpoints', portLabel: '__meta_kubernetes_endpoint_port_name' },
};

/** Every endpoint of the monitors among the manifests. */
export function monitored(snapshot: Snapshot): Monitored[] {
  return snapshot.objects.flatMap((monitor) => {
    const kind = monitor.apiVersion.startsWith('monitoring.coreos.com/') ? KINDS[monitor.kind] : undefined;
    if (kind === undefined) return [];
    const spec = asObject(monitor.manifest.spec);
    const found = candidates(monitor, spec, snapshot);
    const offered = [...new Set(found.flatMap(({ labels }) => labels[kind.portLabel] || []))];
    return asList(spec[kind.list]).map((entry, index) => {
      const endpoint = asObject(entry);
      const port = asString(endpoint.port);
      const named = port === undefined ? [] : found.filter(({ labels }) => labels[kind.portLabel] === port);
      return { monitor, path: ['spec', kind.list, index], port, offered, targets: named.flatMap((target) => kept(target, endpoint)) };
    });
  });
}

function candidates(monitor: KubeObject, spec: JsonObject, snapshot: Snapshot): CandidateTarget[] {
  const { any, matchNames } = asObject(spec.namespaceSelector);
  const inNamespace = (namespace: string): boolean =>
    any === true || (matchNames === undefined ? namespace === monitor.namespace : asList(matchNames).includes(namespace));
  const selector = labelSelector(spec.selector);
  if (monitor.kind === 'PodMonitor') {
    return snapshot.workloads
      .filter(({ namespace, podLabels }) => inNamespace(namespace) && selects(selector, podLabels))
      .flatMap((workload) => podTargets(workload, snapshot));
  }
  return snapshot.services
    .filter(({ namespace, object }) => inNamespace(namespace) && selects(selector, object.labels))
    .flatMap((service) => endpointTargets(service, snapshot));
}

function kept({ labels, workload }: CandidateTarget, { relabelings }: JsonObject): { workload: Workload; port: number }[] {
  const address = parseAddress(relabel(labels, asList(relabelings).map(spelledAsPrometheus))?.__address__ ?? '');
  return workload === undefined || address?.port === undefined ? [] : [{ workload, port: address.port }];
}

/** `sourceLabels` in a monitor is `source_labels` in prometheus.yml. */
function spelledAsPrometheus(rule: unknown): unknown {
  if (!isObject(rule)) return rule;
  return Object.fromEntries(
    Object.entries(rule).map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}

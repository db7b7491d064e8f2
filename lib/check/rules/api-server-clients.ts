import { asList, asObject, isObject } from '../read/json';
import { objectName } from '../read/objects';
import type { Snapshot } from '../read/snapshot';
import type { Workload } from '../read/workloads';

/** Components of the Collector that ask the API server, by section. */
const COLLECTOR_CLIENTS: { readonly [section: string]: readonly string[] } = {
  receivers: ['k8s_cluster', 'k8s_events', 'k8sobjects', 'k8s_objects'],
  processors: ['k8sattributes', 'k8s_attributes'],
  extensions: ['k8s_observer', 'k8s_leader_elector'],
};

/** A pod that asks the API server, and what makes it. */
export interface ApiServerClient {
  readonly workload: Workload;
  readonly why: string;
}

/** The pods whose configuration makes them ask the API server, and those whose ServiceAccount was given rights there. */
export function apiServerClients(snapshot: Snapshot): ApiServerClient[] {
  return [...byConfiguration(snapshot), ...byRights(snapshot)];
}

function byRights({ rbac, workloads }: Snapshot): ApiServerClient[] {
  return rbac.flatMap((binding) =>
    asList(binding.manifest.subjects).flatMap((entry) => {
      const { kind, name, namespace = binding.namespace } = asObject(entry);
      if (kind !== 'ServiceAccount') return [];
      const own = workloads.filter((workload) => workload.namespace === namespace && workload.podSpec.serviceAccountName === name);
      return own.map((workload) => ({ workload, why: objectName(binding) }));
    }),
  );
}

function byConfiguration({ configs }: Snapshot): ApiServerClient[] {
  return configs.flatMap(({ kind, tree, text, mounts }) => {
    const content = asObject(tree.value);
    const reasons: string[] = [];
    if (kind === 'collector') {
      for (const [section, types] of Object.entries(COLLECTOR_CLIENTS))
        reasons.push(...Object.keys(asObject(content[section])).filter((name) => types.includes(name.split('/')[0] ?? '')));
    }
    if (kind === 'collector' || kind === 'prometheus') reasons.push(...keysNamed(content, 'kubernetes_sd_configs'));
    if (kind === 'fluentd' && /^\s*@type\s+kubernetes_metadata\b/m.test(text)) reasons.push('kubernetes_metadata');
    const first = reasons[0];
    return first === undefined ? [] : mounts.map(({ workload }) => ({ workload, why: `${first} in ${tree.place([]).object}` }));
  });
}

/** The key, if it stands anywhere below the value. */
function keysNamed(value: unknown, key: string): string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => keysNamed(entry, key));
  if (!isObject(value)) return [];
  return key in value ? [key] : Object.values(value).flatMap((entry) => keysNamed(entry, key));
}

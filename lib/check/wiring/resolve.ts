import { suggestion } from '../nearest';
import { asObject, asStrings } from '../read/json';
import { objectName } from '../read/objects';
import type { Service, ServicePort } from '../read/services';
import type { Snapshot } from '../read/snapshot';
import { type ContainerPort, podPorts, type Workload } from '../read/workloads';
import { isLoopback, type ServiceName, serviceName } from './address';
import { listeningPorts } from './listeners';
import type { AddressUse } from './use';

/** A pod's port that an address leads to. */
export interface Target {
  readonly workload: Workload;
  readonly port: number;
  readonly protocol: string;
}

/** What an address leads to. */
export type Resolution =
  /** The pods behind a Service. */
  | { readonly kind: 'pods'; readonly targets: readonly Target[] }
  /** A port of the same pod. */
  | { readonly kind: 'own-pod' }
  /** The API server of the cluster: no Service of the manifests, and no pod that a policy could select. */
  | { readonly kind: 'api-server' }
  /** A name outside of the cluster. */
  | { readonly kind: 'outside' }
  /** In the cluster, and not described by the manifests. */
  | { readonly kind: 'elsewhere' }
  /** It leads nowhere. */
  | { readonly kind: 'nowhere'; readonly problem: string; readonly remedy: string };

const ELSEWHERE: Resolution = { kind: 'elsewhere' };
/** Its Services (cluster DNS first) belong to the cluster, not to those who deploy into it. */
const SYSTEM_NAMESPACE = 'kube-system';

/** Follows an address to the pods that answer it. */
export function resolve({ address, namespace, source }: AddressUse, snapshot: Snapshot): Resolution {
  if (isLoopback(address)) return source === undefined || address.port === undefined ? ELSEWHERE : ownPod(source, address.port, snapshot);
  const find = (service: string, within: string): Service | undefined =>
    snapshot.services.find((candidate) => candidate.name === service && candidate.namespace === within);
  const name = serviceName(address, namespace, {
    isNamespace: (candidate) => snapshot.namespaces.has(candidate),
    isService: (candidate, within) => find(candidate, within) !== undefined,
  });
  if (name === undefined) return { kind: 'outside' };
  if (name.service === 'kubernetes' && name.namespace === 'default') return { kind: 'api-server' };
  const service = find(name.service, name.namespace);
  if (service === undefined) return isElsewhere(name.namespace, snapshot) ? ELSEWHERE : noService(name, snapshot);
  if (service.external) return ELSEWHERE;
  if (name.pod !== undefined) {
    const problem = podProblem(name.pod, service, snapshot);
    if (problem !== undefined) return problem;
  }
  return behind(service, address.port, address.scheme === 'udp' ? 'UDP' : 'TCP', snapshot);
}

/**
 * A namespace that nothing here is in, and that a policy names all the same: whoever wrote the manifests knows that somebody else
 * deploys into it (an operator's Prometheus). A misspelt namespace is in no policy.
 */
function isElsewhere(namespace: string, { objects, policies }: Snapshot): boolean {
  if (namespace === SYSTEM_NAMESPACE) return true;
  if (objects.some((object) => object.namespace === namespace || (object.kind === 'Namespace' && object.name === namespace))) return false;
  const peers = policies.flatMap(({ ingress = [], egress = [] }) => [...ingress, ...egress].flatMap((rule) => rule.peers));
  return peers.some(({ namespaceSelector }) => namespaceSelector?.matchLabels['kubernetes.io/metadata.name'] === namespace);
}

/** The pods of a Service, by one of its ports. */
function behind(service: Service, port: number | undefined, protocol: string, snapshot: Snapshot): Resolution {
  const workloads = workloadsOf(service, snapshot);
  // Endpoints that somebody else maintains.
  if (service.selector === undefined) return hasPort(service, port) ? ELSEWHERE : noPort(service, port);
  if (workloads.length === 0 && isMadeByOperator(service, snapshot)) return ELSEWHERE;
  if (workloads.length === 0) {
    const labels = Object.entries(service.selector).map(([key, value]) => `${key}=${value}`);
    return nowhere(
      `the selector ${labels.join(',')} of ${objectName(service.object)} matches no pod`,
      'give the pods these labels, or the Service theirs',
    );
  }
  // Half an address: the variable that completes it is judged where it is used.
  if (port === undefined) return { kind: 'pods', targets: [] };
  // The name of a headless Service is the pods' own addresses: nothing translates the port.
  if (service.headless) {
    const targets = withPort(workloads, port, protocol);
    if (targets.length > 0) return { kind: 'pods', targets };
    const problem = `${objectName(service.object)} is headless, and no container behind it has port ${port}`;
    return nowhere(problem, `use the pods' own port: ${portsOf(workloads)}`);
  }
  const entry = service.ports.find((candidate) => candidate.port === port && candidate.protocol === protocol);
  if (entry === undefined) return noPort(service, port);
  const targets = withPort(workloads, entry.targetPort, protocol);
  if (targets.length > 0) return { kind: 'pods', targets };
  const pods = workloads.map(({ object }) => objectName(object)).join(', ');
  return nowhere(
    `port ${port} of ${objectName(service.object)} leads to container port ${entry.targetPort}, which no container of ${pods} has`,
    `let targetPort be one of ${portsOf(workloads)}, or add the port to the container`,
  );
}

/** Whether a custom resource carries the labels that the Service looks for: its operator makes the pods (Prometheus, Elasticsearch ...). */
function isMadeByOperator({ selector = {}, namespace }: Service, { objects }: Snapshot): boolean {
  return objects.some(({ apiVersion, manifest, labels, ...object }) => {
    if (object.namespace !== namespace || !isCustom(apiVersion)) return false;
    const all = { ...labels, ...asStrings(asObject(asObject(manifest.spec).podMetadata).labels) };
    return Object.entries(selector).every(([key, value]) => all[key] === value);
  });
}

/** Kubernetes' own groups have no dot (`apps`) or end with k8s.io. */
function isCustom(apiVersion: string): boolean {
  const [group = '', version] = apiVersion.split('/');
  return version !== undefined && group.includes('.') && !group.endsWith('.k8s.io');
}

function ownPod(source: Workload, port: number, snapshot: Snapshot): Resolution {
  const declared = podPorts(source);
  const undeclared = listeningPorts(source, snapshot).filter((open) => !declared.some((candidate) => candidate.port === open));
  if (undeclared.includes(port) || declared.some((candidate) => candidate.port === port)) return { kind: 'own-pod' };
  const known = [...declared.map(portName), ...undeclared.map(String)];
  if (known.length === 0) return ELSEWHERE;
  return nowhere(
    `no container of ${objectName(source.object)} has port ${port}`,
    `use one of ${known.join(', ')}, or declare the port at the container that listens on it`,
  );
}

function noService({ service, namespace }: ServiceName, { services }: Snapshot): Resolution {
  const elsewhere = services.filter(({ name }) => name === service).map((found) => found.namespace);
  if (elsewhere.length > 0)
    return nowhere(
      `there is no Service ${namespace}/${service}; ${service} is in namespace ${elsewhere.join(', ')}`,
      `write ${service}.${elsewhere[0]}`,
    );
  const here = services.filter((candidate) => candidate.namespace === namespace).map(({ name }) => name);
  return nowhere(
    `there is no Service ${namespace}/${service}`,
    `correct the name or add the Service; in namespace ${namespace} ${suggestion(service, here)}`,
  );
}

function podProblem(pod: string, service: Service, snapshot: Snapshot): Resolution | undefined {
  const sets = snapshot.workloads.filter(({ object, namespace }) => object.kind === 'StatefulSet' && namespace === service.namespace);
  const owner = sets.find(({ name }) => pod.startsWith(`${name}-`) && /^\d+$/.test(pod.slice(name.length + 1)));
  const governing = (owner?.object.manifest.spec as { serviceName?: unknown } | undefined)?.serviceName;
  if (owner !== undefined && governing === service.name) return undefined;
  if (owner === undefined)
    return nowhere(`no StatefulSet in namespace ${service.namespace} has a pod ${pod}`, 'correct the name of the pod');
  return nowhere(
    `${objectName(owner.object)} has serviceName ${String(governing)}, so its pods have no name below ${service.name}`,
    `write ${pod}.${String(governing)}, or set serviceName to ${service.name}`,
  );
}

function noPort(service: Service, port: number | undefined): Resolution {
  const ports = service.ports.map(
    (entry) => `${entry.port}${entry.name === undefined ? '' : ` (${entry.name})`}${entry.protocol === 'TCP' ? '' : `/${entry.protocol}`}`,
  );
  return nowhere(
    `${objectName(service.object)} has no port ${port ?? 'at all'}`,
    `use one of its ports: ${ports.join(', ') || 'it has none'}; or add the port to the Service`,
  );
}

function hasPort(service: Service, port: number | undefined): boolean {
  return port === undefined || service.ports.some((entry) => entry.port === port);
}

/** The workloads whose pods a Service selects. */
export function workloadsOf({ selector, namespace }: Service, { workloads }: Snapshot): Workload[] {
  if (selector === undefined) return [];
  return workloads.filter(
    (workload) => workload.namespace === namespace && Object.entries(selector).every(([key, value]) => workload.podLabels[key] === value),
  );
}

/** The workloads that have a container port, by number or name. */
export function withPort(workloads: readonly Workload[], port: ServicePort['targetPort'], protocol: string): Target[] {
  const is = (candidate: ContainerPort): boolean =>
    candidate.protocol === protocol && (typeof port === 'number' ? candidate.port === port : candidate.name === port);
  return workloads.flatMap((workload) => {
    const declared = podPorts(workload);
    // To declare ports is good manners, not a duty: a pod that declares none may listen on any.
    if (declared.length === 0 && typeof port === 'number') return [{ workload, port, protocol }];
    const found = declared.find(is);
    return found === undefined ? [] : [{ workload, port: found.port, protocol }];
  });
}

function portsOf(workloads: readonly Workload[]): string {
  const ports = workloads.flatMap(podPorts).map(portName);
  return [...new Set(ports)].join(', ') || 'none';
}

function portName({ name, port }: ContainerPort): string {
  return name === undefined ? String(port) : `${port} (${name})`;
}

function nowhere(problem: string, remedy: string): Resolution {
  return { kind: 'nowhere', problem, remedy };
}

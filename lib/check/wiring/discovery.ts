import type { ConfigFile } from '../read/configs';
import { asList, asObject, asString, type JsonObject, type Path } from '../read/json';
import type { Service } from '../read/services';
import type { Snapshot } from '../read/snapshot';
import type { ContainerPort, Workload } from '../read/workloads';
import { type Address, parseAddress } from './address';
import { relabel } from './relabel';
import { workloadsOf } from './resolve';

type Labels = { readonly [name: string]: string };

/** What a scrape job finds by asking the API server. */
export interface Discovered {
  readonly config: ConfigFile;
  /** The job, in the configuration. */
  readonly path: Path;
  readonly job: string;
  /** A port of the pods of a workload; for other targets one of the next two. */
  readonly pod?: { readonly workload: Workload; readonly port: number };
  /** A port of each node: kubelet, cAdvisor, node exporter. */
  readonly nodePort?: number;
  /** An address that relabelling wrote, or that of a Service. */
  readonly address?: Address;
}

/** An address of the documentation range, for a node. */
const NODE = '192.0.2.1';
const KUBELET_PORT = 10250;

/** The targets of all scrape jobs with kubernetes_sd_configs, of Prometheus and of the Collector's prometheus receivers. */
export function discovered(snapshot: Snapshot): Discovered[] {
  return snapshot.configs.flatMap((config) =>
    jobsOf(config).flatMap(({ job, path, escaped }) => targetsOf(config, job, path, escaped, snapshot)),
  );
}

/** The scrape jobs of a configuration. */
function jobsOf(config: ConfigFile): { job: JsonObject; path: Path; escaped: boolean }[] {
  const content = asObject(config.tree.value);
  const at = (value: unknown, path: Path, escaped: boolean): { job: JsonObject; path: Path; escaped: boolean }[] =>
    asList(value).map((job, index) => ({ job: asObject(job), path: [...path, index], escaped }));
  if (config.kind === 'prometheus') return at(content.scrape_configs, ['scrape_configs'], false);
  if (config.kind !== 'collector') return [];
  return Object.entries(asObject(content.receivers))
    .filter(([name]) => name.split('/')[0] === 'prometheus')
    .flatMap(([name, receiver]) =>
      at(asObject(asObject(receiver).config).scrape_configs, ['receivers', name, 'config', 'scrape_configs'], true),
    );
}

function targetsOf(config: ConfigFile, job: JsonObject, path: Path, escaped: boolean, snapshot: Snapshot): Discovered[] {
  const rules = escaped ? withoutEscapes(job.relabel_configs) : job.relabel_configs;
  const scheme = asString(job.scheme) ?? 'http';
  const common = { config, path, job: asString(job.job_name) ?? '' };
  const found = asList(job.kubernetes_sd_configs).flatMap((entry) => candidates(asObject(entry), config.carrier.namespace, snapshot));
  return found.flatMap(({ labels, workload }): Discovered[] => {
    const kept = relabel(
      { job: common.job, __scheme__: scheme, __metrics_path__: asString(job.metrics_path) ?? '/metrics', ...labels },
      rules,
    );
    const address = kept === undefined ? undefined : parseAddress(`${kept.__scheme__ ?? scheme}://${kept.__address__ ?? ''}`);
    if (address?.port === undefined) return [];
    if (workload !== undefined && address.host === podIp(workload, snapshot)) return [{ ...common, pod: { workload, port: address.port } }];
    if (address.host === NODE) return [{ ...common, nodePort: address.port }];
    return [{ ...common, address }];
  });
}

/** In the Collector's files a dollar is written twice, as a single one begins a variable. */
function withoutEscapes(rules: unknown): unknown {
  return JSON.parse(JSON.stringify(rules ?? []).replaceAll('$$', '$'));
}

/** A target before relabelling, with the labels that Prometheus gives it. */
export interface CandidateTarget {
  readonly labels: Labels;
  readonly workload?: Workload;
}

function candidates(discovery: JsonObject, ownNamespace: string, snapshot: Snapshot): CandidateTarget[] {
  const { names, own_namespace: own } = asObject(discovery.namespaces);
  const wanted = [...asList(names).map(String), ...(own === true ? [ownNamespace] : [])];
  const inNamespace = ({ namespace }: { readonly namespace: string }): boolean => wanted.length === 0 || wanted.includes(namespace);
  const chosen = (role: string, labels: Labels): boolean => selected(discovery.selectors, role, labels);
  const workloads = snapshot.workloads.filter((workload) => inNamespace(workload) && chosen('pod', workload.podLabels));
  const services = snapshot.services.filter((service) => inNamespace(service) && !service.external);
  switch (asString(discovery.role)) {
    case 'pod':
      return workloads.flatMap((workload) => podTargets(workload, snapshot));
    case 'endpoints':
    case 'endpointslice':
      return services.filter(({ object }) => chosen('service', object.labels)).flatMap((service) => endpointTargets(service, snapshot));
    case 'service':
      return services.filter(({ object }) => chosen('service', object.labels)).flatMap(serviceTargets);
    case 'node':
      return [{ labels: { __address__: `${NODE}:${KUBELET_PORT}`, __meta_kubernetes_node_name: 'node' } }];
    default:
      return [];
  }
}

/** Equality selectors (`a=b`, `a!=b`, `a`); others are not understood and let everything pass. */
function selected(selectors: unknown, role: string, labels: Labels): boolean {
  return asList(selectors)
    .map(asObject)
    .filter((selector) => selector.role === role && typeof selector.label === 'string')
    .flatMap((selector) => String(selector.label).split(','))
    .every((term) => {
      const [, key = '', operator = '', value = ''] = /^\s*([\w./-]+)\s*(?:(!=|==?)\s*([\w./-]*))?\s*$/.exec(term) ?? [];
      if (key === '') return true;
      if (operator === '') return labels[key] !== undefined;
      return operator === '!=' ? labels[key] !== value : labels[key] === value;
    });
}

/** What the role `pod` finds of a workload. */
export function podTargets(workload: Workload, snapshot: Snapshot): CandidateTarget[] {
  const ip = podIp(workload, snapshot);
  return workload.containers.flatMap((container) => {
    const about = {
      ...podMeta(workload, snapshot),
      __meta_kubernetes_pod_container_name: container.name,
      __meta_kubernetes_pod_container_image: container.image,
    };
    const init = { __meta_kubernetes_pod_container_init: String(container.path.includes('initContainers')) };
    if (container.ports.length === 0) return [{ workload, labels: { ...about, ...init, __address__: ip } }];
    return container.ports.map((port) => ({
      workload,
      labels: { ...about, ...init, ...portMeta(port), __address__: `${ip}:${port.port}` },
    }));
  });
}

/** What the roles `endpoints` and `endpointslice` find of a Service. */
export function endpointTargets(service: Service, snapshot: Snapshot): CandidateTarget[] {
  const about = serviceMeta(service);
  return workloadsOf(service, snapshot).flatMap((workload) => {
    const ip = podIp(workload, snapshot);
    const taken = new Set<ContainerPort>();
    const own = service.ports.flatMap((entry): CandidateTarget[] =>
      workload.containers
        .filter(({ lasting }) => lasting)
        .flatMap((container) => {
          const port = container.ports.find(
            (candidate) =>
              candidate.protocol === entry.protocol && (candidate.port === entry.targetPort || candidate.name === entry.targetPort),
          );
          if (port === undefined) return [];
          taken.add(port);
          const names = Object.fromEntries(
            ['endpointslice', 'endpoint'].flatMap((role) => [
              [`__meta_kubernetes_${role}_port_name`, entry.name ?? ''],
              [`__meta_kubernetes_${role}_port_protocol`, entry.protocol],
            ]),
          );
          const labels = {
            ...about,
            ...names,
            ...podMeta(workload, snapshot),
            ...portMeta(port),
            __meta_kubernetes_pod_container_name: container.name,
            __address__: `${ip}:${port.port}`,
          };
          return [{ workload, labels: { ...labels, __meta_kubernetes_endpointslice_port: String(port.port) } }];
        }),
    );
    // Ports of the pod that the Service does not have are targets too, without the port's name in the slice.
    const others = podTargets(workload, snapshot).filter(
      ({ labels }) => ![...taken].some(({ port }) => labels.__address__ === `${ip}:${port}`),
    );
    return [
      ...own,
      ...others.filter(({ labels }) => labels.__address__ !== ip).map((target) => ({ ...target, labels: { ...about, ...target.labels } })),
    ];
  });
}

function serviceTargets(service: Service): CandidateTarget[] {
  return service.ports.map((entry) => ({
    labels: {
      ...serviceMeta(service),
      __meta_kubernetes_service_port_name: entry.name ?? '',
      __meta_kubernetes_service_port_number: String(entry.port),
      __address__: `${service.name}.${service.namespace}.svc:${entry.port}`,
    },
  }));
}

function podMeta(workload: Workload, snapshot: Snapshot): Labels {
  const ip = podIp(workload, snapshot);
  return {
    __meta_kubernetes_namespace: workload.namespace,
    __meta_kubernetes_pod_name: `${workload.name}-0`,
    __meta_kubernetes_pod_ip: ip,
    __meta_kubernetes_pod_host_ip: NODE,
    __meta_kubernetes_pod_node_name: 'node',
    __meta_kubernetes_pod_phase: 'Running',
    __meta_kubernetes_pod_ready: 'true',
    __meta_kubernetes_pod_uid: '00000000-0000-4000-8000-000000000000',
    __meta_kubernetes_pod_controller_kind: workload.object.kind === 'Deployment' ? 'ReplicaSet' : workload.object.kind,
    __meta_kubernetes_pod_controller_name: workload.name,
    ...prefixed('__meta_kubernetes_pod_label', workload.podLabels),
    ...prefixed('__meta_kubernetes_pod_annotation', workload.podAnnotations),
  };
}

function serviceMeta({ name, namespace, object }: Service): Labels {
  return {
    __meta_kubernetes_namespace: namespace,
    __meta_kubernetes_service_name: name,
    __meta_kubernetes_endpoints_name: name,
    __meta_kubernetes_endpointslice_name: `${name}-0`,
    __meta_kubernetes_endpointslice_endpoint_conditions_ready: 'true',
    __meta_kubernetes_endpointslice_address_target_kind: 'Pod',
    __meta_kubernetes_endpoint_ready: 'true',
    __meta_kubernetes_endpoint_address_target_kind: 'Pod',
    ...prefixed('__meta_kubernetes_endpointslice_label', { ...object.labels, 'kubernetes.io/service-name': name }),
    ...prefixed('__meta_kubernetes_endpoints_label', object.labels),
    ...prefixed('__meta_kubernetes_service_label', object.labels),
    ...prefixed('__meta_kubernetes_service_annotation', object.annotations),
  };
}

function portMeta({ name, port, protocol }: ContainerPort): Labels {
  return {
    __meta_kubernetes_pod_container_port_name: name ?? '',
    __meta_kubernetes_pod_container_port_number: String(port),
    __meta_kubernetes_pod_container_port_protocol: protocol,
  };
}

/** `app.kubernetes.io/name: web` becomes `<prefix>_app_kubernetes_io_name: web`, and says that it is there. */
function prefixed(prefix: string, labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => {
      const name = key.replace(/[^a-zA-Z0-9_]/g, '_');
      return [
        [`${prefix}_${name}`, value],
        [`${prefix}present_${name}`, 'true'],
      ];
    }),
  );
}

/** A stand-in for the address that each pod of a workload will have: one per workload is enough to know it again. */
function podIp(workload: Workload, { workloads }: Snapshot): string {
  const index = workloads.indexOf(workload) + 1;
  return `10.244.${index >> 8}.${index & 255}`;
}

import type { ConfigFile } from '../read/configs';
import { asList, asNumber, asObject, isObject, type Path } from '../read/json';
import type { Snapshot } from '../read/snapshot';
import type { Container, Workload } from '../read/workloads';
import { isListener } from './config-addresses';
import { isOwnAddressKey } from './walk';

/** What a component in the Collector's grammar listens on where its configuration names no endpoint. */
const DEFAULT_PORTS: { readonly [protocol: string]: number } = {
  'receivers.otlp.grpc': 4317,
  'receivers.otlp.http': 4318,
  'extensions.health_check': 13133,
};

/**
 * The ports that the containers of a pod open by their configurations and flags, declared or not: what listens on localhost is for the pod alone,
 * so it is not among the container's ports.
 */
export function listeningPorts(workload: Workload, { configs }: Snapshot): number[] {
  const own = configs.filter(({ kind, mounts }) => kind === 'collector' && mounts.some((mount) => mount.workload === workload));
  const flags = workload.containers.filter(({ lasting }) => lasting).flatMap(flaggedPorts);
  return [...new Set([...own.flatMap(portsOf), ...flags])].sort((a, b) => a - b);
}

/** `--port=8081`, `--listen-address 127.0.0.1:9101`. */
function flaggedPorts({ spec }: Container): number[] {
  const words = [...asList(spec.command), ...asList(spec.args)].map(String);
  return words.flatMap((word, index) => {
    const [, flag = '', value = words[index + 1] ?? ''] = /^--?([\w.-]+)(?:=(.*))?$/.exec(word) ?? [];
    const [, port] = isOwnAddressKey(flag) || /port$/.test(flag) ? (/(?:^|:)(\d{1,5})$/.exec(value) ?? []) : [];
    return port === undefined ? [] : [Number(port)];
  });
}

function portsOf({ tree }: ConfigFile): number[] {
  const content = asObject(tree.value);
  const sections = ['receivers', 'extensions', 'exporters'].flatMap((section) =>
    Object.entries(asObject(content[section]))
      .filter(([name]) => isListener(section, name))
      .flatMap(([name, component]) => endpoints(component, [section, name.split('/')[0] ?? name])),
  );
  const readers = asObject(asObject(asObject(content.service).telemetry).metrics).readers;
  return [...sections, ...pulled(readers)];
}

function endpoints(value: unknown, path: Path): number[] {
  if (typeof value === 'string') {
    const [, port] = path.at(-1) === 'endpoint' ? (/:(\d+)$/.exec(value) ?? []) : [];
    return port === undefined ? [] : [Number(port)];
  }
  const standard = DEFAULT_PORTS[path.filter((segment) => segment !== 'protocols').join('.')];
  const silent = standard !== undefined && asObject(value).endpoint === undefined ? [standard] : [];
  return [...silent, ...Object.entries(asObject(value)).flatMap(([key, entry]) => endpoints(entry, [...path, key]))];
}

/** Readers that wait to be scraped name host and port apart. */
function pulled(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(pulled);
  if (!isObject(value)) return [];
  const port = asNumber(value.port);
  return [...(port === undefined ? [] : [port]), ...Object.values(value).flatMap(pulled)];
}

import { asList, asMap, asText } from '../http-client.ts';
import { isHost, isPort } from '../place.ts';
import type { Upstream } from '../resolver.ts';
import { type AddressType, DEFAULT_PORT } from '../settings.ts';

/** What of the settings decides which upstreams a slice gives. */
export interface SliceRules {
  readonly service: string;
  readonly namespace: string;
  readonly ports: readonly (number | string)[];
  readonly returnHostnames: boolean;
  readonly addressTypes: readonly AddressType[];
}

/**
 * The upstreams of one EndpointSlice (discovery.k8s.io/v1). A Service has several (100 endpoints each, and one set for each address
 * type), and an endpoint may stand in two of them while the controller moves it, so doubles are no mistake.
 *
 * `conditions.ready` absent means ready, says the API. An endpoint that terminates is not ready, so what shuts down gets nothing new; the
 * Collector's resolver also takes those that are not ready.
 */
export function upstreamsOf(raw: unknown, rules: SliceRules): Upstream[] {
  const slice = asMap(raw);
  if (!rules.addressTypes.some((type) => type === slice.addressType)) return [];
  const ports = portsOf(slice, rules.ports);
  return asList(slice.endpoints)
    .map(asMap)
    .filter((endpoint) => asMap(endpoint.conditions).ready !== false)
    .flatMap((endpoint) => hostsOf(endpoint, rules))
    .flatMap((host) => atPorts(host, ports));
}

function hostsOf(endpoint: Readonly<Record<string, unknown>>, { returnHostnames, service, namespace }: SliceRules): readonly string[] {
  if (!returnHostnames) return asList(endpoint.addresses).filter(isHost);
  const hostname = asText(endpoint.hostname);
  return isHost(hostname) ? [`${hostname}.${service}.${namespace}`] : [];
}

/** The port numbers; undefined stands for "none was asked for". */
function portsOf(slice: Readonly<Record<string, unknown>>, asked: readonly (number | string)[]): readonly (number | undefined)[] {
  if (asked.length === 0) return [undefined];
  return asked.flatMap((port) => {
    if (typeof port === 'number') return [port];
    return asList(slice.ports)
      .map(asMap)
      .filter(({ name, protocol }) => name === port && (protocol === undefined || protocol === 'TCP'))
      .map((one) => one.port)
      .filter(isPort);
  });
}

function atPorts(host: string, ports: readonly (number | undefined)[]): Upstream[] {
  return ports.map((port) => (port === undefined ? { host, port: DEFAULT_PORT, weight: 1, ringName: host } : { host, port, weight: 1 }));
}

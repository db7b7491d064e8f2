import { isIP } from 'node:net';
import { parsePort, splitHostPort } from '../config/address.ts';
import type { BuildContext } from '../config/component.ts';
import { bool, choice, duration, type Field, leaf, optionalText, text, textList, unsupported } from '../config/fields.ts';
import { printGoDuration, timeoutMs, timerMs } from '../config/go-duration.ts';
import { type Output, optionalSection, section } from '../config/section.ts';
import type { PathStep } from '../config/tree.ts';
import { consulClientFields, consulSettings, etcdClientFields, etcdSettings, nonEmpty } from './client-config.ts';
import { portList, weightMap } from './port-fields.ts';
import { type Upstream, upstreamKey } from './resolver.ts';
import type { AddressType, DnsResolverSettings, K8sResolverSettings, ResolverSettings } from './settings.ts';
import { DEFAULT_PORT, SERVICE_ACCOUNT_FOLDER } from './settings.ts';

const NO_CLOUD_MAP = 'this agent has no aws_cloud_map resolver; use static, dns, k8s, consul or etcd';
/** Name servers are not asked faster than this, whatever is written. */
const MIN_INTERVAL_MS = 100;
const ADDRESS_TYPES: readonly AddressType[] = ['IPv4', 'IPv6', 'FQDN'];

const staticShape = {
  hostnames: textList({ describe: 'Endpoints, host or host:port; 4317 where no port is written.', default: [] }),
  weights: weightMap({
    describe: 'Shares of the traffic, from 1, by hostname as it is written above; 1 where it is not named.',
    default: {},
    ours: true,
  }),
};

const dnsShape = {
  hostname: text({ describe: 'Name to look up.', default: '' }),
  port: text({ describe: 'Port of each address that is found.', default: '', shows: '4317' }),
  interval: duration({ describe: 'Time between two lookups.', default: 5_000, shows: '5s' }),
  timeout: duration({ describe: 'Time for one lookup.', default: 1_000, shows: '1s' }),
  type: choice(['a', 'srv'], {
    describe: 'a: addresses, A and AAAA. srv: SRV records; those of the lowest priority are used, with their ports and weights.',
    default: 'a',
    ours: true,
  }),
  servers: textList({ describe: 'Name servers, ip or ip:port, instead of those of the machine.', default: [], ours: true }),
};

const k8sShape = {
  service: text({ describe: 'Service to watch: name, name.namespace or name.namespace.svc.cluster.local.', default: '' }),
  ports: portList({
    describe: 'Ports of each address; a name (of this agent alone) is looked up in the EndpointSlice.',
    default: [],
    shows: '4317',
  }),
  timeout: duration({ describe: 'Time for a list, and how long the API server keeps one watch open.', default: 60_000, shows: '1m' }),
  return_hostnames: bool({ describe: 'Gives hostname.service.namespace instead of addresses, for StatefulSets.', default: false }),
  address_types: leaf<readonly AddressType[]>(
    'list',
    {
      describe: 'EndpointSlices of these types; a dual stack Service has each pod in an IPv4 and an IPv6 one.',
      default: ADDRESS_TYPES,
      ours: true,
    },
    ADDRESS_TYPES,
    decodeAddressTypes,
  ),
  api_server: optionalText({ describe: 'URL of the API server, for use outside of a cluster.', ours: true }),
  token_file: text({
    describe: 'Token of the ServiceAccount; read again for each request.',
    default: `${SERVICE_ACCOUNT_FOLDER}/token`,
    ours: true,
  }),
  ca_file: text({
    describe: 'Certificates that sign the API server; read again for each request.',
    default: `${SERVICE_ACCOUNT_FOLDER}/ca.crt`,
    ours: true,
  }),
};

const consulShape = {
  ...consulClientFields,
  service: text({ describe: 'Name of the service in the catalogue.', default: '', ours: true }),
  tag: optionalText({ describe: 'Only instances with this tag.', ours: true }),
  wait: duration({ describe: 'How long Consul may hold a query until something changes.', default: 60_000, shows: '1m', ours: true }),
};

const etcdShape = {
  ...etcdClientFields,
  prefix: text({
    describe: 'Keys below it are upstreams; a value is host:port, or JSON {"host", "port", "weight"}.',
    default: '',
    ours: true,
  }),
};

const off = { absent: 'off', empty: 'off' } as const;

const shape = {
  static: optionalSection(staticShape, { ...off, describe: 'A fixed list.' }),
  dns: optionalSection(dnsShape, { ...off, describe: 'The addresses of a name, looked up again and again.' }),
  k8s: optionalSection(k8sShape, { ...off, describe: 'The ready pods of a Kubernetes Service, by a watch on its EndpointSlices.' }),
  aws_cloud_map: unsupported('AWS Cloud Map.', NO_CLOUD_MAP),
  consul: optionalSection(consulShape, {
    ...off,
    ours: true,
    describe: 'The healthy instances of a Consul service, by blocking queries.',
  }),
  etcd: optionalSection(etcdShape, { ...off, ours: true, describe: 'The keys below a prefix of an etcd v3, by a watch.' }),
};

const KINDS = ['static', 'dns', 'k8s', 'consul', 'etcd'] as const;

export type ResolverConfig = Output<typeof shape>;

/** `resolver` of the exporter loadbalancing: exactly one of its keys. */
export function resolverField(): Field<ResolverConfig> {
  return section(shape, {
    describe: 'Where the upstreams are found; exactly one of its keys.',
    check: (config, report) => {
      const written = KINDS.filter((kind) => config[kind] !== undefined);
      const [first, second] = written;
      if (first !== undefined && second !== undefined)
        report(second, `${first} and ${second} exclude each other; a resolver is exactly one of them`);
    },
  });
}

/** The settings of the one resolver that is written at `path` below the component; undefined where something was reported. */
export function resolverSettings(config: ResolverConfig, context: BuildContext, path: readonly PathStep[]): ResolverSettings | undefined {
  if (config.static !== undefined) return staticSettings(config.static, context, [...path, 'static']);
  if (config.dns !== undefined) return dnsSettings(config.dns, context, [...path, 'dns']);
  if (config.k8s !== undefined) return k8sSettings(config.k8s, context, [...path, 'k8s']);
  if (config.consul !== undefined) {
    const { service, tag, wait } = config.consul;
    const client = consulSettings(config.consul, context, [...path, 'consul']);
    if (service === '') return missing(context, [...path, 'consul', 'service'], 'write the name of a Consul service');
    if (client === undefined) return undefined;
    return { kind: 'consul', ...client, service, tag: nonEmpty(tag), waitMs: Math.max(timerMs(wait), 1_000) };
  }
  if (config.etcd !== undefined) {
    const client = etcdSettings(config.etcd, context, [...path, 'etcd']);
    if (config.etcd.prefix === '') return missing(context, [...path, 'etcd', 'prefix'], 'write the prefix of the keys, as /services/otlp/');
    return client === undefined ? undefined : { kind: 'etcd', ...client, prefix: config.etcd.prefix };
  }
  context.report('OTLP_CONFIG_MISSING', path, `is empty; write one of ${KINDS.join(', ')}`);
  return undefined;
}

function missing(context: BuildContext, path: readonly PathStep[], remedy: string): undefined {
  context.report('OTLP_CONFIG_MISSING', path, `is missing; ${remedy}`);
  return undefined;
}

function staticSettings(
  { hostnames, weights }: Output<typeof staticShape>,
  context: BuildContext,
  path: readonly PathStep[],
): ResolverSettings | undefined {
  if (hostnames.length === 0) return missing(context, [...path, 'hostnames'], 'write at least one host:port');
  for (const name of Object.keys(weights)) {
    if (!hostnames.includes(name))
      context.report('OTLP_CONFIG_VALUE', [...path, 'weights', name], `"${name}" is none of hostnames (${hostnames.join(', ')})`);
  }
  const found = new Map<string, Upstream>();
  for (const [index, written] of hostnames.entries()) {
    const upstream = parseEndpoint(written, weights[written] ?? 1);
    if (typeof upstream === 'string') context.report('OTLP_CONFIG_VALUE', [...path, 'hostnames', index], upstream);
    else if (found.has(upstreamKey(upstream)))
      context.notice([...path, 'hostnames', index], `"${written}" is written twice; it counts once`);
    else found.set(upstreamKey(upstream), upstream);
  }
  return { kind: 'static', upstreams: [...found.values()] };
}

/** An endpoint of the list, or what is wrong with it. */
function parseEndpoint(written: string, weight: number): Upstream | string {
  const bare = /^\[(.*)\]$/u.exec(written)?.[1] ?? written;
  if (bare !== '' && (!bare.includes(':') || isIP(bare) === 6)) {
    return HOST.test(bare) || isIP(bare) === 6
      ? { host: bare, port: DEFAULT_PORT, weight, ringName: written }
      : `"${written}" is no host name or address`;
  }
  const parts = splitHostPort(written);
  if (typeof parts === 'string') return parts;
  const port = parsePort(parts.port);
  if (port === undefined || port === 0) return `"${parts.port}" is no port; use a number from 1 to 65535`;
  if (!HOST.test(parts.host) && isIP(parts.host) !== 6) return `"${written}" is no endpoint; write host:port`;
  return { host: parts.host, port, weight };
}

/** Names and IPv4 addresses. */
const HOST = /^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$/u;

function dnsSettings(config: Output<typeof dnsShape>, context: BuildContext, path: readonly PathStep[]): DnsResolverSettings | undefined {
  if (config.hostname === '') return missing(context, [...path, 'hostname'], 'write the name to look up');
  const port = config.port === '' ? undefined : parsePort(config.port);
  if (config.port !== '' && (port === undefined || port === 0)) {
    context.report('OTLP_CONFIG_VALUE', [...path, 'port'], `"${config.port}" is no port; use a number from 1 to 65535`);
    return undefined;
  }
  if (config.type === 'srv' && config.port !== '') {
    context.report(
      'OTLP_CONFIG_VALUE',
      [...path, 'port'],
      `"${config.port}" is not used with type srv: SRV records say their ports; remove it`,
    );
    return undefined;
  }
  for (const [index, server] of config.servers.entries()) {
    const parts = splitHostPort(server);
    const address = isIP(server) !== 0 || typeof parts === 'string' ? server : parts.host;
    const serverPort = isIP(server) !== 0 || typeof parts === 'string' ? 53 : parsePort(parts.port);
    if (isIP(address) !== 0 && serverPort !== undefined && serverPort > 0) continue;
    context.report('OTLP_CONFIG_VALUE', [...path, 'servers', index], `"${server}" is no name server; write ip or ip:port`);
    return undefined;
  }
  // As upstream: 0 is the default, not "never" or "always".
  const intervalMs = config.interval > 0 ? timerMs(config.interval) : 5_000;
  if (intervalMs < MIN_INTERVAL_MS)
    context.notice([...path, 'interval'], `${printGoDuration(intervalMs)} is shorter than ${MIN_INTERVAL_MS}ms, which is used instead`);
  return {
    kind: 'dns',
    hostname: config.hostname,
    port,
    intervalMs: Math.max(intervalMs, MIN_INTERVAL_MS),
    timeoutMs: config.timeout > 0 ? timerMs(config.timeout) : 1_000,
    type: config.type,
    servers: config.servers,
  };
}

function k8sSettings(config: Output<typeof k8sShape>, context: BuildContext, path: readonly PathStep[]): K8sResolverSettings | undefined {
  // The rules of upstream's resolver_k8s.go: name[.namespace[.svc.domain...]].
  const [service = '', namespace, svc, ...domain] = config.service.split('.');
  if (service === '') return missing(context, [...path, 'service'], 'write name.namespace of a Service');
  const wrong = (message: string): undefined => {
    context.report(
      'OTLP_CONFIG_VALUE',
      [...path, 'service'],
      `"${config.service}" ${message}; write name.namespace or name.namespace.svc.cluster.local`,
    );
    return undefined;
  };
  if (namespace === '' && svc !== undefined) return wrong('has an empty namespace');
  if (svc !== undefined && svc !== 'svc') return wrong(`has "${svc}" where svc belongs`);
  if (svc !== undefined && domain.length === 0) return wrong('ends before the domain of the cluster');
  if (![service, namespace ?? ''].every((label) => /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$/u.test(label))) return wrong('is no Service');
  const api = nonEmpty(config.api_server);
  if (api !== undefined && (!URL.canParse(api) || !/^https?:$/u.test(new URL(api).protocol))) {
    context.report('OTLP_CONFIG_VALUE', [...path, 'api_server'], `"${api}" is no URL; write https://host:port`);
    return undefined;
  }
  return {
    kind: 'k8s',
    service,
    namespace: nonEmpty(namespace),
    ports: config.ports,
    timeoutMs: config.timeout > 0 ? timeoutMs(config.timeout) : 60_000,
    returnHostnames: config.return_hostnames,
    addressTypes: config.address_types,
    apiServer: api,
    tokenFile: config.token_file,
    caFile: config.ca_file,
  };
}

function decodeAddressTypes(value: unknown): { readonly value: readonly AddressType[] } | { readonly wrong: string } {
  const list: readonly unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
  const types = list.flatMap((item) => ADDRESS_TYPES.filter((type) => type === item));
  return types.length === list.length && list.length > 0 ? { value: types } : { wrong: `wants a list of ${ADDRESS_TYPES.join(', ')}` };
}

import type { Upstream } from './resolver.ts';

/** Where no port is written: OTLP over gRPC, as in the Collector's exporter. */
export const DEFAULT_PORT = 4317;

/** Where Kubernetes puts the files of a pod's ServiceAccount. */
export const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What createResolver() is told, one member for each kind. Times are milliseconds. */
export type ResolverSettings =
  | StaticResolverSettings
  | DnsResolverSettings
  | K8sResolverSettings
  | ConsulResolverSettings
  | EtcdResolverSettings;

export interface StaticResolverSettings {
  readonly kind: 'static';
  /** Without doubles; 4317 where no port was written. */
  readonly upstreams: readonly Upstream[];
}

export interface DnsResolverSettings {
  readonly kind: 'dns';
  readonly hostname: string;
  /** Of the addresses that were found; of no use with `srv`, whose answers name ports. @default 4317 */
  readonly port: number | undefined;
  readonly intervalMs: number;
  /** Of one lookup. */
  readonly timeoutMs: number;
  readonly type: 'a' | 'srv';
  /** `ip:port` of name servers; none: those of the machine. */
  readonly servers: readonly string[];
}

/** `addressType` of an EndpointSlice. */
export type AddressType = 'IPv4' | 'IPv6' | 'FQDN';

export interface K8sResolverSettings {
  readonly kind: 'k8s';
  readonly service: string;
  /** Undefined: that of the pod's own ServiceAccount, or `default`. */
  readonly namespace: string | undefined;
  /** Numbers are taken as they are, names are looked up in each slice; none: 4317. */
  readonly ports: readonly (number | string)[];
  /** Of a list, and how long the server keeps one watch open. */
  readonly timeoutMs: number;
  readonly returnHostnames: boolean;
  readonly addressTypes: readonly AddressType[];
  /** Undefined: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT of the environment. */
  readonly apiServer: string | undefined;
  readonly tokenFile: string;
  readonly caFile: string;
}

/** How a Consul agent is reached; the resolver and the registration share it. */
export interface ConsulSettings {
  /** `http://host:port`. */
  readonly address: string;
  readonly datacenter: string | undefined;
  readonly token: string | undefined;
  /** Read again for each request. */
  readonly tokenFile: string | undefined;
}

export interface ConsulResolverSettings extends ConsulSettings {
  readonly kind: 'consul';
  readonly service: string;
  readonly tag: string | undefined;
  /** How long Consul may hold a blocking query. */
  readonly waitMs: number;
}

/** How an etcd is reached; the resolver and the registration share it. */
export interface EtcdSettings {
  /** `http://host:port`, tried in turn. */
  readonly endpoints: readonly string[];
  /** Of one request, a watch's first answer included. */
  readonly timeoutMs: number;
}

export interface EtcdResolverSettings extends EtcdSettings {
  readonly kind: 'etcd';
  readonly prefix: string;
}

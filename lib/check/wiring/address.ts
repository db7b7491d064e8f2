/** Where a program is told to connect to. */
export interface Address {
  /** As it was written, after variables were filled in. */
  readonly text: string;
  /** Lower case; undefined where the address is only host:port. */
  readonly scheme?: string;
  /** Lower case, without brackets and without the final dot of a full name. */
  readonly host: string;
  /** Written, or the scheme's own; undefined where neither says it. */
  readonly port?: number;
}

const ADDRESS =
  /^(?:([a-z][a-z0-9+.-]*):\/{2,3})?(?:[^@/\s]*@)?(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\.?(?::(\d{1,5}))?(?:[/?#]\S*)?$/i;
const URL_IN_TEXT = /\b(?:https?|grpc|tcp|udp):\/\/[^\s"'`<>()\\;,|]+/gi;
/** Schemes that lead to a program; `file`, `unix`, `s3` and the like do not. */
const NETWORK_SCHEMES = new Set(
  'http https grpc grpcs h2c ws wss tcp udp tls dns passthrough redis rediss postgres postgresql mysql mongodb amqp amqps nats kafka'.split(
    ' ',
  ),
);
const SCHEME_PORTS: { readonly [scheme: string]: number } = { http: 80, https: 443 };

/** `http://host:port/path`, `dns:///host:port`, `host:port` or a bare host; undefined for everything else. */
export function parseAddress(text: string): Address | undefined {
  const match = ADDRESS.exec(text.trim());
  if (match === null) return undefined;
  const scheme = match[1]?.toLowerCase();
  if (scheme !== undefined && !NETWORK_SCHEMES.has(scheme)) return undefined;
  const host = (match[2] ?? '').toLowerCase().replace(/^\[|\]$/g, '');
  return { text: text.trim(), scheme, host, port: match[3] !== undefined ? Number(match[3]) : SCHEME_PORTS[scheme ?? ''] };
}

/** The URLs in a script or another text, each with its line (1-based). */
export function urlsIn(text: string): { readonly url: string; readonly line: number }[] {
  return text.split('\n').flatMap((content, index) => [...content.matchAll(URL_IN_TEXT)].map(([url]) => ({ url, line: index + 1 })));
}

/** The pod itself. */
export function isLoopback({ host }: Address): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Numbers: a wildcard to listen on, or a machine that no manifest describes. */
export function isIp({ host }: Address): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}

/** The Service that a name means, and in front of it the pod of a StatefulSet where the name has one. */
export interface ServiceName {
  readonly service: string;
  readonly namespace: string;
  readonly pod?: string;
}

/** The names that the manifests define. */
export interface KnownNames {
  isNamespace(name: string): boolean;
  isService(name: string, namespace: string): boolean;
}

/**
 * What cluster DNS makes of a host, asked from a namespace: `name`, `name.namespace`, `name.namespace.svc`, `name.namespace.svc.cluster.local`, each
 * also with a pod in front. Undefined for a name that belongs outside of the cluster.
 *
 * @param known what exists: only that tells `name.namespace` and `pod.name` from a domain of the internet
 */
export function serviceName({ host }: Address, from: string, known: KnownNames): ServiceName | undefined {
  const full = /^(?:([a-z0-9-]+)\.)?([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?$/.exec(host);
  if (full !== null) return { pod: full[1], service: full[2] ?? '', namespace: full[3] ?? '' };
  const labels = host.split('.');
  const last = labels.at(-1) ?? '';
  if (labels.length === 1) return { service: host, namespace: from };
  if (labels.length === 2 && known.isNamespace(last)) return { service: labels[0] ?? '', namespace: last };
  if (labels.length === 2 && known.isService(last, from)) return { pod: labels[0], service: last, namespace: from };
  if (labels.length === 3 && known.isNamespace(last)) return { pod: labels[0], service: labels[1] ?? '', namespace: last };
  return undefined;
}

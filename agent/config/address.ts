import { choice, type Field } from './fields.ts';
import type { SocketAddress } from './settings.ts';

/** Transports of the Collector's confignet; the agent listens on TCP and unix sockets. */
const TRANSPORTS = ['tcp', 'tcp4', 'tcp6', 'unix', 'udp', 'udp4', 'udp6', 'ip', 'ip4', 'ip6', 'unixgram', 'unixpacket', ''] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** `transport` of everything that listens. */
export function transport(): Field<Transport> {
  return choice(TRANSPORTS, { describe: 'Kind of socket: tcp, or unix with the path of the socket as endpoint.', default: 'tcp' });
}

export interface HostPort {
  readonly host: string;
  /** As written; a number only after parsePort. */
  readonly port: string;
}

/** Go's net.SplitHostPort: `host:port`, `[v6]:port`, `:port`; otherwise the reason why not. */
export function splitHostPort(text: string): HostPort | string {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return `"${text}" has no port; write host:port`;
  const port = text.slice(colon + 1);
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    if (end < 0) return `"${text}" opens a bracket and does not close it`;
    if (end + 1 !== colon) return `"${text}" has no port; write [address]:port`;
    return { host: text.slice(1, end), port };
  }
  const host = text.slice(0, colon);
  if (host.includes(':')) return `"${text}" has too many colons; an IPv6 address is written [address]:port`;
  if (host.includes('[') || host.includes(']')) return `"${text}" has a bracket inside of the host`;
  return { host, port };
}

/** 0 to 65535, or undefined. 0 is a free port where something listens. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}

/** Where to listen, or the reason why not. An empty host is every address of the machine. */
export function listenAddress(endpoint: string, kind: Transport): SocketAddress | string {
  if (kind === 'unix') return endpoint === '' ? 'a unix socket needs its path as endpoint' : { kind: 'unix', path: endpoint };
  if (kind !== 'tcp' && kind !== 'tcp4' && kind !== 'tcp6') return `nothing can listen on ${kind} here; use tcp or unix`;
  const parts = splitHostPort(endpoint);
  if (typeof parts === 'string') return parts;
  const port = parsePort(parts.port);
  return port === undefined ? `"${parts.port}" is no port; use a number from 0 to 65535` : { kind: 'tcp', host: parts.host, port };
}

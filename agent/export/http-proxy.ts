import { BlockList, isIP } from 'node:net';
import { splitHostPort } from '../config/address.ts';

/** An HTTP proxy that requests for http:// URLs are sent to, whole URL in the request line. */
export interface Proxy {
  /** `http://proxy:3128`. */
  readonly origin: string;
  /** `Basic ...` of the user and password in its URL. */
  readonly authorization?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** A proxy by its URL, or the reason why it cannot be one. `proxy:3128` is read as http, as Go does. */
export function parseProxy(text: string): Proxy | string {
  const url = hasScheme(text) ? tryUrl(text) : tryUrl(`http://${text}`);
  if (url === undefined || url.hostname === '') return 'is no URL; write http://host:port';
  if (url.protocol === 'https:') return 'is a proxy behind TLS, and TLS is not supported yet; write http://host:port';
  if (url.protocol !== 'http:') return `has the scheme ${url.protocol.slice(0, -1)}; only http proxies are supported`;
  if (url.username === '' && url.password === '') return { origin: url.origin };
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { origin: url.origin, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/**
 * The proxy that the environment names for a URL, by the rules of Go's httpproxy, so that a file that works for the Collector works here:
 * HTTP_PROXY for http://, never for localhost and loopback addresses, nor for what NO_PROXY lists. Upper case wins over lower case.
 */
export function proxyFromEnvironment(target: URL, environment: Environment): Proxy | undefined {
  const text = variable(environment, 'HTTP_PROXY');
  if (text === '' || target.protocol !== 'http:') return undefined;
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = target.port || (DEFAULT_PORTS[target.protocol] ?? '');
  if (host === 'localhost' || isLoopback(host) || excluded(variable(environment, 'NO_PROXY'), host, port)) return undefined;
  const proxy = parseProxy(text);
  if (typeof proxy === 'string') throw new Error(`the environment variable HTTP_PROXY ${proxy}`);
  return proxy;
}

function variable(environment: Environment, name: string): string {
  return environment[name] || environment[name.toLowerCase()] || '';
}

function hasScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

function tryUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isLoopback(host: string): boolean {
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}

/** NO_PROXY: `*`, addresses, CIDR ranges, `domain` with its subdomains, `.domain` and `*.domain` without itself; each with a port or without. */
function excluded(list: string, host: string, port: string): boolean {
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && (entry === '*' || matches(entry, host, port)));
}

function matches(entry: string, host: string, port: string): boolean {
  const version = isIP(host);
  const range = /^(.+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) return version !== 0 && inRange(range[1] as string, Number(range[2]), host, version);
  const parts = isIP(entry) === 0 ? splitHostPort(entry) : entry;
  const [wanted, wantedPort] = typeof parts === 'string' ? [entry, ''] : [parts.host, parts.port];
  if (wanted === '' || (wantedPort !== '' && wantedPort !== port)) return false;
  if (isIP(wanted) !== 0) return version !== 0 && sameAddress(wanted, host, version);
  if (version !== 0) return false;
  const domain = wanted.startsWith('*.') ? wanted.slice(1) : wanted;
  if (domain.startsWith('.')) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

function inRange(network: string, bits: number, host: string, version: number): boolean {
  if (isIP(network) !== version || bits > (version === 4 ? 32 : 128)) return false;
  const ranges = new BlockList();
  ranges.addSubnet(network, bits, version === 4 ? 'ipv4' : 'ipv6');
  return ranges.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/** An IPv6 address has several spellings. */
function sameAddress(a: string, b: string, version: number): boolean {
  return inRange(a, version === 4 ? 32 : 128, b, version);
}

import { isObject, type Path } from '../read/json';
import type { Candidate } from './use';

/** Keys, flags and variables whose value is where to connect to. */
const ADDRESS_KEY = /(endpoint|ur[il]s?|addr(ess)?(es)?|hosts?|hostnames?|servers?|targets?|brokers?|smarthost|upstreams?|dsn)$/i;
/** Where the program itself listens, or what others should call it. */
const OWN_ADDRESS =
  /listen|bind|advertise|publish|external|root_url|public|no_proxy|cors|origin|redirect|issuer|homepage|runbook|schema|network\.host/i;

/** Keys and variables that hold hosts, and the port that their program takes for a host without one. */
const DEFAULT_PORTS: { readonly [key: string]: number } = { 'discovery.seed_hosts': 9300, seed_hosts: 9300 };

/** A bare host with the port that the key's program would take. */
export function withDefaultPort(key: string, host: string): string {
  const port = DEFAULT_PORTS[key];
  return port === undefined || !/^[\w.-]+$/.test(host) ? host : `${host}:${port}`;
}

/** Whether a key, a flag or a variable names an address to connect to. */
export function isAddressKey(key: string): boolean {
  return ADDRESS_KEY.test(key) && !OWN_ADDRESS.test(key);
}

/** Whether a key, a flag or a variable names an address of the program's own. */
export function isOwnAddressKey(key: string): boolean {
  return OWN_ADDRESS.test(key);
}

/**
 * Every string below a value, except under keys that name a program's own address.
 *
 * @param skip paths that are no addresses to connect to, with everything below them
 */
export function strings(value: unknown, path: Path = [], skip: (path: Path) => boolean = () => false): Candidate[] {
  if (skip(path)) return [];
  if (Array.isArray(value)) return value.flatMap((entry, index) => strings(entry, [...path, index], skip));
  if (isObject(value))
    return Object.entries(value).flatMap(([key, entry]) => (isOwnAddressKey(key) ? [] : strings(entry, [...path, key], skip)));
  if (typeof value !== 'string') return [];
  const key = String(path.findLast((segment) => typeof segment === 'string') ?? '');
  return [{ text: withDefaultPort(key, value), path, keyed: isAddressKey(key) }];
}

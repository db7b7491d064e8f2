import { isIP } from 'node:net';
import { isWeight } from './port-fields.ts';

/** Names and IPv4 addresses; what else a server may say is no host. */
const HOST = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/u;

/** A host that may be dialled: a name, or an address without brackets. */
export function isHost(host: unknown): host is string {
  return typeof host === 'string' && (HOST.test(host) || isIP(host) !== 0);
}

/** A port that may be dialled. */
export function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** A weight from outside: absent or 0 is 1, too large is the largest; undefined where it is none at all. */
export function weightOf(weight: unknown): number | undefined {
  if (weight === undefined || weight === null || weight === 0) return 1;
  return typeof weight === 'number' && isWeight(weight) ? weight : undefined;
}

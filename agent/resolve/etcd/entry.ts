import { parsePort, splitHostPort } from '../../config/address.ts';
import { asMap } from '../http-client.ts';
import { isHost, isPort, weightOf } from '../place.ts';
import type { Upstream } from '../resolver.ts';

/**
 * What the value of a key says:
 *
 *   10.0.0.5:4317                                        host:port, IPv6 in brackets
 *   {"host": "10.0.0.5", "port": 4317, "weight": 2}      what a registration of this agent writes; weight may be left out
 *   {"Op": 0, "Addr": "10.0.0.5:4317"}                   what etcd's own client writes for gRPC (clientv3/naming)
 *
 * Undefined where it is none of them.
 */
export function parseEntry(value: string): Upstream | undefined {
  const text = value.trim();
  if (!text.startsWith('{')) return endpoint(text, 1);
  let data: Readonly<Record<string, unknown>>;
  try {
    data = asMap(JSON.parse(text));
  } catch {
    return undefined;
  }
  const weight = weightOf(data.weight);
  if (weight === undefined) return undefined;
  if (typeof data.Addr === 'string') return endpoint(data.Addr, weight);
  return isHost(data.host) && isPort(data.port) ? { host: data.host, port: data.port, weight } : undefined;
}

/** The value that parseEntry() reads. */
export function printEntry({ host, port, weight }: Upstream): string {
  return JSON.stringify({ host, port, weight });
}

function endpoint(text: string, weight: number): Upstream | undefined {
  const parts = splitHostPort(text);
  if (typeof parts === 'string') return undefined;
  const port = parsePort(parts.port);
  return isHost(parts.host) && isPort(port) ? { host: parts.host, port, weight } : undefined;
}

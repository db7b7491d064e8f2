import type { Candidate } from './use';

interface Block {
  readonly name: string;
  readonly parameters: Map<string, { readonly value: string; readonly line: number }>;
}

/** Parameters that hold one or more whole addresses. */
const ADDRESSES = ['hosts', 'endpoint', 'endpoint_url', 'url', 'kubernetes_url', 'server_url'];

/**
 * The addresses that a Fluentd configuration connects to: `host` with `port`, `hosts` and URLs, of every block but the sources, which listen.
 * The path of each is its line.
 */
export function fluentdAddresses(text: string): Candidate[] {
  const found: Candidate[] = [];
  const open: Block[] = [];
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    const opening = /^<(\w+)[^>]*>$/.exec(line);
    const parameter = /^([@\w]+)\s+(.+)$/.exec(line);
    if (opening !== null) open.push({ name: opening[1] ?? '', parameters: new Map() });
    else if (line.startsWith('</')) {
      const closed = open.pop();
      if (closed !== undefined && ![closed, ...open].some(({ name }) => name === 'source')) found.push(...addressesOf(closed));
    } else if (parameter !== null && !line.startsWith('#')) {
      open.at(-1)?.parameters.set(parameter[1] ?? '', { value: unquoted(parameter[2] ?? ''), line: index + 1 });
    }
  });
  return found;
}

function addressesOf({ parameters }: Block): Candidate[] {
  const host = parameters.get('host');
  const port = parameters.get('port');
  const whole = ADDRESSES.flatMap((name) => {
    const parameter = parameters.get(name);
    return parameter === undefined
      ? []
      : parameter.value.split(',').map((text) => ({ text: text.trim(), path: [parameter.line], keyed: true }));
  });
  if (host === undefined) return whole;
  return [...whole, { text: port === undefined ? host.value : `${host.value}:${port.value}`, path: [host.line], keyed: true }];
}

function unquoted(value: string): string {
  return /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
}

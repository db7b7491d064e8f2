import { asValue, type Field, type FieldOptions, leaf } from '../config/fields.ts';

/** A list of ports: numbers, and names (names are ours). One text with commas is a list too. */
export function portList(options: FieldOptions<readonly (number | string)[]>): Field<readonly (number | string)[]> {
  return leaf<readonly (number | string)[]>('list', options, [], (value) => {
    const items = typeof value === 'string' ? value.split(',').map(numeric) : value;
    if (!Array.isArray(items)) return { wrong: 'wants a list of ports, as [4317]' };
    const ports: (number | string)[] = [];
    for (const item of items as readonly unknown[]) {
      const raw = asValue(item);
      const port = typeof raw === 'bigint' ? Number(raw) : raw;
      const isNumber = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
      const isName = typeof port === 'string' && PORT_NAME.test(port);
      if (!isNumber && !isName) return { wrong: 'wants ports, from 1 to 65535, or names of ports' };
      ports.push(port);
    }
    return { value: ports };
  });
}

/** IANA_SVC_NAME as Kubernetes checks it, or an empty name: the only port of a slice may have none. */
const PORT_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/u;

function numeric(text: string): number | string {
  return /^\d+$/u.test(text) ? Number(text) : text;
}

/** Names with an integer from 1 to 65535 each. */
export function weightMap(options: FieldOptions<Readonly<Record<string, number>>>): Field<Readonly<Record<string, number>>> {
  return leaf<Readonly<Record<string, number>>>('map', options, {}, (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { wrong: 'wants a map of names and weights' };
    const weights = Object.create(null) as Record<string, number>;
    for (const [name, item] of Object.entries(value)) {
      const raw: unknown = asValue(item);
      const weight = typeof raw === 'bigint' ? Number(raw) : raw;
      if (typeof weight !== 'number' || !isWeight(weight)) return { wrong: `wants an integer from 1 to ${MAX_WEIGHT} for "${name}"` };
      weights[name] = weight;
    }
    return { value: weights };
  });
}

/** As in an SRV record (RFC 2782: 16 bits). */
export const MAX_WEIGHT = 65_535;

export function isWeight(weight: number): boolean {
  return Number.isInteger(weight) && weight >= 1 && weight <= MAX_WEIGHT;
}

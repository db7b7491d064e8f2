import { Yaml } from 'cdk8s';

/**
 * A plain copy without undefined values. cdk8s' YAML printer turns an undefined value into `null`, which the Collector reads as
 * "the component with its defaults" and Prometheus as an error.
 */
export function compact(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => item !== undefined).map(compact);
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, compact(item)]),
    );
  }
  return value;
}

/** `undefined` for an empty list or map, so that the key is left out. */
export function unlessEmpty<T extends object>(value: T | undefined): T | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : value;
}

/** The YAML text of one configuration file. Keys keep their order: it is the order in which people read the file. */
export function printYaml(value: object): string {
  return Yaml.stringify(compact(value));
}

/** The JSON text of one configuration file (Grafana dashboards). */
export function printJson(value: object): string {
  return `${JSON.stringify(compact(value), null, 2)}\n`;
}

/** `overrides` laid over `base`: maps merge key by key, everything else (lists too) replaces. Neither argument is changed. */
export function deepMerge(base: object, overrides: object): object {
  const merged: { [key: string]: unknown } = { ...(base as { [key: string]: unknown }) };
  for (const [key, value] of Object.entries(overrides)) {
    const present = merged[key];
    merged[key] = isMap(present) && isMap(value) ? deepMerge(present, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

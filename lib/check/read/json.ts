/** An object as YAML and JSON know it. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

/** The segments that lead from a document to one of its values. */
export type Path = readonly (string | number)[];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value if it is an object, otherwise an empty one: manifests are read, not judged, by the reader. */
export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** A map of strings, as labels and annotations are. */
export function asStrings(value: unknown): { readonly [key: string]: string } {
  return Object.fromEntries(Object.entries(asObject(value)).map(([key, entry]) => [key, String(entry)]));
}

/** The value at a path; undefined where the path leads nowhere. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, segment) => (Array.isArray(at) ? at[Number(segment)] : asObject(at)[String(segment)]), value);
}

/** `spec.containers[0].env`, `data["config.yaml"]`. */
export function formatPath(path: Path): string {
  return path
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`;
      if (/^[\w/-]+$/.test(segment)) return index === 0 ? segment : `.${segment}`;
      return `[${JSON.stringify(segment)}]`;
    })
    .join('');
}

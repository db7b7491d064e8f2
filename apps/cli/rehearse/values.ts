/** A parsed YAML mapping. */
export type Mapping = { readonly [key: string]: unknown };

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The mapping, or an empty one where something else stands. */
export function mapping(value: unknown): Mapping {
  return isMapping(value) ? value : {};
}

/** The list, or an empty one where something else stands. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The strings of a list. */
export function strings(value: unknown): string[] {
  return list(value).filter((item) => typeof item === 'string');
}

/** `otlp_grpc` of `otlp_grpc/jaeger`. */
export function typeOf(componentId: string): string {
  return componentId.split('/')[0] ?? componentId;
}

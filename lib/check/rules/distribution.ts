import { type Catalog, type ComponentKind, catalog } from 'otlp-stack-catalog';

/** A program that reads the Collector's grammar, at a version, with the components that it was built with. */
export interface Distribution {
  /** `otelcol 0.155.0 (contrib)` */
  readonly name: string;
  /** The types that a configuration may use, former spellings included. */
  types(kind: ComponentKind): readonly string[];
}

/** The catalogue's names of what upstream's (and our own) images hold: program, distribution. Mirrors keep the last part of the name. */
const IMAGES: { readonly [image: string]: readonly [string, string] } = {
  'opentelemetry-collector': ['otelcol', 'core'],
  'opentelemetry-collector-contrib': ['otelcol', 'contrib'],
  'opentelemetry-collector-k8s': ['otelcol', 'k8s'],
  'opentelemetry-collector-otlp': ['otelcol', 'otlp'],
  jaeger: ['jaeger', 'jaeger'],
  'otlp-agent': ['otlp-agent', 'otlp-agent'],
};

/**
 * The distribution in a container image, where the catalogue lists every component of it: for any other a type that is not listed is unknown,
 * not absent.
 */
export function distributionOf(image: string, facts: Catalog = catalog): Distribution | undefined {
  const [, name = '', tag = ''] = /([^/@:]+)(?::([^@]+))?(?:@.*)?$/.exec(image) ?? [];
  const [program, distribution] = IMAGES[name] ?? [];
  if (program === undefined || distribution === undefined) return undefined;
  const version = tag.replace(/^v/, '');
  const found = facts.find(program, version);
  if (!found?.completeDistributions.includes(distribution)) return undefined;
  const contained = found.components.filter(({ distributions }) => distributions === undefined || distributions.includes(distribution));
  return {
    name: `${program} ${version} (${distribution})`,
    types: (kind) =>
      contained
        .filter((component) => component.kind === kind)
        .flatMap(({ type, formerType }) => (formerType === undefined ? [type] : [type, formerType])),
  };
}

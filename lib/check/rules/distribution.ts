import { type Catalog, type ComponentFact, type ComponentKind, catalog } from 'otlp-stack-catalog';

/** A program that reads the Collector's grammar, at a version, with the components that it was built with. */
export interface Distribution {
  /** `otelcol 0.155.0 (contrib)` */
  readonly name: string;
  /** The types that a configuration may use, former spellings included, as far as they are known. */
  types(kind: ComponentKind): readonly string[];
  /** Whether a type is surely not in it: another distribution has it, or everything in this one is known and it is not among that. */
  lacks(kind: ComponentKind, type: string): boolean;
}

/** What upstream's (and our own) images hold: the catalogue's name of the program, and the distribution. Mirrors keep the end of the name. */
const IMAGES: readonly (readonly [end: string, program: string, distribution: string])[] = [
  ['opentelemetry-collector', 'otelcol', 'core'],
  ['opentelemetry-collector-contrib', 'otelcol', 'contrib'],
  ['opentelemetry-collector-k8s', 'otelcol', 'k8s'],
  ['opentelemetry-collector-otlp', 'otelcol', 'otlp'],
  ['jaeger', 'jaeger', 'jaeger'],
  ['otlp-stack/agent', 'otlp-agent', 'otlp-agent'],
];

/** The distribution in a container image, where the catalogue has facts about its program at that version. */
export function distributionOf(image: string, facts: Catalog = catalog): Distribution | undefined {
  const [, repository = '', tag = ''] = /^(.+?)(?::([^:/@]+))?(?:@.*)?$/.exec(image) ?? [];
  const found = IMAGES.find(([end]) => repository === end || repository.endsWith(`/${end}`));
  if (found === undefined) return undefined;
  const [, program, distribution] = found;
  const version = tag.replace(/^v/, '');
  const known = facts.find(program, version);
  if (known === undefined || known.components.length === 0) return undefined;
  const complete = known.completeDistributions.includes(distribution);
  const components = known.components.filter(isCertain);
  const named = (kind: ComponentKind, type: string): ComponentFact[] =>
    components.filter((component) => component.kind === kind && (component.type === type || component.formerType === type));
  const isHere = ({ distributions }: ComponentFact): boolean => distributions?.includes(distribution) ?? true;
  return {
    name: `${program} ${version} (${distribution})`,
    types: (kind) =>
      components
        .filter((component) => component.kind === kind && isHere(component))
        .flatMap(({ type, formerType }) => (formerType === undefined ? [type] : [type, formerType])),
    lacks: (kind, type) => {
      const facts = named(kind, type);
      return facts.length === 0 ? complete : !facts.some(isHere);
    },
  };
}

/** Documents err: only what was seen at the program or read in its own files may make an error. */
function isCertain({ source, upstream }: ComponentFact): boolean {
  return [source, upstream].some((origin) => origin?.startsWith('live@') || origin?.startsWith('upstream@'));
}

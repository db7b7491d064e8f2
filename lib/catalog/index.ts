export { Catalog, catalog, type ImageFacts } from './catalog';
export type { ComponentFact, ComponentKind, MetricFact, MetricKind, PortFact, ProgramFacts, Source } from './model';

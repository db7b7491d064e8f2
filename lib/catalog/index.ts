export { Catalog, catalog } from './catalog';
export type { ComponentFact, ComponentKind, MetricFact, MetricKind, PortFact, ProgramFacts, Source } from './model';

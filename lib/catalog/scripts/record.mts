/**
 * Writes the facts that are read and not seen: `node lib/catalog/scripts/record.mts`. Needs Go, which fetches and verifies the modules
 * that the facts are read in. Run it after harvest.mts when both are to be renewed; the order does not matter for the result.
 */
import { writeFileSync } from 'node:fs';
import { recordCollector } from './recorded/collector.mts';
import { recordDocumented } from './recorded/documented.mts';
import { recordKeda } from './recorded/keda.mts';
import { recordKubeStateMetrics } from './recorded/kube-state-metrics.mts';
import { kubeletExposition, recordKubelet } from './recorded/kubelet.mts';
import { type PartialFacts, writeFacts } from './store.mts';

const BUILT =
  'The program that was run is built from upstream modules and holds the components whose source is live; a published distribution holds more.';
const NEWEST = 'Not run: read in the metadata of its modules and in the lists of its distributions.';

const recorded: PartialFacts[] = [
  recordCollector('0.155.0', true, BUILT),
  recordCollector('0.160.0', true, BUILT),
  recordCollector('0.161.0', false, NEWEST),
  recordKubeStateMetrics('2.15.0', true),
  recordKubeStateMetrics('2.20.0', false),
  recordKubelet(),
  recordKeda(),
  ...recordDocumented(),
];
writeFileSync(new URL('../../../test/real/data/kubelet-cadvisor.prom', import.meta.url), kubeletExposition());

/** Two recorders may know the same version (components and ports): one write replaces all that was recorded before. */
const byVersion = new Map<string, PartialFacts>();
for (const facts of recorded) {
  const known = byVersion.get(`${facts.program} ${facts.version}`);
  const joined: PartialFacts = {
    ...known,
    ...facts,
    components: [...(known?.components ?? []), ...(facts.components ?? [])],
    ports: [...(known?.ports ?? []), ...(facts.ports ?? [])],
    metrics: [...(known?.metrics ?? []), ...(facts.metrics ?? [])],
  };
  byVersion.set(`${facts.program} ${facts.version}`, joined);
}
for (const facts of byVersion.values()) {
  writeFacts('recorded', facts);
  console.log(
    `${facts.program} ${facts.version}: ${facts.components?.length ?? 0} components, ${facts.ports?.length ?? 0} ports, ${facts.metrics?.length ?? 0} metrics`,
  );
}

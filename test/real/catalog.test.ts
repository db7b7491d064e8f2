import { catalog } from 'otlp-stack-catalog';
import { beforeAll, expect, it } from 'vitest';
import { startRepresentativeCluster } from '../../lib/catalog/scripts/live/cluster.mts';
import { harvestJaeger } from '../../lib/catalog/scripts/live/jaeger.mts';
import { harvestKubeStateMetrics } from '../../lib/catalog/scripts/live/kube-state-metrics.mts';
import { harvestNewerOtelcol, harvestOtelcol } from '../../lib/catalog/scripts/live/otelcol.mts';
import { harvestPrometheus } from '../../lib/catalog/scripts/live/prometheus.mts';
import type { PartialFacts } from '../../lib/catalog/scripts/store.mts';
import { type ApiServer, describeReal } from './support/index.ts';

/** The committed live facts of a program beside what it shows now: one line per fact, so that a difference names it. */
function compare(seen: PartialFacts): void {
  const committed = catalog.program(seen.program, seen.version);
  const remedy = `if the program or its load has changed: node lib/catalog/scripts/harvest.mts ${seen.program}`;
  const components = (all: PartialFacts['components']): string[] =>
    (all ?? [])
      .filter(({ source }) => source.startsWith('live@'))
      .map(({ kind, type, stability, module = '' }) => `${kind} ${type} ${JSON.stringify(stability)} ${module}`);
  const metrics = (all: PartialFacts['metrics']): string[] =>
    (all ?? [])
      .filter(({ source }) => source.startsWith('live@'))
      .map(({ endpoint, name, type, labels }) => `${endpoint}: ${type} ${name}{${labels.join(',')}}`);
  expect(components(seen.components).sort(), remedy).toEqual(components(committed.components).sort());
  expect(metrics(seen.metrics).sort(), remedy).toEqual(metrics(committed.metrics).sort());
}

const CLUSTER = ['kube-apiserver', 'etcd', 'kubectl', 'kube-controller-manager', 'kube-scheduler', 'kwok'] as const;

describeReal(
  [...CLUSTER, 'otelcol', 'telemetrygen', 'prometheus', 'alertmanager', 'kube-state-metrics'],
  'the catalogue agrees with',
  () => {
    let api: ApiServer;
    beforeAll(async () => {
      api = await startRepresentativeCluster();
    });

    it('the Collector: components, metrics about itself and of spans', async () => compare(await harvestOtelcol(api)));
    it('kube-state-metrics', async () => compare(await harvestKubeStateMetrics(api)));
    it('Prometheus and Alertmanager', async () => {
      for (const facts of await harvestPrometheus(api)) compare(facts);
    });
  },
);

describeReal(['jaeger', 'opensearch', 'telemetrygen'], 'the catalogue agrees with Jaeger', () => {
  it('on memory and on OpenSearch', async () => compare(await harvestJaeger()));
});

describeReal(['otelcol-0.160'], 'the catalogue agrees with the newer Collector', () => {
  it('in its components', async () => compare(await harvestNewerOtelcol()));
});

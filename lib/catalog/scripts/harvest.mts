/**
 * Runs the real programs and writes what they show into lib/catalog/programs: `node lib/catalog/scripts/harvest.mts [PROGRAM...]`.
 * Needs the programs of test/real/components/build.
 */
import { realComponent } from '../../../test/real/support/components.ts';
import { stopAll } from '../../../test/real/support/process.ts';
import { startRepresentativeCluster } from './live/cluster.mts';
import { harvestJaeger } from './live/jaeger.mts';
import { harvestKubeStateMetrics } from './live/kube-state-metrics.mts';
import { harvestNewerOtelcol, harvestOtelcol } from './live/otelcol.mts';
import { harvestAgent, harvestSampleService } from './live/own.mts';
import { harvestPrometheus } from './live/prometheus.mts';
import { type PartialFacts, writeFacts } from './store.mts';

const wanted = process.argv.slice(2);
const wants = (...programs: string[]): boolean => wanted.length === 0 || programs.some((program) => wanted.includes(program));

try {
  const harvested: PartialFacts[] = [];
  if (wants('otlp-agent')) harvested.push(await harvestAgent());
  if (wants('sample-service')) harvested.push(await harvestSampleService());
  if (wants('otelcol') && realComponent('otelcol-0.160').missing === undefined) harvested.push(await harvestNewerOtelcol());
  if (wants('jaeger')) harvested.push(await harvestJaeger());
  if (wants('otelcol', 'prometheus', 'alertmanager', 'kube-state-metrics')) {
    const api = await startRepresentativeCluster();
    if (wants('kube-state-metrics')) harvested.push(await harvestKubeStateMetrics(api));
    if (wants('prometheus', 'alertmanager')) harvested.push(...(await harvestPrometheus(api)));
    if (wants('otelcol')) harvested.push(await harvestOtelcol(api));
  }
  for (const facts of harvested) {
    writeFacts('live', facts);
    console.log(`${facts.program} ${facts.version}: ${facts.components?.length ?? 0} components, ${facts.metrics?.length ?? 0} metrics`);
  }
} finally {
  await stopAll();
}

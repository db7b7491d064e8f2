import type { ApiServer } from '../../../../test/real/support/api-server.ts';
import { scrape } from '../../../../test/real/support/exposition.ts';
import { startKubeStateMetrics } from '../../../../test/real/support/kube-state-metrics.ts';
import { waitFor } from '../../../../test/real/support/wait.ts';
import type { PartialFacts } from '../store.mts';
import { metricFacts } from './facts.mts';

export async function harvestKubeStateMetrics(api: ApiServer): Promise<PartialFacts> {
  const version = '2.15.0';
  await using server = await startKubeStateMetrics({ kubeconfig: api.kubeconfig });
  const objects = await waitFor(
    async () => {
      const families = await scrape(server.url);
      return families.some(({ name }) => name === 'kube_job_complete') && families;
    },
    { what: 'the metrics of every object' },
  );
  const self = await scrape(server.telemetryUrl);
  await server.process.stop();
  const seen = [
    { endpoint: 'objects', families: objects },
    { endpoint: 'self', families: self },
  ];
  return { program: 'kube-state-metrics', version, title: 'kube-state-metrics', run: true, metrics: metricFacts(version, seen) };
}

import type { ApiServer } from '../../../../test/real/support/api-server.ts';
import { scrape, scrapeSettled } from '../../../../test/real/support/exposition.ts';
import { startKubeStateMetrics } from '../../../../test/real/support/kube-state-metrics.ts';
import type { PartialFacts } from '../store.mts';
import { metricFacts } from './facts.mts';

/** What controllers write some time after the object was made. */
const LAST_TO_COME = [
  'kube_job_complete',
  'kube_node_info',
  'kube_pod_info',
  'kube_persistentvolume_info',
  'kube_horizontalpodautoscaler_status_condition',
  'kube_poddisruptionbudget_status_desired_healthy',
  'kube_resourcequota',
];

/** kube-state-metrics against one of each kind of object. */
export async function harvestKubeStateMetrics(api: ApiServer): Promise<PartialFacts> {
  const version = '2.15.0';
  await using server = await startKubeStateMetrics({ kubeconfig: api.kubeconfig });
  const objects = await scrapeSettled(server.url, LAST_TO_COME);
  const self = await scrape(server.telemetryUrl);
  await server.process.stop();
  const seen = [
    { endpoint: 'objects', families: objects },
    { endpoint: 'self', families: self },
  ];
  return { program: 'kube-state-metrics', version, title: 'kube-state-metrics', run: true, metrics: metricFacts(version, seen) };
}

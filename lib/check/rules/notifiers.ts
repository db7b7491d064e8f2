import { asList, asObject } from '../read/json';
import type { Snapshot } from '../read/snapshot';
import type { Workload } from '../read/workloads';

/** A pod that connects by a name that the manifests do not show. */
export interface Notifier {
  readonly workload: Workload;
  readonly why: string;
}

/** Alertmanagers with receivers: where those lead stands in mounted Secrets (`url_file`) or is the service's own address (PagerDuty, Slack ...). */
export function notifiers({ configs }: Snapshot): Notifier[] {
  return configs
    .filter(({ kind }) => kind === 'alertmanager')
    .flatMap(({ tree, mounts }) => {
      const receivers = asList(asObject(tree.value).receivers).map(asObject);
      const sending = receivers.find((receiver) =>
        Object.entries(receiver).some(([key, entries]) => key.endsWith('_configs') && asList(entries).length > 0),
      );
      const why = `receiver "${String(sending?.name)}" in ${tree.place([]).object}`;
      return sending === undefined ? [] : mounts.map(({ workload }) => ({ workload, why }));
    });
}

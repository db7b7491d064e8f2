import type { MetricFamily } from '../../../../test/real/support/exposition.ts';
import type { MetricFact, MetricKind } from '../../model.ts';

/** What a run of the real program showed. */
export interface Seen {
  readonly endpoint: string;
  readonly families: readonly MetricFamily[];
  /** Families that only this condition brings; the others are always there. */
  readonly when?: string;
}

/** Observations as facts. A family seen without a condition needs none; labels are joined. */
export function metricFacts(version: string, observations: readonly Seen[]): MetricFact[] {
  const facts = new Map<string, MetricFact>();
  const unconditionalFirst = [...observations].sort((a, b) => Number(a.when !== undefined) - Number(b.when !== undefined));
  for (const { endpoint, families, when } of unconditionalFirst) {
    for (const family of families) {
      const key = `${endpoint} ${family.name}`;
      const known = facts.get(key);
      const labels = [...new Set([...(known?.labels ?? []), ...family.labels])].sort();
      const fresh: MetricFact = {
        name: family.name,
        type: family.type as MetricKind,
        help: family.help,
        labels,
        endpoint,
        ...(when === undefined ? {} : { when }),
        source: `live@${version}`,
      };
      facts.set(key, known === undefined ? fresh : { ...known, labels });
    }
  }
  return [...facts.values()];
}

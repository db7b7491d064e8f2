import { readFileSync } from 'node:fs';
import { catalog } from 'otlp-stack-catalog';
import { describe, expect, it } from 'vitest';
import type { MetricDefinition } from '../../agent/telemetry/metrics.ts';
import { agentMetrics } from '../../scripts/docs/agent-metrics.mjs';

const all = agentMetrics() as readonly MetricDefinition[];

/** Upstream has them, but no Collector of the catalogue shows them: why. */
const NOT_IN_THE_CATALOGUE: readonly (readonly [name: RegExp, reason: string])[] = [
  [
    /^otelcol_loadbalancer_/,
    'the Collector 0.155 of the real lane is built without the loadbalancing exporter; names after its metadata.yaml',
  ],
  [/_profile_samples$/, 'profiles are behind a feature gate of the Collector, off where the catalogue was harvested'],
];

describe('the metrics of the agent', () => {
  it('are in its code, in the catalogue of a running agent with every component, and in the reference: the same ones', () => {
    const facts = (list: readonly { name: string; type: string; labels: readonly string[] }[]): string[] =>
      list
        .map(
          ({ name, type, labels }) =>
            `${type} ${name}{${labels
              .filter((label) => label !== 'le')
              .toSorted()
              .join(',')}}`,
        )
        .toSorted();
    // test/lib/catalog/own-programs.test.ts compares the catalogue with the live /metrics.
    expect(facts(all)).toEqual(facts(catalog.program('otlp-agent', '0.1.0').metrics));
  });

  it('have a name, labels and a help of their own, each once', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name, help, labels, upstream } of all) {
      expect(name).toMatch(upstream ? /^otelcol_[a-z_]+$/ : /^(otlp_agent_[a-z_]+|otelcol_exporter_evicted_[a-z_]+)$/);
      expect(help, name).toMatch(/^[A-Z0-9].*[.\w]$/);
      expect(new Set(labels).size, name).toBe(labels.length);
    }
  });

  it('are said to be upstream’s exactly where the Collector has them', () => {
    for (const { name, type, upstream } of all) {
      const theirs = catalog.metric('otelcol', '0.155.0', name);
      if (theirs !== undefined) expect([name, type, upstream]).toEqual([name, theirs.type, true]);
      else if (upstream)
        expect(
          NOT_IN_THE_CATALOGUE.filter(([pattern]) => pattern.test(name)),
          name,
        ).toHaveLength(1);
    }
  });

  it('are all in docs/reference/metrics.md', () => {
    const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
    const section = page.slice(page.indexOf('## All that the agent prints'));
    for (const { name, help } of all) {
      const row = section.includes(`| \`${name}\` |`) ? help : undefined;
      const histogram = section.includes(`| \`${name.replace(/_(bucket|sum|count)$/, '')}\` | histogram`);
      expect([name, row !== undefined || histogram]).toEqual([name, true]);
    }
  });
});

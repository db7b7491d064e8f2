import { fileURLToPath } from 'node:url';
import { catalog } from 'otlp-stack-catalog';
import { afterAll, describe, expect, it } from 'vitest';
import { harvestAgent, harvestSampleService } from '../../../lib/catalog/scripts/live/own.mts';
import type { PartialFacts } from '../../../lib/catalog/scripts/store.mts';
import { runProgram, stopAll } from '../../real/support/process.ts';

/** What the catalogue promises of the two programs of this repository, against the programs; the others are compared in the real lane. */
function compare(seen: PartialFacts): void {
  const committed = catalog.program(seen.program, seen.version);
  const remedy = `if the change is meant: node lib/catalog/scripts/harvest.mts ${seen.program}`;
  const metrics = (all: PartialFacts['metrics']): string[] =>
    (all ?? []).map(({ endpoint, name, type, labels }) => `${endpoint}: ${type} ${name}{${labels.join(',')}}`);
  expect(metrics(seen.metrics).sort(), remedy).toEqual(metrics(committed.metrics).sort());
  expect(seen.components ?? [], remedy).toHaveLength(committed.components.length);
  expect(committed.components, remedy).toEqual(expect.arrayContaining([...(seen.components ?? [])]));
}

describe('the catalogue agrees with', () => {
  afterAll(stopAll);

  it('the agent', async () => compare(await harvestAgent()));
  it('the sample service', async () => compare(await harvestSampleService()));

  it('the addresses that the agent listens on by default', async () => {
    const config =
      'yaml:{extensions: {health_check: }, receivers: {otlp: {protocols: {grpc: , http: }}}, exporters: {debug: }, service: {extensions: [health_check], pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}}';
    const agent = fileURLToPath(new URL('../../../agent/main.ts', import.meta.url));
    const { stdout, stderr } = await runProgram(process.execPath, [agent, 'print-config', '--config', config]);
    for (const { name, port } of catalog.program('otlp-agent', '0.1.0').ports) {
      if (name !== 'http-metrics') expect(stdout, stderr).toContain(`endpoint: localhost:${port}\n`);
    }
  });

  it('the Collector in every name that both expose, and in its type', () => {
    for (const own of catalog.program('otlp-agent', '0.1.0').metrics.filter(({ name }) => name.startsWith('otelcol_'))) {
      const upstream = catalog.metric('otelcol', '0.155.0', own.name);
      if (upstream !== undefined) expect(`${own.type} ${own.name}`).toBe(`${upstream.type} ${upstream.name}`);
      else expect(own.name).toMatch(/^otelcol_(exporter_evicted_|loadbalancer_|\w+_profile_samples$)/);
    }
  });
});

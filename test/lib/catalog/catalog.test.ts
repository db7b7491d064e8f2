import { readdirSync, readFileSync } from 'node:fs';
import { catalog, type ProgramFacts } from 'otlp-stack-catalog';
import { describe, expect, it } from 'vitest';

const everything: ProgramFacts[] = catalog
  .programs()
  .flatMap((program) => catalog.versions(program).map((version) => catalog.program(program, version)));
const named = everything.map((facts) => [`${facts.program} ${facts.version}`, facts] as const);

describe('the catalogue', () => {
  it('answers by program and version', () => {
    const facts = catalog.program('otelcol', '0.155.0');
    expect(facts.title).toBe('OpenTelemetry Collector');
    expect(catalog.find('otelcol', '0.0.1')).toBeUndefined();
  });

  it('fails with what is recorded', () => {
    expect(() => catalog.program('otelcol', '0.1.0')).toThrow(/no otelcol 0\.1\.0; it has .*0\.155\.0/);
    expect(() => catalog.program('nagios', '1.0.0')).toThrow(/no program 'nagios'; it has alertmanager, /);
  });

  it('finds a component by its present and its former spelling', () => {
    expect(catalog.component('otelcol', '0.155.0', 'exporter', 'otlp_grpc')?.formerType).toBe('otlp');
    expect(catalog.component('otelcol', '0.155.0', 'exporter', 'otlp')?.type).toBe('otlp_grpc');
    expect(catalog.component('otelcol', '0.155.0', 'receiver', 'otlp')?.type).toBe('otlp');
    expect(catalog.component('otelcol', '0.155.0', 'exporter', 'logging')).toBeUndefined();
  });

  it('knows every type of a published distribution, former spellings included', () => {
    const exporters = catalog.types('otelcol', '0.155.0', 'contrib', 'exporter');
    for (const type of ['otlp_grpc', 'otlp', 'elasticsearch', 'load_balancing', 'loadbalancing', 'kafka', 'debug'])
      expect(exporters).toContain(type);
    for (const gone of ['logging', 'jaeger', 'loki']) expect(exporters).not.toContain(gone);
    expect(catalog.types('otelcol', '0.155.0', 'core', 'exporter')).not.toContain('elasticsearch');
    expect(catalog.types('otelcol', '0.155.0', 'contrib', 'receiver')).toEqual(
      expect.arrayContaining(['file_log', 'filelog', 'udp_log', 'udplog', 'jaeger']),
    );
    expect(catalog.types('jaeger', '2.13.0', 'jaeger', 'exporter')).toContain('jaeger_storage_exporter');
    expect(catalog.types('otelcol', '0.155.0', 'my-own-build', 'exporter')).toBeUndefined();
    expect(catalog.types('otelcol', '0.1.0', 'contrib', 'exporter')).toBeUndefined();
  });

  it('gives the new spelling to what was renamed later', () => {
    expect(catalog.component('otelcol', '0.155.0', 'processor', 'deltatocumulative')?.type).toBe('deltatocumulative');
    expect(catalog.component('otelcol', '0.161.0', 'processor', 'deltatocumulative')?.type).toBe('delta_to_cumulative');
  });

  it('finds a histogram by its series, but no suffix of anything else', () => {
    const duration = catalog.metric('otelcol', '0.155.0', 'traces_span_metrics_duration_milliseconds_bucket');
    expect(duration?.type).toBe('histogram');
    expect(catalog.metric('otelcol', '0.155.0', 'otelcol_exporter_sent_spans')?.type).toBe('counter');
    expect(catalog.metric('otelcol', '0.155.0', 'otelcol_exporter_sent_spans_sum')).toBeUndefined();
    expect(catalog.metric('otelcol', '0.155.0', 'otelcol_exporter_sent_spans_total')).toBeUndefined();
  });

  it('imports every file of programs/', () => {
    const folder = new URL('../../../lib/catalog/programs/', import.meta.url);
    const files = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => readdirSync(new URL(`${entry.name}/`, folder)).map((file) => `${entry.name} ${file.replace('.json', '')}`));
    expect(named.map(([name]) => name).sort()).toEqual(files.sort());
  });
});

describe.each(named)('%s', (name, facts) => {
  it('is filed under its own name', () => {
    const file = new URL(`../../../lib/catalog/programs/${facts.program}/${facts.version}.json`, import.meta.url);
    expect((JSON.parse(readFileSync(file, 'utf8')) as ProgramFacts).program).toBe(facts.program);
    expect(facts.title).not.toBe('');
  });

  it('states a source for every fact, live only for what was run', () => {
    for (const fact of [...facts.components, ...facts.ports, ...facts.metrics]) {
      expect(fact.source, JSON.stringify(fact)).toMatch(/^(live@\d[\w.]*|upstream@[\w.-]+|docs)$/);
      if (fact.source.startsWith('live@')) expect(facts.run, `${name}: ${JSON.stringify(fact)}`).toBe(true);
      else if ('where' in fact) expect(fact.where).toBeTruthy();
    }
  });

  it('has metrics of known types, each once per endpoint, labels sorted', () => {
    const seen = new Set<string>();
    for (const metric of facts.metrics) {
      expect(['counter', 'gauge', 'histogram', 'summary', 'untyped'], metric.name).toContain(metric.type);
      expect(metric.name).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
      expect([...metric.labels]).toEqual([...new Set(metric.labels)].sort());
      const key = `${metric.endpoint} ${metric.name}`;
      expect(seen.has(key), key).toBe(false);
      seen.add(key);
    }
  });

  it('has each component once, and ports in range', () => {
    const components = facts.components.map(({ kind, type }) => `${kind} ${type}`);
    expect(new Set(components).size).toBe(components.length);
    for (const { port } of facts.ports) expect(port).toBeGreaterThan(0);
  });
});

import type { ComponentFact, ProgramFacts } from 'otlp-stack-catalog';
import { describe, expect, it } from 'vitest';
import { Catalog } from '../../../../lib/catalog/catalog';
import { distributionOf } from '../../../../lib/check/rules/distribution';
import { brief, findingsOf } from '../support.ts';

const component = (type: string, distributions?: string[], more: Partial<ComponentFact> = {}): ComponentFact => ({
  kind: 'exporter',
  type,
  stability: {},
  distributions,
  source: 'live@1.0.0',
  ...more,
});
const facts = (components: ComponentFact[], completeDistributions: string[] = []): ProgramFacts => ({
  program: 'otelcol',
  version: '1.0.0',
  title: 'Collector',
  run: true,
  components,
  completeDistributions,
  ports: [],
  metrics: [],
});
const CONTRIB = 'ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:1.0.0';
const CORE = 'docker.io/otel/opentelemetry-collector:1.0.0@sha256:abc';

describe('distributionOf', () => {
  const catalog = new Catalog([
    facts([
      component('otlp_grpc', ['core', 'contrib'], { formerType: 'otlp' }),
      component('kafka', ['contrib']),
      component('rumoured', ['core'], { source: 'docs' }),
    ]),
  ]);

  it('knows the program, the version and the distribution by the image, from any registry', () => {
    expect(distributionOf(CONTRIB, catalog)?.name).toBe('otelcol 1.0.0 (contrib)');
    expect(distributionOf(CORE, catalog)?.name).toBe('otelcol 1.0.0 (core)');
    expect(distributionOf('localhost:5000/mirror/opentelemetry-collector-k8s:v1.0.0', catalog)?.name).toBe('otelcol 1.0.0 (k8s)');
  });

  it('knows nothing of other images and versions', () => {
    for (const image of ['docker.io/grafana/agent:1.0.0', 'opentelemetry-collector-contrib:2.0.0', 'opentelemetry-collector-contrib', '']) {
      expect(distributionOf(image, catalog), image).toBeUndefined();
    }
  });

  it('lists former spellings, and nothing that only documents say', () => {
    expect(distributionOf(CORE, catalog)?.types('exporter')).toEqual(['otlp_grpc', 'otlp']);
  });

  it('says that a type is lacking where another distribution has it, or where everything is known', () => {
    expect(distributionOf(CORE, catalog)?.lacks('exporter', 'kafka')).toBe(true);
    expect(distributionOf(CONTRIB, catalog)?.lacks('exporter', 'kafka')).toBe(false);
    expect(distributionOf(CONTRIB, catalog)?.lacks('exporter', 'zipkin')).toBe(false);
    const complete = new Catalog([facts([component('otlp_grpc', ['contrib'])], ['contrib'])]);
    expect(distributionOf(CONTRIB, complete)?.lacks('exporter', 'zipkin')).toBe(true);
  });
});

describe('pipelines-resolve, by the recorded facts', () => {
  it('fails on a component that only a larger distribution has', () => {
    const findings = findingsOf({ from: 'opentelemetry-collector-contrib:0.155.0', to: 'opentelemetry-collector:0.155.0' });
    expect(findings.map(brief)).toContain('pipelines-resolve: ConfigMap observability/gateway data["config.yaml"].connectors.span_metrics');
    expect(findings[0]?.problem).toMatch(/^otelcol 0\.155\.0 \(core\) has no \w+ of type "/);
    expect(findings.every(({ rule }) => rule === 'pipelines-resolve')).toBe(true);
  });

  it('fails on a component of the Collector that the agent lacks', () => {
    const findings = findingsOf(
      { from: '        limit_mib: 200\n', to: '        limit_mib: 200\n      tail_sampling: {}\n' },
      { from: 'processors: [memory_limiter]', to: 'processors: [memory_limiter, tail_sampling]' },
    );
    expect(findings.map(brief)).toEqual([
      'pipelines-resolve: ConfigMap observability/web-agent data["agent.yaml"].processors.tail_sampling',
    ]);
    expect(findings[0]?.problem).toBe('otlp-agent 0.1.0 (otlp-agent) has no processor of type "tail_sampling"');
    expect(findings[0]?.remedy).toContain('memory_limiter');
  });
});

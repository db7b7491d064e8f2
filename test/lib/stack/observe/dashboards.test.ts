import { describe, expect, it } from 'vitest';
import { Dashboard, Observability, Panel, ServiceMetrics, Unit } from '../../../../lib/stack/observe/index';
import { EVERYTHING } from './parts';

interface PrintedPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly { readonly expr: string; readonly refId: string; readonly legendFormat: string }[];
}

interface Printed {
  readonly uid: string;
  readonly panels: readonly PrintedPanel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[] };
}

const dashboards = new Observability({ parts: EVERYTHING }).dashboards;
const printed = dashboards.map((dashboard) => JSON.parse(JSON.stringify(dashboard.renderConfig())) as Printed);
const service = printed[0] as Printed;
const panel = (title: string): PrintedPanel | undefined => service.panels.find((found) => found.title === title);

describe('the dashboards', () => {
  it('have uids that never change', () => {
    expect(printed.map(({ uid }) => uid)).toEqual(['otlp-service', 'otlp-agent', 'otlp-gateway', 'otlp-jaeger', 'otlp-prometheus']);
  });

  it.each(printed.map((dashboard) => [dashboard.uid, dashboard] as const))(
    '%s asks the chosen data source only',
    (_, { panels, templating }) => {
      expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
      const drawn = panels.filter(({ type }) => type !== 'row');
      expect(drawn.length).toBeGreaterThan(3);
      for (const { datasource, targets, fieldConfig } of drawn) {
        expect(datasource?.uid).toBe('${datasource}');
        expect(targets?.length).toBeGreaterThan(0);
        expect(fieldConfig?.defaults.unit).toBeTruthy();
      }
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    },
  );

  it.each(printed.map((dashboard) => [dashboard.uid, dashboard] as const))('%s has no panel over another', (_, { panels }) => {
    const places = panels.map(({ gridPos: { x, y } }) => `${x}/${y}`);
    expect(new Set(places).size).toBe(panels.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  it('define every variable that a query uses', () => {
    for (const { panels, templating } of printed) {
      const defined = templating.list.map(({ name }) => name);
      const used = panels.flatMap(({ targets = [] }) =>
        targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name)),
      );
      expect(used.filter((name) => name !== '__rate_interval' && !defined.includes(name ?? ''))).toEqual([]);
    }
  });
});

describe('the dashboard of a service', () => {
  it('shows what was asked for', () => {
    expect(panel('Request rate')?.fieldConfig?.defaults.unit).toBe('reqps');
    expect(panel('Latency p95')?.targets?.[0]?.expr).toMatch(/^histogram_quantile\(0\.95/);
    expect(panel('Latency p95')?.fieldConfig?.defaults.unit).toBe('s');
    expect(panel('Export rate')?.targets?.map(({ legendFormat }) => legendFormat)).toEqual([
      'exported {{namespace}}/{{job}}',
      'dropped {{namespace}}/{{job}}',
    ]);
    expect(panel('Memory per pod')?.targets?.[0]?.expr).toContain('container_memory_working_set_bytes');
    expect(panel('Memory per pod')?.fieldConfig?.defaults.unit).toBe('bytes');
  });
});

describe('a dashboard', () => {
  it('fails on a uid that Grafana would refuse', () => {
    expect(() => new Dashboard({ uid: 'a b', title: 'x', description: 'x', rows: [] })).toThrow("uid 'a b' must have 1 to 40");
  });

  it('fails when a legend names a label that the query does not give', () => {
    const query = ServiceMetrics.QUEUE_SIZE.where().sumBy('job');
    expect(() => new Panel({ title: 'Queue', unit: Unit.SPANS, queries: [{ query, by: ['pod'] }] })).toThrow(
      "the legend names label 'pod'",
    );
  });
});

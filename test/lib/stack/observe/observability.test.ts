import { describe, expect, it } from 'vitest';
import { printJson, printYaml } from '../../../../lib/stack/model/yaml';
import {
  AgentMetrics,
  AlertmanagerMetrics,
  CollectorMetrics,
  FluentdMetrics,
  JaegerMetrics,
  KubernetesMetrics,
  KubeStateMetricsMetrics,
  NodeMetrics,
  Observability,
  PrometheusMetrics,
  QueryDialect,
  ServiceMetrics,
  SpanMetrics,
  StackRules,
} from '../../../../lib/stack/observe/index';
import { EVERYTHING } from './parts';
import { parsePromql } from './promql';

const stack = new Observability({ parts: EVERYTHING });
const known = new Set(
  [
    ServiceMetrics.all(),
    CollectorMetrics.DEFAULT.all(),
    CollectorMetrics.JAEGER.all(),
    AgentMetrics.all(),
    SpanMetrics.all(),
    JaegerMetrics.all(),
    FluentdMetrics.all(),
    PrometheusMetrics.all(),
    AlertmanagerMetrics.all(),
    KubernetesMetrics.all(),
    KubeStateMetricsMetrics.all(),
    NodeMetrics.all(),
    [...StackRules.service(), StackRules.MEMORY_RATIO, StackRules.SPAN_CALLS].map(({ metric }) => metric),
  ]
    .flat()
    .map(({ name }) => name),
);

describe('all queries of the stack', () => {
  const uses = stack.allQueries();

  it('are those of rules, alerts, runbooks and dashboards', () => {
    for (const kind of ['rule ', 'alert ', 'runbook ', 'dashboard ']) {
      expect(uses.filter(({ place }) => place.startsWith(kind)).length).toBeGreaterThan(7);
    }
  });

  it.each(uses.map(({ place, query }) => [place, query] as const))('%s is PromQL on known metrics', (_, query) => {
    const { errors, metrics } = parsePromql(query.print());
    expect(errors).toEqual([]);
    for (const metric of metrics) {
      expect(known).toContain(known.has(metric) ? metric : metric.replace(/_(bucket|sum|count)$/, ''));
    }
  });

  it('leave no variable of Grafana for Prometheus', () => {
    expect(uses.filter(({ query }) => query.print().includes('$')).map(({ place }) => place)).toEqual([]);
    expect(uses.some(({ query }) => query.print(QueryDialect.GRAFANA).includes('$__rate_interval'))).toBe(true);
  });
});

describe('the trigger of the autoscaler', () => {
  it('asks for a series that a rule records', () => {
    const query = StackRules.httpRequestsPerSecond('shop', 'checkout');
    expect(query.print()).toBe('sum(service:http_requests:rate1m{namespace="shop", job="checkout"})');
    const records = stack.rules.groups.flatMap(({ recordingRules }) => recordingRules.map(({ record }) => record));
    expect(records).toContain('service:http_requests:rate1m');
  });
});

describe('what is printed', () => {
  it('is the same every time', () => {
    const again = new Observability({ parts: EVERYTHING });
    expect(printYaml(again.rules.renderConfig())).toBe(printYaml(stack.rules.renderConfig()));
    expect(again.dashboards.map((dashboard) => printJson(dashboard.renderConfig()))).toEqual(
      stack.dashboards.map((dashboard) => printJson(dashboard.renderConfig())),
    );
  });

  it('evaluates recording rules before the alerts of their group', () => {
    const { groups } = stack.rules.renderConfig() as { groups: { name: string; rules: { record?: string }[] }[] };
    const service = groups.find(({ name }) => name === 'otlp-stack.service');
    expect(service?.rules.map(({ record }) => record !== undefined)).toEqual([...Array(7).fill(true), ...Array(3).fill(false)]);
    expect(groups.map(({ name }) => name)).not.toContain('otlp-stack.extra');
  });
});

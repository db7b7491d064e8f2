import { catalog } from 'otlp-stack-catalog';
import { describe, expect, it } from 'vitest';
import { Images } from '../../../../lib/stack/model/images';
import {
  AgentMetrics,
  AlertmanagerMetrics,
  CollectorMetrics,
  FluentdMetrics,
  JaegerMetrics,
  KubernetesMetrics,
  KubeStateMetricsMetrics,
  type Metric,
  NodeMetrics,
  PrometheusMetrics,
  ServiceMetrics,
  SpanMetrics,
} from '../../../../lib/stack/observe/index';

const images = Images.pinned();

/** Metrics with what the catalogue has of them. */
function compared(program: string, version: string, metrics: Metric[]): [string, Metric, string, string][] {
  return metrics.map((metric) => [metric.name, metric, program, version]);
}

const jaeger = [...CollectorMetrics.JAEGER.all(), ...JaegerMetrics.all()]
  // Jaeger has no sending queue, takes and stores spans only, and limits no memory.
  .filter(({ name }) => !/queue|in_flight|enqueue|metric_points|log_records|memory_limiter/.test(name));

const metrics = [
  ...compared('otelcol', images.collector.version, [...CollectorMetrics.DEFAULT.all(), ...SpanMetrics.all()]),
  ...compared('jaeger', images.jaeger.version, jaeger),
  ...compared('prometheus', images.prometheus.version, PrometheusMetrics.all()),
  ...compared('alertmanager', images.alertmanager.version, AlertmanagerMetrics.all()),
  // The agent exposes the Collector's metrics under the Collector's names, and some of its own.
  ...compared('otlp-agent', images.agent.version, [...CollectorMetrics.DEFAULT.all(), ...AgentMetrics.all()]),
  ...compared('sample-service', images.sampleService.version, ServiceMetrics.all()),
  ...compared('fluentd', images.fluentd.version, FluentdMetrics.all()),
  ...compared('kubelet', '1.36.3', NodeMetrics.all()),
  ...compared('kube-state-metrics', images.kubeStateMetrics.version, [...KubernetesMetrics.all(), ...KubeStateMetricsMetrics.all()]),
];

describe('a metric object agrees with what the pinned program exposes', () => {
  it.each(metrics.filter(([name]) => name !== 'up').map((row) => [`${row[2]} ${row[3]}: ${row[0]}`, ...row] as const))(
    '%s',
    (_, name, metric, program, version) => {
      const fact = catalog.metric(program, version, name);
      expect(fact, `${program} ${version} has no ${name}`).toBeDefined();
      expect(fact?.type).toBe(metric.type.name);
      for (const label of metric.ownLabels) {
        expect(fact?.labels).toContain(label);
      }
    },
  );
});

/** docs/reference/metrics.md: every metric that rules and dashboards use, spelled by the way it takes into Prometheus, and all of the agent. */
import { App } from 'cdk8s';
import stack from '../../lib/stack/build/index.js';
import observe from '../../lib/stack/build/observe/index.js';
import { agentMetricsSection } from './agent-metrics.mjs';

const { MetricPath, MetricType } = observe;

/** By the program that exposes them. */
const FAMILIES = [
  ['The application service', observe.ServiceMetrics.all()],
  ['Agent and gateway', observe.CollectorMetrics.DEFAULT.all()],
  ['The agent alone', observe.AgentMetrics.all()],
  ['Spans, as the gateway measures them', observe.SpanMetrics.all()],
  ['Jaeger', observe.JaegerMetrics.all()],
  ['Fluentd', observe.FluentdMetrics.all()],
  ['Prometheus', observe.PrometheusMetrics.all()],
  ['Alertmanager', observe.AlertmanagerMetrics.all()],
  ['kube-state-metrics', [...observe.KubernetesMetrics.all(), ...observe.KubeStateMetricsMetrics.all()]],
  ['Kubelet and cAdvisor', observe.NodeMetrics.all()],
];

export async function generate() {
  const { observability } = new stack.OtlpStack(new App(), 'otlp').prometheus;
  const uses = observability.allQueries().map(({ place, query }) => ({ place, text: query.print() }));
  const recorded = observability.rules.groups.flatMap((group) => group.recordingRules);
  return {
    'docs/reference/metrics.md': `${[
      '# Metrics',
      'Every metric that the rules and dashboards of the stack ask for. One metric has up to three names, by the way it takes into Prometheus: scraped, sent by OTLP to Prometheus itself (unit and `_total` are added there), or scraped by a Collector that writes remotely (`_total` is added, a unit is not). The reference stack scrapes.',
      ...FAMILIES.flatMap(([title, metrics]) => [`## ${title}`, table(metrics, uses)]),
      '## Recorded by rules',
      ['| series | expression |', '|---|---|', ...recorded.map(({ record, expr }) => `| \`${record}\` | \`${cell(expr.print())}\` |`)].join(
        '\n',
      ),
      ...agentMetricsSection(),
    ].join('\n\n')}\n`,
  };
}

function table(metrics, uses) {
  return [
    '| name, scraped | by OTLP | by remote write | type | labels of its own | used | help |',
    '|---|---|---|---|---|---|---|',
    ...metrics.map((metric) => {
      const other = (path) => (metric.nameOn(path) === metric.name ? 'the same' : `\`${metric.nameOn(path)}\``);
      const labels = metric.ownLabels.map((label) => `\`${label}\``).join(' ') || 'none';
      const used = uses.filter(({ text }) => new RegExp(`\\b${metric.name}(_bucket|_sum|_count)?\\b`).test(text)).length;
      const type = metric.type === MetricType.HISTOGRAM ? 'histogram' : metric.type.name;
      return `| \`${metric.name}\` | ${other(MetricPath.OTLP)} | ${other(MetricPath.REMOTE_WRITE)} | ${type} | ${labels} | ${used} | ${cell(metric.help)} |`;
    }),
  ].join('\n');
}

function cell(text) {
  return text.replaceAll('|', '\\|');
}

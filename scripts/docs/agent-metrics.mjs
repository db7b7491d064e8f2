/** Every metric that the agent can print, from the definitions in agent/telemetry: with every component, for every signal that it carries. */
import { COMPONENTS } from '../../agent/config/registry.ts';
import { SIGNALS } from '../../agent/config/settings.ts';
import { Counters, ExporterCounters } from '../../agent/telemetry/counters.ts';
import { loadMetrics } from '../../agent/telemetry/load-metrics.ts';
import { metricDefinitions } from '../../agent/telemetry/metrics.ts';
import { ownMetrics } from '../../agent/telemetry/own/own-metrics.ts';
import { registrationMetrics } from '../../agent/telemetry/resolver-metrics.ts';
import { SpreadWatch } from '../../agent/workers/spread.ts';

/** By what they tell of; the first that fits. */
const FAMILIES = [
  ['Receivers', /_receiver_|connection_errors/],
  ['Processors', /_processor_|memory_limiter/],
  ['Connectors', /_connector_/],
  ['Load balancing and resolvers', /loadbalancer|resolver/],
  ['Exporters and their queues', /_exporter_/],
  ['Workers, where agent.workers is more than 1', /_workers?(_|$)/],
  ['The process', /./],
];

/** Definitions as agent/telemetry has them, by name. Their `samples` are of an agent that nothing has happened to. */
export function agentMetrics() {
  const counters = new Counters();
  for (const signal of SIGNALS) {
    counters.receiver('otlp', 'grpc', signal);
    counters.exporters.push(new ExporterCounters('otlp_grpc', signal, {}, true));
    for (const { type, signals } of COMPONENTS.processors) if (signals.includes(signal)) counters.processor(type, type, signal);
    for (const { type, signals } of COMPONENTS.connectors) if (signals.includes(signal)) counters.connector(type, signal);
  }
  const all = [
    ...metricDefinitions(counters, () => 0, 0),
    ...loadMetrics({ load: {}, thresholds: {} }),
    ...ownMetrics({ totals: () => [{ signal: 'traces', sent: 0, dropped: 0 }] }),
    ...registrationMetrics(() => []),
    ...new SpreadWatch({}).metrics([]),
  ];
  return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Those of one histogram are one: _bucket, _sum and _count are series of it. */
function series(all) {
  return all.flatMap((one) => {
    const base = one.name.replace(/_(bucket|sum|count)$/, '');
    const parts = ['bucket', 'sum', 'count'].map((part) => `${base}_${part}`);
    if (base === one.name || !parts.every((name) => all.some((other) => other.name === name))) return [one];
    const help = one.help.replace(/: [^:]*$/, '.');
    return one.name.endsWith('_bucket') ? [{ ...one, name: base, type: 'histogram (as its three series)', help }] : [];
  });
}

/** The part of docs/reference/metrics.md. */
export function agentMetricsSection() {
  const left = new Set(series(agentMetrics()));
  const rows = (list) => [
    '| name | type | labels | in the Collector | help |',
    '|---|---|---|---|---|',
    ...list.map(({ name, type, labels, upstream, help }) => {
      const shown = labels.map((label) => `\`${label}\``).join(' ') || 'none';
      return `| \`${name}\` | ${type} | ${shown} | ${upstream ? 'yes' : 'no'} | ${help.replaceAll('|', '\\|')} |`;
    }),
  ];
  return [
    '## All that the agent prints',
    'On its `/metrics`, with the names of Collector 0.155 where it has such a metric: a counter has no `_total`. Those of a component are there where it runs, and series by code, reason or policy begin with the first of what they count. `url_path` is there for exporters over HTTP; a series has only the labels that its exporter has.',
    ...FAMILIES.flatMap(([title, pattern]) => {
      const mine = [...left].filter(({ name }) => pattern.test(name));
      for (const one of mine) left.delete(one);
      return [`### ${title}`, rows(mine).join('\n')];
    }),
  ];
}

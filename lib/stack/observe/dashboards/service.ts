import type { ObservedParts } from '../alerts';
import { Unit } from '../metric';
import { NodeMetrics, ServiceMetrics, SpanMetrics } from '../metrics';
import { errorRatio, memoryRatio, memoryWorkingSet, requestLatency, requestRate, serviceRate } from '../queries';
import { Join, Match, type Query, Window } from '../query';
import { Dashboard, type DashboardRow } from './dashboard';
import { Panel } from './panel';

const RATE = Window.RATE_INTERVAL;
const CHOSEN = [Match.variable('namespace'), Match.variable('job')];
const SERVICE = ['namespace', 'job'];
const POD = ['namespace', 'pod', 'container'];

/** What the users of a service notice, and what its pods need for it. */
export function serviceDashboard(parts: ObservedParts): Dashboard {
  const rows: DashboardRow[] = [
    { title: 'Requests', panels: requests() },
    { title: 'Telemetry', panels: telemetry() },
  ];
  if (parts.cadvisorJob !== undefined) {
    rows.push({ title: 'Pods', panels: pods(parts.kubeStateMetricsJob !== undefined) });
  }
  if (parts.spanMetricsJob !== undefined) {
    rows.push({ title: 'From traces', panels: traces() });
  }
  return new Dashboard({
    uid: 'otlp-service',
    title: 'Service',
    description: 'Requests, errors and durations of a service, and what it exports.',
    variables: [
      { label: 'namespace', title: 'Namespace', from: ServiceMetrics.HTTP_REQUESTS.where() },
      { label: 'job', title: 'Service', from: ServiceMetrics.HTTP_REQUESTS.where(Match.variable('namespace')) },
    ],
    rows,
  });
}

function requests(): Panel[] {
  return [
    new Panel({ title: 'Request rate', unit: Unit.REQUESTS, queries: [{ query: requestRate(RATE, ...CHOSEN), by: SERVICE }] }),
    new Panel({
      title: 'Latency p95',
      description: 'One request in twenty takes longer.',
      unit: Unit.SECONDS,
      queries: [{ query: requestLatency(0.95, RATE, ...CHOSEN), by: SERVICE }],
    }),
    new Panel({
      title: 'Error ratio',
      description: 'Share of requests answered with 5xx; nothing is shown while there are none.',
      unit: Unit.RATIO,
      queries: [{ query: errorRatio(RATE, ...CHOSEN), by: SERVICE }],
    }),
    new Panel({
      title: 'Requests by status',
      unit: Unit.REQUESTS,
      stacked: true,
      queries: [
        {
          query: ServiceMetrics.HTTP_REQUESTS.where(...CHOSEN)
            .over(RATE)
            .rate()
            .sumBy('status'),
          by: ['status'],
        },
      ],
    }),
  ];
}

function telemetry(): Panel[] {
  return [
    new Panel({
      title: 'Export rate',
      description: 'Spans per second that reach the agent, and those that are given up.',
      unit: Unit.SPANS,
      queries: [
        { query: serviceRate(ServiceMetrics.SPANS_EXPORTED, RATE, ...CHOSEN), name: 'exported', by: SERVICE },
        { query: serviceRate(ServiceMetrics.SPANS_DROPPED, RATE, ...CHOSEN), name: 'dropped', by: SERVICE },
      ],
    }),
    new Panel({
      title: 'Queue in the service',
      unit: Unit.SPANS,
      queries: [{ query: ServiceMetrics.QUEUE_SIZE.where(...CHOSEN).maxBy('namespace', 'pod'), by: ['namespace', 'pod'] }],
    }),
  ];
}

/** cAdvisor knows pods, not services: only pods that expose the chosen service's metrics count. */
function ofChosenPods(query: Query): Query {
  return query.and(ServiceMetrics.QUEUE_SIZE.where(...CHOSEN).maxBy('namespace', 'pod'), Join.on('namespace', 'pod'));
}

function pods(hasLimits: boolean): Panel[] {
  const chosen = Match.variable('namespace');
  const panels = [
    new Panel({
      title: 'Memory per pod',
      description: 'Working set: what the kernel cannot reclaim.',
      unit: Unit.BYTES,
      queries: [{ query: ofChosenPods(memoryWorkingSet(chosen)), by: POD }],
    }),
    new Panel({
      title: 'CPU per pod',
      description: 'Cores in use.',
      unit: Unit.NONE,
      queries: [
        {
          query: ofChosenPods(
            NodeMetrics.CPU_USAGE.where(Match.notEqual('container', ''), chosen)
              .over(RATE)
              .rate()
              .sumBy(...POD),
          ),
          by: POD,
        },
      ],
    }),
  ];
  if (hasLimits) {
    const query = ofChosenPods(memoryRatio(chosen));
    panels.push(new Panel({ title: 'Memory of the limit', unit: Unit.RATIO, max: 1, queries: [{ query, by: POD }] }));
  }
  return panels;
}

function traces(): Panel[] {
  const spans = Match.equal('span_kind', 'SPAN_KIND_SERVER');
  return [
    new Panel({
      title: 'Server spans',
      unit: Unit.SPANS,
      queries: [{ query: SpanMetrics.CALLS.where(spans).over(RATE).rate().sumBy('service_name'), by: ['service_name'] }],
    }),
    new Panel({
      title: 'Duration of server spans, p95',
      unit: Unit.MILLISECONDS,
      queries: [
        {
          query: SpanMetrics.DURATION.bucket(spans).over(RATE).rate().sumBy('service_name', 'le').histogramQuantile(0.95),
          by: ['service_name'],
        },
      ],
    }),
  ];
}

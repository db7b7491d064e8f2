import { Duration } from 'cdk8s';
import type { Metric } from '../metric';
import { AgentMetrics, CollectorMetrics, KubernetesMetrics, TelemetryItem } from '../metrics';
import { FIVE_MINUTES, queueRatio, ratePerSignal } from '../queries';
import { Match, type Query } from '../query';
import { agentAlerts } from './agent';
import { Alert } from './alert';
import type { ObservedParts, ResolvedThresholds } from './parts';
import { autoscalersAtMaximum, gatewayAutoscaler } from './pods';
import { Segment, TestSeries } from './scenario';
import { Severity } from './severity';

const OWN = CollectorMetrics.DEFAULT;
const POD = ['namespace', 'pod'];
const EXPORTER = ['namespace', 'pod', 'exporter'];

/** What is the same for the agent and for the gateway, and what is not. */
interface Role {
  /** Begins the names of its alerts. */
  readonly prefix: string;
  /** In texts. */
  readonly title: string;
  readonly job: string;
  readonly failureSeverity: Severity;
  readonly failureImpact: string;
  readonly next: string;
}

/** Alerts of the agents and of the gateway: they expose the same metrics under the same names. */
export function collectorAlerts(parts: ObservedParts, thresholds: ResolvedThresholds): Alert[] {
  const alerts: Alert[] = [];
  if (parts.agentJob !== undefined) {
    const role = agentRole(parts.agentJob);
    alerts.push(
      ...roleAlerts(role, thresholds),
      refusedRequests(role, thresholds),
      evicted(role, thresholds),
      ...agentAlerts(parts.agentJob),
    );
  }
  if (parts.gatewayJob !== undefined) {
    const role = gatewayRole(parts.gatewayJob);
    alerts.push(...roleAlerts(role, thresholds), memoryLimited(role, thresholds));
    if (parts.kubeStateMetricsJob !== undefined) {
      alerts.push(gatewaySaturation(parts.gatewayJob, parts.namespaces[0] ?? 'observability'));
    }
  }
  return alerts;
}

function agentRole(job: string): Role {
  return {
    prefix: 'Agent',
    title: 'The agent',
    job,
    failureSeverity: Severity.CRITICAL,
    failureImpact: 'The agent has given up retrying: this data is lost.',
    next: 'the gateway',
  };
}

function gatewayRole(job: string): Role {
  return {
    prefix: 'Gateway',
    title: 'The gateway',
    job,
    failureSeverity: Severity.WARNING,
    failureImpact: 'The gateway passes the failure back and the agents keep the data and retry: it is lost once their queues are full.',
    next: 'the backend',
  };
}

function roleAlerts(role: Role, thresholds: ResolvedThresholds): Alert[] {
  return [queueFilling(role, thresholds), queueFull(role, thresholds), exportFailures(role, thresholds), refused(role, thresholds)];
}

function target(role: Role): { [key: string]: string } {
  return { namespace: 'shop', pod: 'checkout-0', job: role.job, instance: '10.0.0.1:8888', container: 'otlp-agent' };
}

function queueFilling(role: Role, { queueRatio: limit, window }: ResolvedThresholds): Alert {
  const job = Match.equal('job', role.job);
  const labels = { ...target(role), exporter: 'otlp_grpc', data_type: 'traces' };
  const size = (...segments: Segment[]): TestSeries => TestSeries.of(OWN.queueSize, labels, ...segments);
  const capacity = TestSeries.of(OWN.queueCapacity, labels, Segment.level(5000, 60));
  return new Alert({
    name: `${role.prefix}QueueFilling`,
    severity: Severity.WARNING,
    expr: queueRatio(job).above(limit),
    holdFor: Duration.minutes(5),
    summary: `${role.title} {{ $labels.namespace }}/{{ $labels.pod }} sends slower than it receives`,
    description: 'The queue of {{ $labels.exporter }} for {{ $labels.data_type }} is at {{ $value | humanizePercentage }} of its capacity.',
    meaning: `The sending queue has been nearly full for five minutes: ${role.next} is slow or away.`,
    impact: 'Once the queue is full, new data is refused or dropped.',
    diagnosis: [
      { question: 'Which queues?', query: queueRatio(job) },
      { question: 'Do exports fail?', query: ratePerSignal((item) => OWN.sendFailed(item), EXPORTER, window, job) },
      { question: 'How much comes in?', query: ratePerSignal((item) => OWN.accepted(item), POD, window, job) },
    ],
    remedy: [
      `If exports fail, ${role.next} is the cause: go to its alerts.`,
      `If they do not, ${role.next} is too slow: raise \`num_consumers\`, or give ${role.next} more room.`,
      'A short peak is what the queue is for: raise `queue_size` if memory allows.',
    ],
    scenario: {
      failing: [size(Segment.level(4500, 20), Segment.level(10, 20)), capacity],
      firesAt: Duration.minutes(10),
      firing: [{ labels: { namespace: 'shop', pod: 'checkout-0', exporter: 'otlp_grpc', data_type: 'traces' }, value: '90%' }],
      resolvedAt: Duration.minutes(30),
      healthy: [size(Segment.level(4000, 40)), capacity],
    },
  });
}

/** An alert on a family of counters, one per signal, that should not move at all. */
function counting(
  role: Role,
  thresholds: ResolvedThresholds,
  family: (item: TelemetryItem) => Metric,
  by: string[],
  rest: { name: string; severity: Severity; summary: string; description: string; meaning: string; impact: string; remedy: string[] },
): Alert {
  const job = Match.equal('job', role.job);
  const rate = ratePerSignal(family, by, thresholds.window, job);
  const known: { [key: string]: string } = {};
  for (const label of family(TelemetryItem.SPANS).ownLabels) {
    known[label] = label === 'exporter' ? 'otlp_grpc' : label === 'transport' ? 'grpc' : label === 'processor' ? 'memory_limiter' : 'otlp';
  }
  const labels = { ...target(role), ...known };
  const series = (item: TelemetryItem, ...segments: Segment[]): TestSeries => TestSeries.of(family(item), labels, ...segments);
  const fired = Object.fromEntries(by.map((label) => [label, (labels as { [key: string]: string })[label] ?? '']));
  return new Alert({
    ...rest,
    expr: rate.above(0),
    holdFor: Duration.minutes(5),
    diagnosis: [
      { question: 'Which signal, since when?', query: rate },
      { question: 'How full are the queues?', query: queueRatio(job) },
      { question: 'How much memory does it use?', query: OWN.memoryRss.where(job) },
    ],
    scenario: {
      // Logs fail and traces do not: a signal that stands still must not hide one that does not.
      failing: [
        series(TelemetryItem.SPANS, Segment.level(0, 60)),
        series(TelemetryItem.LOG_RECORDS, Segment.level(0, 1), Segment.grow(60, 20), Segment.hold(40)),
      ],
      firesAt: Duration.minutes(15),
      firing: [{ labels: { ...fired, signal: TelemetryItem.LOG_RECORDS.word }, value: '1' }],
      resolvedAt: Duration.minutes(35),
      healthy: [series(TelemetryItem.SPANS, Segment.level(500, 60)), series(TelemetryItem.METRIC_POINTS, Segment.level(0, 60))],
    },
  });
}

function queueFull(role: Role, thresholds: ResolvedThresholds): Alert {
  return counting(role, thresholds, (item) => OWN.enqueueFailed(item), EXPORTER, {
    name: `${role.prefix}QueueFull`,
    severity: Severity.CRITICAL,
    summary: `${role.title} {{ $labels.namespace }}/{{ $labels.pod }} has no room left`,
    description: '{{ $value | humanize }} {{ $labels.signal }} per second did not fit into the queue of {{ $labels.exporter }}.',
    meaning: 'The sending queue is full and new data does not fit in.',
    impact: 'Data is being lost, unless its sender keeps it and tries again.',
    remedy: [
      `See why ${role.next} does not take the data: its alerts, its logs.`,
      'Until that is repaired, raise `queue_size` if there is memory, or sample.',
    ],
  });
}

function exportFailures(role: Role, thresholds: ResolvedThresholds): Alert {
  return counting(role, thresholds, (item) => OWN.sendFailed(item), EXPORTER, {
    name: `${role.prefix}ExportFailures`,
    severity: role.failureSeverity,
    summary: `${role.title} {{ $labels.namespace }}/{{ $labels.pod }} cannot deliver to {{ $labels.exporter }}`,
    description: '{{ $value | humanize }} {{ $labels.signal }} per second are given up by {{ $labels.exporter }}.',
    meaning: `Exports have failed for five minutes: ${role.next} is away, refuses the data, or answers too late.`,
    impact: role.failureImpact,
    remedy: [
      `Read the log of the pod: the error names the address and the status of ${role.next}.`,
      '`Unavailable` or `connection refused`: it does not run, or a NetworkPolicy is in the way.',
      '`DeadlineExceeded`: it is overloaded; see its own alerts.',
      '`InvalidArgument` or `PermissionDenied`: trying again does not help, the configuration is wrong.',
    ],
  });
}

function evicted(role: Role, thresholds: ResolvedThresholds): Alert {
  return counting(role, thresholds, (item) => AgentMetrics.evicted(item), EXPORTER, {
    name: `${role.prefix}EvictedData`,
    severity: Severity.CRITICAL,
    summary: `${role.title} {{ $labels.namespace }}/{{ $labels.pod }} gives up what it had accepted`,
    description: '{{ $value | humanize }} {{ $labels.signal }} per second are dropped from the queue of {{ $labels.exporter }}.',
    meaning: 'The oldest data was dropped to make room for new data, or a drain ended before all was delivered.',
    impact: 'This data is lost, although its sender was told that it had been accepted.',
    remedy: [
      `See why ${role.next} does not take the data: its alerts, its logs.`,
      'If a delay is better than a loss, let the queue block or refuse instead of dropping the oldest.',
      'At the end of pods: raise the drain deadline and with it `terminationGracePeriodSeconds`.',
    ],
  });
}

function refused(role: Role, thresholds: ResolvedThresholds): Alert {
  const by = ['namespace', 'pod', 'receiver'];
  return counting(role, thresholds, (item) => OWN.refused(item), by, {
    name: `${role.prefix}RefusedData`,
    severity: Severity.WARNING,
    summary: `${role.title} {{ $labels.namespace }}/{{ $labels.pod }} refuses data`,
    description: '{{ $value | humanize }} {{ $labels.signal }} per second are refused by receiver {{ $labels.receiver }}.',
    meaning: 'A receiver sends data back: memory is short, a queue is full, or the next hop did not take it.',
    impact: 'Senders that retry are delayed, those that do not lose data. The OpenTelemetry SDK for JavaScript never retries over gRPC.',
    remedy: [
      'If its QueueFilling or ExportFailures alert fires too, that is the cause.',
      'Otherwise memory is short: raise the container limit (the limiter follows it) or spread the load over more pods.',
    ],
  });
}

/** The agent refuses before it reads, so that an overload costs no memory: how many items that were nobody knows. */
function refusedRequests(role: Role, { window }: ResolvedThresholds): Alert {
  const job = Match.equal('job', role.job);
  const by = ['namespace', 'pod', 'receiver', 'code'];
  const rate = AgentMetrics.REQUESTS.where(job, Match.notEqual('code', 'ok'))
    .over(window)
    .rate()
    .sumBy(...by);
  const labels = (code: string): { [key: string]: string } => ({
    ...target(role),
    receiver: 'otlp',
    transport: 'http',
    data_type: 'traces',
    code,
  });
  const series = (code: string, ...segments: Segment[]): TestSeries => TestSeries.of(AgentMetrics.REQUESTS, labels(code), ...segments);
  const { namespace = '', pod = '' } = target(role);
  return new Alert({
    name: `${role.prefix}RefusedRequests`,
    severity: Severity.WARNING,
    expr: rate.above(0),
    holdFor: Duration.minutes(5),
    summary: `${role.title} {{ $labels.namespace }}/{{ $labels.pod }} refuses requests`,
    description: '{{ $value | humanize }} requests per second are refused by receiver {{ $labels.receiver }} with {{ $labels.code }}.',
    meaning: 'A receiver answers requests with an error. The code says why; docs/reference/errors.md has each with its remedy.',
    impact: 'Senders that retry are delayed, those that do not lose data; malformed data is lost in any case.',
    diagnosis: [
      { question: 'Which code, since when?', query: rate },
      { question: 'How full are the queues?', query: queueRatio(job) },
      { question: 'How much telemetry does it hold?', query: AgentMetrics.HELD_BYTES.where(job) },
    ],
    remedy: [
      '`OTLP_MEMORY_LIMIT` or `OTLP_QUEUE_FULL`: the next hop is slow or away; see its alerts, then raise the container limit.',
      '`OTLP_MALFORMED`, `OTLP_TOO_LARGE` and the like: the sender is wrong; its address is in no metric, so look at what was deployed last.',
    ],
    scenario: {
      failing: [
        series('ok', Segment.grow(600, 60)),
        series('OTLP_MEMORY_LIMIT', Segment.level(0, 1), Segment.grow(60, 20), Segment.hold(40)),
      ],
      firesAt: Duration.minutes(15),
      firing: [{ labels: { namespace, pod, receiver: 'otlp', code: 'OTLP_MEMORY_LIMIT' }, value: '1' }],
      resolvedAt: Duration.minutes(35),
      healthy: [series('ok', Segment.grow(600, 60)), series('OTLP_MEMORY_LIMIT', Segment.level(5, 60))],
    },
  });
}

function memoryLimited(role: Role, thresholds: ResolvedThresholds): Alert {
  return counting(role, thresholds, (item) => OWN.memoryLimiterRefused(item), POD, {
    name: `${role.prefix}MemoryLimited`,
    severity: Severity.WARNING,
    summary: `${role.title} {{ $labels.namespace }}/{{ $labels.pod }} protects its memory`,
    description: 'The memory limiter refuses {{ $value | humanize }} {{ $labels.signal }} per second.',
    meaning: 'Memory in use is above the soft limit of the memory limiter.',
    impact: 'Data is refused until memory is free again; agents keep it as long as their queues have room.',
    remedy: [
      'See whether a backend is slow: what waits for it is in memory.',
      'If it is the load, raise the maximum of the autoscaler or the memory limit of the pods.',
    ],
  });
}

function gatewaySaturation(gateway: string, namespace: string): Alert {
  const matches = [Match.matches('horizontalpodautoscaler', gatewayAutoscaler(gateway))];
  const expr: Query = autoscalersAtMaximum(matches);
  const labels = { namespace, horizontalpodautoscaler: gateway };
  const wanted = (...segments: Segment[]): TestSeries => TestSeries.of(KubernetesMetrics.AUTOSCALER_WANTED, labels, ...segments);
  const maximum = TestSeries.of(KubernetesMetrics.AUTOSCALER_MAXIMUM, labels, Segment.level(10, 60));
  return new Alert({
    name: 'GatewaySaturation',
    severity: Severity.WARNING,
    expr,
    holdFor: Duration.minutes(15),
    summary: 'The gateway in {{ $labels.namespace }} cannot grow any more',
    description: 'Its autoscaler has wanted {{ $value | humanize }} replicas, all that it may have, for 15 minutes.',
    meaning: 'CPU or memory of the gateway is above its target and no pod can be added.',
    impact: 'More load fills the queues of the agents.',
    diagnosis: [
      { question: 'How many replicas are wanted?', query: KubernetesMetrics.AUTOSCALER_WANTED.where(...matches) },
      {
        question: 'What comes in?',
        query: ratePerSignal((item) => OWN.accepted(item), POD, FIVE_MINUTES, Match.equal('job', gateway)),
      },
    ],
    remedy: [
      'Raise `maxReplicas` of the gateway if the cluster has room.',
      'Find the service that sends more than before (`traces_span_metrics_calls_total` by `service_name`) and sample there.',
    ],
    scenario: {
      failing: [wanted(Segment.level(10, 30), Segment.level(5, 30)), maximum],
      firesAt: Duration.minutes(20),
      firing: [{ labels, value: '10' }],
      resolvedAt: Duration.minutes(40),
      healthy: [wanted(Segment.level(9, 60)), maximum],
    },
  });
}

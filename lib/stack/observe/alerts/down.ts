import { Duration } from 'cdk8s';
import { PrometheusMetrics } from '../metrics';
import { Match, Query } from '../query';
import { Alert, type AlertProps } from './alert';
import type { ObservedParts } from './parts';
import { Segment, TestSeries } from './scenario';
import { Severity } from './severity';

const UP = PrometheusMetrics.UP;

/** Programs that are gone or cannot be scraped. */
export function downAlerts(parts: ObservedParts): Alert[] {
  return [targetDown(), ...targetMissing(parts)];
}

/** Every target of a job is down, or there is none. */
export function jobDown(
  job: string,
  rest: Pick<AlertProps, 'name' | 'severity' | 'summary' | 'description' | 'meaning' | 'impact' | 'remedy'>,
): Alert {
  const targets = Match.equal('job', job);
  const up = (instance: string, ...segments: Segment[]): TestSeries => TestSeries.of(UP, { job, instance }, ...segments);
  return new Alert({
    ...rest,
    expr: UP.where(targets).sumBy('job').equalTo(0).or(UP.where(targets).absent()),
    holdFor: Duration.minutes(5),
    diagnosis: [{ question: 'Which targets are up?', query: UP.where(targets) }],
    scenario: {
      failing: [
        up('a', Segment.level(1, 5), Segment.level(0, 15), Segment.level(1, 20)),
        up('b', Segment.level(0, 20), Segment.level(0, 20)),
      ],
      firesAt: Duration.minutes(12),
      firing: [{ labels: { job } }],
      resolvedAt: Duration.minutes(30),
      healthy: [up('a', Segment.level(1, 40)), up('b', Segment.level(0, 40))],
    },
  });
}

function targetDown(): Alert {
  const up = (...segments: Segment[]): TestSeries => TestSeries.of(UP, { job: 'checkout', instance: '10.0.0.1:8080' }, ...segments);
  return new Alert({
    name: 'TargetDown',
    severity: Severity.WARNING,
    expr: UP.where().equalTo(0),
    holdFor: Duration.minutes(5),
    summary: '{{ $labels.instance }} of {{ $labels.job }} cannot be scraped',
    description: 'Prometheus has not been able to read its metrics for five minutes.',
    meaning: 'A target is discovered, and its /metrics does not answer or answers with something else.',
    impact: 'Alerts and dashboards are blind for this instance. It may be healthy otherwise.',
    diagnosis: [
      { question: 'Which targets?', query: UP.where().equalTo(0) },
      { question: 'How many per job?', query: UP.where().sumBy('job') },
    ],
    remedy: [
      "The page Status > Target health of Prometheus shows the scrape's error.",
      '`connection refused`: the program does not listen on this port. `context deadline exceeded`: a NetworkPolicy is in the way, or the program hangs.',
      'If the pod itself is not ready, go to PodNotReady.',
    ],
    scenario: {
      failing: [up(Segment.level(0, 15), Segment.level(1, 20))],
      firesAt: Duration.minutes(10),
      firing: [{ labels: { job: 'checkout', instance: '10.0.0.1:8080' } }],
      resolvedAt: Duration.minutes(25),
      healthy: [up(Segment.level(1, 40))],
    },
  });
}

/** A job without any target is no sample at all, which TargetDown cannot see. */
function targetMissing(parts: ObservedParts): Alert[] {
  const jobs = [
    parts.agentJob,
    parts.gatewayJob,
    parts.spanMetricsJob,
    parts.kubeStateMetricsJob,
    parts.kubeStateMetricsSelfJob,
    parts.cadvisorJob,
    parts.kubeletJob,
    ...(parts.serviceJobs ?? []),
  ].filter((job) => job !== undefined);
  const [first] = jobs;
  if (first === undefined) {
    return [];
  }
  const up = (job: string, ...segments: Segment[]): TestSeries => TestSeries.of(UP, { job, instance: '10.0.0.1:8080' }, ...segments);
  const others = jobs.slice(1).map((job) => up(job, Segment.level(1, 40)));
  return [
    new Alert({
      name: 'TargetMissing',
      severity: Severity.CRITICAL,
      expr: Query.anyOf(...jobs.map((job) => UP.where(Match.equal('job', job)).absent())),
      holdFor: Duration.minutes(10),
      summary: 'There is no target of {{ $labels.job }}',
      description: 'Prometheus knows of no pod of {{ $labels.job }}: it does not run, or is not discovered.',
      meaning: 'A scrape job of the stack has had no target for ten minutes.',
      impact: 'The part does not run, and every alert on its metrics is blind.',
      diagnosis: [{ question: 'Which jobs have targets?', query: UP.where().countBy('job') }],
      remedy: [
        '`kubectl get pods`: if there are none, see the events of the Deployment or ReplicaSet.',
        'If there are some, compare their labels and port names with the relabelling of the job (Status > Service discovery).',
        'Prometheus needs its ServiceAccount and Role: its log says `is forbidden` otherwise.',
      ],
      scenario: {
        failing: [...others, up(first, Segment.stale(), Segment.gap(19), Segment.level(1, 20))],
        firesAt: Duration.minutes(15),
        firing: [{ labels: { job: first } }],
        resolvedAt: Duration.minutes(30),
        // A target that is down is not missing.
        healthy: [...others, up(first, Segment.level(0, 40))],
      },
    }),
  ];
}

import { Duration } from 'cdk8s';
import type { Metric } from '../metric';
import { AlertmanagerMetrics, KubeStateMetricsMetrics, PrometheusMetrics } from '../metrics';
import { Match, Query } from '../query';
import { Alert, type AlertProps } from './alert';
import { jobDown } from './down';
import type { ObservedParts, ResolvedThresholds } from './parts';
import { Segment, TestSeries } from './scenario';
import { Severity } from './severity';

type Texts = Pick<AlertProps, 'name' | 'severity' | 'summary' | 'description' | 'meaning' | 'impact' | 'remedy'>;

/** The watchers themselves. */
export function monitoringAlerts(parts: ObservedParts, thresholds: ResolvedThresholds): Alert[] {
  const prometheus = parts.prometheusJob ?? 'prometheus';
  const alerts = [
    watchdog(),
    ruleFailures(prometheus, thresholds),
    storage(prometheus, thresholds),
    reload('Prometheus', prometheus, PrometheusMetrics.RELOAD_SUCCESSFUL),
  ];
  if (parts.alertmanagerJob !== undefined) {
    alerts.push(
      alertmanagerDown(parts.alertmanagerJob),
      notConnected(prometheus),
      notificationErrors(prometheus, thresholds),
      notificationFailures(parts.alertmanagerJob, thresholds),
      reload('Alertmanager', parts.alertmanagerJob, AlertmanagerMetrics.RELOAD_SUCCESSFUL),
    );
  }
  if (parts.kubeStateMetricsSelfJob !== undefined) {
    alerts.push(listErrors(parts.kubeStateMetricsSelfJob, thresholds));
  }
  return alerts;
}

function listErrors(job: string, { window }: ResolvedThresholds): Alert {
  const lists = (...matches: Match[]): Query =>
    KubeStateMetricsMetrics.LISTS.where(Match.equal('job', job), ...matches)
      .over(window)
      .rate()
      .sumBy('job', 'resource');
  const failed = lists(Match.equal('result', 'error'));
  const target = {
    job,
    instance: '10.0.0.5:8081',
    namespace: 'observability',
    pod: 'kube-state-metrics-0',
    container: 'kube-state-metrics',
  };
  const count = (result: string, ...segments: Segment[]): TestSeries =>
    TestSeries.of(KubeStateMetricsMetrics.LISTS, { ...target, resource: '*v1.Pod', result }, ...segments);
  return new Alert({
    name: 'KubeStateMetricsListErrors',
    severity: Severity.CRITICAL,
    expr: failed.dividedBy(lists()).above(0.01),
    holdFor: Duration.minutes(15),
    summary: 'kube-state-metrics cannot list {{ $labels.resource }}',
    description: '{{ $value | humanizePercentage }} of the lists fail.',
    meaning: 'The API server refuses kube-state-metrics or does not answer it.',
    impact: 'Alerts on pods, workloads and autoscalers rest on old figures or on none.',
    diagnosis: [{ question: 'Which kinds?', query: failed }],
    remedy: [
      'Its log names the reason. `forbidden`: the ClusterRole lacks a kind that `--resources` names.',
      'A timeout: see whether a NetworkPolicy closes the way to the API server, whose address is a prop of the platform.',
    ],
    scenario: {
      failing: [
        count('success', Segment.level(0, 1), Segment.grow(9, 60)),
        count('error', Segment.level(0, 1), Segment.grow(1, 30), Segment.hold(30)),
      ],
      firesAt: Duration.minutes(25),
      firing: [{ labels: { job, resource: '*v1.Pod' }, value: '10%' }],
      resolvedAt: Duration.minutes(45),
      healthy: [count('success', Segment.level(0, 1), Segment.grow(99, 60)), count('error', Segment.level(0, 1), Segment.grow(1, 60))],
    },
  });
}

function watchdog(): Alert {
  return new Alert({
    name: 'Watchdog',
    severity: Severity.NONE,
    expr: Query.vector(1),
    summary: 'Alerts arrive',
    description: 'This alert always fires. Connect it to a service that calls you when it stops coming.',
    meaning: 'Prometheus evaluates rules and Alertmanager delivers: all is well. Its silence is the alert.',
    impact: 'None. When it stops, no other alert would arrive either.',
    diagnosis: [{ question: 'Does Prometheus reach Alertmanager?', query: PrometheusMetrics.ALERTMANAGERS.where() }],
    remedy: ['When it is missing: see whether Prometheus runs, then whether Alertmanager does, then the receiver `heartbeat`.'],
    scenario: {
      failing: [],
      firesAt: Duration.minutes(1),
      firing: [{ labels: {} }],
    },
  });
}

/** Counters that should not move, each told apart by a label `reason`. */
function moving(job: string, window: ResolvedThresholds['window'], metrics: Metric[], by: string[], texts: Texts): Alert {
  const match = Match.equal('job', job);
  const count = (metric: Metric): Query =>
    metric
      .where(match)
      .over(window)
      .increase()
      .sumBy(...by);
  const single = metrics.length === 1;
  const expr = Query.anyOf(...metrics.map((metric) => (single ? count(metric) : count(metric).withLabel('metric', metric.name))));
  const [first, ...others] = metrics;
  if (!first) {
    throw new Error(`alert '${texts.name}' needs a metric`);
  }
  const labels: { [key: string]: string } = { job, instance: '10.0.0.2:9090', namespace: 'observability', pod: 'prometheus-0' };
  const own = Object.fromEntries(first.ownLabels.map((label) => [label, 'x']));
  const series = (metric: Metric, ...segments: Segment[]): TestSeries => TestSeries.of(metric, { ...labels, ...own }, ...segments);
  const fired = Object.fromEntries(by.map((label) => [label, { ...labels, ...own }[label] ?? '']));
  return new Alert({
    ...texts,
    expr: expr.above(0),
    holdFor: Duration.minutes(5),
    diagnosis: metrics.map((metric) => ({ question: `${metric.help.replace(/\.$/, '')}: since when?`, query: count(metric) })),
    scenario: {
      failing: [
        series(first, Segment.level(0, 1), Segment.grow(4, 20), Segment.hold(20)),
        ...others.map((metric) => series(metric, Segment.level(0, 40))),
      ],
      firesAt: Duration.minutes(15),
      firing: [{ labels: single ? fired : { ...fired, metric: first.name }, value: '20' }],
      resolvedAt: Duration.minutes(35),
      healthy: metrics.map((metric) => series(metric, Segment.level(3, 60))),
    },
  });
}

function ruleFailures(job: string, { window }: ResolvedThresholds): Alert {
  const metrics = [PrometheusMetrics.RULE_FAILURES, PrometheusMetrics.RULE_MISSED];
  return moving(job, window, metrics, ['pod', 'rule_group'], {
    name: 'PrometheusRuleFailures',
    severity: Severity.CRITICAL,
    summary: 'Rules of {{ $labels.rule_group }} are not evaluated',
    description: '{{ $value | humanize }} evaluations by {{ $labels.pod }} failed or were left out ({{ $labels.metric }}).',
    meaning: 'A recording rule or an alert could not be evaluated, or its group takes longer than its interval.',
    impact: 'Alerts of this group may not fire; panels on recorded series have gaps.',
    remedy: [
      'The page Status > Rule health shows the error: mostly a join that finds several partners (`many-to-many matching`).',
      'Left out evaluations: the group is too slow; see its duration and give Prometheus more CPU.',
    ],
  });
}

function storage(job: string, { window }: ResolvedThresholds): Alert {
  const metrics = [
    PrometheusMetrics.WAL_WRITES_FAILED,
    PrometheusMetrics.WAL_CORRUPTIONS,
    PrometheusMetrics.COMPACTIONS_FAILED,
    PrometheusMetrics.BLOCK_RELOADS_FAILED,
  ];
  return moving(job, window, metrics, ['pod'], {
    name: 'PrometheusStorage',
    severity: Severity.CRITICAL,
    summary: '{{ $labels.pod }} has trouble with its storage',
    description: '{{ $labels.metric }} has risen by {{ $value | humanize }}.',
    meaning: 'Prometheus could not write, compact or read its blocks or its log.',
    impact: 'Samples of the last hours may be lost at the next restart.',
    remedy: [
      'The log of the pod names the file. `no space left on device`: see VolumeFilling.',
      'A corrupt log is repaired at the next start; what was behind the damage is lost.',
    ],
  });
}

function notificationErrors(job: string, { window }: ResolvedThresholds): Alert {
  return moving(job, window, [PrometheusMetrics.NOTIFICATION_ERRORS], ['pod', 'alertmanager'], {
    name: 'PrometheusNotificationErrors',
    severity: Severity.WARNING,
    summary: '{{ $labels.pod }} cannot send alerts to {{ $labels.alertmanager }}',
    description: 'About {{ $value | humanize }} alerts were not taken.',
    meaning: 'An Alertmanager that Prometheus knows does not take alerts.',
    impact: 'If there is no other Alertmanager, nobody is told about anything.',
    remedy: ['See whether the Alertmanager runs and whether a NetworkPolicy allows the way to its port.'],
  });
}

function notificationFailures(job: string, { window }: ResolvedThresholds): Alert {
  return moving(job, window, [AlertmanagerMetrics.NOTIFICATIONS_FAILED], ['pod', 'integration'], {
    name: 'AlertmanagerNotificationFailures',
    severity: Severity.CRITICAL,
    summary: '{{ $labels.pod }} cannot notify by {{ $labels.integration }}',
    description: 'About {{ $value | humanize }} notifications failed.',
    meaning: 'A receiver (webhook, mail, Slack, PagerDuty) does not take notifications.',
    impact: 'People are not told about alerts that go to this receiver.',
    remedy: [
      'The log of Alertmanager has the answer of the receiver.',
      'Status 401 or 403: the secret in its file is wrong or has expired.',
      'A timeout: the way out of the cluster is closed for Alertmanager, by NetworkPolicy or proxy.',
    ],
  });
}

function alertmanagerDown(job: string): Alert {
  return jobDown(job, {
    name: 'AlertmanagerDown',
    severity: Severity.CRITICAL,
    summary: 'Alertmanager is down',
    description: 'No pod of {{ $labels.job }} has answered for five minutes.',
    meaning: 'No replica of Alertmanager can be scraped, or none exists.',
    impact: 'No alert reaches anybody, this one included: the receiver of Watchdog notices.',
    remedy: ['`kubectl get pods` and the events of the pod.', 'A configuration error ends it at start: the log names line and key.'],
  });
}

function gaugeAlert(
  job: string,
  metric: Metric,
  bad: number,
  good: number,
  expr: Query,
  labels: { [key: string]: string },
  texts: Texts,
): Alert {
  const target = { job, instance: '10.0.0.2:9090', namespace: 'observability', pod: 'prometheus-0', container: 'prometheus' };
  const series = (...segments: Segment[]): TestSeries => TestSeries.of(metric, target, ...segments);
  return new Alert({
    ...texts,
    expr,
    holdFor: Duration.minutes(10),
    diagnosis: [{ question: 'Since when?', query: metric.where(Match.equal('job', job)) }],
    scenario: {
      failing: [series(Segment.level(bad, 20), Segment.level(good, 20))],
      firesAt: Duration.minutes(15),
      firing: [{ labels }],
      resolvedAt: Duration.minutes(30),
      healthy: [series(Segment.level(good, 40))],
    },
  });
}

function notConnected(job: string): Alert {
  const expr = PrometheusMetrics.ALERTMANAGERS.where(Match.equal('job', job)).maxBy('pod').below(1);
  return gaugeAlert(
    job,
    PrometheusMetrics.ALERTMANAGERS,
    0,
    1,
    expr,
    { pod: 'prometheus-0' },
    {
      name: 'PrometheusNotConnectedToAlertmanager',
      severity: Severity.CRITICAL,
      summary: '{{ $labels.pod }} knows no Alertmanager',
      description: 'It has had nobody to send alerts to for ten minutes.',
      meaning: 'The discovery of Alertmanagers has found none.',
      impact: 'No alert reaches anybody, this one included: the receiver of Watchdog notices.',
      remedy: ['See whether Alertmanager runs, and whether its Service name resolves from the pod of Prometheus.'],
    },
  );
}

function reload(program: string, job: string, metric: Metric): Alert {
  const expr = metric.where(Match.equal('job', job)).maxBy('pod').equalTo(0);
  return gaugeAlert(
    job,
    metric,
    0,
    1,
    expr,
    { pod: 'prometheus-0' },
    {
      name: `${program}ConfigReloadFailed`,
      severity: Severity.WARNING,
      summary: '{{ $labels.pod }} runs with an old configuration',
      description: 'The configuration on disk could not be loaded; the one before is still in use.',
      meaning: `${program} was told to load its configuration again and refused it.`,
      impact: 'Changes have no effect, and the next restart will fail.',
      remedy: [`The log of ${program} names the file and the line.`, 'Print the stack again and apply it; edit nothing in the cluster.'],
    },
  );
}

import { Duration } from 'cdk8s';
import { FluentdMetrics, JaegerMetrics, KubernetesMetrics } from '../metrics';
import { Match } from '../query';
import { Alert } from './alert';
import { jobDown } from './down';
import type { ObservedParts, ObservedWorkload, ResolvedThresholds } from './parts';
import { Segment, TestSeries } from './scenario';
import { Severity } from './severity';

/** Where the data ends up. */
export function backendAlerts(parts: ObservedParts, thresholds: ResolvedThresholds): Alert[] {
  const alerts: Alert[] = [];
  if (parts.jaegerJob !== undefined) {
    alerts.push(jaegerDown(parts.jaegerJob), jaegerStorageErrors(parts.jaegerJob, thresholds));
  }
  if (parts.elasticsearch !== undefined && parts.kubeStateMetricsJob !== undefined) {
    alerts.push(elasticsearchDown(parts.elasticsearch));
  }
  if (parts.fluentd !== undefined && parts.kubeStateMetricsJob !== undefined) {
    alerts.push(fluentdDown(parts.fluentd));
  }
  if (parts.fluentdJob !== undefined) {
    alerts.push(fluentdBufferFilling(parts.fluentdJob));
  }
  return alerts;
}

function jaegerDown(job: string): Alert {
  return jobDown(job, {
    name: 'JaegerDown',
    severity: Severity.CRITICAL,
    summary: 'Jaeger is down',
    description: 'No pod of {{ $labels.job }} has answered for five minutes.',
    meaning: 'No replica of Jaeger can be scraped, or none exists.',
    impact: 'Traces are neither stored nor shown. The gateway refuses them and the agents keep them until their queues are full.',
    remedy: [
      '`kubectl get pods`: Jaeger ends at start when its storage does not answer; see the alerts of Elasticsearch.',
      '`kubectl logs`: a wrong password of the storage is an error with status 401.',
    ],
  });
}

function jaegerStorageErrors(job: string, { window }: ResolvedThresholds): Alert {
  const by = ['namespace', 'name', 'operation'];
  const requests = (...matches: Match[]): Alert['expr'] =>
    JaegerMetrics.STORAGE_REQUESTS.where(Match.equal('job', job), ...matches)
      .over(window)
      .rate()
      .sumBy(...by);
  const target = { job, namespace: 'observability', pod: 'jaeger-0', container: 'jaeger', instance: '10.0.0.3:8888' };
  const labels = { ...target, kind: 'elasticsearch', name: 'main', role: 'tracestore', operation: 'find_traces' };
  const count = (result: string, ...segments: Segment[]): TestSeries =>
    TestSeries.of(JaegerMetrics.STORAGE_REQUESTS, { ...labels, result }, ...segments);
  return new Alert({
    name: 'JaegerStorageErrors',
    severity: Severity.WARNING,
    expr: requests(Match.equal('result', 'err')).dividedBy(requests()).above(0.05),
    holdFor: Duration.minutes(5),
    summary: 'The storage of Jaeger fails {{ $labels.operation }}',
    description: '{{ $value | humanizePercentage }} of the queries to storage {{ $labels.name }} have failed for five minutes.',
    meaning: 'Jaeger reaches its storage and gets errors from it.',
    impact: 'The search for traces is incomplete or fails.',
    diagnosis: [
      { question: 'Which operations?', query: requests(Match.equal('result', 'err')) },
      {
        question: 'How slow is the storage?',
        query: JaegerMetrics.STORAGE_LATENCY.bucket(Match.equal('job', job))
          .over(window)
          .rate()
          .sumBy('operation', 'le')
          .histogramQuantile(0.95),
      },
    ],
    remedy: [
      'The log of Jaeger has the error of the storage.',
      '`GET _cluster/health` of Elasticsearch: `red` means that shards are missing.',
      'Status 429: Elasticsearch is overloaded. Status 403 with `read-only`: its disk is full, see VolumeFilling.',
    ],
    scenario: {
      failing: [
        count('ok', Segment.level(0, 1), Segment.grow(54, 40)),
        count('err', Segment.level(0, 1), Segment.grow(6, 20), Segment.hold(20)),
      ],
      firesAt: Duration.minutes(15),
      firing: [{ labels: { namespace: 'observability', name: 'main', operation: 'find_traces' }, value: '10%' }],
      resolvedAt: Duration.minutes(35),
      healthy: [count('ok', Segment.level(0, 1), Segment.grow(95, 40)), count('err', Segment.level(0, 1), Segment.grow(5, 40))],
    },
  });
}

function elasticsearchDown({ namespace, name }: ObservedWorkload): Alert {
  const matches = [Match.equal('namespace', namespace), Match.equal('statefulset', name)];
  const labels = { namespace, statefulset: name };
  const expr = KubernetesMetrics.STATEFUL_SET_READY.where(...matches)
    .maxBy('namespace', 'statefulset')
    .equalTo(0);
  const ready = (...segments: Segment[]): TestSeries => TestSeries.of(KubernetesMetrics.STATEFUL_SET_READY, labels, ...segments);
  return new Alert({
    name: 'ElasticsearchDown',
    severity: Severity.CRITICAL,
    expr,
    holdFor: Duration.minutes(5),
    summary: 'Elasticsearch is down',
    description: 'No pod of {{ $labels.namespace }}/{{ $labels.statefulset }} is ready.',
    meaning: 'No node of Elasticsearch has been ready for five minutes.',
    impact: 'Neither traces nor logs are stored or shown. They wait in the agents and in the buffers of Fluentd.',
    diagnosis: [{ question: 'How many nodes are ready?', query: KubernetesMetrics.STATEFUL_SET_READY.where(...matches) }],
    remedy: [
      '`kubectl describe pod`: a pod that waits for its volume, or was killed for memory, says so.',
      'Never delete two pods at once: shards with one replica would be gone with them.',
      'The log names a full disk (`flood stage`) and a wrong password.',
    ],
    scenario: {
      failing: [ready(Segment.level(0, 20), Segment.level(3, 20))],
      firesAt: Duration.minutes(10),
      firing: [{ labels }],
      resolvedAt: Duration.minutes(30),
      healthy: [ready(Segment.level(1, 40))],
    },
  });
}

function fluentdDown({ namespace, name }: ObservedWorkload): Alert {
  const matches = [Match.equal('namespace', namespace), Match.equal('daemonset', name)];
  const labels = { namespace, daemonset: name };
  const unavailable = KubernetesMetrics.DAEMON_SET_UNAVAILABLE.where(...matches).maxBy('namespace', 'daemonset');
  const missing = (...segments: Segment[]): TestSeries => TestSeries.of(KubernetesMetrics.DAEMON_SET_UNAVAILABLE, labels, ...segments);
  return new Alert({
    name: 'FluentdDown',
    severity: Severity.WARNING,
    expr: unavailable.above(0),
    holdFor: Duration.minutes(15),
    summary: 'Logs of some nodes are not collected',
    description: 'On {{ $value | humanize }} nodes {{ $labels.namespace }}/{{ $labels.daemonset }} has not been available for 15 minutes.',
    meaning: 'The log collector does not run on every node that it should run on.',
    impact: 'Logs of these nodes are late; they are lost once the kubelet rotates them away.',
    diagnosis: [{ question: 'On how many nodes?', query: unavailable }],
    remedy: [
      '`kubectl get pods -o wide` in its namespace: which nodes have none that is ready?',
      'A pod that was killed for memory has a buffer that cannot be sent: see whether Elasticsearch takes logs.',
    ],
    scenario: {
      failing: [missing(Segment.level(2, 30), Segment.level(0, 20))],
      firesAt: Duration.minutes(20),
      firing: [{ labels, value: '2' }],
      resolvedAt: Duration.minutes(40),
      healthy: [missing(Segment.level(0, 40))],
    },
  });
}

function fluentdBufferFilling(job: string): Alert {
  const of = Match.equal('job', job);
  const free = FluentdMetrics.BUFFER_FREE.where(of).minBy('namespace', 'pod', 'plugin_id');
  const target = { job, namespace: 'logs', pod: 'fluentd-x', container: 'fluentd', instance: '10.0.0.4:24231', type: 'elasticsearch' };
  const labels = { namespace: 'logs', pod: 'fluentd-x', plugin_id: 'elasticsearch' };
  const series = (...segments: Segment[]): TestSeries =>
    TestSeries.of(FluentdMetrics.BUFFER_FREE, { ...target, plugin_id: 'elasticsearch' }, ...segments);
  return new Alert({
    name: 'FluentdBufferFilling',
    severity: Severity.WARNING,
    expr: free.below(20),
    holdFor: Duration.minutes(10),
    summary: 'Logs pile up in {{ $labels.pod }}',
    description: 'Only {{ $value | humanize }} per cent of the buffer of {{ $labels.plugin_id }} are free.',
    meaning: 'The log collector of one node reads faster than Elasticsearch takes.',
    impact: 'Logs arrive late; once the buffer is full, the tail stands still and rotated files are lost.',
    diagnosis: [
      { question: 'Which nodes?', query: free },
      { question: 'Does it try again and again?', query: FluentdMetrics.RETRIES.where(of).maxBy('namespace', 'pod', 'plugin_id') },
    ],
    remedy: [
      'If the buffers of all nodes fill, Elasticsearch is the cause: see its alerts, and whether its disk is full.',
      'If one does, some pod on this node writes very many lines: find it and lower its log level.',
    ],
    scenario: {
      failing: [series(Segment.level(10, 20), Segment.level(95, 20))],
      firesAt: Duration.minutes(15),
      firing: [{ labels, value: '10' }],
      resolvedAt: Duration.minutes(30),
      healthy: [series(Segment.level(20, 40))],
    },
  });
}

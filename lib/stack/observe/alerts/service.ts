import { Duration } from 'cdk8s';
import { ServiceMetrics } from '../metrics';
import { errorRatio, memoryRatio, requestLatency, requestRate, serviceRate } from '../queries';
import { Match, type Query } from '../query';
import { Alert } from './alert';
import type { ResolvedThresholds } from './parts';
import { Segment, TestSeries } from './scenario';
import { Severity } from './severity';

const TARGET = { namespace: 'shop', job: 'checkout', pod: 'checkout-0', instance: '10.0.0.1:8080', container: 'app' };
const ROUTE = { method: 'POST', route: '/orders' };
const FIRING = { namespace: 'shop', job: 'checkout' };

/** What the users of a service notice. */
export function serviceAlerts(thresholds: ResolvedThresholds): Alert[] {
  return [highErrorRate(thresholds), highLatency(thresholds), highSpanDropRate(thresholds)];
}

function highErrorRate({ errorRatio: ratio, window }: ResolvedThresholds): Alert {
  const requests = (status: string, ...segments: Segment[]): TestSeries =>
    TestSeries.of(ServiceMetrics.HTTP_REQUESTS, { ...TARGET, ...ROUTE, status }, ...segments);
  return new Alert({
    name: 'HighErrorRate',
    severity: Severity.CRITICAL,
    expr: errorRatio(window).above(ratio),
    holdFor: Duration.minutes(5),
    summary: '{{ $labels.job }} in {{ $labels.namespace }} fails requests',
    description: '{{ $value | humanizePercentage }} of all requests were answered with a status of 5xx.',
    meaning: 'A greater share of the requests than allowed was answered with a server error, for five minutes.',
    impact: 'Users of the service see errors.',
    diagnosis: [
      { question: 'Which routes and status codes fail?', query: failures(window, ['route', 'status']) },
      { question: 'One pod or all of them?', query: failures(window, ['pod']) },
      { question: 'Did the load change?', query: requestRate(window) },
    ],
    remedy: [
      'Open the traces of the failing route in Jaeger, with the tag `error=true`: the deepest span that failed names the cause.',
      'If only one pod fails, delete it; its Deployment makes another.',
      'If it began with a roll-out, undo that with `kubectl rollout undo`.',
      'If a dependency fails, go to its own alerts.',
    ],
    scenario: {
      failing: [
        requests('200', Segment.level(0, 1), Segment.grow(540, 40)),
        requests('500', Segment.level(0, 1), Segment.grow(60, 20), Segment.hold(20)),
      ],
      firesAt: Duration.minutes(15),
      firing: [{ labels: FIRING, value: '10%' }],
      resolvedAt: Duration.minutes(35),
      healthy: [
        requests('200', Segment.level(0, 1), Segment.grow(950, 40)),
        requests('500', Segment.level(0, 1), Segment.grow(50, 40)),
        // 4xx is the caller's fault.
        requests('404', Segment.level(0, 1), Segment.grow(900, 40)),
      ],
    },
  });
}

function failures(window: ResolvedThresholds['window'], by: string[]): Query {
  return ServiceMetrics.HTTP_REQUESTS.where(Match.matches('status', '5..'))
    .over(window)
    .rate()
    .sumBy('namespace', 'job', ...by);
}

function highLatency({ latency, window }: ResolvedThresholds): Alert {
  const bucket = (le: string, ...segments: Segment[]): TestSeries =>
    TestSeries.bucket(ServiceMetrics.HTTP_REQUEST_DURATION, le, { ...TARGET, ...ROUTE, status: '200' }, ...segments);
  const seconds = latency.toMilliseconds() / 1000;
  return new Alert({
    name: 'HighLatency',
    severity: Severity.WARNING,
    expr: requestLatency(0.95, window).above(seconds),
    holdFor: Duration.minutes(5),
    summary: '{{ $labels.job }} in {{ $labels.namespace }} is slow',
    description: 'One request in twenty takes longer than {{ $value | humanizeDuration }}.',
    meaning: 'The 95th percentile of the request durations was above its limit for five minutes.',
    impact: 'Users wait; callers with a deadline give up and try again, which adds load.',
    diagnosis: [
      {
        question: 'Which routes are slow?',
        query: ServiceMetrics.HTTP_REQUEST_DURATION.bucket()
          .over(window)
          .rate()
          .sumBy('namespace', 'job', 'route', 'le')
          .histogramQuantile(0.95),
      },
      { question: 'Is it the load?', query: requestRate(window) },
      { question: 'Is memory short?', query: memoryRatio() },
    ],
    remedy: [
      'Look for the longest span of slow traces in Jaeger (sort by duration).',
      'If the load has grown, see whether the autoscaler is at its maximum and raise `maxReplicas`.',
      'If a dependency is slow, go to its own alerts.',
    ],
    scenario: {
      failing: [
        bucket('1.0', Segment.level(0, 1), Segment.grow(90, 20), Segment.grow(100, 20)),
        bucket('5.0', Segment.level(0, 1), Segment.grow(100, 40)),
        bucket('+Inf', Segment.level(0, 1), Segment.grow(100, 40)),
      ],
      firesAt: Duration.minutes(15),
      firing: [{ labels: FIRING, value: '3s' }],
      resolvedAt: Duration.minutes(35),
      healthy: [
        bucket('1.0', Segment.level(0, 1), Segment.grow(95, 40)),
        bucket('5.0', Segment.level(0, 1), Segment.grow(100, 40)),
        bucket('+Inf', Segment.level(0, 1), Segment.grow(100, 40)),
      ],
    },
  });
}

function highSpanDropRate({ droppedSpansPerSecond, window }: ResolvedThresholds): Alert {
  const dropped = (...segments: Segment[]): TestSeries =>
    TestSeries.of(ServiceMetrics.SPANS_DROPPED, { ...TARGET, reason: 'export_failed' }, ...segments);
  const limit = droppedSpansPerSecond * 60;
  return new Alert({
    name: 'HighSpanDropRate',
    severity: Severity.WARNING,
    expr: serviceRate(ServiceMetrics.SPANS_DROPPED, window).above(droppedSpansPerSecond),
    holdFor: Duration.minutes(5),
    summary: '{{ $labels.job }} in {{ $labels.namespace }} drops spans',
    description: '{{ $value | humanize }} spans per second are given up before they reach the agent.',
    meaning: 'The exporter inside of the service gives spans up: its queue is full or its agent does not take them.',
    impact: 'Traces have holes. The service itself is not affected.',
    diagnosis: [
      {
        question: 'Why are they given up?',
        query: ServiceMetrics.SPANS_DROPPED.where().over(window).rate().sumBy('namespace', 'job', 'reason'),
      },
      { question: 'How many spans get through?', query: serviceRate(ServiceMetrics.SPANS_EXPORTED, window) },
      { question: 'Is the queue of the service full?', query: ServiceMetrics.QUEUE_SIZE.where().maxBy('namespace', 'job', 'pod') },
    ],
    remedy: [
      'See whether the agent of the pods is ready (`kubectl get pods`, container `otlp-agent`) and whether one of its alerts fires.',
      'If the service makes spans faster than it exports them, raise its queue size or sample.',
    ],
    scenario: {
      failing: [dropped(Segment.level(0, 1), Segment.grow(limit * 2, 20), Segment.hold(20))],
      firesAt: Duration.minutes(15),
      firing: [{ labels: FIRING, value: String(droppedSpansPerSecond * 2) }],
      resolvedAt: Duration.minutes(35),
      healthy: [dropped(Segment.level(0, 1), Segment.grow(limit, 40))],
    },
  });
}

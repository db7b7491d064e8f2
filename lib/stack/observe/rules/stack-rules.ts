import { Duration } from 'cdk8s';
import { Unit } from '../metric';
import { ServiceMetrics, SpanMetrics } from '../metrics';
import { errorRatio, FIVE_MINUTES, memoryRatio, requestLatency, requestRate, serviceRate } from '../queries';
import { Match, type Query, Window } from '../query';
import { RecordingRule } from './recording-rule';

const ONE_MINUTE = Window.of(Duration.minutes(1));
const { REQUESTS, SECONDS, RATIO, SPANS } = Unit;

/** What is asked often enough to be computed once. */
export class StackRules {
  /** For people: smooth enough to read. */
  public static readonly REQUEST_RATE = rule('service:http_requests:rate5m', requestRate(FIVE_MINUTES), REQUESTS, 'Requests per second.');
  /** For autoscalers: five minutes would be four too late. */
  public static readonly REQUEST_RATE_FAST = rule(
    'service:http_requests:rate1m',
    requestRate(ONE_MINUTE),
    REQUESTS,
    'Requests per second, for autoscalers.',
  );
  public static readonly ERROR_RATIO = rule(
    'service:http_requests_failed:ratio_rate5m',
    errorRatio(FIVE_MINUTES),
    RATIO,
    'Share of requests answered with 5xx.',
  );
  public static readonly LATENCY_P95 = rule(
    'service:http_request_duration_seconds:p95_5m',
    requestLatency(0.95, FIVE_MINUTES),
    SECONDS,
    '95th percentile of request durations.',
  );
  public static readonly SPANS_EXPORTED = rule(
    'service:otlp_spans_exported:rate5m',
    serviceRate(ServiceMetrics.SPANS_EXPORTED, FIVE_MINUTES),
    SPANS,
    'Spans per second that reach the agent.',
  );
  public static readonly SPANS_DROPPED = rule(
    'service:otlp_spans_dropped:rate5m',
    serviceRate(ServiceMetrics.SPANS_DROPPED, FIVE_MINUTES),
    SPANS,
    'Spans per second that are given up.',
  );
  public static readonly MEMORY_RATIO = rule(
    'container:memory_working_set:ratio_limit',
    memoryRatio(),
    RATIO,
    'Share of its memory limit that a container uses.',
  );
  public static readonly SPAN_CALLS = rule(
    'service:traces_span_metrics_calls:rate5m',
    SpanMetrics.CALLS.where(Match.equal('span_kind', 'SPAN_KIND_SERVER')).over(FIVE_MINUTES).rate().sumBy('service_name'),
    SPANS,
    'Requests per second that a service answered, counted from its spans.',
  );

  /** Rules of services, whatever else is in the stack. */
  public static service(): RecordingRule[] {
    return [
      StackRules.REQUEST_RATE,
      StackRules.REQUEST_RATE_FAST,
      StackRules.ERROR_RATIO,
      StackRules.LATENCY_P95,
      StackRules.SPANS_EXPORTED,
      StackRules.SPANS_DROPPED,
    ];
  }

  /**
   * Requests per second of one service, all its pods together: the trigger `http_requests_per_second` of an autoscaler, which divides
   * by the number of pods.
   * @param job the service's scrape job
   */
  public static httpRequestsPerSecond(namespace: string, job: string): Query {
    const series = StackRules.REQUEST_RATE_FAST.metric.where(Match.equal('namespace', namespace), Match.equal('job', job));
    return series.sumBy();
  }

  private constructor() {}
}

function rule(record: string, expr: Query, unit: Unit, help: string): RecordingRule {
  return new RecordingRule({ record, expr, unit, help });
}

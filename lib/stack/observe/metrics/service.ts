import { Metric, MetricType, Unit } from '../metric';
import { Program } from '../program';

/** The metrics that an application service exposes at /metrics. */
export class ServiceMetrics {
  public static readonly HTTP_REQUESTS = new Metric({
    name: 'http_requests_total',
    type: MetricType.COUNTER,
    unit: Unit.REQUESTS,
    labels: ['method', 'route', 'status'],
    help: 'HTTP requests that were answered, by method, route and status code.',
    program: Program.SERVICE,
  });
  public static readonly HTTP_REQUEST_DURATION = new Metric({
    name: 'http_request_duration_seconds',
    type: MetricType.HISTOGRAM,
    unit: Unit.SECONDS,
    labels: ['method', 'route', 'status'],
    help: 'Time from the first byte of a request to the last byte of its answer.',
    program: Program.SERVICE,
  });
  public static readonly SPANS_EXPORTED = new Metric({
    name: 'otlp_spans_exported_total',
    type: MetricType.COUNTER,
    unit: Unit.SPANS,
    help: 'Spans that the service handed to its agent.',
    program: Program.SERVICE,
  });
  public static readonly SPANS_DROPPED = new Metric({
    name: 'otlp_spans_dropped_total',
    type: MetricType.COUNTER,
    unit: Unit.SPANS,
    labels: ['reason'],
    help: 'Spans that the service gave up: the agent was away or its own queue was full.',
    program: Program.SERVICE,
  });
  public static readonly QUEUE_SIZE = new Metric({
    name: 'otlp_queue_size',
    type: MetricType.GAUGE,
    unit: Unit.SPANS,
    help: 'Spans that wait in the service for their export.',
    program: Program.SERVICE,
  });

  public static all(): Metric[] {
    return [
      ServiceMetrics.HTTP_REQUESTS,
      ServiceMetrics.HTTP_REQUEST_DURATION,
      ServiceMetrics.SPANS_EXPORTED,
      ServiceMetrics.SPANS_DROPPED,
      ServiceMetrics.QUEUE_SIZE,
    ];
  }

  private constructor() {}
}
